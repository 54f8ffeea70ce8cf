"""Log-ins (our own management API): as whom a workspace uses connections. Passwords go in and never come out."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import within
from controlroom.engine.connections import logins, model
from controlroom.engine.connections.listings import LOGINS
from controlroom.engine.connections.model import ConnectionKind, LoginChange, LoginDefinition
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind, equal
from controlroom.ids import LoginId


class LoginAnswer(Shape, frozen=True, kw_only=True):
    """A log-in."""

    id: LoginId
    number: int
    kind: ConnectionKind
    username: str
    schema_name: str
    threads: int | None
    target_name: str
    has_password: bool
    created_at: datetime
    updated_at: datetime


class CreateLogin(OwnBody, frozen=True, kw_only=True):
    """A new log-in for connections of a kind."""

    kind: ConnectionKind
    username: str = ""
    password: str | None = None
    schema_name: str = ""
    threads: int | None = None
    target_name: str = ""


class EditLogin(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. An empty password: there is none any more."""

    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    schema_name: str | UnsetType = UNSET
    threads: int | UnsetType | None = UNSET
    target_name: str | UnsetType = UNSET


@get("/logins", needs=Permission.READ_TARGETS)
async def list_logins(request: Asking, paging: Pages) -> Page[LoginAnswer]:
    """List log-ins, oldest first."""
    position = paging.after(LoginId)
    asked = Asked(filter=equal(is_there=True), start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Login, LOGINS, within(request.seen), asked)
    return paging.page(rows, _show)


@post("/logins")
async def create_login(request: Asking, data: Body[CreateLogin]) -> LoginAnswer:
    """Create a log-in."""
    return _show(await logins.create(*request.acting, _defined(data)))


@get("/logins/{login_id:uuid}", needs=Permission.READ_TARGETS)
async def get_login(request: Asking, login_id: Path[LoginId]) -> LoginAnswer:
    """Get a log-in."""
    return _show(await logins.get(*request.reading, login_id))


@update("/logins/{login_id:uuid}")
async def update_login(request: Asking, login_id: Path[LoginId], data: Body[EditLogin]) -> LoginAnswer:
    """Change a log-in."""
    return _show(await logins.edit(*request.acting, login_id, changed(data)))


@delete("/logins/{login_id:uuid}")
async def delete_login(request: Asking, login_id: Path[LoginId]) -> Deleted:
    """Delete a log-in that nothing uses, with its password."""
    return await Deleted.after(login_id, logins.delete(*request.acting, login_id))


_defined = shown_as(LoginDefinition, CreateLogin)
changed = shown_as(LoginChange, EditLogin)
_show = shown_as(LoginAnswer, model.Login)
