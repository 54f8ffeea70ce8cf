"""The list of invitations: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.access.invitations.store import COLUMNS, JOINS
from controlroom.engine.access.model import Role
from controlroom.engine.lists.model import Field, Kind, Listing, among

_ROLE: Final = "join role on role.id = invitation.role_id"

INVITATIONS: Final = Listing(
    noun="invitations",
    table="invitation",
    columns=COLUMNS,
    joins=JOINS,
    tenant="invitation.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("email", Kind.TEXT, is_sortable=True),
        Field("role", Kind.TEXT, column="role.name", join=_ROLE, is_sortable=True, choices=among(Role)),
        Field("is_over", Kind.TRUTH, column="(invitation.expires_at <= clock_now())"),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("expires_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Those into a workspace that nobody has followed yet."""
