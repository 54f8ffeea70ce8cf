"""Users of User Management v1 and v2 (§2.11): the organization's, with roles and licences. v1 has numbers as ids."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response

from controlroom.border.columns import As
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission, QueryParameter
from controlroom.dialects.automation360.columns import Columns, constants, nothing_is_zero
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Found, Listed, Search, Sought, page
from controlroom.dialects.automation360.people import (
    DOMAIN,
    FLAG_WORDS,
    FLAGS,
    RUNTIME,
    Number,
    UserTold,
    plain,
    text,
    user_told,
    words_with,
)
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, get, post, put
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.users import accounts
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.access.users.people import Person, person, with_words
from controlroom.engine.nouns import Ways
from controlroom.engine.references import Reference, resolve_all
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RoleId, UserId

_VIEW, _CREATE = Pair("usermanagement", "usermanagement"), Pair("usermanagement", "createuser")
_UPDATE, _DELETE = Pair("usermanagement", "updateuser"), Pair("usermanagement", "deleteuser")
_OLD = Superseded("/v2/usermanagement/users")


class RoleOfUser(Shape, frozen=True):
    """A role, as older clients name it."""

    id: int


class UserAsked(Shape, frozen=True, kw_only=True):
    """A user as they shall be; what is left out stays."""

    username: str | None = None
    password: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    domain: str | None = None
    description: str | None = None
    disabled: bool | None = None
    enable_auto_login: bool | None = None
    device_credential_attested: bool | None = None
    multiple_login_allowed: bool | None = None
    license_features: list[str] | None = None
    role_ids: list[int] | None = None
    roles: list[RoleOfUser] | None = None


class UsersTold(Shape, frozen=True):
    """All users, page by page."""

    users: list[UserTold]
    page: Any


_COLUMNS = Columns(
    with_words(FLAG_WORDS, {"domain": DOMAIN}),
    {
        **constants(UserTold),
        "id": As("number", sort="id"),
        "principalId": As("number", sort="id"),
        "username": "username",
        "firstName": "first_name",
        "lastName": "last_name",
        "email": "email",
        "description": "description",
        "disabled": "is_disabled",
        "version": "revision",
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by"),
        "updatedBy": nothing_is_zero("updated_by"),
        "passwordSet": As("has_password", sort=""),
        "lastLoginTime": "logged_in_at",
        "emailVerified": As("has_email", sort=""),
        "domain": "domain",
        **{flag: As(flag, sort="") for flag in FLAGS},
        "apiKeyCreatedOn": "key_created_at",
        "apiKeyExpirationTime": "key_expires_at",
    },
)


@post("/v2/usermanagement/users/list", pair=_VIEW)
async def list_users(request: Asking, data: Sought = None) -> Listed[UserTold]:
    """List users."""
    found = await _page(request, data)
    return found.shown([user_told(each, text) for each in found.rows])


@post("/v1/usermanagement/users/list", pair=_VIEW, deprecated=Superseded("/v2/usermanagement/users/list"))
async def list_users_v1(request: Asking, data: Sought = None) -> Listed[UserTold]:
    """List users; ids are numbers."""
    found = await _page(request, data)
    return found.shown([user_told(each, plain) for each in found.rows])


@get("/v1/users", pair=_VIEW)
async def list_all_users(
    request: Asking,
    offset: Annotated[int, QueryParameter(name="offset")] = 0,
    length: Annotated[int, QueryParameter(name="length")] = 0,
) -> Response[UsersTold]:
    """List users, page by page: a `Link` with `rel="next"` leads to the next page, while there is one."""
    asked = {"offset": max(offset, 0), "length": max(length, 0)}
    found = await _page(request, Search(page=asked))
    told = UsersTold([user_told(each, text) for each in found.rows], found.page)
    until = asked["offset"] + len(found.rows)
    headers = {}
    if found.rows and until < found.page.total_filter:
        query = urlencode({"offset": until, "length": asked["length"] or len(found.rows)})
        headers["Link"] = f'<{request.origin}/v1/users?{query}>; rel="next"'
    return Response(told, headers=headers)


@post("/v2/usermanagement/users", status=201, pair=_CREATE)
async def create_user(request: Asking, data: Body[UserAsked]) -> UserTold:
    """Create a user of the organization; without a password they log in by an API key."""
    return await _created(request, data, text)


@post("/v1/usermanagement/users", status=201, pair=_CREATE, deprecated=_OLD)
async def create_user_v1(request: Asking, data: Body[UserAsked]) -> UserTold:
    """Create a user of the organization; ids are numbers."""
    return await _created(request, data, plain)


@get("/v2/usermanagement/users/{user:str}", pair=_VIEW)
async def get_user(request: Asking, user: Id) -> UserTold:
    """Get a user; everybody may get themselves."""
    return user_told(await _person(request, user), text)


@get("/v1/usermanagement/users/{user:str}", pair=_VIEW, deprecated=_OLD)
async def get_user_v1(request: Asking, user: Id) -> UserTold:
    """Get a user; ids are numbers."""
    return user_told(await _person(request, user), plain)


@put("/v2/usermanagement/users/{user:str}", pair=_UPDATE)
async def update_user(request: Asking, user: Id, data: Body[UserAsked]) -> UserTold:
    """Change a user; what is left out stays. Their roles are those that are given, if any are."""
    return await _updated(request, user, data, text)


@put("/v1/usermanagement/users/{user:str}", pair=_UPDATE, deprecated=_OLD)
async def update_user_v1(request: Asking, user: Id, data: Body[UserAsked]) -> UserTold:
    """Change a user; ids are numbers."""
    return await _updated(request, user, data, plain)


@delete("/v2/usermanagement/users/{user:str}", "/v1/usermanagement/users/{user:str}", pair=_DELETE)
async def delete_user(request: Asking, user: Id) -> None:
    """Delete a user, with their API key and sessions."""
    await accounts.delete(*request.governing, await _located(request, user))


async def _page(request: Asking, data: Search | None) -> Found[Person]:
    seen = throughout(request.actor, Permission.READ_MEMBERS)
    return await page(request, data, _COLUMNS, Person, within=seen)


async def _located(request: Asking, user: str) -> UserId:
    return (await find(request, USER, user, Of(request.actor.organization_id, ()))).id


async def _person(request: Asking, user: str) -> Person:
    return await person(*request.governing, await _located(request, user))


async def _created(request: Asking, asked: UserAsked, number: Callable[[int], Number]) -> UserTold:
    if not asked.username:
        raise Invalid("A user has a username.", code="INVALID_USER")
    made = await accounts.create(
        *request.governing,
        profile=_profile(asked, ()),
        password=asked.password,
        standing=await _standing(request, asked),
    )
    return user_told(await person(*request.governing, made), number)


async def _updated(request: Asking, user: str, asked: UserAsked, number: Callable[[int], Number]) -> UserTold:
    before = await _person(request, user)
    standing = await _standing(request, asked)
    profile = _profile(asked, before.words)
    await accounts.edit(*request.governing, before.id, profile=profile, password=asked.password, standing=standing)
    return user_told(await person(*request.governing, before.id), number)


def _profile(asked: UserAsked, words: Any) -> Profile:
    flags: Mapping[str, bool | None] = dict(
        zip(
            FLAGS,
            (asked.enable_auto_login, asked.device_credential_attested, asked.multiple_login_allowed),
            strict=True,
        )
    )
    return Profile(
        username=asked.username,
        first_name=asked.first_name,
        last_name=asked.last_name,
        email=asked.email,
        description=asked.description,
        words=words_with(words, domain=asked.domain, licences=asked.license_features, flags=flags),
    )


async def _standing(request: Asking, asked: UserAsked) -> Standing:
    numbers = asked.role_ids if asked.role_ids is not None else None
    if numbers is None and asked.roles is not None:
        numbers = [role.id for role in asked.roles]
    return Standing(
        roles=None if numbers is None else await _roles(request, numbers),
        runs_robots=None if asked.license_features is None else RUNTIME in asked.license_features,
        is_disabled=asked.disabled,
    )


async def _roles(request: Asking, numbers: list[int]) -> list[RoleId]:
    """The roles of these numbers. Raises Invalid for one that there is not: the address was right."""
    seen = Of(request.actor.organization_id, ())
    try:
        return await resolve_all(request.db, seen, [Reference(ROLE, str(each), Ways.NUMBER) for each in numbers])
    except NotFound as missing:
        raise Invalid(missing.message, code="ROLE_NOT_FOUND") from missing
