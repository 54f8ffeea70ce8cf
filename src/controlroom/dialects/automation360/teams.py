"""Team management v2 (§2.29): a team is a group of users."""

from typing import Any, Final

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.routing import Pair, delete, post, put
from controlroom.engine.access.groups import actions
from controlroom.engine.access.nouns import USER, USER_GROUP
from controlroom.engine.access.scope import Of
from controlroom.engine.nouns import Ways
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.errors import Invalid
from controlroom.ids import UserGroupId, UserId

_BASE: Final = "/aari/v2/teams"
_PAIR: Final = Pair("process", "viewandmanageallteam")


class TeamAsked(Shape, frozen=True, kw_only=True):
    """A new team, perhaps with members."""

    name: str
    description: str = ""
    members: Any = None
    user_ids: tuple[int, ...] = ()


class TeamMade(Shape, frozen=True):
    """A team that was made."""

    id: int
    ref: str


class TeamTold(Shape, frozen=True):
    """A team, by how many are in it now."""

    id: int
    name: str
    member_count: int


@post(_BASE, status=201, pair=_PAIR)
async def create_team(request: Asking, data: Body[TeamAsked]) -> TeamMade:
    """Make a team."""
    users = await _users(request, {"members": data.members, "userIds": list(data.user_ids)}, may_be_none=True)
    group = await actions.create_group(*request.governing, name=data.name, description=data.description, members=users)
    return TeamMade(group.number, str(group.number))


@delete(f"{_BASE}/{{team:str}}", pair=_PAIR)
async def delete_team(request: Asking, team: Id) -> None:
    """Delete a team."""
    await actions.delete_group(*request.governing, await _team(request, team))


@put(f"{_BASE}/{{team:str}}/members/add", pair=_PAIR)
async def add_team_members(request: Asking, team: Id, data: Body[Any]) -> TeamTold:
    """Put users into a team: an array of ids, `{userIds}`, or `{members: [{id}]}`."""
    group = await _team(request, team)
    await actions.add_group_members(*request.governing, group, await _users(request, data))
    return await _told(request, group)


@put(f"{_BASE}/{{team:str}}/members/remove", pair=_PAIR)
async def remove_team_members(request: Asking, team: Id, data: Body[Any]) -> TeamTold:
    """Take users out of a team, likewise."""
    group = await _team(request, team)
    await actions.remove_group_members(*request.governing, group, await _users(request, data))
    return await _told(request, group)


async def _team(request: Asking, number: str) -> UserGroupId:
    return await resolve(request.db, Of(request.actor.organization_id, ()), USER_GROUP, number, Ways.NUMBER)


async def _users(request: Asking, given: Any, *, may_be_none: bool = False) -> list[UserId]:
    numbers = list(dict.fromkeys(_numbers(given)))
    if not numbers and not may_be_none:
        raise Invalid("the body names no users", code="NO_MEMBERS")
    named = [Reference(USER, number, Ways.NUMBER) for number in numbers]
    return await resolve_all(request.db, Of(request.actor.organization_id, ()), named)


def _numbers(given: Any) -> list[str]:
    """The ids of users in a body, in whichever of the forms that are known."""
    match given:
        case list():
            return [number for each in given for number in _numbers(each)]
        case {"userId": number} | {"id": number}:
            return [str(number)]
        case dict():
            return [
                number for key in ("userIds", "members", "memberIds", "users") for number in _numbers(given.get(key))
            ]
        case int() | str() if str(given).strip():
            return [str(given).strip()]
        case _:
            return []


async def _told(request: Asking, group: UserGroupId) -> TeamTold:
    found = await actions.get_group(*request.governing, group)
    return TeamTold(found.number, found.name, found.member_count)
