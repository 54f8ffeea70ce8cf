"""The list of exports and imports: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.access.model import Actor
from controlroom.engine.lists.model import EVERYTHING, Field, Filter, Kind, Listing, Within, among, equal
from controlroom.engine.transfers.model import Transfer, TransferKind, TransferState

TRANSFERS: Final = Listing(
    noun="transfers",
    table="transfer",
    columns="""transfer.id, transfer.number, transfer.organization_id, transfer.user_id,
           app_user.username as user_name, transfer.kind, transfer.state, transfer.name, transfer.hash, transfer.size,
           transfer.reason, transfer.done, transfer.created_at, transfer.ended_at""",
    joins="join app_user on app_user.id = transfer.user_id",
    tenant="transfer.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="transfer_of_organization"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("user_id", Kind.ID, index="transfer_of_user"),
        Field("kind", Kind.TEXT, choices=among(TransferKind)),
        Field("state", Kind.TEXT, choices=among(TransferState)),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


class ListedTransfer(Transfer, frozen=True, kw_only=True):
    """One in a list, with who asked for it."""

    user_name: str


def seen_by(actor: Actor) -> tuple[Within, Filter]:
    """Where somebody's lists look, and at what: one's own; who governs the organization sees all of it."""
    within = Within.one("%(organization)s", organization=actor.organization_id)
    return within, EVERYTHING if actor.is_admin else equal(user_id=actor.id)
