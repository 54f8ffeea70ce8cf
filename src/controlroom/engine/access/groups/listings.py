"""The list of the groups of an organization: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.access.groups.store import COLUMNS
from controlroom.engine.access.model import Actor
from controlroom.engine.access.roles.actions import ensure_sees_members
from controlroom.engine.lists.model import Field, Kind, Listing, Within

USER_GROUPS: Final = Listing(
    noun="groups",
    table="user_group",
    columns=COLUMNS,
    tenant="user_group.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT),
        Field(
            "member_count",
            Kind.INTEGER,
            column="(select count(*) from user_group_member where user_group_id = user_group.id)",
            is_sortable=True,
        ),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


def seen_by(actor: Actor) -> Within:
    """All of the organization, for who may see who is who somewhere. Raises NotOfOrganization."""
    ensure_sees_members(actor)
    return Within.one("%(organization)s", organization=actor.organization_id)
