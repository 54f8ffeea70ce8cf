"""Step runs of tasks, over all workspaces that somebody sees: what is running, has run and waits, whoever started it.

Who may not read runs sees their own: those that they have started, and those that run as them.
"""

import time
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import EACH, SEEN, Of, Scope, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Filter,
    OneOf,
    Operator,
    Page,
    Total,
)
from controlroom.engine.lists.words import Paths
from controlroom.engine.repository.model import Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.runs.errors import StepRunNotFound
from controlroom.engine.runs.task_run_listings import TaskRun, listing_of
from controlroom.ids import RunId, StepRunId, WorkspaceId
from controlroom.postgres.database import Database, Statements

_GOOD_FOR: Final = 10.0


def _equal(field: str, value: object) -> Compare:
    return Compare(field, Operator.EQ, value)


class Seen(Struct, frozen=True):
    """What somebody sees of all step runs: of these workspaces those that the filter finds."""

    scope: Of
    own: Filter


async def seen_by(db: Statements, actor: Actor) -> Seen:
    """All step runs of the workspaces in which the actor may read runs; of others in which they are, their own.

    They are also where a role of theirs has rights in a folder.
    """
    inside = tuple(actor.grants)
    if not actor.uses(Permission.READ_RUNS, None):
        inside = tuple({*inside, *(await rights_of(db, actor)).scope(Right.VIEW).workspaces})
    scope = Of(actor.organization_id, inside)
    readable = tuple(each for each in inside if actor.may(Permission.READ_RUNS, each))
    if len(readable) == len(inside):
        return Seen(scope, EVERYTHING)
    mine: list[Filter] = [OneOf("workspace_id", readable)] if readable else []
    if actor.id is not None:
        mine.append(_equal("started_by_id", actor.id))
        if actor.kind is ActorKind.USER:
            mine.append(_equal("run_as", actor.id))
    return Seen(scope, AnyOf(tuple(mine)))


def governing(actor: Actor, run: TaskRun) -> Actor:
    """The actor as they may stop, pause and resume a step run that they see: what is their own everybody may."""
    held = actor.permissions_in(run.workspace_id)
    if actor.id is None or actor.id not in {run.started_by_id, run.user_id} or Permission.START_RUNS in held:
        return actor
    return msgspec.structs.replace(actor, grants=actor.grants | {run.workspace_id: held | {Permission.START_RUNS}})


async def page(engine: Engine, seen: Seen, asked: Asked, paths: Paths | None = None) -> Page[TaskRun]:
    """Step runs of tasks. Raises Invalid for what the list cannot have."""
    condition = await _with_runs_of_names(engine.database, seen.scope, asked.filter)
    wanted = msgspec.structs.replace(asked, filter=both(seen.own, condition))
    listing = await listing_of(engine.database, seen.scope, paths)
    return await pages.page(engine.database, TaskRun, listing, within(seen.scope), wanted)


async def count(engine: Engine, seen: Seen, asked: Filter = EVERYTHING) -> Total:
    """How many there are, as a page tells it."""
    empty = Asked(filter=both(seen.own, asked), length=0, with_total=True)
    listing = await listing_of(engine.database, seen.scope)
    found = await pages.page(engine.database, TaskRun, listing, within(seen.scope), empty)
    assert found.total is not None  # noqa: S101 - it was asked for
    return found.total


_MOST_KEPT: Final = 1_000


_FEW: Final = 5_000
"""So many are counted in the time that their page takes anyhow."""


_all: WeakKeyDictionary[Database, dict[Any, tuple[float, int]]] = WeakKeyDictionary()


async def about_all(engine: Engine, seen: Seen) -> int:
    """How many somebody sees in all; where they are many, as it was some seconds ago.

    Why: who polls for one run need not have all counted each time.
    """
    kept = _all.setdefault(engine.database, {})
    key = (seen.scope, None if seen.own == EVERYTHING else repr(seen.own))
    asked, rows = kept.get(key, (-_GOOD_FOR, 0))
    if rows < _FEW or asked < time.monotonic() - _GOOD_FOR:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        rows = (await count(engine, seen)).rows
        kept[key] = time.monotonic(), rows
    return rows


_MOST_OF_ONE_NAME: Final = 500


async def _with_runs_of_names(db: Statements, scope: Scope, asked: Filter) -> Filter:
    """The filter with the runs that have a name in place of the name, of which there are few.

    Why: PostgreSQL takes a name for more frequent than it is, and passes by millions of step runs in the order of the
    list to find those of one.
    """
    match asked:
        case AllOf(of):
            return AllOf(tuple([await _with_runs_of_names(db, scope, each) for each in of]))
        case AnyOf(of):
            return AnyOf(tuple([await _with_runs_of_names(db, scope, each) for each in of]))
        case Compare("run_name", Operator.EQ, str(name)):
            runs = await _named(db, scope, name)
            return OneOf("run_id", tuple(runs)) if len(runs) <= _MOST_OF_ONE_NAME else asked
        case _:
            return asked


async def _named(db: Statements, scope: Scope, name: str) -> list[RunId]:
    return await db.all(
        RunId,
        f"""
        select run.id from run
         where run.workspace_id in {EACH} and run.parameters ->> 'name' = %(name)s
         limit {_MOST_OF_ONE_NAME + 1}
        """,
        name=name,
        **scope.each,
    )


def both(own: Filter, asked: Filter) -> Filter:
    """Two conditions; one alone where the other is none."""
    conditions = [each for each in (own, asked) if each != EVERYTHING]
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


async def get(engine: Engine, seen: Seen, step_run: StepRunId) -> TaskRun:
    """One step run of a task. Raises StepRunNotFound."""
    found = await page(engine, seen, Asked(filter=_equal("id", step_run), length=1))
    if not found.rows:
        raise StepRunNotFound(step_run)
    return found.rows[0]


class _Payload(Struct, frozen=True):
    payload: Raw | None


MOST_OUTPUTS: Final = 1000


async def outputs(db: Statements, scope: Scope, step_run: StepRunId) -> list[Raw | None]:
    """The payloads of the last items that a step run has put out, oldest first, up to `MOST_OUTPUTS`."""
    found = await db.all(
        _Payload,
        f"""
        select payload from work_item
         where work_item.workspace_id = {SEEN} and work_item.created_by_step_run = %(of)s
           and work_item.run_id = (select run_id from step_run where step_run.id = %(of)s)
           and work_item.queue_id is null and work_item.state not in ('draft', 'invalid', 'deleted')
         order by work_item.id
         limit {MOST_OUTPUTS}
        """,
        of=step_run,
        **scope.params,
    )
    return [each.payload for each in found]


def in_workspace(seen: Seen, workspace: WorkspaceId) -> Of:
    """One workspace of those that are seen."""
    return Of(seen.scope.organization, (workspace,))
