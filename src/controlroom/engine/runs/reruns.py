"""Running again: a new run of the process, with copies of items that have ended, or of what another run began with."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.processes import store as processes
from controlroom.engine.runs import actions
from controlroom.engine.runs.errors import RunHasNoInputs, RunNotEnded, RunNotFound
from controlroom.engine.runs.model import Inputs, Run, RunState, WithCopies
from controlroom.engine.runs.parameters import AS_USUAL, RunParameters, StoredParameters
from controlroom.engine.work_items import bulk, schemas
from controlroom.engine.work_items.bulk import ItemFilter, Preview
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, RunId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements


async def preview(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, which: ItemFilter
) -> Preview:
    """How many inputs of the process a filter finds, and how many of them have ended and would be run again."""
    scope = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    first = await processes.first_step(engine.database, scope, process)
    return await bulk.count_ended(engine.database, scope, first.queue_id, which)


async def rerun(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, which: ItemFilter
) -> Run | None:
    """Start a run with a copy, with its files, of each input of the process that the filter finds and that has ended.

    The items themselves stay as they are. If all are of one run, the new one has its overrides and placement. None if
    the filter finds none. Raises Invalid `TOO_MANY_ITEMS`, and what a
    start raises.
    """
    scope = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    first = await processes.first_step(engine.database, scope, process)
    most = engine.limits.items_per_start
    items = await bulk.list_ended(engine.database, scope, first.queue_id, which, limit=most + 1)
    if not items:
        return None
    if len(items) > most:
        raise Invalid(f"at most {most:,} items a start", code="TOO_MANY_ITEMS")
    parameters = await _of_one_run(engine.database, scope, items)
    return await actions.start(engine, actor, workspace, process, WithCopies(tuple(items)), parameters)


async def rerun_run(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    run: RunId,
    *,
    cause: str = "",
    key: str | None = None,
    inputs: Inputs | None = None,
) -> Run:
    """Start a run as one that has ended was: of its process, with its parameters and copies of what it began with.

    Or with other `inputs`.

    The copies have the payload and files that the items have by now: what a robot wrote into its input is in them. The
    callback was for the one run; `key` is an idempotency key, as a start has it. Raises RunNotFound, RunNotEnded,
    RunHasNoInputs (they are deleted), Invalid `TOO_MANY_ITEMS`, and what a start raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)

    async def begin() -> Run | None:
        async with scoped(engine.database, scope) as tx:
            before = await _hold(tx, scope, run)
            copies = await _copies(tx, engine, scope, run) if inputs is None else inputs
            parameters = replace(before.parameters.again(priority=before.priority), cause=cause, idempotency_key=key)
            again = replace(actions.cause_of(actor), rerun_of=run)
            return await actions.start_in(
                tx, engine, actor, workspace, before.process_id, copies, parameters, cause=again
            )

    started = await schemas.settled(engine, begin)
    assert started is not None  # noqa: S101 - copies are there, or were refused above
    return started


async def _copies(tx: ScopedTx, engine: Engine, scope: Scope, run: RunId) -> WithCopies:
    most = engine.limits.items_per_start
    items = await _inputs_of(tx, scope, run, limit=most + 1)
    if not items:
        raise RunHasNoInputs(run)
    if len(items) > most:
        raise Invalid(f"at most {most:,} items a start", code="TOO_MANY_ITEMS")
    return WithCopies(tuple(items))


async def _of_one_run(db: Statements, scope: Scope, items: Sequence[WorkItemId]) -> RunParameters:
    """What the run of some items had in place of its steps' settings; as usual, if they are of several."""
    found = await db.one_or_none(
        StoredParameters,
        f"""
        select coalesce(parameters -> 'overrides', '{{}}') as overrides,
               coalesce(parameters -> 'placement', '{{}}') as placement
          from run
         where workspace_id = {SEEN} and id = (
               select case when count(distinct run_id) = 1 then min(run_id::text)::uuid end
                 from work_item where workspace_id = {SEEN} and id = any(%(items)s::uuid[]))
        """,
        items=list(items),
        **scope.params,
    )
    return AS_USUAL if found is None else RunParameters(overrides=found.overrides, placement=found.placement)


class _Before(Struct, frozen=True):
    state: RunState
    process_id: ProcessId
    priority: int
    parameters: StoredParameters


async def _hold(tx: ScopedTx, scope: Scope, run: RunId) -> _Before:
    """A run that has ended, which cannot be deleted or reopened before the transaction ends."""
    found = await tx.one_or_none(
        _Before,
        f"""
        select state, process_id, priority, parameters from run
         where workspace_id = {SEEN} and id = %(run)s
           for share
        """,
        run=run,
        **scope.params,
    )
    if found is None:
        raise RunNotFound(run)
    if found.state not in {RunState.COMPLETED, RunState.UNRESOLVED}:
        raise RunNotEnded(run, found.state)
    return found


async def _inputs_of(tx: ScopedTx, scope: Scope, run: RunId, *, limit: int) -> list[WorkItemId]:
    """The items that a run began with, oldest first: those that none of its robots made."""
    return await tx.all(
        WorkItemId,
        f"""
        select id from work_item
         where workspace_id = {SEEN} and run_id = %(run)s and created_by_step_run is null
           and queue_id is not null and state <> 'deleted'
         order by id
         limit %(limit)s
        """,
        run=run,
        limit=limit,
        **scope.params,
    )
