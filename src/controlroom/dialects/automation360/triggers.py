"""Trigger API v1 (§2.5): who has the triggers of which bots. They are kept and told; nothing fires them."""

from typing import Final

from controlroom.border.columns import As
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.paths import PATHS, path_of, path_read, task_numbered
from controlroom.dialects.automation360.routing import Pair, delete, post
from controlroom.engine.access.grants.holding import RuntimeMissing
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.access.scope import Of
from controlroom.engine.lists.words import PATH
from controlroom.engine.nouns import Ways
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.triggers import mappings
from controlroom.engine.triggers.mappings import ForRoles, ForUsers, TriggerMapping
from controlroom.errors import Invalid

_BASE: Final = "/v1/triggers/triggermapping"
_MANAGE: Final = Pair("eventtriggers", "manage")


class UserIds(Shape, frozen=True):
    """Users."""

    user_ids: tuple[int, ...] = ()


class RoleIds(Shape, frozen=True):
    """Roles, whose holders are meant."""

    role_ids: tuple[int, ...] = ()


class MappingAsked(Shape, frozen=True, kw_only=True):
    """A bot, and whom its triggers are for: either users, or roles."""

    bot_file_id: int
    bot_file_label: str = ""
    users: UserIds | None = None
    roles: RoleIds | None = None


class Mapping(Shape, frozen=True, kw_only=True):
    """That a user, or whoever holds a role, has the triggers of a bot."""

    id: int
    user_id: int | None
    role_id: int | None
    bot_id: int
    bot_path: str
    bot_name: str
    bot_label: str
    modifier_by: int | None
    last_modified: str


class Mappings(Shape, frozen=True):
    """One for each user or role."""

    trigger_mappings: list[Mapping]


_COLUMNS: Final = Columns(
    mappings.with_paths(PATHS),
    {
        "id": "number",
        "userId": "user_number",
        "roleId": "role_number",
        "botId": "task_number",
        "botName": "task_name",
        "botPath": As(PATH, read=path_read),
        "modifierBy": As("editor_number", sort=""),
        "botLabel": "label",
        "lastModified": "updated_at",
    },
)


@post(_BASE, status=201, needs=Permission.WRITE_SCHEDULES, pair=_MANAGE)
async def attach_triggers(request: Asking, data: Body[MappingAsked]) -> Mappings:
    """Give users, or holders of roles, the triggers of a bot."""
    users = () if data.users is None else data.users.user_ids
    roles = () if data.roles is None else data.roles.role_ids
    if bool(users) == bool(roles):
        raise Invalid("triggers are for users or for roles: name either", code="TRIGGER_MAPPING_INVALID")
    bot = await task_numbered(request, data.bot_file_id)
    scope = Of(request.actor.organization_id, (bot.workspace_id,))
    whom: ForUsers | ForRoles
    if users:
        named = [Reference(USER, str(number), Ways.NUMBER) for number in users]
        whom = ForUsers(tuple(await resolve_all(request.db, scope, named)))
    else:
        held = [Reference(ROLE, str(number), Ways.NUMBER) for number in roles]
        whom = ForRoles(tuple(await resolve_all(request.db, scope, held)))
    try:
        made = await mappings.attach(
            request.engine, request.actor, bot.workspace_id, bot.id, whom, label=data.bot_file_label or None
        )
    except RuntimeMissing as missing:
        raise Invalid(missing.message, code=missing.code) from missing
    return Mappings([_show(one) for one in made])


@post(f"{_BASE}/list", needs=Permission.READ_SCHEDULES, pair=Pair("eventtriggers", "view"))
async def list_trigger_mappings(request: Asking, data: Sought = None) -> Listed[Mapping]:
    """Search who has the triggers of which bots."""
    return await listed(request, data, _COLUMNS, TriggerMapping, _show)


@delete(f"{_BASE}/{{mapping:str}}", needs=Permission.WRITE_SCHEDULES, pair=_MANAGE)
async def detach_triggers(request: Asking, mapping: Id) -> None:
    """Take the triggers of a bot from whom one mapping gave them."""
    located = await find(request, mappings.TRIGGER_MAPPING, mapping)
    await mappings.detach(request.engine, request.actor, located.scope.workspace, located.id)


def _show(mapping: TriggerMapping) -> Mapping:
    return Mapping(
        id=mapping.number,
        user_id=mapping.user_number,
        role_id=mapping.role_number,
        bot_id=mapping.task_number,
        bot_path=path_of(mapping.workspace_name, *mapping.folders, mapping.package_name, mapping.task_name),
        bot_name=mapping.task_name,
        bot_label=mapping.label or "",
        modifier_by=mapping.editor_number,
        last_modified=moment(mapping.updated_at),
    )
