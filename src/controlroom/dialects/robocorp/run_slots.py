"""Run slots (our own management API): how many runs of projects an organization may have at once."""

from controlroom.border.asking import Asking, Body, Permission
from controlroom.dialects.robocorp.answers import OwnBody, Shape
from controlroom.dialects.robocorp.routing import get, update
from controlroom.engine.runs.projects import blocking
from controlroom.engine.runs.projects.model import Slots


class RunSlots(Shape, frozen=True, kw_only=True):
    """How many process runs of projects the organization may have at once."""

    capacity: int
    follows_workers: bool
    """Nobody has said a number: as many as the workers can run, and at least one."""


class SetRunSlots(OwnBody, frozen=True):
    """How many that shall be; null: as many as the workers can run."""

    capacity: int | None


@get("/run-slots", needs=Permission.READ_RUNS)
async def get_run_slots(request: Asking) -> RunSlots:
    """Get how many process runs of projects the organization may have at once."""
    return _show(await blocking.slots(request.db, request.actor.organization_id))


@update("/run-slots")
async def update_run_slots(request: Asking, data: Body[SetRunSlots]) -> RunSlots:
    """Set how many process runs of projects the organization may have at once; for who may make workspaces."""
    return _show(await blocking.set_slots(*request.governing, data.capacity))


def _show(slots: Slots) -> RunSlots:
    return RunSlots(capacity=slots.capacity, follows_workers=slots.follows_workers)
