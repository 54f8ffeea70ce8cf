"""What makes a run go on: step runs for its pending items, and its end. `rules.next_for` decides.

Everything happens under a lock of the run's row, so that any number of dispatchers may try at once.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.events.store import By, Event
from controlroom.engine.locks.model import LockState
from controlroom.engine.runs import human_tasks, locks, shares
from controlroom.engine.runs.model import RunState, StopRequest
from controlroom.engine.runs.rules import CreateStepRuns, EndRun, RunLoad, StepLoad, is_idle, next_for
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.settling import settle_remaining
from controlroom.ids import OrganizationId, ProcessId, RunId, StepId, StepRunId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

_SYSTEM = By("system")


class _LockedRun(Struct, frozen=True, kw_only=True):
    id: RunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId
    state: RunState
    priority: int
    stop: StopRequest | None
    is_stopped: bool
    lock_state: LockState | None
    shares: int
    """For how many it has an item and a step run each; 0: it is not so shared."""

    def event(self, kind: str, *, step_run: StepRunId | None = None, **data: Any) -> Event:
        """Something that happened to it, or to a step run of it."""
        return happened(self, kind, process_id=self.process_id, run_id=self.id, step_run_id=step_run, **data)


_SETTLED_AT_ONCE: Final = 1000
"""Items of a stopped run that one transaction marks. Why: about a tenth of a second, in which somebody waits."""


async def dispatch(engine: Engine, room: Room, run: RunId, *, after: WorkItemId | None = None) -> WorkItemId | None:
    """Let a run go on: one transaction. Harmless when there is nothing to do.

    Of a stopped run that has more left than one transaction marks, it gives where to go on: call again with that.
    """
    async with scoped(engine.database, room) as tx:
        return await dispatch_in(engine, tx, run, after=after)


async def dispatch_in(
    engine: Engine, tx: ScopedTx, run_id: RunId, *, after: WorkItemId | None = None
) -> WorkItemId | None:
    """Likewise, in the caller's transaction; workers are woken after its commit, and the run if there is more to do."""
    run = await _lock(tx, run_id)
    if run is None:
        return None
    if run.state is RunState.STOPPING and run.stop is not None:
        left = await _settle(tx, run.id, run.stop, after)
        if left is not None:
            if run.lock_state is LockState.WAITING:  # others need not wait until all is settled
                await locks.give_back(engine, tx, run)
            tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, run_id))
            return left
    await _go_on(engine, tx, run)
    return None


async def _go_on(engine: Engine, tx: ScopedTx, run: _LockedRun) -> None:
    """Do what `rules.next_for` says."""
    steps = await _load(tx, run.id, run.process_id, at_least=run.shares)
    load = RunLoad(
        state=run.state,
        was_stopped=run.is_stopped,
        # it decides about the end alone: a run that goes on is spared the question
        has_failed_items=is_idle(steps) and await _has_failed(tx, run.id),
        steps=tuple(steps),
    )
    match next_for(load):
        case CreateStepRuns(counts, asking):
            await _reopen(tx, run)
            has_its_locks = await _has_its_locks(engine, tx, run)
            if has_its_locks and asking:
                await human_tasks.open_in(engine, tx, run, run.id, asking)
            if has_its_locks and counts:
                workers_to_wake = await _create(tx, run, counts)
                of, within = run.workspace_id, run.organization_id
                tx.after_commit(lambda: engine.wakes.wake(Topic.STEP_RUNS_AWAIT, of, within, count=workers_to_wake))
        case EndRun(state, result) if state is not run.state:
            await _end(engine, tx, run, EndRun(state, result))
            tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
            tx.after_commit(lambda: engine.wakes.wake(Topic.RUN_ENDED, run.id))
        case EndRun():
            pass


async def _settle(tx: ScopedTx, run: RunId, stop: StopRequest, after: WorkItemId | None) -> WorkItemId | None:
    """Mark some of what waits in a stopped run as was asked; None if that was all, else where to go on."""
    state, exception = ItemState.DONE, None
    if not stop.remaining_done:
        message = f"The run was stopped: {stop.reason}" if stop.reason else "The run was stopped."
        state, exception = (
            ItemState.FAILED,
            ItemException(ExceptionType.ORCHESTRATOR, "RUN_STOPPED", message),
        )
    return await settle_remaining(tx, run, state, exception, after=after, limit=_SETTLED_AT_ONCE)


async def runs_left_behind(db: Statements, _room: Room, *, limit: int) -> list[RunId]:
    """Runs, ended ones too, whose items somebody has changed and that have not been dispatched since."""
    return await db.all(RunId, "select run_id from run_wake order by run_id limit %(limit)s", limit=limit)


async def runs_to_look_at(db: Statements, _room: Room, *, limit: int) -> list[RunId]:
    """Open runs that have something to dispatch, or their end, that no wake-up has told of: the truth by polling.

    A few index probes for each open run and step, however many items wait; no run is locked. What `rules.next_for`
    would let wait (for a worker, its time, the steps before) is left alone, so that it never hides the others.
    """
    return await db.all(
        RunId,
        f"""
        select run.id from run
         where run.state in ('new', 'in_progress', 'stopping')
           and ((run.state = 'stopping' or run.lock_state is distinct from 'waiting')
                and exists (select from step
                         where step.process_id = run.process_id and step.deleted_at is null
                           and (run.state = 'stopping' or {_STEP_RUNS} < step.max_parallel)
                           and exists (select from work_item
                                        where work_item.run_id = run.id and work_item.step_id = step.id
                                          and work_item.state = 'pending' and {work_items.IS_DUE}
                                       offset {_WAITING_STEP_RUNS} limit 1)
                           and not (step.starts_after_previous and run.state <> 'stopping'
                                    and exists (select from step as earlier
                                                 where earlier.process_id = step.process_id
                                                   and earlier.deleted_at is null and earlier.position < step.position
                                                   and {_EARLIER_HAS_WORK})))
                or (not exists (select from step_run
                                 where step_run.run_id = run.id
                                   and step_run.state in ('new', 'awaiting_worker', 'in_progress'))
                    and (run.state = 'stopping'
                         or not exists (select from step
                                         where step.process_id = run.process_id and step.deleted_at is null
                                           and {_HAS_WORK}))))
         order by run.id
         limit %(limit)s
        """,
        limit=limit,
    )


_HAS_WORK, _EARLIER_HAS_WORK = (
    f"""(exists (select from step_run
                  where run_id = run.id and step_id = {step}.id and state in ('new', 'awaiting_worker', 'in_progress'))
         or exists (select from work_item
                     where run_id = run.id and step_id = {step}.id and state = 'pending')
         or exists (select from work_item
                     where run_id = run.id and step_id = {step}.id and state in ('in_progress', 'held')))"""
    for step in ("step", "earlier")
)
"""The condition that a step of a run has something in hand or to come."""

_WAITING_STEP_RUNS: Final = """(select count(*) from step_run
                         where step_run.run_id = run.id and step_run.step_id = step.id
                           and step_run.state in ('new', 'awaiting_worker'))"""

_STEP_RUNS: Final = """(select count(*) from step_run
                         where step_run.run_id = run.id and step_run.step_id = step.id
                           and step_run.state in ('new', 'awaiting_worker', 'in_progress'))"""


async def _lock(tx: ScopedTx, run: RunId) -> _LockedRun | None:
    """The run, locked; its wake-up is taken before anything is read: what is changed meanwhile leaves another."""
    return await tx.one_or_none(
        _LockedRun,
        """
        with taken as (delete from run_wake where run_id = %(run)s)
        select run.id, run.workspace_id, workspace.organization_id, run.process_id, run.state, run.priority, run.stop,
               run.stop_at is not null as is_stopped, run.lock_state,
               coalesce(jsonb_array_length(run.parameters -> 'shares'), 0) as shares
          from run join workspace on workspace.id = run.workspace_id
         where run.id = %(run)s and run.state <> 'completed'
           for no key update of run
        """,
        run=run,
    )


async def _has_failed(tx: ScopedTx, run: RunId) -> bool:
    """Asked after the lock was had: the locking statement may have seen the items as they were before it."""
    return bool(
        await tx.value(
            """
            select exists (select from work_item where run_id = %(run)s and state = 'failed')
                or exists (select from work_item where run_id = %(run)s and state = 'invalid')
            """,
            run=run,
        )
    )


async def _load(tx: ScopedTx, run: RunId, process: ProcessId, *, at_least: int) -> list[StepLoad]:
    """The steps with what they have to do. Deleted steps count while they have something in hand.

    So many `at_least` may run side by side, whatever a step says.
    """
    return await tx.all(
        StepLoad,
        f"""
        select step.id, greatest(step.max_parallel, %(at_least)s::int) as max_parallel, step.starts_after_previous,
               step.form is not null as asks_person,
               coalesce(active.active, 0)::int as active, coalesce(active.waiting, 0)::int as waiting,
               (select count(*) from (
                    select from work_item
                     where run_id = %(run)s and step_id = step.id and state = 'pending' and {work_items.IS_DUE}
                     limit greatest(step.max_parallel, %(at_least)s::int) + 1) as due)::int as ready,
               (exists (select from work_item
                         where run_id = %(run)s and step_id = step.id and state = 'pending')
                or exists (select from work_item
                            where run_id = %(run)s and state in ('in_progress', 'held') and step_id = step.id)
               )::int as unfinished
          from step
          left join lateral (
                select count(*) as active,
                       count(*) filter (where state in ('new', 'awaiting_worker')) as waiting
                  from step_run
                 where run_id = %(run)s and step_id = step.id and state in ('new', 'awaiting_worker', 'in_progress')
               ) as active on true
         where step.process_id = %(process)s
           and (step.deleted_at is null or active.active > 0)
         order by step.position, step.deleted_at nulls first, step.id
        """,
        run=run,
        process=process,
        at_least=at_least,
    )


async def _reopen(tx: ScopedTx, run: _LockedRun) -> None:
    """An unresolved run has got work again."""
    if run.state is not RunState.UNRESOLVED:
        return
    await tx.execute(
        """
        with reopened as (
            update run set state = 'in_progress', ended_at = null, result = null where id = %(run)s returning id
        )
        update project_run set stage = 'queued', ended_at = null where run_id = (select id from reopened)
        """,
        run=run.id,
    )
    await events.append(tx, _SYSTEM, run.event("run.reopened"))


async def _has_its_locks(engine: Engine, tx: ScopedTx, run: _LockedRun) -> bool:
    """Whether the run has all locks that it wants, now at the latest. One that is being stopped gets none any more."""
    match run.lock_state:
        case None | LockState.HELD:
            return True
        case LockState.RELEASED if run.state is not RunState.UNRESOLVED:
            return False  # it gave up its place when it was stopped
        case LockState.RELEASED:
            await locks.ask_again(tx, run)
        case LockState.WAITING if run.state is RunState.STOPPING:
            return False
        case LockState.WAITING:
            pass
    taken = await locks.take(tx, run)
    if taken is not None:
        await events.append(tx, _SYSTEM, run.event("run.locks_taken", locks=taken))
        tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
    return taken is not None


async def _create(tx: ScopedTx, run: _LockedRun, counts: Sequence[tuple[StepId, int]]) -> int | None:
    """Make the step runs. How many workers to wake: one each, or all (None) where not everyone may run them."""
    steps = [step for step, count in counts for _ in range(count)]
    ids = [StepRunId(uuid7()) for _ in steps]
    if run.shares:
        await shares.insert(tx, run.id, step_runs=ids, steps=steps, workspace=run.workspace_id, priority=run.priority)
        await events.append(tx, _SYSTEM, *(run.event("step_run.created", step_run=each) for each in ids))
        return None
    placements = await tx.all(
        bool,
        """
        insert into step_run (id, workspace_id, run_id, step_id, state, priority, placement, run_as, is_single)
        select made.id, %(workspace)s, %(run)s, step.id,
               -- on demand, nobody can take it before a worker was asked for
               case when places -> 0 ->> 'type' = 'on_demand' then 'new' else 'awaiting_worker' end, %(priority)s,
               case when places is null then '{}' else jsonb_build_object('places', places) end, run_as::uuid,
               step.one_item_per_step_run
          from unnest(%(ids)s::uuid[], %(steps)s::uuid[]) as made (id, step_id)
          join step on step.id = made.step_id
          join run on run.id = %(run)s
         cross join lateral (          -- what the run names goes before what the step names
               select coalesce(run.parameters -> 'placement' -> 'places', step.placement -> 'places') as places,
                      coalesce(run.parameters -> 'placement' ->> 'run_as', step.placement ->> 'run_as') as run_as
               ) as asked
        returning placement <> '{}'
        """,
        ids=ids,
        steps=steps,
        workspace=run.workspace_id,
        run=run.id,
        priority=run.priority,
    )
    await events.append(tx, _SYSTEM, *(run.event("step_run.created", step_run=each) for each in ids))
    return None if any(placements) else len(ids)


async def _end(engine: Engine, tx: ScopedTx, run: _LockedRun, end: EndRun) -> None:
    result = await tx.value(
        """
        with ended as (
            update run
               set state = %(state)s, ended_at = clock_now(), started_at = coalesce(started_at, clock_now()),
                   result = case when %(result)s = 'failed'
                                 then coalesce((select step_run.result    -- of a project's, how its last one ended
                                                  from project_run join step_run using (run_id)
                                                 where project_run.run_id = run.id and step_run.result <> 'succeeded'
                                                 order by step_run.id desc
                                                 limit 1), %(result)s) else %(result)s end
             where id = %(run)s
            returning id, result, ended_at
        ), told as (
            update project_run
               set stage = case when ended.result in ('failed', 'lost') then 'failed'
                                when ended.result in ('stopped', 'timed_out') then 'cancelled' else 'succeeded' end,
                   ended_at = ended.ended_at,
                   has_docs = exists (select from step_run join artifact on artifact.step_run_id = step_run.id
                                       where step_run.run_id = ended.id and artifact.name = 'catalog.json'),
                   has_sources = exists (select from step_run join artifact on artifact.step_run_id = step_run.id
                                          where step_run.run_id = ended.id and artifact.name = 'sources.json')
              from ended where project_run.run_id = ended.id
        )
        select result from ended
        """,
        run=run.id,
        state=end.state,
        result=end.result,
    )
    await events.append(tx, _SYSTEM, run.event(f"run.{end.state.value}", result=result))
    if run.lock_state in {LockState.WAITING, LockState.HELD}:
        await locks.give_back(engine, tx, run)
