"""What a worker tells of an attempt: phases, artifacts, its end.

An attempt that is no longer the worker's is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of, ScopedTx, by, scope_of_worker, scoped
from controlroom.engine.console import unfinished
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.runs import databases
from controlroom.engine.runs.endings import OF_WORKER, end, lock_attempt, lose
from controlroom.engine.runs.errors import ConsoleIncomplete, Superseded
from controlroom.engine.runs.projects import attempts as projects
from controlroom.engine.runs.projects.store import mark_begun
from controlroom.errors import Invalid
from controlroom.ids import (
    StepRunId,
    WorkerId,
    uuid7,
)
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements
from controlroom.protocol import (
    ErrorCode,
    Finish,
    PhaseKind,
    PhaseReport,
    PhaseReports,
    PhaseState,
    StepRunError,
)

_MOST_RETURNS = 10
_LONGEST_REASON = 1000


async def report_phases(
    engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, reports: PhaseReports
) -> None:
    """Write how phases stand; the first one that does not only prepare marks that robot code may have run."""
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        leased = await lock_attempt(tx, scope, worker.worker_id, step_run, attempt)
        if leased is None:
            raise Superseded
        if not leased.has_begun and any(_is_robot_code(report) for report in reports.phases):
            await _mark_begun(tx, step_run)
            if leased.is_project:
                await mark_begun(tx, leased.run_id)
        await _write_phases(tx, step_run, attempt, reports.phases)


async def _mark_begun(tx: ScopedTx, step_run: StepRunId) -> None:
    await tx.execute("update step_run set began_at = clock_now() where id = %(id)s", id=step_run)


_PREPARING: Final = {PhaseKind.ENVIRONMENT, PhaseKind.SOURCE, PhaseKind.PROFILE}


def _is_robot_code(report: PhaseReport) -> bool:
    if report.kind in _PREPARING or report.is_preparation:
        return False
    return report.state not in {PhaseState.WAITING, PhaseState.SKIPPED}


async def add_artifacts(
    engine: Engine,
    worker: WorkerActor,
    step_run: StepRunId,
    attempt: int,
    files: Mapping[str, Blob],
    *,
    phase: int | None = None,
) -> None:
    """Remember files that the attempt, or one of its phases, left, by name: all or none.

    May be repeated: the last content of a name counts.

    Raises Superseded, and Invalid `TOO_MANY_ARTIFACTS` for more than `limits.artifacts`.
    """
    scope = scope_of_worker(worker)
    most = engine.limits.artifacts
    db = engine.database
    if not await _insert_artifacts(db, scope, worker.worker_id, step_run, attempt, files, phase=phase, most=most):
        if await lock_attempt(engine.database, scope, worker.worker_id, step_run, attempt) is None:
            raise Superseded
        raise Invalid(f"a step run may leave at most {most:,} artifacts", code="TOO_MANY_ARTIFACTS")


async def _insert_artifacts(
    db: Statements,
    scope: Of,
    worker: WorkerId,
    step_run: StepRunId,
    attempt: int,
    files: Mapping[str, Blob],
    *,
    phase: int | None,
    most: int,
) -> int:
    return await db.execute(
        f"""
        insert into artifact (id, workspace_id, step_run_id, attempt, phase, name, size, hash)
        select file.id, workspace_id, step_run.id, attempt, %(phase)s::int, file.name, file.size, file.hash
          from step_run,
               unnest(%(ids)s::uuid[], %(names)s::text[], %(sizes)s::bigint[], %(hashes)s::text[])
               as file (id, name, size, hash)
         where step_run.id = %(of)s and attempt = %(of_attempt)s and {OF_WORKER} and state = 'in_progress'
           and (select count(*) from artifact as other
                 where other.step_run_id = %(of)s and other.attempt = %(of_attempt)s
                   and not (other.phase is not distinct from %(phase)s::int and other.name = any (%(names)s::text[])))
               <= %(most)s::int - %(count)s::int
            on conflict (step_run_id, attempt, phase, name) do update set size = excluded.size, hash = excluded.hash
        """,
        ids=[uuid7() for _ in files],
        of=step_run,
        of_attempt=attempt,
        worker=worker,
        phase=phase,
        names=list(files),
        sizes=[blob.size for blob in files.values()],
        hashes=[blob.hash for blob in files.values()],
        most=most,
        count=len(files),
        **scope.each,
    )


async def finish(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, report: Finish) -> None:
    """End the attempt. May be repeated after a lost answer; raises Superseded, ConsoleIncomplete."""
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        leased = await lock_attempt(tx, scope, worker.worker_id, step_run, attempt)
        if leased is None:
            if await _has_ended(tx, scope, worker.worker_id, step_run, attempt):
                return
            raise Superseded
        have = await _console_lines(tx, step_run, attempt)
        if have < report.console_lines:
            raise ConsoleIncomplete(have)
        await _write_phases(tx, step_run, attempt, report.phases)
        error = report.error
        if leased.is_project or leased.has_database:
            await databases.publish(engine, tx, leased)
        if leased.is_project:
            error = await projects.end(tx, leased, error)
        if error is not None:
            await events.append(tx, by(worker), leased.event("step_run.error", code=error.code.value))
        await end(engine, tx, leased, error, exit_code=report.exit_code, by=by(worker))
    unfinished.forget(engine, step_run)


async def give_back(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, why: str) -> None:
    """Let another worker begin what this one could not: no robot code has run. Raises Superseded.

    Not for ever: what was given back very often is nothing that a worker can begin, and fails.
    """
    why = why.replace("\0", "")[:_LONGEST_REASON]
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        leased = await lock_attempt(tx, scope, worker.worker_id, step_run, attempt)
        if leased is None:
            raise Superseded
        times = await _count_return(tx, step_run)
        if times < _MOST_RETURNS:
            await lose(engine, tx, structs.replace(leased, has_begun=False), why)
        else:
            error = StepRunError(ErrorCode.WORKER_LOST, f"{times} times no worker could begin it, at last: {why}")
            await end(engine, tx, leased, error, exit_code=None, by=by(worker))
    unfinished.forget(engine, step_run)


async def _count_return(tx: ScopedTx, step_run: StepRunId) -> int:
    """Count one more; how many there have been."""
    return int(
        await tx.value(
            "update step_run set given_back = given_back + 1 where id = %(id)s returning given_back", id=step_run
        )
    )


async def _has_ended(tx: Statements, scope: Of, worker: WorkerId, step_run: StepRunId, attempt: int) -> bool:
    return bool(
        await tx.value(
            f"""
            select state in ('completed', 'failed') and coalesce(error_code, '') <> 'WORKER_LOST'
              from step_run
             where id = %(of)s and attempt = %(of_attempt)s and {OF_WORKER}
            """,
            of=step_run,
            of_attempt=attempt,
            worker=worker,
            **scope.each,
        )
    )


async def _console_lines(tx: ScopedTx, step_run: StepRunId, attempt: int) -> int:
    """How many lines have come without a gap: chunks are only ever appended where the last one ended."""
    return int(
        await tx.value(
            """
            select first_line + line_count from console_chunk
             where step_run_id = %(step_run)s and attempt = %(attempt)s
             order by first_line desc
             limit 1
            """,
            step_run=step_run,
            attempt=attempt,
        )
        or 0
    )


async def _write_phases(tx: ScopedTx, step_run: StepRunId, attempt: int, phases: Sequence[PhaseReport]) -> None:
    for phase in phases:
        await tx.execute(
            """
            insert into phase (id, step_run_id, attempt, position, kind, name, state, started_at, ended_at,
                               first_line, last_line, message, exit_code)
            values (%(id)s, %(step_run)s, %(attempt)s, %(position)s, %(kind)s, %(name)s, %(state)s,
                    to_timestamp(%(started)s::float8), to_timestamp(%(ended)s::float8),
                    %(first)s, %(last)s, %(message)s, %(exit_code)s)
                on conflict (step_run_id, attempt, position) do update
               set state = excluded.state, ended_at = excluded.ended_at, message = excluded.message,
                   exit_code = excluded.exit_code,
                   first_line = coalesce(excluded.first_line, phase.first_line), last_line = excluded.last_line,
                   started_at = coalesce(excluded.started_at, phase.started_at)
            """,
            id=uuid7(),
            step_run=step_run,
            attempt=attempt,
            position=phase.position,
            kind=phase.kind,
            name=phase.name,
            state=phase.state,
            started=phase.started_at,
            ended=phase.ended_at,
            first=phase.first_line,
            last=phase.last_line,
            message=phase.message,
            exit_code=phase.exit_code,
        )
