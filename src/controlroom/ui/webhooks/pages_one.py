"""A webhook: what it was sent, what its receiver answered, and delivering once more; likewise what others are sent."""

from typing import Final
from uuid import UUID

import msgspec

from controlroom.engine.access.model import Permission
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.listings import DELIVERIES
from controlroom.engine.deliveries.model import Delivery, DeliveryState
from controlroom.engine.deliveries.store import DELIVERY
from controlroom.engine.lists.model import equal
from controlroom.engine.references import resolve
from controlroom.engine.webhooks import redelivery, store
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Path, Shown
from controlroom.ui.filters import Choice, Since, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.routing import page, verb
from controlroom.ui.webhooks.pages import EVENTS, GRAMMARS, title_of, webhook_id

KINDS: Final = {**{event.value: said for event, said in EVENTS.items()}, "webhook.tested": "A test"}


def deliveries_list(path: str) -> ListPage[Delivery]:
    """The list of what one receiver was sent, at the address of its page."""
    return ListPage(
        listing=DELIVERIES,
        row=Delivery,
        path=path,
        kept_as="deliveries",
        noun="deliveries",
        noun_of_one="delivery",
        tabs=(
            Tab("all", "All"),
            Tab("failed", "Given up", equal(state=DeliveryState.FAILED.value), is_bad=True),
            Tab("pending", "To be delivered", equal(state=DeliveryState.PENDING.value)),
            Tab("delivered", "Delivered", equal(state=DeliveryState.DELIVERED.value)),
        ),
        filters=(Choice("event", "Of what", "event_kind", KINDS), Since("since", "Since", "created_at")),
        columns=(
            Col("event", "Of what", always=True),
            Col("state", "State", always=True),
            Col("answer", "Answer"),
            Col("attempts", "Attempts", is_number=True),
            Col("created_at", "When", is_number=True, always=True),
        ),
    )


@page("/webhooks/{named:str}", needs=Permission.READ_WEBHOOKS)
async def show_webhook(request: Asking, named: Path[str]) -> Shown:
    """What it is told, and how that went; one delivery beside the list with what was sent and answered."""
    webhook = await store.get(*request.reading, await webhook_id(request, named))
    ensure_number(request, named, webhook.number)
    here = f"/webhooks/{webhook.number}"
    found = await deliveries_list(here).read(request, also=equal(subscription_id=webhook.id))
    shown, body = await delivery_beside(request, webhook.id)
    return await request.show(
        "webhooks/one.html",
        title=title_of(webhook),
        at="webhooks",
        crumbs=request.way(("Webhooks", "/webhooks"), title_of(webhook)),
        webhook=webhook,
        found=found,
        shown=shown,
        body=body,
        kinds=KINDS,
        events=EVENTS,
        grammars=GRAMMARS,
        can_write=request.actor.may(Permission.WRITE_WEBHOOKS, request.workspace),
        can_reveal=request.actor.may(Permission.REVEAL, request.workspace),
    )


async def delivery_beside(request: Asking, receiver: UUID) -> tuple[Delivery | None, str]:
    """The delivery that the address chooses, and what is sent. Raises NotFound for one of another receiver."""
    if not (chosen := request.query_params.get("delivery", "")):
        return None, ""
    shown = await deliveries.get(*request.reading, await resolve(*request.reading, DELIVERY, chosen))
    if shown.subscription_id != receiver:
        raise NotFound("This receiver has no such delivery.", code="DELIVERY_NOT_FOUND")
    return shown, _readable(shown.body)


def _readable(body: bytes) -> str:
    """What is sent, as lines; what is no JSON as it is."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return body.decode(errors="replace")


@verb("/webhooks/{named:str}/deliveries/{delivery:str}/redeliver", may=Permission.WRITE_WEBHOOKS)
async def redeliver(request: Asking, named: Path[str], delivery: Path[str]) -> Shown:
    """Send the same message once more, to where the webhook points now."""
    return await redelivered(request, f"/webhooks/{named}", delivery)


async def redelivered(request: Asking, receiver: str, delivery: str) -> Shown:
    """Likewise for the page of whichever receiver."""
    scope = request.scope_for(Permission.WRITE_WEBHOOKS)
    found = await resolve(request.db, scope, DELIVERY, delivery)
    again = await redelivery.redeliver(*request.acting, found)
    return request.done(f"{request.base}{receiver}?delivery={again.number}", "It is on its way once more.")
