"""Claims of step runs by workers.

The claim binds the step run's first item in the same statement, and raises the attempt; every later call names that.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import StepRunActor, WorkerActor
from controlroom.engine.access.scope import EACH, SEEN, Of, scope_of_worker
from controlroom.engine.access.tokens import mint_step_run_token
from controlroom.engine.engine import Engine
from controlroom.engine.runs import databases
from controlroom.engine.runs.claimed_variables import ARE_THERE, found_by
from controlroom.engine.runs.endings import OF_WORKER
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.projects.limits import limit_of
from controlroom.engine.runs.projects.store import mark_dequeued
from controlroom.engine.runs.shares import HAS_ITS_TURN, ONE_AT_WORK
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items.store import IS_DUE
from controlroom.engine.workers.store import placement_matches
from controlroom.ids import (
    OrganizationId,
    ProcessId,
    RunId,
    StepId,
    StepRunId,
    WorkerId,
    WorkItemId,
    WorkspaceId,
)
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.protocol import (
    LEASE_SECONDS,
    Ability,
    Assignment,
    Assignments,
    Claim,
    Command,
    Commands,
    DatabaseFile,
    PackageRef,
    ProjectCommands,
    RobotTask,
    Work,
)
from controlroom.robots.exclude_newer import written

_TRIES_A_CLAIM: Final = 20
"""Step runs that are found to have no item left are withdrawn by the claim, which then looks for the next."""


def _can_run(asking: str) -> str:
    """The condition that the worker knows how to run a step run. It is asked first: nearly every one can run all."""
    return f"""({asking}.runs_commands
                    or not exists (select from step where step.id = step_run.step_id and step.commands is not null))
                and ({asking}.runs_projects
                    or not exists (select from project_run where project_run.run_id = step_run.run_id))
                and ({asking}.has_databases
                    or not exists (select from step
                                    where step.id = step_run.step_id and step.database_id is not null))"""


class _Claimed(Struct, frozen=True, kw_only=True):
    id: StepRunId
    is_withdrawn: bool
    attempt: int
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId
    process_name: str
    run_id: RunId
    run_is_new: bool
    step_id: StepId
    step_name: str
    bound_item_id: WorkItemId | None
    package_hash: str
    package_size: int
    package_name: str
    package_folder: str | None
    exclude_newer: datetime | None
    task: str | None
    commands: tuple[Command, ...] | None
    environment: dict[str, str]
    timeout_seconds: float | None
    is_project: bool
    has_variables: bool
    has_database: bool
    share_environments: bool
    is_paused: bool


_ASSIGNMENT: Final = f"""
    select claimed.id, claimed.state = 'withdrawn' as is_withdrawn, claimed.attempt, claimed.workspace_id,
           workspace.organization_id, process.id as process_id, process.name as process_name, claimed.run_id,
           run.state = 'new' as run_is_new, step.id as step_id, step.name as step_name, claimed.bound_item_id,
           coalesce(version.hash, '') as package_hash, coalesce(version.size, 0) as package_size,
           package.name as package_name,
           version.folder as package_folder, package.exclude_newer, task.name as task, step.commands,
           case when run.parameters ? 'overrides'
                then step.environment || coalesce(run.parameters -> 'overrides' -> 'variables', '{{}}')
                else step.environment end as environment,
           extract(epoch from coalesce((run.parameters -> 'overrides' ->> 'timeout')::interval, step.timeout))::float8
               as timeout_seconds,
           -- no join: one more table than the planner puts in order at once makes the claim dearer for all
           exists (select from project_run where project_run.run_id = claimed.run_id) as is_project,
           {ARE_THERE} as has_variables, step.database_id is not null as has_database,
           coalesce((workspace.settings ->> 'share_environments')::boolean, false) as share_environments,
           claimed.paused_at is not null as is_paused
      from claimed
      join run on run.id = claimed.run_id
      join step on step.id = claimed.step_id
      join process on process.id = step.process_id
      left join task on task.id = step.task_id
      join package on package.id = coalesce(task.package_id, step.package_id)
      -- what is a project's may have a package of which no version was taken: its files are those of a commit
      left join package_version as version on version.id = claimed.package_version_id
      join workspace on workspace.id = claimed.workspace_id
"""


async def claim(engine: Engine, worker: WorkerActor, request: Claim) -> Assignments:
    """Up to `free` step runs for the worker, the most urgent first; it does not wait.

    What the session has claimed and the worker does not know of (the answer was lost) comes again first. Raises
    Superseded if the session is not the worker's.
    """
    lost = await _claimed_unknown(engine.database, scope_of_worker(worker), worker.worker_id, request)
    taken = await _take(engine, worker, request.session, request.free - len(lost))
    return await _assignments(engine, [*lost, *taken][: request.free])


async def claim_again(engine: Engine, worker: WorkerActor, request: Claim) -> Assignments:
    """Likewise, while the same request is held: one statement if nothing waits. A session that is over gets nothing."""
    taken = await _take(engine, worker, request.session, request.free)
    return await _assignments(engine, taken)


async def _take(engine: Engine, worker: WorkerActor, session: UUID, free: int) -> list[_Claimed]:
    scope = scope_of_worker(worker)
    claimed: list[_Claimed] = []
    for _ in range(_TRIES_A_CLAIM):
        if len(claimed) >= free:
            break
        try:
            taken = await _claim_one(engine.database, scope, worker.worker_id, session)
        except UniqueViolation as refused:
            if refused.constraint != ONE_AT_WORK:
                raise
            continue  # somebody else has just begun one of the same user: the next look passes it by
        if taken is None:
            break
        if taken.is_withdrawn:
            engine.wakes.wake_here(Topic.RUN, taken.run_id)
            continue
        if taken.run_is_new:
            scope_of_run = Of(taken.organization_id, (taken.workspace_id,))
            await _mark_running(engine.database, scope_of_run, taken.run_id)
            if taken.is_project:
                await mark_dequeued(engine.database, scope_of_run, taken.run_id)
            engine.wakes.wake(Topic.EVENTS)
        claimed.append(taken)
    return claimed


_MOST_URGENT: Final = f"""
            select step_run.id, step_run.run_id, step_run.step_id
              from step_run, asking
             where step_run.workspace_id = {SEEN} and step_run.state = 'awaiting_worker'
               and {placement_matches("%(worker)s")} and {HAS_ITS_TURN}
               and {_can_run("asking")}
             order by step_run.priority desc, step_run.id
             limit 1
               for no key update of step_run skip locked"""
"""What a worker of one workspace takes."""

_MOST_URGENT_OF_SEVERAL: Final = f"""
            select taken.id, taken.run_id, taken.step_id
              from (select seen.id as workspace_id, asking.runs_commands, asking.runs_projects,
                           asking.has_databases
                      from asking, {EACH} as seen, lateral (
                           select step_run.priority, step_run.id from step_run
                            where step_run.workspace_id = seen.id and step_run.state = 'awaiting_worker'
                              and {placement_matches("%(worker)s")} and {HAS_ITS_TURN} and {_can_run("asking")}
                            order by step_run.priority desc, step_run.id
                            limit 1) as waiting
                     where exists (select from step_run      -- one look for all, where mostly nothing waits
                                    where step_run.workspace_id = any(%(workspaces)s::uuid[])
                                      and step_run.state = 'awaiting_worker')
                     order by waiting.priority desc, waiting.id) as urgent,
                   lateral (
                   select step_run.id, step_run.run_id, step_run.step_id from step_run
                    where step_run.workspace_id = urgent.workspace_id and step_run.state = 'awaiting_worker'
                      and {placement_matches("%(worker)s")} and {HAS_ITS_TURN} and {_can_run("urgent")}
                    order by step_run.priority desc, step_run.id
                    limit 1
                      for no key update of step_run skip locked) as taken
             limit 1"""
"""What a worker of several takes.

Its workspaces are asked for their most urgent step run without a lock, then in the order of what they answered for one
that can be had, until one is: whoever comes second finds the next of the same workspace, or the next workspace. Nothing
sorts what is locked, so that no more is locked than is taken.
"""


def _claim(candidate: str) -> str:
    return f"""
        with asking as (
            select id, '{Ability.COMMANDS}' = any(abilities) as runs_commands,
                   '{Ability.PROJECTS}' = any(abilities) as runs_projects,
                   '{Ability.DATABASES}' = any(abilities) as has_databases
              from worker where id = %(worker)s and session = %(session)s and deleted_at is null
                           and rests_since is null
        ), candidate as ({candidate}
        ), item as (
            select work_item.id
              from work_item
             where run_id = (select run_id from candidate) and step_id = (select step_id from candidate)
               and state = 'pending' and {IS_DUE}
               and (deadline is null or deadline > clock_now())
               and (select id from candidate) <> all (tried_by)
             order by priority desc, due, work_item.id
             limit 1
               for update skip locked
        ), bound as (
            update work_item
               set state = 'in_progress', state_at = clock_now(), step_run_id = (select id from candidate),
                   turn = (select coalesce(max(turn), 0) + 1 from work_item
                            where step_run_id = (select id from candidate)),
                   reserved_at = clock_now(), attempt = attempt + 1
             where id = (select id from item)
            returning id
        ), version as (
            select coalesce((run.parameters -> 'versions' ->> package.id::text)::uuid,
                            (select latest.id from package_version as latest
                              where latest.package_id = package.id
                              order by latest.version desc
                              limit 1)) as id
              from candidate join step on step.id = candidate.step_id
              left join task on task.id = step.task_id
              join run on run.id = candidate.run_id,
                   lateral (select coalesce(task.package_id, step.package_id) as id) as package
        ), claimed as (
            update step_run
               set state = case when exists (select from bound) then 'in_progress' else 'withdrawn' end,
                   state_at = clock_now(),
                   ended_at = case when exists (select from bound) then null else clock_now() end,
                   attempt = attempt + 1, bound_item_id = (select id from bound),
                   worker_id = %(worker)s, worker_session = %(session)s, began_at = null, progress = null,
                   started_at = case when exists (select from bound) then clock_now() end,
                   lease_until = case when exists (select from bound)
                                      then clock_now() + make_interval(secs => %(lease)s) end,
                   package_version_id = (select id from version)
             where id = (select id from candidate)
            returning id, state, attempt, workspace_id, run_id, step_id, bound_item_id, package_version_id, paused_at
        ), told as (
            insert into event (organization_id, workspace_id, kind, actor_kind, actor_id,
                               process_id, run_id, step_run_id, data)
            select %(organization)s, claimed.workspace_id, 'step_run.started', 'worker', %(worker)s, step.process_id,
                   run_id, claimed.id, jsonb_build_object('attempt', claimed.attempt)
              from claimed join step on step.id = claimed.step_id
             where claimed.state = 'in_progress'
        ), occupied as (
            update worker set state = 'busy' where id = %(worker)s and state <> 'busy' and exists (select from bound)
        )
        {_ASSIGNMENT}
        """


_CLAIM: Final = _claim(_MOST_URGENT)
_CLAIM_OF_SEVERAL: Final = _claim(_MOST_URGENT_OF_SEVERAL)


async def _claim_one(db: Statements, scope: Of, worker: WorkerId, session: UUID) -> _Claimed | None:
    """Take the most urgent step run that the worker may run, and bind its first item; one round trip.

    Safe from any number of workers at once. A step run that finds no item is withdrawn and returned as such.
    """
    is_of_one = len(scope.workspaces) == 1
    return await db.one_or_none(
        _Claimed,
        _CLAIM if is_of_one else _CLAIM_OF_SEVERAL,
        worker=worker,
        session=session,
        lease=LEASE_SECONDS,
        **(scope.params if is_of_one else scope.each),
    )


class _Standing(Struct, frozen=True):
    session: UUID | None
    has_unknown: bool


_UNKNOWN: Final = f"""{OF_WORKER} and step_run.state = 'in_progress'
    and step_run.worker_session = %(session)s and step_run.began_at is null
    and step_run.id <> all (%(running)s::uuid[])"""


async def _claimed_unknown(db: Statements, scope: Of, worker: WorkerId, request: Claim) -> list[_Claimed]:
    """Step runs of the session that the worker does not know of and that have not begun; mostly one statement."""
    found = await db.one_or_none(
        _Standing,
        f"""
        select session, exists (select from step_run where {_UNKNOWN}) as has_unknown
          from worker where id = %(worker)s and organization_id = %(organization)s
        """,
        worker=worker,
        session=request.session,
        running=list(request.running),
        **scope.each,
    )
    if found is None or found.session != request.session:
        raise Superseded
    if not found.has_unknown:
        return []
    return await db.all(
        _Claimed,
        f"""
        with claimed as (
            select id, state, attempt, workspace_id, run_id, step_id, bound_item_id, package_version_id, paused_at
              from step_run
             where {_UNKNOWN}
        )
        {_ASSIGNMENT}
        """,
        worker=worker,
        session=request.session,
        running=list(request.running),
        **scope.each,
    )


async def _mark_running(db: Statements, scope: Of, run: RunId) -> None:
    """A statement of its own after the claim: whoever stops a run locks the run first, and a claim the step run."""
    await db.execute(
        f"""
        update run set state = 'in_progress', started_at = clock_now()
         where id = %(run)s and workspace_id = {SEEN} and state = 'new'
        """,
        run=run,
        **scope.params,
    )


async def _assignments(engine: Engine, claimed: list[_Claimed]) -> Assignments:
    """What the worker is told; only those that have variables, or work on a database, cost a further look."""
    given = []
    for one in claimed:
        variables, database = one.environment, None
        if one.has_variables and not one.is_project:  # a plan tells those of a project's
            scope = Of(one.organization_id, (one.workspace_id,))
            variables = await found_by(engine, scope, one.id, one.process_id) | variables
        if one.has_database:
            database = await databases.given(engine, Of(one.organization_id, (one.workspace_id,)), one.id)
        given.append(_assignment(engine, one, variables, database))
    return Assignments(tuple(given))


def _assignment(
    engine: Engine, claimed: _Claimed, variables: dict[str, str], database: DatabaseFile | None
) -> Assignment:
    robot = StepRunActor(
        step_run_id=claimed.id,
        attempt=claimed.attempt,
        run_id=claimed.run_id,
        step_id=claimed.step_id,
        process_id=claimed.process_id,
        workspace_id=claimed.workspace_id,
        organization_id=claimed.organization_id,
    )
    return Assignment(
        step_run_id=claimed.id,
        attempt=claimed.attempt,
        workspace_id=claimed.workspace_id,
        organization_id=claimed.organization_id,
        process_id=claimed.process_id,
        process_name=claimed.process_name,
        run_id=claimed.run_id,
        step_id=claimed.step_id,
        step_name=claimed.step_name,
        work_item_id=claimed.bound_item_id,
        package=PackageRef(claimed.package_hash, claimed.package_size, claimed.package_name, claimed.package_folder),
        work=_work(claimed),
        task=claimed.task or "",
        token=mint_step_run_token(engine.keys, robot),
        variables=variables,
        timeout_seconds=limit_of(claimed.timeout_seconds) if claimed.is_project else claimed.timeout_seconds,
        share_environments=claimed.share_environments,
        exclude_newer=_exclude_newer(engine, claimed),
        database=database,
        has_robot_api=True,
        paused=claimed.is_paused,
    )


def _work(claimed: _Claimed) -> Work:
    """What its step runs, of which there is one kind."""
    if claimed.commands is None:
        return RobotTask(claimed.task or "")
    return ProjectCommands(claimed.commands) if claimed.is_project else Commands(claimed.commands)


def _exclude_newer(engine: Engine, claimed: _Claimed) -> str | None:
    """How new packages of the world may be: as the robot's package says, else as the room does."""
    moment = claimed.exclude_newer or engine.exclude_newer
    return written(moment) if moment is not None else None
