"""A task is deployed: it is run once for each of several users, on the worker of each or wherever is said.

One run, of the process that is the task's own; for each user one item, whose payload is the input, and one step run.
All of it is there when the call is answered.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, assert_never
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store as packages
from controlroom.engine.processes.actions import implicit_process
from controlroom.engine.processes.model import Group, Place, Placement, Workers
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.runs import actions, repeated_starts
from controlroom.engine.runs.callbacks import Callback
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Cause, Overrides, Run, WithPayloads
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.task_inputs import inputs_of_task
from controlroom.engine.work_items import schemas
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.workers import defaults, group_rights
from controlroom.engine.workers.defaults import DefaultWorkerMissing
from controlroom.errors import Invalid
from controlroom.ids import TaskId, UserId, WorkerGroupId, WorkspaceId
from controlroom.postgres.database import Statements

MOST_USERS: Final = 1000
Named: TypeAlias = Callable[[str], str]


class OnDefault(Struct, frozen=True, tag="default"):
    """On each user's default worker alone."""


class OnDefaultOr(Struct, frozen=True, tag="default_or"):
    """On each user's default worker; on one of the groups, the first first, while that is not idle."""

    groups: tuple[WorkerGroupId, ...]


class OnGroups(Struct, frozen=True, tag="groups"):
    """On a worker of one of the groups, the first first."""

    groups: tuple[WorkerGroupId, ...]


class Anywhere(Struct, frozen=True, tag="anywhere"):
    """On whichever worker of the workspace is free first; then it need run as nobody in particular."""


Where = OnDefault | OnDefaultOr | OnGroups | Anywhere


class Deployment(Struct, frozen=True, kw_only=True):
    """What is to be run for whom."""

    task: TaskId
    users: tuple[UserId, ...]
    most_users: int = 0
    """So many of the users, those for whom the fewest step runs wait; 0: all of them."""
    where: Where = OnDefault()
    copies: int = 1
    """So often for each of them."""
    payload: Raw | None = None
    """The task's input."""
    name: str = ""
    """What the run is called."""
    overrides: Overrides = AS_THE_STEPS_SAY
    priority: int = 0
    callback: Callback | None = None
    idempotency_key: str | None = None


class DeploymentInvalid(Invalid):
    """A deployment that names nobody, somebody twice, or more than it has."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="DEPLOYMENT_INVALID")


class NotRunnable(Invalid):
    """What is in the repository and is no task."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no task that can be run here", code="NOT_RUNNABLE")


class Runnable(Struct, frozen=True):
    """A task, and who asks, as they may run it."""

    task: TaskId
    workspace: WorkspaceId
    actor: Actor
    """Whom a role lets run what lies in the task's folder may start runs there, and nothing more."""


async def to_run(engine: Engine, actor: Actor, node: UUID | int | str) -> Runnable:
    """The task that an id or a number names, if the actor may run it, by a permission or by a right in its folder.

    Raises NodeNotFound, RightMissing, NotRunnable.
    """
    rights = await rights_of(engine.database, actor)
    found = await nodes.get(engine.database, rights, node, Right.RUN)
    if found.kind is not NodeKind.TASK or found.workspace_id is None:
        raise NotRunnable(found.name)
    held = actor.permissions_in(found.workspace_id)
    grants = actor.grants | {found.workspace_id: held | {Permission.START_RUNS}}
    may = actor if Permission.START_RUNS in held else msgspec.structs.replace(actor, grants=grants)
    return Runnable(TaskId(found.id), found.workspace_id, may)


async def deploy(
    engine: Engine, actor: Actor, workspace: WorkspaceId, deployment: Deployment, *, default_name: Named = str
) -> Run:
    """Run a task for some users; a default name is made of the task's where it has none of its own.

    Raises what `start_task` raises, DeploymentInvalid, DefaultWorkerMissing, WorkerGroupIdle, and Forbidden for who may
    not name a user, or use a group.
    """
    check(deployment)
    await check_payload(engine, deployment.payload)

    async def begin() -> Run:
        async with scoped(engine.database, scope_of(actor, Permission.START_RUNS, workspace)) as tx:
            cause = actions.cause_of(actor)
            return await deploy_in(tx, engine, actor, workspace, deployment, default_name=default_name, cause=cause)

    return await schemas.settled(engine, begin)


async def deploy_in(
    tx: ScopedTx,
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    deployment: Deployment,
    *,
    default_name: Named = str,
    cause: Cause,
) -> Run:
    """Likewise, in the caller's transaction, which whatever is raised makes useless; within `schemas.settled`."""
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    key = deployment.idempotency_key
    asked = None if key is None else repeated_starts.fingerprint_of(engine, deployment)
    process = await implicit_process(tx, scope, deployment.task)
    task = await packages.hold_task(tx, scope, deployment.task)
    payload = await inputs_of_task(tx, scope, deployment.task, deployment.payload, label=deployment.overrides.label)
    if (first := await repeated_starts.first_of(tx, scope, process, key, asked)) is not None:
        return first
    users = await _chosen(tx, scope, deployment)
    parameters = RunParameters(
        name=deployment.name or default_name(task.name),
        idempotency_key=key,
        overrides=deployment.overrides,
        shares=await _shares(tx, actor, scope, users, deployment.where) * deployment.copies,
        priority=deployment.priority,
        callback=deployment.callback,
    )
    count = len(parameters.shares)
    inputs = WithPayloads(Raw(b"[" + b",".join([bytes(payload)] * count) + b"]"), count)
    run = await actions.start_in(tx, engine, actor, workspace, process, inputs, parameters, cause=cause, asked=asked)
    assert run is not None  # noqa: S101 - its items are its own
    return run


def check(deployment: Deployment) -> None:
    """Raise DeploymentInvalid for what cannot be, whatever users there are."""
    users = deployment.users
    is_anywhere = isinstance(deployment.where, Anywhere)
    if not (users or is_anywhere) or max(len(users), 1) * deployment.copies > MOST_USERS or deployment.copies < 1:
        raise DeploymentInvalid(f"a task is deployed for 1 to {MOST_USERS:,} users")
    if len(set(users)) < len(users):
        raise DeploymentInvalid("a user is named twice")
    if not 0 <= deployment.most_users <= len(users):
        raise DeploymentInvalid(f"{deployment.most_users} of {len(users)} users cannot be used")
    if isinstance(deployment.where, OnDefaultOr | OnGroups) and not deployment.where.groups:
        raise DeploymentInvalid("no worker group is named")


async def _chosen(tx: ScopedTx, scope: Scope, deployment: Deployment) -> Sequence[UserId]:
    """Those of the users whom it shall use, in the order in which they were named."""
    most, users = deployment.most_users, deployment.users
    if most in {0, len(users)}:
        return users
    free = await _by_queued(tx, scope, users)
    return [user for user in users if user in free[:most]]


async def _by_queued(db: Statements, scope: Scope, users: Sequence[UserId]) -> list[UserId]:
    """The users, first those for whom the fewest step runs of the organization are under way."""
    return await db.all(
        UserId,
        """
        select asked.id
          from unnest(%(users)s::uuid[]) with ordinality as asked (id, place)
         order by (select count(*) from step_run join workspace on workspace.id = step_run.workspace_id
                    where step_run.run_as = asked.id and workspace.organization_id = %(organization)s
                      and step_run.state in ('new', 'awaiting_worker', 'in_progress')), asked.place
        """,
        users=list(users),
        organization=scope.organization,
    )


async def _shares(
    tx: ScopedTx, actor: Actor, scope: Scope, users: Sequence[UserId], where: Where
) -> tuple[Placement, ...]:
    """Where each of the users shall run it."""
    match where:
        case OnGroups(groups):
            await group_rights.ensure_usable(tx, actor, scope, groups)
            places: tuple[Place, ...] = tuple(map(Group, groups))
            return tuple(Placement(places, user) for user in users)
        case Anywhere():
            return tuple(Placement((), user) for user in users or (None,))
        case OnDefault():
            groups = ()
        case OnDefaultOr(groups):
            await group_rights.ensure_usable(tx, actor, scope, groups)
        case _:
            assert_never(where)
    default = await defaults.of_users(tx, scope, users)
    if not groups and (without := next((user for user in users if user not in default), None)):
        raise DefaultWorkerMissing(without)
    behind: tuple[Place, ...] = tuple(map(Group, groups))
    return tuple(
        Placement(((Workers((default[user],)), *behind) if user in default else behind), user) for user in users
    )
