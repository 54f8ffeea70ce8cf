"""Targets (our own management API): what the commands of a project work on, and how."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.logins import EditLogin
from controlroom.dialects.robocorp.logins import changed as changed_login
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind, equal
from controlroom.engine.targets import actions, model, store, with_logins
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Purpose, TargetDefinition, TargetKind
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId, TargetId


class TargetAnswer(Shape, frozen=True, kw_only=True):
    """A target."""

    id: TargetId
    number: int
    name: str
    kind: TargetKind
    purpose: Purpose | None
    connection_id: ConnectionId | None
    login_id: LoginId | None
    profile_id: ProfileId | None
    extended_attributes_id: ExtendedAttributesId | None
    branch: str | None
    uses_branch: bool
    tool_version: str | None
    subdirectory: str | None
    created_at: datetime
    updated_at: datetime


class CreateTarget(OwnBody, frozen=True, kw_only=True):
    """A new target."""

    name: str
    kind: TargetKind = TargetKind.DEPLOYMENT
    purpose: Purpose | None = None
    connection_id: ConnectionId | None = None
    """null: the project's."""
    login_id: LoginId | None = None
    profile_id: ProfileId | None = None
    """Goes before connection and log-in."""
    extended_attributes_id: ExtendedAttributesId | None = None
    branch: str | None = None
    uses_branch: bool = False
    tool_version: str | None = None
    subdirectory: str | None = None
    login: EditLogin | None = None
    """As whom it is used: a log-in is made with it, or changed, where `login_id` names one."""


class EditTarget(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays, null ends that something is said."""

    name: str | UnsetType = UNSET
    kind: TargetKind | UnsetType = UNSET
    purpose: Purpose | UnsetType | None = UNSET
    connection_id: ConnectionId | UnsetType | None = UNSET
    login_id: LoginId | UnsetType | None = UNSET
    profile_id: ProfileId | UnsetType | None = UNSET
    extended_attributes_id: ExtendedAttributesId | UnsetType | None = UNSET
    branch: str | UnsetType | None = UNSET
    uses_branch: bool | UnsetType = UNSET
    tool_version: str | UnsetType | None = UNSET
    subdirectory: str | UnsetType | None = UNSET
    login: EditLogin | None = None
    """What its log-in shall be otherwise; where it has none, one is made."""


@get("/targets", needs=Permission.READ_TARGETS)
async def list_targets(request: Asking, paging: Pages) -> Page[TargetAnswer]:
    """List targets, oldest first."""
    position = paging.after(TargetId)
    asked = Asked(filter=equal(is_there=True), start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Target, TARGETS, within(request.seen), asked)
    return paging.page(rows, _show)


@post("/targets")
async def create_target(request: Asking, data: Body[CreateTarget]) -> TargetAnswer:
    """Create a target."""
    if data.login is not None:
        made = await with_logins.create(*request.acting, _defined(data), changed_login(data.login))
        return _show(made)
    return _show(await actions.create(*request.acting, _defined(data)))


@get("/targets/{target_id:uuid}", needs=Permission.READ_TARGETS)
async def get_target(request: Asking, target_id: Path[TargetId]) -> TargetAnswer:
    """Get a target."""
    return _show(await store.get(*request.reading, target_id))


@update("/targets/{target_id:uuid}")
async def update_target(request: Asking, target_id: Path[TargetId], data: Body[EditTarget]) -> TargetAnswer:
    """Change a target."""
    said = _said(data)

    def change(before: TargetDefinition) -> TargetDefinition:
        return replace(before, **said)

    if data.login is not None:
        return _show(await with_logins.edit(*request.acting, target_id, change, changed_login(data.login)))
    return _show(await actions.edit(*request.acting, target_id, change))


@delete("/targets/{target_id:uuid}")
async def delete_target(request: Asking, target_id: Path[TargetId]) -> Deleted:
    """Delete a target, with the variables of its own."""
    return await Deleted.after(target_id, actions.delete(*request.acting, target_id))


def _said(body: Struct) -> dict[str, object]:
    return {field: value for field, value in asdict(body).items() if value is not UNSET and field != "login"}


_defined = shown_as(TargetDefinition, CreateTarget)
_show = shown_as(TargetAnswer, model.Target)
