"""How a step run ends, whoever ends it: its worker, or the room because its worker was lost (DESIGN §4.6)."""

import random
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import EACH, Of, Room, ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.events.store import By, Event
from controlroom.engine.runs.model import Result, StepRunState
from controlroom.engine.runs.rules import exception_of, result_of
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import claims
from controlroom.engine.work_items.model import ItemState, Outcome
from controlroom.engine.work_items.rules import GiveUp, Retry, RetryPolicy, after_failure
from controlroom.engine.work_items.store import RETRY
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkerId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import ErrorCode, StepRunError

_SYSTEM = By("system")


class Leased(Struct, frozen=True, kw_only=True):
    """A step run in progress, locked by the one who ends it."""

    id: StepRunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId
    run_id: RunId
    attempt: int
    has_begun: bool
    is_stopped: bool
    is_alone: bool = False
    is_project: bool = False
    has_database: bool = False
    """Whether its step works on the file of a connection."""
    retry: RetryPolicy
    worker_id: WorkerId

    def event(self, kind: str, *, item: WorkItemId | None = None, **data: Any) -> Event:
        """Something that happened to it, or to an item that it held."""
        of, run = self.process_id, self.run_id
        return happened(self, kind, process_id=of, run_id=run, step_run_id=self.id, work_item_id=item, **data)


_LEASED = f"""
    select step_run.id, step_run.workspace_id, workspace.organization_id, step.process_id, step_run.run_id,
           step_run.attempt, step_run.began_at is not null as has_begun, run.stop_at is not null as is_stopped,
           step_run.is_alone, {RETRY} as retry, step_run.worker_id,
           exists (select from project_run where project_run.run_id = step_run.run_id) as is_project,
           step.database_id is not null as has_database
      from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
      join workspace on workspace.id = step_run.workspace_id
     where step_run.state = 'in_progress'
"""

OF_WORKER: Final = f"step_run.worker_id = %(worker)s and step_run.workspace_id in {EACH}"
"""The condition that a worker has a step run, in what it serves."""


async def lock_attempt(tx: Statements, scope: Of, worker: WorkerId, step_run: StepRunId, attempt: int) -> Leased | None:
    """The attempt, if the worker has it and it has not ended."""
    return await tx.one_or_none(
        Leased,
        f"""{_LEASED} and {OF_WORKER} and step_run.id = %(of)s and step_run.attempt = %(of_attempt)s
           for no key update of step_run
        """,
        worker=worker,
        of=step_run,
        of_attempt=attempt,
        **scope.each,
    )


async def lock_expired(tx: Statements, _room: Room) -> Leased | None:
    """One step run whose lease has run out, that nobody else is rescuing."""
    return await tx.one_or_none(
        Leased,
        f"""{_LEASED}
           and step_run.lease_until < clock_now()
         order by step_run.lease_until
         limit 1
           for no key update of step_run skip locked
        """,
    )


async def lock_all_of(tx: Statements, scope: Of, worker: WorkerId) -> list[Leased]:
    """All that a worker has in hand."""
    return await tx.all(
        Leased,
        f"{_LEASED} and {OF_WORKER} order by step_run.id for no key update of step_run",
        worker=worker,
        **scope.each,
    )


async def end(
    engine: Engine, tx: ScopedTx, leased: Leased, error: StepRunError | None, *, exit_code: int | None, by: By
) -> None:
    """End a locked step run: release what it holds, publish its outputs, tell of it, let its run go on."""
    await _release_held(tx, leased, error)
    await claims.publish_outputs(tx, leased.id)
    state = StepRunState.COMPLETED if error is None else StepRunState.FAILED
    result = Result.SUCCEEDED if error is None else result_of(error.code)
    await tx.execute(
        """
        update step_run
           set state = %(state)s, state_at = clock_now(), ended_at = clock_now(), lease_until = null,
               paused_at = null, result = %(result)s, error_code = %(code)s, error_message = %(message)s,
               exit_code = %(exit_code)s
         where id = %(step_run)s
        """,
        step_run=leased.id,
        state=state,
        result=result,
        code=None if error is None else error.code,
        message="" if error is None else error.message,
        exit_code=exit_code,
    )
    data: dict[str, Any] = {"result": result.value, "attempt": leased.attempt}
    if error is not None:
        data["error"] = {"code": error.code.value, "message": error.message}
    await events.append(tx, by, leased.event(f"step_run.{state.value}", **data))
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, leased.run_id))
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.EVENTS))
    if leased.is_alone:  # it is its user's next one's turn, wherever that may run
        of, within = leased.workspace_id, leased.organization_id
        tx.after_commit(lambda: engine.wakes.wake(Topic.STEP_RUNS_AWAIT, of, within))


async def lose(engine: Engine, tx: ScopedTx, leased: Leased, why: str) -> None:
    """Its worker was lost: repeat a robot that has not begun, end one that has. Its phases end with it."""
    await _end_phases(tx, leased, why)
    if leased.has_begun:
        error = StepRunError(ErrorCode.WORKER_LOST, why)
        await claims.discard_outputs_of_held(tx, leased.id)
        await end(engine, tx, leased, error, exit_code=None, by=_SYSTEM)
        tx.after_commit(lambda: engine.wakes.wake(Topic.ORDERS, leased.worker_id))
        return
    held = await claims.held_by(tx, leased.id)
    if held is not None:
        await claims.end_attempt(tx, held, state=ItemState.PENDING, outcome=Outcome.LOST, exception=None)
    if leased.is_stopped:
        await tx.execute(
            """
            update step_run
               set state = 'withdrawn', state_at = clock_now(), ended_at = clock_now(), lease_until = null,
                   paused_at = null
             where id = %(step_run)s
            """,
            step_run=leased.id,
        )
    else:
        await tx.execute(
            """
            update step_run
               set state = 'awaiting_worker', state_at = clock_now(), lease_until = null, worker_id = null,
                   worker_session = null, termination = null, bound_item_id = null   -- what is paused stays so
             where id = %(step_run)s
            """,
            step_run=leased.id,
        )
    await events.append(tx, _SYSTEM, leased.event("step_run.worker_lost", attempt=leased.attempt, reason=why))
    of, within = leased.workspace_id, leased.organization_id
    tx.after_commit(lambda: engine.wakes.wake(Topic.STEP_RUNS_AWAIT, of, within))
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, leased.run_id))


async def _end_phases(tx: ScopedTx, leased: Leased, why: str) -> None:
    """The phase in progress has failed, and those to come are skipped."""
    await tx.execute(
        """
        with printed as (
            select first_line + line_count - 1 as last from console_chunk
             where step_run_id = %(step_run)s and attempt = %(attempt)s
             order by first_line desc
             limit 1
        )
        update phase
           set state = case state when 'waiting' then 'skipped' else 'failed' end, message = %(why)s,
               ended_at = case state when 'waiting' then null else clock_now() end,
               last_line = (select last from printed where last >= phase.first_line)
         where step_run_id = %(step_run)s and attempt = %(attempt)s and state in ('waiting', 'in_progress')
        """,
        step_run=leased.id,
        attempt=leased.attempt,
        why=why,
    )


async def _release_held(tx: ScopedTx, leased: Leased, error: StepRunError | None) -> None:
    """The item in hand: done with a robot that succeeded, else retried or failed."""
    held = await claims.held_by(tx, leased.id)
    if held is None:
        return
    if error is None:
        await claims.end_attempt(tx, held, state=ItemState.DONE, outcome=Outcome.DONE, exception=None)
        kind = "work_item.done"
    else:
        exception = exception_of(error.code, error.message)
        # a stopped run takes nothing up again: what is retried there would only be settled as failed; nor is what
        # somebody has ended to be begun anew
        is_over = leased.is_stopped or error.code is ErrorCode.TERMINATED
        policy = RetryPolicy() if is_over else leased.retry
        match after_failure(exception, attempt=held.attempt, policy=policy, chance=random.random()):  # noqa: S311 - jitter
            case Retry(delay):
                await claims.end_attempt(
                    tx, held, state=ItemState.PENDING, outcome=Outcome.RETRIED, exception=exception, delay=delay
                )
                kind = "work_item.retried"
            case GiveUp(reason):
                await claims.end_attempt(tx, held, state=ItemState.FAILED, outcome=Outcome.FAILED, exception=reason)
                kind = "work_item.failed"
    await events.append(tx, _SYSTEM, leased.event(kind, item=held.id))
