"""What the server wants of the step runs that this worker holds."""

import asyncio
from enum import Enum, auto
from uuid import UUID

from controlroom.protocol import Assignment, Held, Order


class EndReason(Enum):
    """Why a robot is ended from outside."""

    TERMINATED = auto()
    """By order: it is reported."""
    ABANDONED = auto()
    """The attempt is somebody else's by now, or the server has been silent for a lease: nothing is reported."""
    WORKER_STOPS = auto()
    """It is reported, so that the server need not wait for the lease to run out."""


class Orders:
    """The orders for one attempt, as they come by heartbeat, for the task that runs it."""

    def __init__(self, assignment: Assignment) -> None:
        self.step_run_id: UUID = assignment.step_run_id
        self.attempt = assignment.attempt
        self.end: EndReason | None = None
        self.paused = assignment.paused
        self._obeyed = Order.PAUSE if self.paused else Order.CONTINUE
        self._changed = asyncio.Event()

    @property
    def held(self) -> Held:
        """How a heartbeat names this attempt."""
        return Held(self.step_run_id, self.attempt, self._obeyed)

    def obey(self, order: Order) -> None:
        """Take an order; the same one again changes nothing."""
        match order:
            case Order.CONTINUE:
                self.paused = False
            case Order.PAUSE:
                self.paused = True
            case Order.TERMINATE:
                self.end_by(EndReason.TERMINATED)
            case Order.ABANDON:
                self.end_by(EndReason.ABANDONED)
        self._obeyed = order
        self._changed.set()

    def end_by(self, reason: EndReason) -> None:
        """End the robot. The first reason stays, but for the one that forbids reports."""
        if self.end is None or reason is EndReason.ABANDONED:
            self.end = reason
        self._changed.set()

    async def unpaused(self) -> None:
        """Returns when no pause is ordered, or an end is."""
        while self.paused and self.end is None:
            await self.changed()

    async def changed(self) -> None:
        """Returns at the next order, at once if one came since the last call."""
        await self._changed.wait()
        self._changed.clear()
