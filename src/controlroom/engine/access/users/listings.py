"""The list of the members of a workspace: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.access.grants.store import OF_MEMBER
from controlroom.engine.access.model import Role
from controlroom.engine.access.users.model import Member
from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.ids import UserId

_ROLE: Final = "join role on role.id = access_grant.role_id"
_USER: Final = "join app_user on app_user.id = access_grant.user_id"


class ListedMember(Member, frozen=True, kw_only=True):
    """A member, known in the list by the user."""

    id: UserId


MEMBERS: Final = Listing(
    noun="members",
    table="access_grant",
    columns="""access_grant.user_id as id, access_grant.user_id, app_user.number, access_grant.workspace_id,
           app_user.username, app_user.first_name, app_user.last_name, app_user.email, role.name as role,
           access_grant.created_at, app_user.disabled_at, app_user.logged_in_at""",
    joins=f"""{_ROLE}
      {_USER}""",
    tenant="access_grant.workspace_id",
    always=f"access_grant.user_id is not null and {OF_MEMBER}",
    fields=(
        Field("id", Kind.ID, column="access_grant.user_id", is_sortable=True),
        Field("number", Kind.INTEGER, column="app_user.number", join=_USER, is_sortable=True),
        Field("username", Kind.TEXT, column="app_user.username", join=_USER, is_sortable=True),
        Field("email", Kind.TEXT, column="app_user.email", join=_USER, is_sortable=True),
        Field("full_name", Kind.TEXT, column="(app_user.first_name || ' ' || app_user.last_name)", join=_USER),
        Field("role", Kind.TEXT, column="role.name", join=_ROLE, choices=among(Role), is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field(
            "logged_in_at", Kind.INSTANT, column="app_user.logged_in_at", join=_USER, is_nullable=True, is_sortable=True
        ),
    ),
)
