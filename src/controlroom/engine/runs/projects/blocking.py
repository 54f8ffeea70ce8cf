"""Whom runs of projects wait for, and how many may run at once."""

from collections.abc import Sequence

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.locks import standings
from controlroom.engine.locks import store as locks
from controlroom.engine.locks.rules import checked_capacity
from controlroom.engine.runs.projects import store
from controlroom.engine.runs.projects.model import Slots
from controlroom.engine.runs.projects.rules import SLOTS
from controlroom.engine.wakes import Topic
from controlroom.ids import OrganizationId, RunId
from controlroom.postgres.database import Statements


async def blocked_by(db: Statements, scope: Scope, runs: Sequence[RunId], *, seen: Of) -> dict[RunId, list[int]]:
    """The numbers of the runs that some runs of the workspace wait for: of their job, or that write their file.

    Not those that have a slot: whoever of them ends first makes room.
    """
    found: dict[RunId, list[int]] = {}
    for standing in await standings.standings(db, scope, runs, seen=seen):
        if standing.name != SLOTS.name and standing.blocked_by:
            known = found.setdefault(standing.run_id, [])
            known += [each.number for each in standing.blocked_by if each.number not in known]
    return found


async def slots(db: Statements, organization: OrganizationId) -> Slots:
    """How many runs of projects an organization may have at once: as was said, else as many as its workers can run."""
    return await store.slots(db, organization, SLOTS)


async def set_slots(engine: Engine, actor: Actor, capacity: int | None) -> Slots:
    """Say how many runs of projects may run at once; None: as many as the workers can. How many that is.

    Who has more now gets them at once. Raises NotOfOrganization, Invalid `LOCK_INVALID`.
    """
    if not actor.may(Permission.WRITE_WORKSPACES, None):
        raise NotOfOrganization(Permission.WRITE_WORKSPACES)
    if capacity is not None:
        checked_capacity(capacity)
    organization = actor.organization_id
    async with scoped(engine.database, organization) as tx:
        await locks.enter_line(tx, organization, SLOTS.name)
        now = await store.set_slots(tx, organization, SLOTS, capacity)
        for run in await locks.runs_in_line(tx, organization, SLOTS.name):
            tx.after_commit(lambda run=run: engine.wakes.wake_here(Topic.RUN, run))  # type: ignore[misc]
        await record(engine, tx, actor, organization, "run_slots.changed", capacity=capacity)
    return now
