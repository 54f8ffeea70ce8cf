"""The verbs of notifications. They belong to a process: whoever may write it says whom it tells."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, ensure_seen, scope_of, scoped
from controlroom.engine.deliveries import gone
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.engine import Engine
from controlroom.engine.notifications import store
from controlroom.engine.notifications.errors import NotificationInvalid
from controlroom.engine.notifications.model import (
    ByChat,
    ByEmail,
    Notification,
    NotificationEvent,
    NotificationKind,
    Way,
)
from controlroom.engine.notifications.rules import checked_events, checked_way
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.ids import NotificationId, ProcessId, WorkspaceId, uuid7


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    way: Way,
    events: Sequence[NotificationEvent],
) -> Notification:
    """Tell somebody of a process's runs that end from now on. Raises NotificationInvalid, EndpointInvalid, NotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    notification = NotificationId(uuid7())
    kind, recipients, sealed = _stored(engine, notification, way)
    async with scoped(engine.database, scope) as tx:
        if not await store.insert(
            tx,
            scope,
            notification,
            process,
            kind=kind,
            events=checked_events(events),
            recipients=recipients,
            sealed=sealed,
        ):
            await ensure_seen(tx, scope)
            raise ProcessNotFound(process)
        found = await store.get(tx, scope, notification)
        await record(engine, tx, actor, scope, "notification.created", found.id, **_told(found))
        return found


async def update(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    notification: NotificationId,
    *,
    way: Way | None = None,
    events: Sequence[NotificationEvent] | None = None,
    is_enabled: bool | None = None,
) -> Notification:
    """Change what is given; the kind of a notification stays. Disabling gives up what is still to be delivered."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, notification, for_update=True)
        recipients, sealed = tuple(before.recipients), before.sealed
        if way is not None:
            kind, recipients, sealed = _stored(engine, notification, way)
            if kind is not before.kind:
                raise NotificationInvalid("a notification keeps its kind: make another one")
        wanted = before.is_enabled if is_enabled is None else is_enabled
        await store.update(
            tx,
            notification,
            events=before.events if events is None else checked_events(events),
            recipients=recipients,
            sealed=sealed,
            is_enabled=wanted,
        )
        if not wanted:
            await deliveries.withdraw(tx, notification, "The notification was disabled.")
        after = await store.get(tx, scope, notification)
        await record(engine, tx, actor, scope, "notification.updated", after.id, **_told(after))
        return after


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, notification: NotificationId) -> None:
    """Tell no more, and give up what is still to be delivered."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, notification, for_update=True)
        await store.delete(tx, notification)
        await deliveries.withdraw(tx, notification, "The notification was deleted.")
        await record(engine, tx, actor, scope, "notification.deleted", found.id, **_told(found))


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, notification: NotificationId) -> Notification:
    """Have a notification again that was deleted: of runs that end from now on. Raises NotificationNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.NOTIFICATION, notification)
        found = await store.get(tx, scope, notification)
        await record(engine, tx, actor, scope, "notification.restored", found.id, **_told(found))
        return found


async def disable_gone(engine: Engine, room: Room, notification: NotificationId, *, sealed: bytes, answer: str) -> None:
    """Disable a notification whose chat says that it is gone for good, unless it goes elsewhere by now."""
    disable = partial(store.disable, notification=notification, sealed=sealed)
    reason = f"Its chat is gone for good. {answer}"
    await gone.disable_gone(engine, room, notification, "notification.disabled", reason, disable)


def _stored(
    engine: Engine, notification: NotificationId, way: Way
) -> tuple[NotificationKind, tuple[str, ...], bytes | None]:
    match checked_way(way):
        case ByEmail(recipients):
            return NotificationKind.EMAIL, recipients, None
        case ByChat(endpoint):
            sealed = engine.keys.seal(endpoint.encode(), place=store.place_of(notification))
            return NotificationKind.CHAT, (), sealed


def _told(notification: Notification) -> dict[str, Any]:
    return {"process_id": notification.process_id, "kind": notification.kind.value}
