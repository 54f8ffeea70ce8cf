"""Profiles (§3.9): a connection with the credentials for it, by a key."""

from typing import Any

from msgspec import UNSET, UnsetType

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.connections import STATES
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.references import all_named
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, patch, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import Scope, within
from controlroom.engine.connections import named_profiles
from controlroom.engine.connections.attributes import ATTRIBUTES
from controlroom.engine.connections.listings import PROFILES
from controlroom.engine.connections.logins import LOGIN
from controlroom.engine.connections.model import Profile
from controlroom.engine.connections.named_profiles import PROFILE, ProfileChange
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.nouns import Noun

_PROFILES = Columns(
    PROFILES,
    {"id": "number", "key": "key", "created_at": "created_at", "updated_at": "updated_at", "state": STATES},
)


class ProfileShown(Shape, frozen=True, kw_only=True):
    """A profile."""

    id: int
    account_id: int
    project_id: int
    key: str
    connection_id: int
    credentials_id: int
    extended_attributes_id: int | None
    state: int
    created_at: str
    updated_at: str


class ProfileBody(Shape, frozen=True, kw_only=True):
    """What a profile shall be."""

    key: Name | UnsetType | None = UNSET
    connection_id: int | UnsetType | None = UNSET
    credentials_id: int | UnsetType | None = UNSET
    extended_attributes_id: int | UnsetType | None = UNSET


@get("/accounts/{account}/projects/{project}/profiles", versions=V3, needs=Permission.READ_TARGETS, rows=_PROFILES)
async def list_profiles(request: Asking, project: Id) -> Listed[ProfileShown]:
    """The profiles of a project."""
    seen = await of_project(request, project)
    return await listed(request, Profile, lambda profile: _show(request.account, profile), within=within(seen))


@post("/accounts/{account}/projects/{project}/profiles", versions=V3, needs=Permission.WRITE_TARGETS)
async def create_profile(request: Asking, project: Id, data: Body[ProfileBody]) -> ProfileShown:
    """Make a profile."""
    seen = await of_project(request, project)
    lacking = [field for field in ("key", "connection_id", "credentials_id") if getattr(data, field) in {UNSET, None}]
    if lacking:
        raise FieldsWrong(dict.fromkeys(lacking, "is wanted"))
    said = await _said(request, seen, data)
    made = await named_profiles.create(
        *request.governing,
        seen.workspace,
        key=data.key or "",
        connection=said["connection_id"],
        login=said["login_id"],
        attributes=said.get("extended_attributes_id"),
    )
    return _show(request.account, made)


@get("/accounts/{account}/projects/{project}/profiles/{profile}", versions=V3, needs=Permission.READ_TARGETS)
async def get_profile(request: Asking, project: Id, profile: Id) -> ProfileShown:
    """A profile."""
    located = await find(request, PROFILE, profile, await of_project(request, project))
    return _show(request.account, await named_profiles.get(request.db, located.scope, located.id))


@post("/accounts/{account}/projects/{project}/profiles/{profile}", versions=V3, needs=Permission.WRITE_TARGETS)
async def replace_profile(request: Asking, project: Id, profile: Id, data: Body[ProfileBody]) -> ProfileShown:
    """Change a profile: what is left out stays."""
    return await _change(request, project, profile, data)


@patch("/accounts/{account}/projects/{project}/profiles/{profile}", versions=V3, needs=Permission.WRITE_TARGETS)
async def change_profile(request: Asking, project: Id, profile: Id, data: Body[ProfileBody]) -> ProfileShown:
    """Likewise."""
    return await _change(request, project, profile, data)


@delete("/accounts/{account}/projects/{project}/profiles/{profile}", versions=V3, needs=Permission.WRITE_TARGETS)
async def delete_profile(request: Asking, project: Id, profile: Id) -> ProfileShown:
    """Delete a profile that no environment names."""
    located = await find(request, PROFILE, profile, await of_project(request, project))
    return _show(request.account, await named_profiles.delete(*request.governing, located.scope.workspace, located.id))


async def _change(request: Asking, project: str, profile: str, data: ProfileBody) -> ProfileShown:
    located = await find(request, PROFILE, profile, await of_project(request, project))
    said = await _said(request, located.scope, data)
    change = ProfileChange(key=data.key or UNSET, **said)
    changed = await named_profiles.edit(*request.governing, located.scope.workspace, located.id, change)
    return _show(request.account, changed)


_NOUNS: dict[str, tuple[str, Noun[Any]]] = {
    "connection_id": ("connection_id", CONNECTION),
    "credentials_id": ("login_id", LOGIN),
    "extended_attributes_id": ("extended_attributes_id", ATTRIBUTES),
}


async def _said(request: Asking, seen: Scope, data: ProfileBody) -> dict[str, Any]:
    """What a body names, by the engine's names; only attributes may be none."""
    said = {field: (noun, value) for field, (_, noun) in _NOUNS.items() if (value := getattr(data, field)) is not UNSET}
    found = await all_named(request, seen, said)
    return {
        _NOUNS[field][0]: id_
        for field, id_ in zip(said, found, strict=True)
        if id_ is not None or field == "extended_attributes_id"
    }


def _show(account: int, profile: Profile) -> ProfileShown:
    return ProfileShown(
        id=profile.number,
        account_id=account,
        project_id=profile.workspace_number,
        key=profile.key,
        connection_id=profile.connection_number,
        credentials_id=profile.login_number,
        extended_attributes_id=profile.extended_attributes_number,
        state=ACTIVE if profile.deleted_at is None else DELETED,
        created_at=with_t(profile.created_at),
        updated_at=with_t(profile.updated_at),
    )
