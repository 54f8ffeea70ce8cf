"""Who is to be told of events: webhooks that asked for them, and the callbacks of runs."""

from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.deliveries.endpoints import EndpointInvalid, destination_of
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.deliveries.occurrences import OCCURRENCE, WHAT_OF, with_outputs
from controlroom.engine.events.cursor import IN_SPAN, Span
from controlroom.engine.messages import Grammars, Message, Occurrence
from controlroom.engine.runs.callbacks import CallbackEvent
from controlroom.engine.webhooks.model import WebhookEvent

log = structlog.get_logger(__name__)

KINDS_OF_WEBHOOKS: Final = tuple(event.value for event in WebhookEvent)
KINDS_OF_CALLBACKS: Final = tuple(event.value for event in CallbackEvent)


class _Recipient(Occurrence, frozen=True, kw_only=True):
    """What happened, with one who is to be told."""

    grammar: str
    wanted: list[str]
    """The names of the messages that it wants; none: all that there are."""
    endpoint: str
    sealed: bytes | None
    sealed_headers: bytes | None
    most_attempts: int | None = None


async def of_webhooks(tx: ScopedTx, span: Span, grammars: Grammars) -> list[NewDelivery]:
    """What enabled webhooks are told of the events in the span. None is told of what was before it was made."""
    found = await tx.all(
        _Recipient,
        f"""
        select {OCCURRENCE}, webhook.id as subscription_id, webhook.number as subscription_number,
               webhook.name as subscription_name, webhook.grammar, webhook.messages as wanted, webhook.endpoint,
               webhook.sealed, null::bytea as sealed_headers, webhook.most_attempts
          from event
          join lateral (
               select own.* from webhook as own where own.workspace_id = event.workspace_id
                union all
               select wide.* from webhook as wide
                where wide.organization_id = event.organization_id and wide.workspace_id is null) as webhook
                   on event.kind = any (webhook.events)
                      and (webhook.process_id is null or webhook.process_id = event.process_id)
                      and (webhook.process_ids = '{{}}' or event.process_id = any (webhook.process_ids))
                      and webhook.is_enabled and webhook.deleted_at is null and webhook.created_at <= event.at
          {WHAT_OF}
         where {IN_SPAN} and event.kind = any (%(kinds)s::text[])
        """,
        kinds=KINDS_OF_WEBHOOKS,
        **span.params,
    )
    return await _told(tx, DeliveryKind.WEBHOOK, found, grammars)


async def of_callbacks(tx: ScopedTx, span: Span, grammars: Grammars) -> list[NewDelivery]:
    """What the callbacks of runs are told of the events in the span, of the run itself or of its step runs."""
    found = await tx.all(
        _Recipient,
        f"""
        select {OCCURRENCE}, run.id as subscription_id, run.number as subscription_number, '' as subscription_name,
               run.parameters -> 'callback' ->> 'grammar' as grammar, '{{}}'::text[] as wanted,
               run.parameters -> 'callback' ->> 'url' as endpoint,
               decode(run.parameters -> 'callback' ->> 'secret', 'base64') as sealed,
               decode(run.parameters -> 'callback' ->> 'headers', 'base64') as sealed_headers
          from event
          {WHAT_OF}
         where {IN_SPAN} and event.kind = any (%(kinds)s::text[])
           and run.parameters -> 'callback' -> 'events' ? event.kind
        """,
        kinds=KINDS_OF_CALLBACKS,
        **span.params,
    )
    return await _told(tx, DeliveryKind.CALLBACK, found, grammars)


async def _told(tx: ScopedTx, kind: DeliveryKind, found: Sequence[_Recipient], grammars: Grammars) -> list[NewDelivery]:
    found = await with_outputs(tx, found, [each.grammar for each in found], grammars)
    return [new for each in found for new in _deliveries(kind, each, grammars)]


def _deliveries(kind: DeliveryKind, each: _Recipient, grammars: Grammars) -> Iterator[NewDelivery]:
    messages = _messages(each, grammars)
    if not messages:
        return
    try:
        destination = destination_of(each.endpoint)
    except EndpointInvalid as broken:  # a callback's address is not looked at when its run is started
        log.warning("callback has no address", run=str(each.run_id), reason=str(broken))
        return
    for message in messages:
        yield NewDelivery(
            workspace_id=each.workspace_id,
            kind=kind,
            subscription_id=each.subscription_id,
            event_id=each.event_id,
            event_kind=each.kind,
            message_id=each.message_id(message.name),
            message_name=message.name,
            body=message.body,
            grammar=each.grammar,
            destination=destination,
            endpoint=each.endpoint,
            sealed=each.sealed,
            sealed_headers=each.sealed_headers,
            most_attempts=each.most_attempts,
            process_id=each.process_id,
            run_id=each.run_id,
            step_run_id=each.step_run_id,
        )


def _messages(each: _Recipient, grammars: Grammars) -> list[Message]:
    grammar = grammars.get(each.grammar)
    if grammar is None:  # its dialect is not served here
        return []
    return [message for message in grammar.messages(each) if not each.wanted or message.name in each.wanted]
