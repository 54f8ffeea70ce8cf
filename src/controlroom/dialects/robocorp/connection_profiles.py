"""Profiles (our own management API): a connection with who logs in to it; extended attributes: what is put over it."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import within
from controlroom.engine.connections import attributes, model, named_profiles
from controlroom.engine.connections.listings import EXTENDED_ATTRIBUTES, PROFILES
from controlroom.engine.connections.named_profiles import ProfileChange
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind, equal
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId


class ProfileAnswer(Shape, frozen=True, kw_only=True):
    """A profile."""

    id: ProfileId
    number: int
    key: str
    connection_id: ConnectionId
    login_id: LoginId
    extended_attributes_id: ExtendedAttributesId | None
    created_at: datetime
    updated_at: datetime


class CreateProfile(OwnBody, frozen=True, kw_only=True):
    """A new profile."""

    key: str
    connection_id: ConnectionId
    login_id: LoginId
    extended_attributes_id: ExtendedAttributesId | None = None


class EditProfile(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    key: str | UnsetType = UNSET
    connection_id: ConnectionId | UnsetType = UNSET
    login_id: LoginId | UnsetType = UNSET
    extended_attributes_id: ExtendedAttributesId | UnsetType | None = UNSET


class ExtendedAttributesAnswer(Shape, frozen=True, kw_only=True):
    """Extended attributes; each secret is a mask."""

    id: ExtendedAttributesId
    number: int
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class SetExtendedAttributes(OwnBody, frozen=True, kw_only=True):
    """All of them. A mask stands for the secret that is there."""

    attributes: dict[str, Any]


@get("/connection-profiles", needs=Permission.READ_TARGETS)
async def list_profiles(request: Asking, paging: Pages) -> Page[ProfileAnswer]:
    """List profiles, oldest first."""
    position = paging.after(ProfileId)
    asked = Asked(filter=equal(is_there=True), start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Profile, PROFILES, within(request.seen), asked)
    return paging.page(rows, _show_profile)


@post("/connection-profiles")
async def create_profile(request: Asking, data: Body[CreateProfile]) -> ProfileAnswer:
    """Create a profile."""
    made = await named_profiles.create(
        *request.acting,
        key=data.key,
        connection=data.connection_id,
        login=data.login_id,
        attributes=data.extended_attributes_id,
    )
    return _show_profile(made)


@get("/connection-profiles/{profile_id:uuid}", needs=Permission.READ_TARGETS)
async def get_profile(request: Asking, profile_id: Path[ProfileId]) -> ProfileAnswer:
    """Get a profile."""
    return _show_profile(await named_profiles.get(*request.reading, profile_id))


@update("/connection-profiles/{profile_id:uuid}")
async def update_profile(request: Asking, profile_id: Path[ProfileId], data: Body[EditProfile]) -> ProfileAnswer:
    """Change a profile."""
    return _show_profile(await named_profiles.edit(*request.acting, profile_id, _changed(data)))


@delete("/connection-profiles/{profile_id:uuid}")
async def delete_profile(request: Asking, profile_id: Path[ProfileId]) -> Deleted:
    """Delete a profile that no target names."""
    return await Deleted.after(profile_id, named_profiles.delete(*request.acting, profile_id))


@get("/extended-attributes", needs=Permission.READ_TARGETS)
async def list_extended_attributes(request: Asking, paging: Pages) -> Page[ExtendedAttributesAnswer]:
    """List extended attributes, oldest first."""
    position = paging.after(ExtendedAttributesId)
    asked = Asked(filter=equal(is_there=True), start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.ExtendedAttributes, EXTENDED_ATTRIBUTES, within(request.seen), asked)
    return paging.page(rows, _show)


@post("/extended-attributes")
async def create_extended_attributes(request: Asking, data: Body[SetExtendedAttributes]) -> ExtendedAttributesAnswer:
    """Create extended attributes."""
    return _show(await attributes.create(*request.acting, data.attributes))


@get("/extended-attributes/{attributes_id:uuid}", needs=Permission.READ_TARGETS)
async def get_extended_attributes(
    request: Asking, attributes_id: Path[ExtendedAttributesId]
) -> ExtendedAttributesAnswer:
    """Get extended attributes."""
    return _show(await attributes.get(*request.reading, attributes_id))


@update("/extended-attributes/{attributes_id:uuid}")
async def update_extended_attributes(
    request: Asking, attributes_id: Path[ExtendedAttributesId], data: Body[SetExtendedAttributes]
) -> ExtendedAttributesAnswer:
    """Let extended attributes be others."""
    return _show(await attributes.replace(*request.acting, attributes_id, data.attributes))


@delete("/extended-attributes/{attributes_id:uuid}")
async def delete_extended_attributes(request: Asking, attributes_id: Path[ExtendedAttributesId]) -> Deleted:
    """Delete extended attributes that nothing names."""
    return await Deleted.after(attributes_id, attributes.delete(*request.acting, attributes_id))


_changed = shown_as(ProfileChange, EditProfile)
_show_profile = shown_as(ProfileAnswer, model.Profile)
_show = shown_as(ExtendedAttributesAnswer, model.ExtendedAttributes)
