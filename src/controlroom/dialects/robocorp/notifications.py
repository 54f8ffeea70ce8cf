"""Notifications of a process by mail or chat (our own management API)."""

from datetime import datetime
from typing import Literal

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.webhooks import DeliveryAnswer, OfState, deliveries_of
from controlroom.engine.notifications import actions, model, store
from controlroom.errors import Invalid
from controlroom.ids import NotificationId, ProcessId

EventName = Literal["process_run.completed", "process_run.unresolved"]

_EVENTS: dict[EventName, model.NotificationEvent] = {
    "process_run.completed": model.NotificationEvent.RUN_COMPLETED,
    "process_run.unresolved": model.NotificationEvent.RUN_UNRESOLVED,
}
_NAMES = {event: name for name, event in _EVENTS.items()}


class NotificationAnswer(Shape, frozen=True, kw_only=True):
    """Whom a process tells how its runs end. The address of a chat is a secret, and never shown again."""

    id: NotificationId
    process: Identified
    type: model.NotificationKind
    recipients: list[str]
    enabled_events: list[EventName]
    enabled: bool
    disabled_reason: str | None
    """Why the room disabled it: its chat answered 410. Enabling it again forgets it."""
    created_at: datetime


class CreateNotification(OwnBody, frozen=True, kw_only=True):
    """By mail with `recipients`, by a chat's webhook in Slack's form with `endpoint`."""

    enabled_events: tuple[EventName, ...] = ("process_run.unresolved",)
    recipients: list[str] | None = None
    endpoint: str | None = None


class UpdateNotification(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    enabled_events: list[EventName] | None = None
    recipients: list[str] | None = None
    endpoint: str | None = None
    enabled: bool | None = None


@get("/processes/{process_id:uuid}/notifications", needs=Permission.READ_PROCESSES)
async def list_notifications(request: Asking, paging: Pages, process_id: Path[ProcessId]) -> Page[NotificationAnswer]:
    """List the notifications of a process, oldest first."""
    return paging.page(await store.list_of_process(*request.reading, process_id, **paging.after(NotificationId)), _show)


@post("/processes/{process_id:uuid}/notifications")
async def create_notification(
    request: Asking, process_id: Path[ProcessId], data: Body[CreateNotification]
) -> NotificationAnswer:
    """Tell somebody how the runs of a process end, from now on."""
    way = _way(data.recipients, data.endpoint)
    if way is None:
        raise Invalid("A notification names either recipients or an endpoint.", code="INVALID_BODY")
    events = [_EVENTS[name] for name in data.enabled_events]
    return _show(await actions.create(*request.acting, process_id, way, events))


@get("/notifications/{notification_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_notification(request: Asking, notification_id: Path[NotificationId]) -> NotificationAnswer:
    """Get a notification."""
    return _show(await store.get(*request.reading, notification_id))


@update("/notifications/{notification_id:uuid}")
async def update_notification(
    request: Asking, notification_id: Path[NotificationId], data: Body[UpdateNotification]
) -> NotificationAnswer:
    """Change a notification; it keeps its type."""
    events = None if data.enabled_events is None else [_EVENTS[name] for name in data.enabled_events]
    way = _way(data.recipients, data.endpoint)
    changed = await actions.update(*request.acting, notification_id, way=way, events=events, is_enabled=data.enabled)
    return _show(changed)


@delete("/notifications/{notification_id:uuid}")
async def delete_notification(request: Asking, notification_id: Path[NotificationId]) -> Deleted:
    """Tell no more."""
    return await Deleted.after(notification_id, actions.delete(*request.acting, notification_id))


@get("/notifications/{notification_id:uuid}/deliveries", needs=(Permission.READ_PROCESSES, Permission.READ_WEBHOOKS))
async def list_notification_deliveries(
    request: Asking, paging: Pages, notification_id: Path[NotificationId], delivery_state: OfState = None
) -> Page[DeliveryAnswer]:
    """List what was sent for a notification, newest first."""
    await store.get(*request.reading, notification_id)
    return await deliveries_of(request, paging, notification_id, delivery_state)


def _way(recipients: list[str] | None, endpoint: str | None) -> model.Way | None:
    match (recipients, endpoint):
        case (None, None):
            return None
        case (list(), None):
            return model.ByEmail(tuple(recipients or ()))
        case (None, str(address)):
            return model.ByChat(address)
        case _:
            raise Invalid("A notification names either recipients or an endpoint.", code="INVALID_BODY")


_show = shown_as(
    NotificationAnswer,
    model.Notification,
    type="kind",
    enabled_events=lambda notification: [_NAMES[event] for event in notification.events],
    disabled_reason=lambda notification: notification.disabled_reason or None,
)
