"""Profiles: a connection with who logs in, by a key."""

from typing import Final

from controlroom.engine.connections import named_profiles
from controlroom.engine.connections.listings import PROFILES as LISTED
from controlroom.engine.connections.model import Profile
from controlroom.engine.connections.named_profiles import PROFILE, ProfileChange
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.pages import THERE, tabs_of
from controlroom.ui.filters import Reference
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import CONNECTIONS, LOGINS, OVERLAYS
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_TARGETS
_WRITES: Final = (Permission.WRITE_TARGETS, _READS)


LIST: Final = ListPage(
    listing=LISTED,
    row=Profile,
    path="/profiles",
    noun="profiles",
    noun_of_one="profile",
    topics="connection_profile",
    always=THERE,
    filters=(
        Reference("connection", "Connection", "connection_id", CONNECTIONS),
        Reference("login", "Log-in", "login_id", LOGINS),
    ),
    columns=(
        Col("key", "Key", sort="key", always=True),
        Col("connection", "Connection", csv=lambda each: each.connection_number),
        Col("login", "Log-in", csv=lambda each: each.login_number),
        Col("overlay", "Overlay", csv=lambda each: each.extended_attributes_number),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
        Col("verbs", "", always=True, csv=lambda _: ""),
    ),
    searched=("key",),
    searched_words="Key, number or id",
    sort="key",
)


@page("/profiles", needs=_READS)
async def list_profiles(request: Asking) -> Shown:
    """Those of the workspace."""
    found = await LIST.read(request)
    return await request.show(
        "connections/profiles.html",
        title="Profiles",
        at="connections",
        crumbs=request.way(("Connections", "/connections"), "Profiles"),
        tabs=tabs_of(request, "Profiles"),
        found=found,
        connections=await CONNECTIONS.names(request, {each.connection_id for each in found.rows}),
        logins=await LOGINS.names(request, {each.login_id for each in found.rows}),
        may_change=_may_change(request),
    )


@page("/profiles/new", needs=_WRITES)
async def ask_for_profile(request: Asking) -> Shown:
    """Which connection, and as whom."""
    return await _form(request, None, Fields([]))


@verb("/profiles/new")
async def create_profile(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    named, refused = await tried(_named(request, fields))
    if named is None:
        return await _form(request, None, fields, refused=refused)
    connection, login, over = named
    made, refused = await tried(
        named_profiles.create(
            *request.acting, key=fields.text("key"), connection=connection, login=login, attributes=over
        )
    )
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/profiles", f"The profile {made.key} is made.")


@page("/profiles/{number:str}/edit", needs=_WRITES)
async def ask_to_edit_profile(request: Asking, number: Path[str]) -> Shown:
    """Which connection, and as whom."""
    profile = await _profile(request, number)
    pairs = [
        ("key", profile.key),
        ("connection", str(profile.connection_id)),
        ("login", str(profile.login_id)),
        ("attributes", str(profile.extended_attributes_id or "")),
    ]
    return await _form(request, profile, Fields(pairs))


@verb("/profiles/{number:str}/edit")
async def edit_profile(request: Asking, number: Path[str]) -> Shown:
    """Change it for all environments that name it."""
    fields = await request.fields()
    profile = await _profile(request, number)
    named, refused = await tried(_named(request, fields))
    if named is None:
        return await _form(request, profile, fields, refused=refused)
    connection, login, over = named
    change = ProfileChange(
        key=fields.text("key"), connection_id=connection, login_id=login, extended_attributes_id=over
    )
    _, refused = await tried(named_profiles.edit(*request.acting, profile.id, change))
    if refused:
        return await _form(request, profile, fields, refused=refused)
    return request.done(f"{request.base}/profiles", f"The profile {fields.text('key')} is changed.")


@page("/profiles/{number:str}/delete", needs=_WRITES)
async def ask_to_delete_profile(request: Asking, number: Path[str]) -> Shown:
    """What becomes of those that name it."""
    return await _question(request, await _profile(request, number))


@verb("/profiles/{number:str}/delete")
async def delete_profile(request: Asking, number: Path[str]) -> Shown:
    """Delete it, where no environment names it."""
    profile = await _profile(request, number)
    _, refused = await tried(named_profiles.delete(*request.acting, profile.id))
    if refused:
        return await _question(request, profile, refused=refused)
    return request.done(f"{request.base}/profiles", "The profile is deleted. Its connection and its log-in stay.")


async def _named(request: Asking, fields: Fields) -> tuple[ConnectionId, LoginId, ExtendedAttributesId | None]:
    """What a form puts together. Raises Invalid."""
    chosen = await resolved(request, fields, {"connection": CONNECTIONS, "login": LOGINS, "attributes": OVERLAYS})
    connection, login, over = (as_uuid(chosen.text(name)) for name in ("connection", "login", "attributes"))
    if connection is None or login is None:
        raise Invalid("choose a connection and a log-in", code="CHOICE_MISSING")
    return ConnectionId(connection), LoginId(login), None if over is None else ExtendedAttributesId(over)


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_TARGETS, request.workspace)


async def _profile(request: Asking, named: str) -> Profile:
    seen = request.scope_for(_READS)
    return await named_profiles.get(request.db, seen, await resolve(request.db, seen, PROFILE, named))


async def _form(request: Asking, profile: Profile | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/profile_form.html",
        title=f"Edit {profile.key}" if profile else "New profile",
        at="connections",
        crumbs=request.way(("Profiles", "/profiles"), profile.key if profile else "New profile"),
        status=REFUSED if refused else 200,
        profile=profile,
        fields=fields,
        connection=await CONNECTIONS.offered(request, fields.text("connection")),
        login=await LOGINS.offered(request, fields.text("login")),
        overlay=await OVERLAYS.offered(request, fields.text("attributes")),
        refused=refused,
    )


async def _question(request: Asking, profile: Profile, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/profile_delete.html",
        title=f"Delete {profile.key}",
        at="connections",
        crumbs=request.way(("Profiles", "/profiles"), profile.key, "Delete"),
        status=REFUSED if refused else 200,
        profile=profile,
        refused=refused,
    )
