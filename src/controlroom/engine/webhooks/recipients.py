"""Who is to be told of events: webhooks that asked for them, and the callbacks of runs."""

from typing import Final
from uuid import UUID

import structlog

from controlroom.engine.deliveries.endpoints import EndpointInvalid, destination_of
from controlroom.engine.deliveries.grammar import Grammars
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery, Occurrence
from controlroom.engine.deliveries.occurrences import OCCURRENCE, WHAT_OF
from controlroom.engine.deliveries.rules import message_id
from controlroom.engine.events.cursor import IN_SPAN, Span
from controlroom.engine.webhooks.model import WebhookEvent
from controlroom.ids import WebhookId
from controlroom.postgres.database import Statements

log = structlog.get_logger(__name__)

KINDS_OF_WEBHOOKS: Final = tuple(event.value for event in WebhookEvent)
KINDS_OF_CALLBACKS: Final = tuple(
    event.value for event in (WebhookEvent.RUN_STARTED, WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED)
)


class _ForWebhook(Occurrence, frozen=True, kw_only=True):
    subscription_id: WebhookId
    grammar: str
    endpoint: str
    sealed: bytes


class _ForCallback(Occurrence, frozen=True, kw_only=True):
    subscription_id: UUID
    grammar: str
    endpoint: str
    sealed: bytes


async def of_webhooks(tx: Statements, span: Span, grammars: Grammars) -> list[NewDelivery]:
    """What enabled webhooks are told of the events in the span. None is told of what was before it was made."""
    found = await tx.all(
        _ForWebhook,
        f"""
        select {OCCURRENCE}, webhook.id as subscription_id, webhook.grammar, webhook.endpoint, webhook.sealed
          from event
          join webhook on webhook.workspace_id = event.workspace_id and event.kind = any (webhook.events)
                      and (webhook.process_id is null or webhook.process_id = event.process_id)
                      and webhook.is_enabled and webhook.deleted_at is null and webhook.created_at <= event.at
          {WHAT_OF}
         where {IN_SPAN} and event.kind = any (%(kinds)s::text[])
        """,
        kinds=KINDS_OF_WEBHOOKS,
        **span.params,
    )
    return [new for each in found if (new := _told(each, DeliveryKind.WEBHOOK, each.subscription_id, grammars))]


async def of_callbacks(tx: Statements, span: Span, grammars: Grammars) -> list[NewDelivery]:
    """What the callbacks of runs are told of the events in the span."""
    found = await tx.all(
        _ForCallback,
        f"""
        select {OCCURRENCE}, run.id as subscription_id,
               coalesce(run.parameters -> 'callback' ->> 'grammar', 'robocorp') as grammar,
               run.parameters -> 'callback' ->> 'url' as endpoint,
               decode(run.parameters -> 'callback' ->> 'secret', 'base64') as sealed
          from event
          {WHAT_OF}
         where {IN_SPAN} and event.kind = any (%(kinds)s::text[])
           and run.parameters -> 'callback' -> 'events' ? substr(event.kind, length('run.') + 1)
        """,
        kinds=KINDS_OF_CALLBACKS,
        **span.params,
    )
    return [new for each in found if (new := _told(each, DeliveryKind.CALLBACK, each.subscription_id, grammars))]


def _told(
    each: _ForWebhook | _ForCallback, kind: DeliveryKind, subscription: UUID, grammars: Grammars
) -> NewDelivery | None:
    message = message_id(each.workspace_id, each.event_id)
    grammar = grammars.get(each.grammar)
    body = None if grammar is None else grammar.body(each, message)
    if body is None:  # the dialect has no words for it, or is not served here
        return None
    try:
        destination = destination_of(each.endpoint)
    except EndpointInvalid as broken:  # a callback's address is not looked at when its run is started
        log.warning("callback has no address", run=str(each.run_id), reason=str(broken))
        return None
    return NewDelivery(
        workspace_id=each.workspace_id,
        kind=kind,
        subscription_id=subscription,
        event_id=each.event_id,
        event_kind=each.kind,
        message_id=message,
        body=body,
        grammar=each.grammar,
        destination=destination,
        endpoint=each.endpoint,
        sealed=each.sealed,
        process_id=each.process_id,
        run_id=each.run_id,
        step_run_id=each.step_run_id,
    )
