"""To invite somebody, and the page on which they come."""

from typing import Final

from controlroom.engine.access import sessions
from controlroom.engine.access.errors import InvitationNotFound, MemberExists, UsernameTaken, WeakPassword
from controlroom.engine.access.invitations import actions, store
from controlroom.engine.access.invitations.listings import INVITATIONS
from controlroom.engine.access.invitations.model import Invitation
from controlroom.engine.access.model import Role
from controlroom.engine.access.passwords import LONGEST, SHORTEST
from controlroom.engine.lists.model import equal
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.errors import Invalid, Unauthenticated
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, elsewhere
from controlroom.ui.entrance import who_is
from controlroom.ui.filters import Choice, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.members.pages import ROLES_OF_MEMBERS, role_of, tabs_of
from controlroom.ui.questions import ask
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb

_OPEN: Final = {"open_to_all": True, "above_workspaces": True}


_LIST: Final = ListPage(
    listing=INVITATIONS,
    row=Invitation,
    path="/members/invitations",
    noun="invitations",
    noun_of_one="invitation",
    topics="invitation",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("open", "Open", equal(is_over=False)),
        Tab("over", "Over", equal(is_over=True)),
    ),
    filters=(Choice("role", "Role", "role", {each.value: each.value.capitalize() for each in Role}),),
    columns=(
        Col("email", "To", sort="email", always=True),
        Col("role", "Role", sort="role", always=True),
        Col("invited_by", "By"),
        Col("created_at", "Made", sort="created_at", is_number=True),
        Col("expires_at", "Ends", sort="expires_at", is_number=True, always=True),
    ),
    searched=("email",),
    searched_words="Mail address, number or id",
)


@page("/members/invitations", needs=Permission.READ_MEMBERS)
async def list_invitations(request: Asking) -> Shown:
    """Who is invited, and has not come yet."""
    return await request.show(
        "members/invitations.html",
        title="Invitations",
        at="members",
        crumbs=request.way(("Members", "/members"), "Invitations"),
        tabs=tabs_of(request, "Invitations"),
        found=await _LIST.read(request),
        can_write=request.actor.may(Permission.WRITE_MEMBERS, request.workspace),
    )


@page("/members/invite", needs=(Permission.WRITE_MEMBERS, Permission.READ_MEMBERS))
async def ask_whom(request: Asking) -> Shown:
    """The form."""
    crumbs = [Crumb("Members", f"{request.base}/members"), Crumb("Invite")]
    return await request.show(
        "members/invite.html", title="Invite", at="members", crumbs=crumbs, roles=ROLES_OF_MEMBERS
    )


@verb("/members/invite")
async def invite(request: Asking) -> Shown:
    """Make the invitation, and show its link this once."""
    fields = await request.fields()
    made, token = await actions.invite(*request.acting, role=role_of(fields.text("role")), email=fields.text("email"))
    crumbs = [Crumb("Members", f"{request.base}/members"), Crumb("Invited")]
    return await request.show(
        "members/invited.html",
        title="Invited",
        at="members",
        crumbs=crumbs,
        invitation=made,
        link=f"{request.origin}/invite/{token}",
    )


@page("/members/invitations/{named:str}/withdraw", needs=(Permission.WRITE_MEMBERS, Permission.READ_MEMBERS))
async def ask_to_withdraw(request: Asking, named: Path[str]) -> Shown:
    """Who does not come then."""
    found = await resolve(*request.reading, store.INVITATION, named, Ways.ID | Ways.NUMBER)
    invitation = await store.get(*request.reading, found)
    whom = invitation.email or f"the {invitation.role.value} who has the link"
    return await ask(
        request,
        "Take the invitation back",
        label="Take it back",
        back=f"{request.base}/members/invitations",
        lost=f"The link leads nowhere any more: {whom} can't come by it.",
        stays="Another invitation has another link.",
        at="members",
        crumbs=request.way(("Members", "/members"), ("Invitations", "/members/invitations"), "Take back"),
    )


@verb("/members/invitations/{named:str}/withdraw", may=Permission.WRITE_MEMBERS)
async def withdraw(request: Asking, named: Path[str]) -> Shown:
    """Take one back."""
    scope = request.scope_for(Permission.WRITE_MEMBERS)
    found = await resolve(request.db, scope, store.INVITATION, named, Ways.ID | Ways.NUMBER)
    await actions.withdraw(*request.acting, found)
    return request.done(f"{request.base}/members/invitations", "The link leads nowhere any more.")


@page("/invite/{token:str}", opt=_OPEN)
async def show_invitation(request: Asking, token: Path[str]) -> Shown:
    """Who invites to what, and how to come."""
    return await _show(request, token)


@verb("/invite/{token:str}", opt=_OPEN, may=everybody)
async def come(request: Asking, token: Path[str]) -> Shown:
    """Come as somebody new, and be logged in."""
    fields = await request.fields()
    invitation = await actions.look_at(request.engine, token)
    username, password = fields.text("username"), fields.raw("password")
    wrong: dict[str, str] = {}
    try:
        await actions.come(
            request.engine,
            token,
            username=username,
            password=password,
            first_name=fields.text("first_name"),
            last_name=fields.text("last_name"),
        )
    except UsernameTaken:
        wrong["username"] = "Somebody has this name already."
    except WeakPassword:
        wrong["password"] = f"A password has {SHORTEST} to {LONGEST:,} characters."
    except Invalid as unfit:
        wrong["username"] = unfit.message[0].upper() + unfit.message[1:] + "."
    if wrong:
        return await _show(request, token, wrong=wrong, typed={each: fields.text(each) for each in fields.names()})
    session = await sessions.begin(request.engine, username=username, password=password, place=request.place)
    name, life = cookies.session_cookie(request.origin), int(sessions.LIFE.total_seconds())
    return elsewhere(
        f"/w/{invitation.workspace_id}",
        [cookies.kept(name, session.token, origin=request.origin, seconds=life)],
    )


@verb("/invite/{token:str}/join", opt={"above_workspaces": True}, may=everybody)
async def join(request: Asking, token: Path[str]) -> Shown:
    """Come as who one is."""
    try:
        invitation = await actions.join(*request.governing, token)
    except MemberExists:
        return request.done("/", "You have a place there already.")
    return request.done(f"/w/{invitation.workspace_id}", f"Welcome to {invitation.workspace_name}.")


async def _show(
    request: Asking, token: str, *, wrong: dict[str, str] | None = None, typed: dict[str, str] | None = None
) -> Shown:
    values = {
        "look": request.look,
        "wrong": wrong or {},
        "typed": typed or {},
        "token": token,
        "roles": ROLES_OF_MEMBERS,
    }
    values["oidc"] = request.around.oidc
    templates = request.app.state.templates
    try:
        values["invitation"] = await actions.look_at(request.engine, token)
    except InvitationNotFound:
        return Shown(templates.render("members/invitation_over.html", values, request.reader), status_code=404)
    try:
        values["actor"] = await who_is(request.engine, request.scope)
    except Unauthenticated:
        values["actor"] = None
    body = templates.render("members/invitation.html", values, request.reader)
    return Shown(body, status_code=400 if wrong else 200)
