"""Runs as the toy has them: found by a tree of conditions, sorted, cut by an offset, counted; and stopped by number."""

from typing import Final

from litestar import post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from controlroom.border.asking import Asking
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Direction,
    Filter,
    Operator,
    Skip,
    Sort,
)
from controlroom.engine.nouns import Ways
from controlroom.engine.references import locate
from controlroom.engine.runs import actions
from controlroom.engine.runs.listings import RUNS
from controlroom.engine.runs.model import Run, StopRequest
from controlroom.engine.runs.store import RUN

_FIELDS: Final = {"nr": "number", "job": "process_name", "status": "state"}


class Is(Struct, frozen=True, tag_field="op", tag="is"):
    """A field has a value."""

    field: str
    value: str | int


class Both(Struct, frozen=True, tag_field="op", tag="and"):
    """All conditions hold."""

    of: list["Condition"]


class Either(Struct, frozen=True, tag_field="op", tag="or"):
    """One of the conditions holds."""

    of: list["Condition"]


Condition = Is | Both | Either


class ListRuns(Struct, frozen=True):
    """What is asked of the list."""

    where: Condition | None = None
    newest_first: bool = True
    offset: int = 0
    length: int = 10


class ToyRun(Struct, frozen=True):
    """A run in the toy's words."""

    nr: int
    job: str
    status: str


class Runs(Struct, frozen=True):
    """A part of the list, and how many there are in all."""

    list: list[ToyRun]
    total: int


class Stopped(Struct, frozen=True):
    """Whether it will stop: not one that has ended."""

    stopping: bool


@post("/runs/list", status_code=200, needs=Permission.READ_RUNS)
async def list_runs(request: Asking, data: JSONBody[ListRuns]) -> Runs:
    """The runs of all workspaces that the caller sees."""
    asked = Asked(
        filter=EVERYTHING if data.where is None else _filter(data.where),
        sort=(Sort("number", Direction.DESCENDING if data.newest_first else Direction.ASCENDING),),
        start=Skip(data.offset),
        length=data.length,
        with_total=True,
    )
    page = await pages.page(request.db, Run, RUNS, within(request.seen), asked)
    assert page.total is not None
    return Runs([ToyRun(run.number, run.process_name, run.state.value) for run in page.rows], page.total.rows)


@post("/runs/{nr:str}/stop", status_code=200, needs=Permission.START_RUNS)
async def stop_run(request: Asking, nr: FromPath[str]) -> Stopped:
    """Stop a run, whichever workspace it is of."""
    run = await locate(*request.reading, RUN, nr, Ways.NUMBER)
    stop = StopRequest(terminate=True, remaining_done=False)
    return Stopped(await actions.stop(request.engine, request.actor, run.scope.workspace, run.id, stop))


def _filter(condition: Condition) -> Filter:
    match condition:
        case Is(field, value):
            return Compare(_FIELDS.get(field, field), Operator.EQ, value)
        case Both(of):
            return AllOf(tuple(map(_filter, of)))
        case Either(of):
            return AnyOf(tuple(map(_filter, of)))
