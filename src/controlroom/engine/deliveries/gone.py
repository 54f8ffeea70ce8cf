"""Who says that it is gone for good (410) is told nothing more."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.deliveries import store
from controlroom.engine.deliveries.model import Disabled
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By

Disable = Callable[[ScopedTx, str], Awaitable[Disabled | None]]
"""Disables a subscription for a reason, if it still goes where that was said; None if it goes elsewhere by now."""


async def disable_gone(
    engine: Engine, room: Room, subscription: UUID, kind: str, reason: str, disable: Disable
) -> None:
    """Disable a subscription, give up what waits for it, and record it as an event of the kind, unless it has moved."""
    async with scoped(engine.database, room) as tx:
        disabled = await disable(tx, reason)
        if disabled is None:
            return
        await store.withdraw(tx, subscription, reason)
        await record(
            engine, tx, By("system"), disabled, kind, subscription, process_id=disabled.process_id, reason=reason
        )
