"""Invitations into the workspace that nobody has followed yet (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.access.invitations import actions, model, store
from controlroom.engine.access.invitations.actions import LIFE_DAYS
from controlroom.engine.access.model import Permission, Role
from controlroom.ids import InvitationId


class InvitationAnswer(Shape, frozen=True, kw_only=True):
    """An invitation, without its link."""

    id: InvitationId
    role: Role
    email: str
    invited_by: str
    """The name of who invites; empty for a program."""
    created_at: datetime
    expires_at: datetime
    expired: bool


class NewInvitation(InvitationAnswer, frozen=True, kw_only=True):
    """An invitation with its link, which is told this once: whoever follows it comes into the workspace."""

    url: str


class CreateInvitation(OwnBody, frozen=True):
    """The role that it gives, whom it is for, and for how many days it is."""

    role: Role
    email: str = ""
    days: int = LIFE_DAYS


@get("/invitations", needs=Permission.READ_MEMBERS)
async def list_invitations(request: Asking, paging: Pages) -> Page[InvitationAnswer]:
    """List the invitations that nobody has followed yet, oldest first, without their links."""
    rows = await store.list_invitations(*request.reading, **paging.after(InvitationId))
    return paging.page(rows, _show)


@post("/invitations")
async def create_invitation(request: Asking, data: Body[CreateInvitation]) -> NewInvitation:
    """Invite somebody to the workspace, and tell the link by which they come. No mail is sent."""
    made, token = await actions.invite(*request.acting, role=data.role, email=data.email, days=data.days)
    return _show(made).widened(NewInvitation, url=f"{request.origin}/invite/{token}")


@delete("/invitations/{invitation_id:uuid}")
async def delete_invitation(request: Asking, invitation_id: Path[InvitationId]) -> Deleted:
    """Take an invitation back: its link leads nowhere any more."""
    return await Deleted.after(invitation_id, actions.withdraw(*request.acting, invitation_id))


_show = shown_as(InvitationAnswer, model.Invitation, expired="is_over")
