"""How a schedule starts a bare task: it is deployed, in the version that has its label then."""

from msgspec import Raw

from controlroom.engine.access.model import system
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.runs import callbacks
from controlroom.engine.runs.deployments import Deployment, check, deploy_in
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Cause, Overrides, Run, StartedBy
from controlroom.engine.schedules.definitions import Schedule, StoredTaskStart
from controlroom.engine.schedules.model import GivenPayload
from controlroom.ids import OrganizationId


async def start_in(
    tx: ScopedTx, engine: Engine, organization: OrganizationId, schedule: Schedule, start: StoredTaskStart
) -> Run:
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
    return await deploy_in(tx, engine, system(organization), schedule.workspace_id, deployment, cause=cause)


def _payload(schedule: Schedule) -> Raw | None:
    return schedule.inputs.payload if isinstance(schedule.inputs, GivenPayload) else None
