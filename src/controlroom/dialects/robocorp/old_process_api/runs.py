"""Runs in the old Process API (§2.1, §2.2): started by whole bodies, told with the states of old."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from litestar import get
from msgspec import Raw

from controlroom.border.asking import Body, Permission, Query, QueryParameter
from controlroom.border.bodies import check_lists, decode, payload_of
from controlroom.dialects.robocorp.answers import Named, OlderShape
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.old_process_api.shapes import Data, OldRun, run_state, show_run
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.processes import store as processes
from controlroom.engine.runs import actions, model, store
from controlroom.engine.runs.summaries import input_ids, summaries
from controlroom.errors import Conflict, Invalid
from controlroom.ids import RunId, WorkItemId
from controlroom.postgres.keyset import whole


class OldStarted(OlderShape, frozen=True):
    """The run that was started, and the items that it began with."""

    id: RunId
    work_item_ids: list[WorkItemId]


class RunRequest(OlderShape, frozen=True, forbid_unknown_fields=True):
    """With what a run shall begin."""

    type: Literal["default", "workItemIds", "storages"]
    work_item_ids: list[WorkItemId] | None = None
    storages: list[Literal["input", "failed", "output"]] | None = None


@post("/runs", needs=Permission.START_RUNS)
async def start_run(request: Asking) -> OldStarted:
    """Start a run of one item, whose payload is the whole body."""
    return await start(request, whole_body(await request.body()))


@post("/runs-qs-authorization", needs=Permission.START_RUNS)
async def start_run_by_query(request: Asking) -> OldStarted:
    """Likewise, with the key in the query."""
    return await start(request, whole_body(await request.body()))


@post("/runs-batch", needs=Permission.START_RUNS)
async def start_run_of_many(request: Asking) -> OldStarted:
    """Start one run with an item for each element of the array."""
    body = await request.body()
    await check_lists(request.engine, body)
    payloads: list[Raw] = decode(body, list[Raw])
    return await start(request, model.WithPayloads(Raw(body), len(payloads)))


@post("/run-request", needs=Permission.START_RUNS)
async def start_run_as_requested(request: Asking, data: Body[RunRequest]) -> OldStarted:
    """Start a run as configured, with items that are named, or with what waits."""
    return await start(request, _inputs(data))


async def start(request: Asking, inputs: model.Inputs) -> OldStarted:
    """Start a run, and tell what it began with. Raises Conflict `NO_WORK_ITEMS` when nothing waits."""
    run = await actions.start(*request.acting, request.process, inputs)
    if run is None:  # this API has no answer without a run
        raise Conflict("no work items wait in the input queue", code="NO_WORK_ITEMS")
    return OldStarted(run.id, await input_ids(*request.reading, run.id))


def whole_body(body: bytes) -> model.Inputs:
    """A body as the payload of one item; nothing, and the empty array that clients send for it, as the default."""
    if body.strip() in {b"", b"[]"}:
        return model.DefaultInput()
    return model.WithPayloads(Raw(b"[" + bytes(payload_of(body)) + b"]"), 1)


def _inputs(asked: RunRequest) -> model.Inputs:
    match asked.type, asked.work_item_ids or [], asked.storages or []:
        case "default", [], []:
            return model.DefaultInput()
        case "workItemIds", [*items], []:
            return model.WithItems(tuple(items))
        case "storages", [], ["input"]:
            return model.WithWaiting()
        case "storages", [], _:  # failed items are retried in the run that they belong to
            raise Invalid("a run can be started with the storage `input` alone", code="STORAGE_UNKNOWN")
        case kind, _, _:
            raise Invalid(f"a start of type {kind} has no other input beside it", code="INVALID_BODY")


@get("/runs", needs=Permission.READ_RUNS)
async def list_runs(request: Asking, limit: Query[int | None] = None) -> Data[OldRun]:
    """List the runs of a process, newest first."""
    await processes.get(*request.reading, request.process)
    rows = await store.list_runs(*request.reading, process=request.process, limit=request.most(limit))
    return Data(await _shown(request, rows))


@get("/runs/{run_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_run(request: Asking) -> OldRun:
    """Get a run of a process."""
    [shown] = await _shown(request, [await request.run()])
    return shown


@get("/pruns", needs=Permission.READ_RUNS)
async def list_runs_of_workspace(
    request: Asking, code: Annotated[str | None, QueryParameter(name="state")] = None, limit: Query[int | None] = None
) -> list[OldRun]:
    """List the runs of all processes, newest first; of one state, when a code is given."""
    most = request.most(limit)
    states = [None] if code is None else run_state(code)
    rows = [run for state in states for run in await store.list_runs(*request.reading, state=state, limit=most)]
    rows.sort(key=lambda run: run.id, reverse=True)  # two states have one code
    return await _shown(request, rows[:most])


@get("/processes", needs=Permission.READ_PROCESSES)
async def list_processes(request: Asking) -> Data[Named]:
    """List the processes of a workspace: all of them, because this API has no pages."""
    rows = await whole(partial(processes.list_processes, *request.reading), request.engine.limits.max_page_size)
    return Data([Named(process.id, process.name) for process in rows])


async def _shown(request: Asking, runs: Sequence[model.Run]) -> list[OldRun]:
    told = await summaries(*request.reading, runs)
    return [show_run(run, told[run.id]) for run in runs if run.id in told]  # one may be deleted meanwhile


handlers = [start_run, start_run_of_many, start_run_as_requested, list_runs, get_run]
"""Below a process, for who sends a key in the header."""

handlers_of_workspace = [list_runs_of_workspace, list_processes]
"""Below the workspace."""
