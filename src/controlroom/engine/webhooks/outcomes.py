"""How the last messages to webhooks went, for a list that shows each with a strip."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.deliveries.model import DeliveryState
from controlroom.ids import WebhookId
from controlroom.postgres.database import Statements


class Outcome(Struct, frozen=True):
    """What came of a message."""

    webhook: WebhookId
    number: int
    state: DeliveryState
    created_at: datetime


async def last_of_webhooks(
    db: Statements, scope: Scope, webhooks: Sequence[WebhookId], *, each: int = 30
) -> dict[WebhookId, list[Outcome]]:
    """The last messages to each of these webhooks of the workspace, newest first."""
    rows = await db.all(
        Outcome,
        f"""
        select of.id as webhook, last.number, last.state, last.created_at
          from unnest(%(webhooks)s::uuid[]) as of (id)
         cross join lateral (
               select delivery.id, delivery.number, delivery.state, delivery.created_at from delivery
                where delivery.subscription_id = of.id and delivery.workspace_id = {SEEN}
                order by delivery.id desc limit %(each)s) as last
         order by of.id, last.id desc
        """,
        webhooks=list(webhooks),
        each=each,
        **scope.params,
    )
    found: dict[WebhookId, list[Outcome]] = {}
    for row in rows:
        found.setdefault(row.webhook, []).append(row)
    return found
