"""The list of deliveries: what a line of the log shows, and by which fields deliveries are found and sorted."""

from typing import Final

from controlroom.engine.deliveries.model import DeliveryKind, DeliveryState
from controlroom.engine.lists.model import Field, Kind, Listing, among

DELIVERIES: Final = Listing(
    noun="deliveries",
    table="delivery",
    columns="""id, number, workspace_id, kind, subscription_id, event_kind, process_id, run_id, step_run_id,
    message_id, message_name, destination, endpoint, state, attempts, due, attempted_at, last_status, last_answer,
    last_error, created_at, ended_at""",
    tenant="delivery.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("kind", Kind.TEXT, choices=among(DeliveryKind)),
        Field("subscription_id", Kind.ID, index="delivery_of_subscription"),
        Field("event_kind", Kind.TEXT),
        Field("message_name", Kind.TEXT),
        Field("process_id", Kind.ID, is_nullable=True),
        Field("run_id", Kind.ID, is_nullable=True),
        Field("step_run_id", Kind.ID, is_nullable=True),
        Field("destination", Kind.TEXT),
        Field("state", Kind.TEXT, choices=among(DeliveryState)),
        Field("attempts", Kind.INTEGER),
        Field("last_status", Kind.INTEGER, is_nullable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
    ),
)
"""By id it has an index for each subscription, not for a workspace: the log is read of one receiver."""
