"""What a start of a job is beside the start of its process, whoever asks for it: an API, a schedule, a chain.

A run of a project lines up for its job, a slot of the organization and the file that it writes, and goes by what its
job says now. It ends others: a newer commit the older tries of the same pull request, and a due time what an earlier
one has queued. Those are ordered to stop here, under the locks of their rows alone, and end by their own dispatch: who
starts a run holds up no line.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from msgspec import Struct, structs

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.connections import named_profiles
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.model import Connection, DuckdbSettings, Storage
from controlroom.engine.connections.rules import lock_of
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.jobs import store as jobs
from controlroom.engine.jobs.model import Job, JobKind
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.processes.model import ANYWHERE, Group, Place, Placement, Step, StepCommands, Workers
from controlroom.engine.projects import store as projects
from controlroom.engine.runs.model import (
    Cause,
    DefaultInput,
    FromQueue,
    Inputs,
    OneEmptyItem,
    StartedBy,
    StopRequest,
    WithCopies,
    WithItems,
    WithPayloads,
    WithWaiting,
)
from controlroom.engine.runs.projects import store
from controlroom.engine.runs.projects.errors import JobTakesNoItems, ProjectNotReady
from controlroom.engine.runs.projects.model import ProjectOverrides, ProjectWork, Retrying
from controlroom.engine.runs.projects.rules import SLOTS, locks_of, work_of
from controlroom.engine.runs.stopping import order_stop
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.model import Target
from controlroom.engine.wakes import Topic
from controlroom.ids import ConnectionId, ProcessId, RunId

_SYSTEM: Final = By("system")
_NEWER_COMMIT: Final = "A newer commit of the same pull request is tried out instead."
_NEWER_DUE: Final = "The job was due again before this run had begun: only the newest scheduled run is kept queued."


class Asked(Struct, frozen=True, kw_only=True):
    """What a start of a job has been found to come to."""

    job: Job
    work: ProjectWork
    locks: tuple[LockName, ...]
    placement: Placement
    """Where the file of its database is, if that is with workers."""


async def asked(
    tx: ScopedTx,
    scope: Scope,
    process: ProcessId,
    steps: Sequence[Step],
    overrides: ProjectOverrides | None,
    retry: Retrying | None,
) -> Asked:
    """What a run of the job would go by, its locks declared.

    Raises JobNotFound, ProjectNotReady for a job whose target is gone, or leads nowhere, and for one to whose process
    somebody has given other steps.
    """
    if [type(step.work) for step in steps] != [StepCommands]:
        raise ProjectNotReady("its process has other steps than the one of its commands")
    job = await jobs.get(tx, scope, process)
    target = await _target(tx, scope, job)
    connection = await _connection(tx, scope, target)
    lock = lock_of(connection)
    work = work_of(
        job,
        overrides,
        connection_name=connection.name,
        database=None if lock is None else connection.id,
        tool_version=target.tool_version,
    )
    if retry is not None:
        work = structs.replace(work, commands=retry.commands, retry=retry.point)
    locks = locks_of(job, lock)
    await store.declare(tx, scope, [lock for lock in locks if lock.of is LockOf.ORGANIZATION], SLOTS)
    return Asked(job=job, work=work, locks=locks, placement=_where_the_file_is(connection))


def input_of(inputs: Inputs) -> Inputs:
    """What a run of a job begins with: one item, whatever it is started with. Its commands read none.

    So a payload of a schedule, or what a chain hands on, never makes one run do its work several times. Raises
    JobTakesNoItems for items that wait: they would wait for ever.
    """
    match inputs:
        case DefaultInput() | OneEmptyItem() | WithPayloads() | WithCopies():
            return OneEmptyItem()
        case WithItems() | WithWaiting() | FromQueue():
            raise JobTakesNoItems
        case _:
            assert_never(inputs)


async def begin(engine: Engine, tx: ScopedTx, scope: Scope, run: RunId, found: Asked, cause: Cause) -> None:
    """Write what the new run goes by, and order the end of those whose place it takes."""
    job, work = found.job, found.work
    is_scheduled = cause.kind is StartedBy.SCHEDULE
    await store.insert(tx, run, job, work, is_scheduled=is_scheduled)
    if job.kind is JobKind.CI and work.pull_request is not None:
        await store.enter_pull_request(tx, job.id, work.pull_request)
        await _end(engine, tx, scope, job.id, await store.tries_of(tx, job.id, run, work.pull_request), _NEWER_COMMIT)
    elif is_scheduled:
        await _end(engine, tx, scope, job.id, await store.queued_by_schedule(tx, job.id, run), _NEWER_DUE)


async def _target(tx: ScopedTx, scope: Scope, job: Job) -> Target:
    found = await targets.get(tx, scope, job.target_id, deleted=True)
    if found.deleted_at is not None:
        raise ProjectNotReady(f"its target {found.name} is deleted")
    return found


async def _connection(tx: ScopedTx, scope: Scope, target: Target) -> Connection:
    """The connection that a target leads to: its profile's, its own, or its project's."""
    named = target.connection_id
    if target.profile_id is not None:
        named = (await named_profiles.get(tx, scope, target.profile_id)).connection_id
    if named is None:
        project = await projects.find(tx, scope)
        named = None if project is None or project.connection_id is None else ConnectionId(project.connection_id)
    found = None if named is None else await connections.get(tx, scope.organization, named)
    if found is None:
        raise ProjectNotReady(f"its target {target.name} has no connection")
    return found


def _where_the_file_is(connection: Connection) -> Placement:
    settings = connection.settings
    if not isinstance(settings, DuckdbSettings) or settings.storage is not Storage.WORKER:
        return ANYWHERE
    places: list[Place] = []
    if settings.worker_id is not None:
        places.append(Workers((settings.worker_id,)))
    if settings.worker_group_id is not None:
        places.append(Group(settings.worker_group_id))
    return Placement(tuple(places))


async def _end(engine: Engine, tx: ScopedTx, scope: Scope, process: ProcessId, runs: Sequence[RunId], why: str) -> None:
    """Order the end of locked runs; it is reached by their own dispatch, after the commit."""
    request = StopRequest(terminate=True, remaining_done=False, reason=why)
    for run in runs:
        await order_stop(engine, tx, run, request)
        told = structs.asdict(request)
        event = happened(scope, "run.stop_requested", process_id=process, run_id=run, **told)
        await append(tx, _SYSTEM, event)
        tx.after_commit(lambda run=run: engine.wakes.wake_here(Topic.RUN, run))  # type: ignore[misc]
