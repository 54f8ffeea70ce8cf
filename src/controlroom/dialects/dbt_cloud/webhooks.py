"""Webhook subscriptions (§3.9, §5): who is told of runs, what was sent to them, and a test.

One is of the whole account for who writes webhooks in all of it; of a project for who writes them there alone.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import Listed, Name, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.messages import EVENTS, GRAMMAR, event_id, subscription_id
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, post, put
from controlroom.engine.access import scope
from controlroom.engine.access.places import place_of
from controlroom.engine.lists.model import AllOf, equal
from controlroom.engine.nouns import Ways
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import Reference, find_all
from controlroom.engine.webhooks import history, subscriptions
from controlroom.engine.webhooks.errors import WebhookNotFound
from controlroom.engine.webhooks.history import HISTORY, Told
from controlroom.engine.webhooks.subscriptions import (
    SUBSCRIPTIONS,
    Subscription,
    WantedSubscription,
)
from controlroom.ids import ProcessId, WebhookId

_ALL: Final = "/accounts/{account}/webhooks/subscriptions"
_ONE: Final = "/accounts/{account}/webhooks/subscription/{webhook}"
_COLUMNS: Final = Columns(
    SUBSCRIPTIONS, {"id": "number", "name": "name", "created_at": "created_at", "active": "is_enabled"}
)
_SENT: Final = Columns(
    HISTORY, {"id": "number", "event_type": "message_name", "created_at": "created_at"}, ordered="-id"
)
_OURS: Final = equal(grammar=GRAMMAR)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = "0"
"""The status of what was never sent."""


class WebhookShown(Shape, frozen=True, kw_only=True):
    """A subscription; `hmac_secret` only when it is made."""

    id: str
    account_identifier: str
    account_id: str
    name: str
    description: str
    event_types: list[str]
    job_ids: list[str]
    client_url: str
    active: bool
    http_status_code: str
    dispatched_at: str | None
    deactivate_reason: str | None
    created_at: str
    updated_at: str
    hmac_secret: str | UnsetType | None = UNSET


class WebhookAsked(Shape, frozen=True, kw_only=True):
    """A subscription as it shall be; of an update what is left out stays."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    event_types: tuple[str, ...] | UnsetType | None = UNSET
    job_ids: tuple[str, ...] | UnsetType | None = UNSET
    client_url: str | UnsetType = UNSET
    active: bool | UnsetType | None = UNSET


class EventShown(Shape, frozen=True, kw_only=True):
    """A message to a subscription, and how often it was tried."""

    id: str
    event_id: str
    account_id: str
    webhook_id: str
    event_type: str
    status: str
    run_id: str | None
    job_id: str | None
    attempts: int
    http_status_code: str
    error: str | None
    created_at: str
    dispatched_at: str | None


@get(_ALL, versions=V3, rows=_COLUMNS, asks=Permission.READ_WEBHOOKS)
async def list_subscriptions(request: Asking) -> Listed[WebhookShown]:
    """The subscriptions of the account, or of the projects of which the token reads them."""
    place = place_of(request.actor, Permission.READ_WEBHOOKS)
    only = AllOf((_OURS, place.only))
    return await listed(request, Subscription, lambda each: _show(request, each), within=place.within, only=only)


@post(_ALL, versions=V3, status=201, asks=Permission.WRITE_WEBHOOKS)
async def create_subscription(request: Asking, data: Body[WebhookAsked]) -> WebhookShown:
    """A new subscription, and the secret that signs what it is sent."""
    place_of(request.actor, Permission.WRITE_WEBHOOKS)
    made, secret = await subscriptions.create(request.engine, request.actor, await _wanted(request, data, None))
    return replace(_show(request, made), hmac_secret=secret)


@get(_ONE, versions=V3, asks=Permission.READ_WEBHOOKS)
async def get_subscription(request: Asking, webhook: Id) -> WebhookShown:
    """A subscription, without its secret."""
    return _show(request, await _get(request, webhook))


@put(_ONE, versions=V3, asks=Permission.WRITE_WEBHOOKS)
async def update_subscription(request: Asking, webhook: Id, data: Body[WebhookAsked]) -> WebhookShown:
    """Change a subscription; made active, it begins anew."""
    place_of(request.actor, Permission.WRITE_WEBHOOKS)
    before = await _get(request, webhook)
    wanted = await _wanted(request, data, before)
    return _show(request, await subscriptions.change(request.engine, request.actor, before.id, wanted))


@delete(_ONE, versions=V3, asks=Permission.WRITE_WEBHOOKS)
async def delete_subscription(request: Asking, webhook: Id) -> dict[str, str]:
    """Delete a subscription; what waits for it is given up."""
    found = await _find(request, webhook, Permission.WRITE_WEBHOOKS)
    gone = await subscriptions.delete(request.engine, request.actor, found)
    return {"id": subscription_id(gone.number)}


@get(f"{_ONE}/test", versions=V3, acts=True, asks=Permission.WRITE_WEBHOOKS)
async def try_subscription(request: Asking, webhook: Id) -> dict[str, str]:
    """Send a subscription a test, and tell its event."""
    found = await _find(request, webhook, Permission.WRITE_WEBHOOKS)
    sent = await subscriptions.test(request.engine, request.actor, found)
    return {"event_id": event_id(sent.message_id)}


@get(f"{_ONE}/events", versions=V3, rows=_SENT, asks=Permission.READ_WEBHOOKS)
async def list_webhook_events(request: Asking, webhook: Id) -> Listed[EventShown]:
    """What was sent to a subscription, newest first."""
    found = await _get(request, webhook)
    place = place_of(request.actor, Permission.READ_WEBHOOKS)
    sent = AllOf(equal(subscription_id=found.id).of)
    within = scope.within(place.scope)
    return await listed(request, Told, lambda each: _event(request, found, each), within=within, only=sent)


@get(f"{_ONE}/event/{{event}}/receipt", versions=V3, asks=Permission.READ_WEBHOOKS)
async def get_receipt(request: Asking, webhook: Id, event: Id) -> dict[str, Any]:
    """What a subscription answered to a message."""
    found = await _get(request, webhook)
    place = place_of(request.actor, Permission.READ_WEBHOOKS)
    told = await history.receipt(request.db, place.scope, found.id, _message(event))
    return {
        "event_id": event_id(told.message_id),
        "webhook_id": subscription_id(found.number),
        "http_status_code": str(told.last_status or _NEVER),
        "attempts": told.attempts,
        "response_body": told.last_answer,
        "error": told.last_error or None,
        "dispatched_at": None if told.attempted_at is None else _micros(told.attempted_at),
    }


async def _wanted(request: Asking, data: WebhookAsked, before: Subscription | None) -> WantedSubscription:
    """As it shall be: what is asked, else as it was. Raises FieldsWrong."""
    faults: dict[str, str] = {}
    name = data.name if isinstance(data.name, str) else (before.name if before else "")
    url = data.client_url if isinstance(data.client_url, str) else (before.endpoint if before else "")
    types = data.event_types if isinstance(data.event_types, tuple) else tuple(before.messages if before else ())
    jobs = data.job_ids if isinstance(data.job_ids, tuple) else tuple(map(str, before.processes if before else ()))
    if not name.strip():
        faults["name"] = "what it is to be called"
    if not url.strip():
        faults["client_url"] = "where it is to be told"
    if not types or {*types} - EVENTS.keys():
        faults["event_types"] = f"some of {', '.join(EVENTS)}"
    if faults:
        raise FieldsWrong(faults)
    described = data.description if isinstance(data.description, str) else (before.description if before else "")
    return WantedSubscription(
        name=name.strip(),
        description=described,
        grammar=GRAMMAR,
        events=tuple(dict.fromkeys(event for each in types for event in EVENTS[each])),
        messages=tuple(dict.fromkeys(types)),
        processes=await _jobs(request, jobs),
        endpoint=url.strip(),
        is_enabled=data.active if isinstance(data.active, bool) else (before.is_enabled if before else True),
    )


async def _jobs(request: Asking, numbers: tuple[str, ...]) -> tuple[ProcessId, ...]:
    seen = place_of(request.actor, Permission.WRITE_WEBHOOKS).scope
    asked = [Reference(PROCESS, each.strip(), Ways.NUMBER) for each in dict.fromkeys(numbers)]
    found = await find_all(request.db, seen, asked)
    for each, process in zip(asked, found, strict=True):
        if process is None:
            raise FieldsWrong({"job_ids": f"jobs: there is no {each.text}"})
    return tuple(each for each in found if each is not None)


async def _get(request: Asking, webhook: str) -> Subscription:
    found = await subscriptions.get(
        request.engine, request.actor, await _find(request, webhook, Permission.READ_WEBHOOKS)
    )
    if found.grammar != GRAMMAR:
        raise WebhookNotFound(webhook)
    return found


async def _find(request: Asking, webhook: str, permission: Permission) -> WebhookId:
    number = webhook.strip().removeprefix("wsu_")
    return await subscriptions.numbered(request.db, place_of(request.actor, permission), number)


def _message(event: str) -> UUID:
    try:
        return UUID(event.strip().removeprefix("wev_"))
    except ValueError:
        raise history.MessageNotFound(event) from None


def _show(request: Asking, webhook: Subscription) -> WebhookShown:
    return WebhookShown(
        id=subscription_id(webhook.number),
        account_identifier=f"act_{webhook.organization_id.hex}",
        account_id=str(request.account),
        name=webhook.name,
        description=webhook.description,
        event_types=webhook.messages,
        job_ids=[str(each) for each in webhook.processes],
        client_url=webhook.endpoint,
        active=webhook.is_enabled,
        http_status_code=str(webhook.last_status or _NEVER),
        dispatched_at=None if webhook.attempted_at is None else _micros(webhook.attempted_at),
        deactivate_reason=webhook.disabled_reason or None,
        created_at=_micros(webhook.created_at),
        updated_at=_micros(webhook.updated_at),
    )


def _event(request: Asking, webhook: Subscription, told: Told) -> EventShown:
    return EventShown(
        id=event_id(told.message_id),
        event_id=event_id(told.message_id),
        account_id=str(request.account),
        webhook_id=subscription_id(webhook.number),
        event_type=told.message_name,
        status=told.state.value,
        run_id=None if told.run_number is None else str(told.run_number),
        job_id=None if told.process_number is None else str(told.process_number),
        attempts=told.attempts,
        http_status_code=str(told.last_status or _NEVER),
        error=told.last_error or None,
        created_at=_micros(told.created_at),
        dispatched_at=None if told.attempted_at is None else _micros(told.attempted_at),
    )


def _micros(at: datetime) -> str:
    """Microseconds since the epoch."""
    return str((at - _EPOCH) // timedelta(microseconds=1))
