"""Users (§3.9), and who asks. A service token has no user: it is told as one by the token's own id and name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from controlroom.dialects.dbt_cloud.answers import ACTIVE, Listed, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Permission
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import Columns, page
from controlroom.dialects.dbt_cloud.routing import BOTH, get
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access import model
from controlroom.engine.access.groups.holdings import GroupOfUser, of_users
from controlroom.engine.access.model import ActorKind
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.store import number_of_credential
from controlroom.engine.access.users.people import PEOPLE, Person, person
from controlroom.ids import UserId

_ALL: Final = "/accounts/{account}/users"
_COLUMNS: Final = Columns(
    PEOPLE,
    {
        "id": "number",
        "email": "email",
        "first_name": "first_name",
        "last_name": "last_name",
        "name": "username",
        "created_at": "created_at",
        "last_login": "logged_in_at",
    },
)


class UserShown(Shape, frozen=True, kw_only=True):
    """A user. Nobody is connected with another service, and nobody is of the vendor's staff."""

    id: int
    state: int = ACTIVE
    name: str
    username: str
    first_name: str
    last_name: str
    fullname: str
    email: str
    is_active: bool
    is_staff: bool = False
    last_login: str | None
    created_at: str
    apitoken_last_used: str | None = None
    email_connected: bool = True
    email_verified: bool = True
    sso_only_user: bool
    enterprise_connected: bool = False
    enterprise_authentication_method: str | None = None
    github_connected: bool = False
    github_username: str | None = None
    github_token_retrieval_failure: bool = False
    gitlab_connected: bool = False
    gitlab_username: str | None = None
    gitlab_token_retrieval_failure: bool = False
    azure_active_directory_connected: bool = False
    azure_active_directory_username: str | None = None
    azure_active_directory_token_retrieval_failure: bool = False
    slack_connected: bool = False
    show_existing_user_email_verification: bool = False
    auth_provider_infos: tuple[Any, ...] = ()
    permissions: list[dict[str, Any]]
    licenses: dict[str, Any]


class WhoShown(Shape, frozen=True, kw_only=True):
    """Who asks."""

    user: dict[str, Any]


@get("/whoami", versions=BOTH)
async def who_am_i(request: Asking) -> WhoShown:
    """Who the token is: its user, or itself."""
    actor = request.actor
    if actor.kind is ActorKind.USER and actor.id is not None:
        [told] = await _told(request, [await person(request.engine, actor, UserId(actor.id))])
        return WhoShown(user={name: getattr(told, name) for name in told.__struct_fields__})
    number = await number_of_credential(request.db, Of(actor.organization_id, ()), actor.id) if actor.id else 0
    licence = [_licence(request, number, actor, [])]
    return WhoShown(
        user={
            "id": number,
            "name": actor.name,
            "first_name": actor.name,
            "last_name": "",
            "fullname": actor.name,
            "email": "",
            "is_active": True,
            "is_staff": False,
            "is_service_token": True,
            "permissions": licence,
            "licenses": {str(request.account): licence[0]},
        }
    )


@get(_ALL, versions=BOTH, rows=_COLUMNS, asks=Permission.READ_MEMBERS)
async def list_users(request: Asking) -> Listed[UserShown]:
    """The users of the account, for who sees members in all of it."""
    found = await page(request, Person, within=throughout(request.actor, Permission.READ_MEMBERS))
    return found.shown(await _told(request, found.rows))


@get(f"{_ALL}/{{user}}", versions=BOTH)
async def get_user(request: Asking, user: Id) -> UserShown:
    """A user: oneself, or (for who sees members in all of the account) anybody."""
    located = await find(request, USER, user, Of(request.actor.organization_id, ()))
    [told] = await _told(request, [await person(request.engine, request.actor, located.id)])
    return told


async def _told(request: Asking, people: Sequence[Person]) -> list[UserShown]:
    groups = await of_users(request.db, request.actor.organization_id, [each.id for each in people])
    return [_show(request, each, groups) for each in people]


def _show(request: Asking, one: Person, groups: Mapping[UserId, list[GroupOfUser]]) -> UserShown:
    licence = _licence(request, one.number, one.to_actor(), groups.get(one.id, []))
    full = f"{one.first_name} {one.last_name}".strip()
    return UserShown(
        id=one.number,
        name=full or one.username,
        username=one.username,
        first_name=one.first_name,
        last_name=one.last_name,
        fullname=full or one.username,
        email=one.email,
        is_active=one.disabled_at is None,
        last_login=None if one.logged_in_at is None else with_t(one.logged_in_at),
        created_at=with_t(one.created_at),
        sso_only_user=not one.has_password,
        permissions=[licence | {"created_at": with_t(one.created_at), "updated_at": with_t(one.updated_at)}],
        licenses={str(request.account): licence},
    )


def _licence(request: Asking, number: int, actor: model.Actor, groups: Sequence[GroupOfUser]) -> dict[str, Any]:
    """What the vendor would sell: who changes anything is a developer, who only sees is read_only."""
    held = actor.throughout.union(*actor.grants.values())
    writes = any(not permission.value.endswith(".read") for permission in held)
    return {
        "id": number,
        "user_id": number,
        "account_id": request.account,
        "license_type": "developer" if writes else "read_only",
        "state": ACTIVE,
        "groups": [
            {"id": each.number, "account_id": request.account, "name": each.name, "state": ACTIVE} for each in groups
        ],
        "permission_statements": [],
    }
