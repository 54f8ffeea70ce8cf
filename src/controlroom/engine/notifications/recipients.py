"""Who is to be told that runs have ended."""

from typing import Final

import msgspec

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.deliveries.endpoints import destination_of
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.deliveries.occurrences import OCCURRENCE, WHAT_OF
from controlroom.engine.events.cursor import IN_SPAN, Span
from controlroom.engine.messages import Occurrence
from controlroom.engine.notifications.model import ChatMessage, Mail, NotificationEvent, NotificationKind
from controlroom.engine.notifications.rules import End, chat_text_of, subject_of, text_of
from controlroom.engine.notifications.store import place_of
from controlroom.ids import NotificationId
from controlroom.keys import Keys

KINDS_OF_NOTIFICATIONS: Final = tuple(event.value for event in NotificationEvent)
MAIL_SYSTEM: Final = "mail"
"""The destination of every mail: the operator's one server."""


class _ForNotification(Occurrence, frozen=True, kw_only=True):
    way: NotificationKind
    recipients: list[str]
    sealed: bytes | None
    items: int
    failed: int


async def of_notifications(tx: ScopedTx, span: Span, keys: Keys) -> list[NewDelivery]:
    """What people are told of the events in the span."""
    found = await tx.all(
        _ForNotification,
        f"""
        select {OCCURRENCE}, notification.id as subscription_id, notification.number as subscription_number,
               '' as subscription_name, notification.kind as way, notification.recipients, notification.sealed,
               (select count(*) from work_item
                 where work_item.run_id = event.run_id and queue_id is not null
                   and work_item.state not in ('draft', 'deleted')) as items,
               (select count(*) from work_item
                 where work_item.run_id = event.run_id and work_item.state = 'failed') as failed
          from event
          join lateral (
               select own.* from notification as own
                where own.process_id = event.process_id and own.workspace_id = event.workspace_id
                union all
               select notice.* from notification as notice
                where notice.organization_id = event.organization_id and event.process_id = any (
                      case event.data ->> 'result' when 'succeeded' then notice.on_success
                                                   when 'stopped' then notice.on_stop
                                                   when 'timed_out' then notice.on_stop
                                                   else notice.on_failure end)) as notification
                        on event.kind = any (notification.events)
                           and notification.is_enabled and notification.deleted_at is null
                           and notification.created_at <= event.at
          {WHAT_OF}
         where {IN_SPAN} and event.kind = any (%(kinds)s::text[])
        """,
        kinds=KINDS_OF_NOTIFICATIONS,
        **span.params,
    )
    return [_told(each, keys) for each in found]


def _told(each: _ForNotification, keys: Keys) -> NewDelivery:
    end = End(
        event=NotificationEvent(each.kind),
        process=each.process_name or "",
        number=each.run_no or 0,
        run=str(each.run_id),
        duration=None if each.run_started_at is None else each.at - each.run_started_at,
        items=each.items,
        failed=each.failed,
        error_code=each.error_code,
    )
    match each.way:
        case NotificationKind.EMAIL:
            body = msgspec.json.encode(Mail(tuple(each.recipients), subject_of(end), text_of(end)))
            kind, destination = DeliveryKind.EMAIL, MAIL_SYSTEM
        case NotificationKind.CHAT:
            body = msgspec.json.encode(ChatMessage(chat_text_of(end)))
            endpoint = keys.unseal(each.sealed or b"", place=place_of(NotificationId(each.subscription_id))).decode()
            kind, destination = DeliveryKind.CHAT, destination_of(endpoint)
    return NewDelivery(
        workspace_id=each.workspace_id,
        kind=kind,
        subscription_id=each.subscription_id,
        event_id=each.event_id,
        event_kind=each.kind,
        message_id=each.message_id(),
        body=body,
        destination=destination,
        sealed=each.sealed,
        process_id=each.process_id,
        run_id=each.run_id,
    )
