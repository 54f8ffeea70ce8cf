"""Tasks that are run for several users, their default workers, and worker groups that are written whole (our own)."""

from typing import Literal

from msgspec import UNSET, Raw, UnsetType, field

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Accepted, OwnBody, Shape
from controlroom.dialects.robocorp.process_runs import Started
from controlroom.dialects.robocorp.routing import get, post
from controlroom.engine.runs import deployments, stops
from controlroom.engine.runs.deployments import Anywhere, Deployment, OnDefault, OnDefaultOr, OnGroups, Where
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Overrides
from controlroom.engine.workers import defaults, whole_groups
from controlroom.engine.workers.whole_groups import GroupChange, Scheme, TimeSlice, WholeGroup
from controlroom.ids import RoleId, StepRunId, TaskId, UserId, WorkerGroupId, WorkerId


class DeployRequest(OwnBody, frozen=True, kw_only=True):
    """A task for some users: on the default worker of each, on groups while that is not idle, or on groups alone.

    Without users it runs once, as nobody in particular, on whichever worker is free.
    """

    users: tuple[UserId, ...] = ()
    most_users: int = 0
    """So many of them, those for whom the least waits; 0: all."""
    groups: tuple[WorkerGroupId, ...] = ()
    on_default: bool = True
    payload: Raw = field(default_factory=lambda: Raw(b"null"))
    name: str = ""
    package_label: str | None = None
    priority: int = 0
    idempotency_key: str | None = None


class DefaultWorker(OwnBody, frozen=True):
    """The worker that a user has by default; null for none."""

    worker_id: WorkerId | None


class GroupSettings(OwnBody, frozen=True, kw_only=True):
    """What a worker group shall be: whatever is set."""

    description: str | UnsetType = UNSET
    scheme: Literal["priority", "round_robin"] | UnsetType = UNSET
    workers: tuple[WorkerId, ...] | UnsetType = UNSET
    owners: tuple[UserId, ...] | UnsetType = UNSET
    roles: tuple[RoleId, ...] | UnsetType = UNSET


class GroupSettingsAnswer(Shape, frozen=True, kw_only=True):
    """What a worker group is for, how those who share it take turns, and by number what and who belongs to it."""

    id: WorkerGroupId
    name: str
    description: str
    scheme: str
    time_slice: TimeSlice | None
    workers: list[int]
    owners: list[int]
    roles: list[int]


@post("/tasks/{task_id:uuid}/deployments")
async def deploy_task(request: Asking, task_id: Path[TaskId], data: Body[DeployRequest]) -> Started:
    """Run a task once for each of some users, in one run."""
    payload = None if bytes(data.payload) == b"null" else data.payload
    deployment = Deployment(
        task=task_id,
        users=data.users,
        most_users=data.most_users,
        where=_where(data),
        payload=payload,
        name=data.name,
        overrides=AS_THE_STEPS_SAY if data.package_label is None else Overrides(label=data.package_label),
        priority=data.priority,
        idempotency_key=data.idempotency_key,
    )
    return Started((await deployments.deploy(*request.acting, deployment)).id)


def _where(data: DeployRequest) -> Where:
    if not data.users and not data.groups:
        return Anywhere()
    if not data.groups:
        return OnDefault()
    return OnDefaultOr(data.groups) if data.on_default else OnGroups(data.groups)


@post("/step-runs/{step_run_id:uuid}/stop")
async def stop_step_run(request: Asking, step_run_id: Path[StepRunId]) -> Accepted:
    """End one step run, and no other of its run; not accepted if it has ended."""
    return Accepted(await stops.stop(*request.acting, step_run_id))


@post("/users/{user_id:uuid}/default-worker")
async def set_default_worker(request: Asking, user_id: Path[UserId], data: Body[DefaultWorker]) -> DefaultWorker:
    """Give a user a default worker, or none."""
    await defaults.set_default(*request.governing, user_id, data.worker_id)
    return data


@get("/worker-groups/{group_id:uuid}/settings", needs=Permission.READ_WORKERS)
async def get_group_settings(request: Asking, group_id: Path[WorkerGroupId]) -> GroupSettingsAnswer:
    """What a worker group is for, and whom it is open to."""
    return _show(await whole_groups.get(*request.reading, group_id))


@post("/worker-groups/{group_id:uuid}/settings")
async def change_group_settings(
    request: Asking, group_id: Path[WorkerGroupId], data: Body[GroupSettings]
) -> GroupSettingsAnswer:
    """Say what a worker group is for, which workers it has, and whom it is open to."""
    change = GroupChange(
        description=data.description,
        scheme=UNSET if data.scheme is UNSET else Scheme(data.scheme),
        workers=data.workers,
        owners=data.owners,
        roles=data.roles,
    )
    return _show(await whole_groups.update(*request.governing, group_id, change))


def _show(group: WholeGroup) -> GroupSettingsAnswer:
    return GroupSettingsAnswer(
        id=group.id,
        name=group.name,
        description=group.description,
        scheme=group.scheme.value,
        time_slice=group.time_slice,
        workers=group.workers,
        owners=group.owners,
        roles=group.roles,
    )
