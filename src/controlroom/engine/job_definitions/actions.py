"""The verbs of jobs: process, step, schedule and chain are one commit."""

from collections.abc import Callable

from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.job_definitions import rules, starters, store
from controlroom.engine.job_definitions.model import JobDefinition, ListedJob
from controlroom.engine.jobs.store import JOB
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes import store as process_store
from controlroom.engine.processes.model import ProcessChange, ProcessDefinition
from controlroom.engine.projects import store as projects
from controlroom.engine.references import resolve
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import StopRequest
from controlroom.engine.targets import store as targets
from controlroom.ids import ProcessId, WorkspaceId
from controlroom.protocol import Command

_DELETED = StopRequest(terminate=True, remaining_done=False, reason="The job was deleted.")


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, definition: JobDefinition) -> ListedJob:
    """A new job of a project. It takes the rights to what starts it, too: schedules, and starting runs.

    Raises ProjectNotFound for a workspace that is none, JobInvalid, CommandRefused, RuleInvalid for a timetable that
    cannot be, and NotFound for a target, or a job that it defers to or follows, that the actor does not see.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    commands = rules.checked(definition)
    starters.ensure_may(actor, workspace, None, definition)
    async with scoped(engine.database, actor.organization_id) as tx:
        project = await projects.get(tx, scope)
        await _ensure_named(tx, actor, scope, None, definition)
        step = rules.step_of(definition, commands, project.package_id)
        wanted = ProcessDefinition(name=definition.name, steps=(step,), is_enabled=definition.is_enabled)
        process = (await processes.create_in(tx, engine, actor, scope, wanted)).id
        schedule = await starters.schedule_in(tx, engine, actor, scope, process, None, definition)
        chain = await starters.chain_in(
            tx,
            engine,
            actor,
            scope,
            process,
            None,
            definition.follows,
            is_enabled=definition.is_enabled,
            is_new=True,
        )
        keeps = commands if step.work is None else ()
        written = _written(definition, keeps, store.Starters(schedule, chain))
        await store.insert(tx, scope, process, written, created_by=actor.id)
        await record(engine, tx, actor, scope, "job.created", process, process_id=process, name=definition.name)
        return await store.get(tx, scope, process)


async def change(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    job: ProcessId,
    into: Callable[[JobDefinition], JobDefinition],
) -> ListedJob:
    """Make a job what a pure function makes of it, as it is then. Runs under way go on as they were started.

    Raises JobNotFound, and what `create` raises.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, actor.organization_id) as tx:
        known = await store.lock(tx, scope, job)
        seen = await store.get(tx, scope, job)
        before = seen.definition
        after = into(before)
        commands = rules.checked(after)
        starters.ensure_may(actor, workspace, before, after)
        await _ensure_named(tx, actor, scope, before, after)
        step = rules.step_of(after, commands, (await projects.get(tx, scope)).package_id)
        wanted = ProcessChange(name=after.name, steps=(step,), is_enabled=after.is_enabled)
        await processes.update_in(tx, engine, actor, scope, job, wanted)
        schedule = await starters.schedule_in(tx, engine, actor, scope, job, known.schedule_id, after)
        chain = known.chain_id
        if (before.follows, before.is_enabled) != (after.follows, after.is_enabled):
            chain = await starters.chain_in(
                tx,
                engine,
                actor,
                scope,
                job,
                known.chain_id,
                after.follows,
                is_enabled=after.is_enabled,
                is_new=before.follows != after.follows,
            )
        keeps = commands if step.work is None else ()
        await store.update(tx, job, _written(after, keeps, store.Starters(schedule, chain)))
        await record(engine, tx, actor, scope, "job.updated", job, process_id=job, name=after.name)
        return await store.get(tx, scope, job)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, job: ProcessId) -> ListedJob:
    """Delete a job with what starts it; how it is then. Its runs that are under way are stopped, and stay readable.

    Raises JobNotFound, and Forbidden for who may not stop the runs that there are.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, actor.organization_id) as tx:
        known = await store.lock(tx, scope, job)
        before = await store.get(tx, scope, job)
        await process_store.lock(tx, scope, job)  # no run is started meanwhile
        for run in await store.open_runs(tx, scope, job):
            await runs.stop_in(tx, engine, actor, workspace, run, _DELETED)
        await process_store.delete(tx, scope, job)
        await record(engine, tx, actor, scope, "process.deleted", process_id=job, name=before.name)
        await starters.remove_in(tx, engine, actor, scope, job, known)
        await store.touch(tx, job)
        await record(engine, tx, actor, scope, "job.deleted", job, process_id=job, name=before.name)
        return await store.get(tx, scope, job, is_there=False)


async def _ensure_named(
    tx: ScopedTx, actor: Actor, scope: Scope, before: JobDefinition | None, after: JobDefinition
) -> None:
    """What a job names is there, and the actor sees it; what it named before it may go on to name."""
    if before is None or before.target != after.target:
        await targets.get(tx, scope, after.target, is_held=True)
    wanted, known = after.settings, None if before is None else before.settings
    if wanted.defer_to_target is not None and (known is None or known.defer_to_target != wanted.defer_to_target):
        await targets.get(tx, scope, wanted.defer_to_target, is_held=True)
    if wanted.defer_to_process is not None and (known is None or known.defer_to_process != wanted.defer_to_process):
        await resolve(tx, scope_of(actor, Permission.READ_PROCESSES), JOB, str(wanted.defer_to_process))


def _written(definition: JobDefinition, waiting: tuple[Command, ...], known: store.Starters) -> store.Written:
    return store.Written(
        target=definition.target,
        kind=rules.kind_of(definition),
        description=definition.description,
        settings=replace(definition.settings, waiting=waiting),
        asides=definition.asides,
        schedule=known.schedule_id,
        chain=known.chain_id,
    )
