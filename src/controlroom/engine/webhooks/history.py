"""What was sent to a webhook: message by message, with what it answered."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Of
from controlroom.engine.deliveries.model import DeliveryState
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.errors import NotFound
from controlroom.ids import DeliveryId, WebhookId, WorkspaceId
from controlroom.postgres.database import Statements


class MessageNotFound(NotFound):
    """No such message was sent to the webhook, or it is forgotten by now."""

    def __init__(self, message: object) -> None:
        super().__init__(f"no message {message} was sent to this webhook", code="MESSAGE_NOT_FOUND")


class Told(Struct, frozen=True, kw_only=True):
    """A message to a webhook, and what has come of it."""

    id: DeliveryId
    number: int
    workspace_id: WorkspaceId
    message_id: UUID
    message_name: str
    state: DeliveryState
    attempts: int
    attempted_at: datetime | None
    last_status: int | None
    last_answer: str
    last_error: str
    created_at: datetime
    run_number: int | None
    process_number: int | None


HISTORY: Final = Listing(
    noun="messages to webhooks",
    table="delivery",
    columns="""delivery.id, delivery.number, delivery.workspace_id, delivery.message_id, delivery.message_name,
           delivery.state, delivery.attempts, delivery.attempted_at, delivery.last_status, delivery.last_answer,
           delivery.last_error, delivery.created_at,
           (select run.number from run where run.id = delivery.run_id) as run_number,
           (select process.number from process where process.id = delivery.process_id) as process_number""",
    tenant="delivery.workspace_id",
    always="delivery.kind = 'webhook'",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("subscription_id", Kind.ID, index="delivery_of_subscription"),
        Field("message_name", Kind.TEXT),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Of one webhook: ask for its `subscription_id`."""


async def receipt(db: Statements, scope: Of, webhook: WebhookId, message: UUID) -> Told:
    """One message to a webhook. Raises MessageNotFound."""
    found = await db.one_or_none(
        Told,
        f"""
        {HISTORY.select}
         where delivery.subscription_id = %(webhook)s and delivery.message_id = %(message)s and {HISTORY.always}
           and {HISTORY.tenant} in {EACH}
         order by delivery.id desc limit 1
        """,
        webhook=webhook,
        message=message,
        **scope.each,
    )
    if found is None:
        raise MessageNotFound(message)
    return found
