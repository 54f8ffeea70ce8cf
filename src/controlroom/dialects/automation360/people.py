"""What users and roles are called and shown as in this grammar: its role names, its licences, its flags (§2.11)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from controlroom.dialects.automation360.answers import Shape, moment, moment_or_empty
from controlroom.dialects.automation360.permissions import GRAMMAR, PermissionTold, pairs_of
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.users.people import Person
from controlroom.errors import Invalid

Number: TypeAlias = str | int
"""An id: a text in v2, a number in v1 (§1.7)."""

LICENCES: Final = (
    *("DEVELOPMENT", "RUNTIME", "ANALYTICSCLIENT", "ATTENDEDRUNTIME", "DISCOVERYBOTANALYZER"),
    *("DISCOVERYBOTRECORDER", "AARIUSER", "CITIZENDEVELOPER", "CLOUDBOTRUNNER"),
)
RUNTIME: Final = "RUNTIME"
"""The licence that means something here: robots run as its holder. The others are words that are kept."""

_LICENCE: Final = f"{GRAMMAR}licence="
DOMAIN: Final = f"{GRAMMAR}domain="

ROLE_NAMES: Final[Mapping[str, str]] = {
    "admin": "AAE_Admin",
    "basic": "AAE_Basic",
    "locker admin": "AAE_Locker Admin",
    "pool admin": "AAE_Pool Admin",
    "queue admin": "AAE_Queue Admin",
    "developer": "AAE_Bot Developer",
    "insights admin": "AAE_Bot Insight Admin",
    "process admin": "AAE_Robotic Interface Admin",
    "process user": "AAE_Robotic Interface User",
    "validator": "AAE_IQ Bot Validator",
}
_SPELLED: Final = {name.casefold(): name for name in ROLE_NAMES.values()}


def role_name(name: str, *, is_system: bool) -> str:
    """What a role is called here: the system's have the vendor's names."""
    return ROLE_NAMES.get(name, name) if is_system else name


def vendors_name(name: Any) -> Any:
    """A role's name that is asked for: the vendor's, however its letters are written, or as it is."""
    return _SPELLED.get(str(name).strip().casefold(), name)


class RoleReference(Shape, frozen=True):
    """A role that a user holds."""

    id: Number
    name: str


class UserTold(Shape, frozen=True, kw_only=True):
    """A user. Unset texts are empty; ids are texts in v2, numbers in v1."""

    id: Number
    username: str
    domain: str
    first_name: str
    last_name: str
    email: str
    description: str
    principal_id: Number
    version: Number
    disabled: bool
    deleted: bool = False
    email_verified: bool
    password_set: bool
    questions_set: bool = False
    client_registered: bool = False
    enable_auto_login: bool
    device_credential_attested: bool
    multiple_login_allowed: bool
    license_features: list[str]
    roles: list[RoleReference]
    sys_assigned_roles: tuple[RoleReference, ...] = ()
    group_names: list[str]
    permissions: list[PermissionTold]
    created_by: Number
    created_on: str
    updated_by: Number
    updated_on: str
    last_login_time: str
    api_key_created_on: str
    api_key_expiration_time: str
    routing_name: str = ""
    public_key: str = ""
    app_type: str | None = None


def licence_word(licence: str) -> str:
    """By which word of a user a licence is known."""
    return f"{_LICENCE}{licence}"


FLAGS: Final = ("enableAutoLogin", "deviceCredentialAttested", "multipleLoginAllowed")
"""What a user is said to have, which is kept and told again."""
FLAG_WORDS: Final = {flag: f"{GRAMMAR}{flag}" for flag in FLAGS}


def text(number: int) -> Number:
    """An id as v2 tells it."""
    return str(number)


def plain(number: int) -> Number:
    """An id as v1 tells it."""
    return number


def user_told(person: Person, number: Callable[[int], Number]) -> UserTold:
    """A user as this grammar shows them."""
    actor = person.to_actor()
    flags = {flag: word in person.words for flag, word in FLAG_WORDS.items()}
    return UserTold(
        id=number(person.number),
        username=person.username,
        domain=next((word.removeprefix(DOMAIN) for word in person.words if word.startswith(DOMAIN)), ""),
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        description=person.description,
        principal_id=number(person.number),
        version=number(person.revision),
        disabled=person.disabled_at is not None,
        email_verified=bool(person.email),
        password_set=person.has_password,
        enable_auto_login=flags["enableAutoLogin"],
        device_credential_attested=flags["deviceCredentialAttested"],
        multiple_login_allowed=flags["multipleLoginAllowed"],
        license_features=licences_of(actor, person.words),
        roles=roles_of(person, number),
        group_names=person.groups,
        permissions=pairs_of(actor),
        created_by=number(person.created_by or 0),
        created_on=moment(person.created_at),
        updated_by=number(person.updated_by or 0),
        updated_on=moment(person.updated_at),
        last_login_time=moment_or_empty(person.logged_in_at),
        api_key_created_on=moment_or_empty(person.key_created_at),
        api_key_expiration_time=moment_or_empty(person.key_expires_at),
    )


def roles_of(person: Person, number: Callable[[int], Number]) -> list[RoleReference]:
    """The roles that a user holds in the organization."""
    return [
        RoleReference(number(role.number), role_name(role.name, is_system=role.id.int < _FIRST_MADE))
        for role in person.roles
    ]


_FIRST_MADE: Final = 0x00000000_0000_7000_8000_000000010000
"""Ids of the system's roles lie below; those that people make begin with their time."""


def licences_of(actor: Actor, words: Collection[str]) -> list[str]:
    """The licences of a user: the one that allows something, and those that were given to them as words."""
    may_run = Permission.RUNTIME in actor.throughout.union(*actor.grants.values())
    kept = {word.removeprefix(_LICENCE) for word in words if word.startswith(_LICENCE)}
    return [each for each in LICENCES if each in kept or (each == RUNTIME and may_run)]


def words_with(
    words: Collection[str], *, domain: str | None, licences: Collection[str] | None, flags: Mapping[str, bool | None]
) -> list[str]:
    """The words of a user as they are from now on; None leaves what is there. Raises Invalid for no licence."""
    kept = set(words)
    if domain is not None:
        kept = {word for word in kept if not word.startswith(DOMAIN)} | ({f"{DOMAIN}{domain}"} if domain else set())
    if licences is not None:
        for each in licences:
            if each not in LICENCES:
                raise Invalid(f"there is no licence {each!r}: {', '.join(LICENCES)}", code="INVALID_LICENSE")
        kept = {word for word in kept if not word.startswith(_LICENCE)}
        kept |= {f"{_LICENCE}{each}" for each in licences if each != RUNTIME}
    for flag, value in flags.items():
        if value is not None:
            kept = kept | {f"{GRAMMAR}{flag}"} if value else kept - {f"{GRAMMAR}{flag}"}
    return sorted(kept)
