"""Members of the workspace and their roles (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.model import Permission, Role
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users import memberships, model
from controlroom.ids import UserId


class MemberAnswer(Shape, frozen=True, kw_only=True):
    """A user's place in the workspace."""

    id: UserId
    username: str
    first_name: str
    last_name: str
    email: str
    role: Role
    created_at: datetime


class AddMember(OwnBody, frozen=True):
    """A user of the organization, by name."""

    username: str
    role: Role


class ChangeMember(OwnBody, frozen=True):
    """Another role."""

    role: Role


@get("/members", needs=Permission.READ_MEMBERS)
async def list_members(request: Asking, paging: Pages) -> Page[MemberAnswer]:
    """List members with their roles."""
    rows = await memberships.list_members(*request.reading, **paging.after(UserId))
    return paging.page(rows, _show, lambda member: member.user_id)


@post("/members")
async def add_member(request: Asking, data: Body[AddMember]) -> MemberAnswer:
    """Give a user of the organization a place in the workspace."""
    return _show(await users.add_member(*request.acting, username=data.username, role=data.role))


@get("/members/{user_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_member(request: Asking, user_id: Path[UserId]) -> MemberAnswer:
    """Get a member."""
    return _show(await users.get_member(*request.reading, user_id))


@update("/members/{user_id:uuid}")
async def update_member(request: Asking, user_id: Path[UserId], data: Body[ChangeMember]) -> MemberAnswer:
    """Give a member another role."""
    return _show(await users.change_role(*request.acting, user_id, data.role))


@delete("/members/{user_id:uuid}")
async def remove_member(request: Asking, user_id: Path[UserId]) -> Deleted:
    """End a membership; the user stays in the organization."""
    return await Deleted.after(user_id, users.remove_member(*request.acting, user_id))


_show = shown_as(MemberAnswer, model.Member, id="user_id")
