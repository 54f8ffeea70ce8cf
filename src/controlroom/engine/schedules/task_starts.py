"""How a schedule starts a bare task: it is deployed, in the version that has its label then."""

from collections.abc import Sequence
from contextlib import suppress

from msgspec import Raw

from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.processes.actions import check_placement
from controlroom.engine.processes.model import Placement
from controlroom.engine.runs import callbacks
from controlroom.engine.runs.deployments import Deployment, OnDefaultOr, OnGroups, Where, check, deploy_in
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Cause, Overrides, Run, StartedBy
from controlroom.engine.schedules.definitions import Schedule, StoredTaskStart
from controlroom.engine.schedules.model import GivenPayload
from controlroom.engine.workers.errors import WorkerGroupIdle
from controlroom.engine.workers.group_rights import ensure_usable
from controlroom.ids import UserId


async def start_in(tx: ScopedTx, engine: Engine, starter: Actor, schedule: Schedule, start: StoredTaskStart) -> Run:
    """Start the task of a schedule that is locked. Raises what a start by hand raises.

    To be called within `schemas.settled`.
    """
    deployment = Deployment(
        task=start.task,
        users=start.users,
        most_users=start.most_users,
        where=start.where,
        copies=start.copies,
        payload=_payload(schedule),
        name=start.name,
        overrides=AS_THE_STEPS_SAY if start.label is None else Overrides(label=start.label),
        priority=schedule.priority,
        callback=None if start.callback is None else callbacks.opened(engine, schedule.id, start.callback),
    )
    check(deployment)
    cause = Cause(StartedBy.SCHEDULE, schedule.id)
    return await deploy_in(tx, engine, starter, schedule.workspace_id, deployment, cause=cause)


async def ensure_may(tx: ScopedTx, actor: Actor, scope: Scope, users: Sequence[UserId], where: Where) -> None:
    """Raise what a start by hand as these users, on these places, raises; no worker of a group need be there yet."""
    for user in users:
        await check_placement(tx, actor, scope, Placement(run_as=user))
    for group in where.groups if isinstance(where, OnDefaultOr | OnGroups) else ():
        with suppress(WorkerGroupIdle):  # it will be due later
            await ensure_usable(tx, actor, scope, [group])


def _payload(schedule: Schedule) -> Raw | None:
    return schedule.inputs.payload if isinstance(schedule.inputs, GivenPayload) else None
