"""Webhooks (§1.7): the vendor's routes, and ours beside them.

Ours: webhooks of the whole workspace (without `process`), change, enable and disable, a test, the log of deliveries and
redelivery by hand.
"""

from datetime import datetime
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from msgspec import Raw

from controlroom.border.asking import Asking, Body, Path, Permission, QueryParameter
from controlroom.border.bodies import decode
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.messages import EVENT_NAMES, GRAMMAR
from controlroom.dialects.robocorp.routing import OfProcess, Page, Pages, Paging, delete, get, post, update
from controlroom.engine.deliveries import model
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.webhooks import actions, redelivery, store
from controlroom.engine.webhooks.model import Webhook, WebhookChange, WebhookDefinition, WebhookEvent
from controlroom.errors import Invalid
from controlroom.ids import DeliveryId, ProcessId, RunId, WebhookId

_EVENTS = {name: event for event, name in EVENT_NAMES.items()}
_NAMES = {event.value: name for event, name in EVENT_NAMES.items()}

OfState = Annotated[model.DeliveryState | None, QueryParameter(name="state")]
"""Only deliveries in this state."""


class ProcessRef(Shape, frozen=True):
    """A process by its id."""

    id: ProcessId


class WebhookAnswer(Shape, frozen=True, kw_only=True):
    """A webhook, without its secret. `process` is null for one of the whole workspace."""

    id: WebhookId
    name: str
    process: Identified | None
    endpoint: str
    enabled_events: list[str]
    enabled: bool
    disabled_reason: str | None
    """Why the room disabled it: its receiver answered 410. Enabling it again forgets it."""
    created_at: datetime


class WebhookWithSecret(WebhookAnswer, frozen=True, kw_only=True):
    """A webhook with the secret that signs what it is sent."""

    secret: str


class CreateWebhook(Shape, frozen=True, kw_only=True):
    """A new webhook. Without `process` it is told of all of the workspace; without `secret` one is made."""

    endpoint: str
    enabled_events: list[str]
    process: ProcessRef | None = None
    name: str = ""
    secret: str | None = None
    enabled: bool = True


class _OfWorkspace(CreateWebhook, frozen=True, forbid_unknown_fields=True):
    """Likewise, with nothing beside it that could be meant as its process."""


class UpdateWebhook(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    endpoint: str | None = None
    enabled_events: list[str] | None = None
    name: str | None = None
    secret: str | None = None
    enabled: bool | None = None


class DeliveryAnswer(Shape, frozen=True, kw_only=True):
    """A line of the delivery log, which is kept for two weeks."""

    id: DeliveryId
    kind: model.DeliveryKind
    event: str
    message_id: str
    """The `id` in the message: the same when it is sent again."""
    state: model.DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_answer: str
    last_error: str
    destination: str
    process: Identified | None
    process_run: Identified | None
    step_run: Identified | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryWithPayload(DeliveryAnswer, frozen=True, kw_only=True):
    """A delivery with the message that is sent."""

    payload: Raw


class TestStarted(Shape, frozen=True):
    """The delivery of a test."""

    delivery: Identified


@get("/webhooks", needs=Permission.READ_WEBHOOKS)
async def list_webhooks(request: Asking, paging: Pages, process_id: OfProcess = None) -> Page[WebhookAnswer]:
    """List webhooks, oldest first, without their secrets."""
    rows = await store.list_webhooks(*request.reading, process=process_id, **paging.after(WebhookId))
    return paging.page(rows, _show)


@post("/webhooks")
async def create_webhook(request: Asking, data: Body[CreateWebhook]) -> WebhookWithSecret:
    """Create a webhook of a process, or of the whole workspace. It is told of what happens from now on."""
    if data.process is None:  # its misspelling would subscribe to the whole workspace
        decode(await request.body(), _OfWorkspace)
    return _with_secret(*await actions.create(*request.acting, _definition_of(data)))


@get("/webhooks/{webhook_id:uuid}")
async def get_webhook(request: Asking, webhook_id: Path[WebhookId]) -> WebhookWithSecret:
    """Get a webhook with its secret. It is recorded who saw it."""
    return _with_secret(*await actions.show(*request.acting, webhook_id))


@update("/webhooks/{webhook_id:uuid}")
async def update_webhook(request: Asking, webhook_id: Path[WebhookId], data: Body[UpdateWebhook]) -> WebhookAnswer:
    """Change a webhook; what is still to be delivered goes to where it points now."""
    return _show(await actions.update(*request.acting, webhook_id, _change_of(data)))


@delete("/webhooks/{webhook_id:uuid}")
async def delete_webhook(request: Asking, webhook_id: Path[WebhookId]) -> Deleted:
    """Delete a webhook."""
    return await Deleted.after(webhook_id, actions.delete(*request.acting, webhook_id))


@post("/webhooks/{webhook_id:uuid}/test")
async def test_webhook(request: Asking, webhook_id: Path[WebhookId]) -> TestStarted:
    """Send the webhook a test message; its delivery tells what came of it."""
    return TestStarted(Identified(await actions.test(*request.acting, webhook_id)))


@get("/webhooks/{webhook_id:uuid}/deliveries", needs=Permission.READ_WEBHOOKS)
async def list_webhook_deliveries(
    request: Asking, paging: Pages, webhook_id: Path[WebhookId], delivery_state: OfState = None
) -> Page[DeliveryAnswer]:
    """List what a webhook was sent, newest first."""
    await store.get(*request.reading, webhook_id)
    return await deliveries_of(request, paging, webhook_id, delivery_state)


@get("/process-runs/{run_id:uuid}/callback-deliveries", needs=Permission.READ_WEBHOOKS)
async def list_callback_deliveries(
    request: Asking, paging: Pages, run_id: Path[RunId], delivery_state: OfState = None
) -> Page[DeliveryAnswer]:
    """List what the callback of a process run was sent, newest first."""
    return await deliveries_of(request, paging, run_id, delivery_state)


@get("/deliveries/{delivery_id:uuid}", needs=Permission.READ_WEBHOOKS)
async def get_delivery(request: Asking, delivery_id: Path[DeliveryId]) -> DeliveryWithPayload:
    """Get a delivery with its payload, and what the receiver last answered."""
    found = await deliveries.get(*request.reading, delivery_id)
    return show_delivery(found).widened(DeliveryWithPayload, payload=Raw(found.body))


@post("/deliveries/{delivery_id:uuid}/redeliver")
async def redeliver(request: Asking, delivery_id: Path[DeliveryId]) -> DeliveryAnswer:
    """Deliver the same message once more, to where its webhook points now."""
    return show_delivery(await redelivery.redeliver(*request.acting, delivery_id))


async def deliveries_of(
    request: Asking, paging: Paging, subscription: UUID, state: model.DeliveryState | None
) -> Page[DeliveryAnswer]:
    """A page of what a webhook, a callback, a notification or a provisioner was sent, newest first."""
    rows = await deliveries.list_of_subscription(
        *request.reading, subscription, state=state, **paging.before(DeliveryId)
    )
    return paging.page(rows, show_delivery)


show_delivery = shown_as(
    DeliveryAnswer,
    model.Delivery,
    event=lambda delivery: _NAMES.get(delivery.event_kind, delivery.event_kind),
    message_id=lambda delivery: str(delivery.message_id),
    next_attempt_at=lambda delivery: delivery.due if delivery.state is model.DeliveryState.PENDING else None,
    last_attempt_at="attempted_at",
)
"""A delivery as this dialect writes it."""


def _events(names: list[str]) -> tuple[WebhookEvent, ...]:
    try:
        return tuple(_EVENTS[name] for name in names)
    except KeyError as unknown:
        known = ", ".join(_EVENTS)
        raise Invalid(f"There is no event {unknown}; there are {known}.", code="UNKNOWN_EVENT") from unknown


_show = shown_as(
    WebhookAnswer,
    Webhook,
    enabled_events=lambda webhook: [EVENT_NAMES[event] for event in webhook.events],
    disabled_reason=lambda webhook: webhook.disabled_reason or None,
)
_definition_of = shown_as(
    WebhookDefinition,
    CreateWebhook,
    grammar=lambda _: GRAMMAR,
    events=("enabled_events", _events),
    process=("process", attrgetter("id")),
)
_change_of = shown_as(WebhookChange, UpdateWebhook, events=("enabled_events", _events))


def _with_secret(webhook: Webhook, secret: str) -> WebhookWithSecret:
    return _show(webhook).widened(WebhookWithSecret, secret=secret)
