"""Credential Vault API v2 (§2.12): the vault's keys and mode, and the logins of machines.

The vault is sealed by the room's master key, which its servers have when they start: it is open as long as the room
runs (mode Express), and nobody can take the key out or bring another by this API.
"""

from controlroom.dialects.automation360 import transport
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.errors import NotSupported
from controlroom.dialects.automation360.ids import find
from controlroom.dialects.automation360.routing import get, post, put
from controlroom.dialects.automation360.vault_routes import Routes, everywhere, keeping
from controlroom.engine.access.nouns import USER
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.engine.vault.shared import logins
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import UserId

_routes = Routes()
handlers = _routes.handlers
_EXPRESS = "Express"


class Mode(Shape, frozen=True):
    """How the vault is opened when the room starts."""

    name: str


class Keys(Shape, frozen=True):
    """A key pair."""

    private_key: str
    public_key: str


class KeysAsked(Shape, frozen=True, kw_only=True):
    """Keys that shall be stored."""

    private_key: str = ""
    public_key: str = ""
    mode: str = ""


class ModeAsked(Shape, frozen=True, kw_only=True):
    """How the vault shall be opened."""

    name: str
    private_key: str = ""


class Applied(Shape, frozen=True):
    """Whether the vault is open."""

    applied: bool


class TransportKey(Shape, frozen=True):
    """What values are encrypted for."""

    public_key: str


class LoginAsked(Shape, frozen=True, kw_only=True):
    """A login of machines: the caller's own, unless a user is named."""

    login_username: str
    login_password: str
    username: str = ""
    userid: int | None = None


@_routes.route(get, "/mode")
async def get_vault_mode(request: Asking) -> Mode:
    """Tell how the vault is opened when the room starts."""
    _governing(request)
    return Mode(_EXPRESS)


@_routes.route(put, "/mode", status=204)
async def set_vault_mode(request: Asking, data: Body[ModeAsked]) -> None:
    """Say how the vault is opened: Express, as it is; there is no other mode here."""
    _governing(request)
    match data.name.casefold():
        case "express":
            return
        case "manual":
            raise NotSupported("The vault is opened by the room's master key: there is no manual mode.")
        case _:
            raise Invalid("A mode is Express or Manual.", code="MODE_UNKNOWN")


@_routes.route(post, "/keys")
async def create_vault_keys(request: Asking) -> Keys:
    """Refused: the vault has its key since the room was made."""
    _governing(request)
    raise Invalid("The vault has a key already: the room's master key.", code="VAULT_KEY_STORED")


@_routes.route(put, "/keys", status=204)
async def store_vault_keys(request: Asking, data: Body[KeysAsked | None] = None) -> None:  # noqa: ARG001 - as the vendor's
    """Refused likewise."""
    _governing(request)
    raise Invalid("The vault has a key already: the room's master key.", code="VAULT_KEY_STORED")


@_routes.route(get, "/keys/private")
async def get_vault_state(request: Asking) -> Applied:
    """Tell whether the vault is open: it is, as long as the room answers."""
    _governing(request)
    return Applied(applied=True)


@_routes.route(put, "/keys/private", status=204)
async def open_vault(request: Asking, data: Body[KeysAsked | None] = None) -> None:  # noqa: ARG001 - as the vendor's
    """Refused: the vault is open."""
    _governing(request)
    raise Invalid("The vault is open: it was opened by the room's master key.", code="VAULT_OPEN")


@_routes.route(get, "/keys/transport/public")
async def get_transport_key(request: Asking) -> TransportKey:
    """Get the key for which values are encrypted on their way here."""
    return TransportKey(await transport.public_key(keeping(request)[0]))


@_routes.route(put, "/loginsetting")
async def set_device_login(request: Asking, data: Body[LoginAsked]) -> str:
    """Keep the login of machines of a user: as a credential of theirs, which their robots read."""
    engine, actor = keeping(request)
    if data.userid is not None:
        user = (await find(request, USER, data.userid, everywhere(request))).id
    elif data.username:
        user = await resolve(request.db, everywhere(request), USER, data.username, Ways.NAME)
    else:
        assert actor.id is not None  # noqa: S101  # whoever comes in here is a user
        user = UserId(actor.id)
    await logins.keep(engine, actor, user, login=data.login_username, password=data.login_password)
    return "Credentials updated successfully."


def _governing(request: Asking) -> None:
    """For who governs all lockers. Raises Forbidden."""
    needed = Permission.GOVERN_LOCKERS
    if not keeping(request)[1].may(needed, None):
        raise Forbidden(f"this needs the permission {needed.value}", code="PERMISSION_MISSING", permission=needed)
