"""Profiles: a connection with who logs in, by a key."""

from typing import Final

from controlroom.engine.connections import named_profiles
from controlroom.engine.connections.model import Profile
from controlroom.engine.connections.named_profiles import PROFILE, ProfileChange
from controlroom.engine.references import resolve
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.pages import known, tabs_of
from controlroom.ui.connections.pages_attributes import attributes_of, told
from controlroom.ui.connections.pages_logins import logins_of, name_of, profiles_of
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_TARGETS
_WRITES: Final = (Permission.WRITE_TARGETS, _READS)


@page("/profiles", needs=_READS)
async def list_profiles(request: Asking) -> Shown:
    """Those of the workspace."""
    return await request.show(
        "connections/profiles.html",
        title="Profiles",
        at="connections",
        crumbs=request.way(("Connections", "/connections"), "Profiles"),
        tabs=tabs_of(request, "Profiles"),
        profiles=await profiles_of(request),
        connections={each.id: each.name for each in await known(request)},
        logins={each.id: name_of(each) for each in await logins_of(request)},
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
    connection, login, over = _named(fields)
    if connection is None or login is None:
        return await _form(request, None, fields, refused="Choose a connection and a log-in")
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
    connection, login, over = _named(fields)
    if connection is None or login is None:
        return await _form(request, profile, fields, refused="Choose a connection and a log-in")
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


def _named(fields: Fields) -> tuple[ConnectionId | None, LoginId | None, ExtendedAttributesId | None]:
    connection, login, over = (as_uuid(fields.text(name)) for name in ("connection", "login", "attributes"))
    return (
        None if connection is None else ConnectionId(connection),
        None if login is None else LoginId(login),
        None if over is None else ExtendedAttributesId(over),
    )


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
        connections=[(str(each.id), each.name) for each in await known(request)],
        logins=[(str(each.id), f"{name_of(each)} (#{each.number})") for each in await logins_of(request)],
        overlays=[(str(each.id), told(each)) for each in await attributes_of(request)],
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
