"""Who may do what with a WLM queue (§2.23, §2.27): consumers see it, participants add items, members own it.

Consumers and participants are roles, members users. Whoever governs the queues of a folder needs none of it.
"""

from typing import Final, Literal

from msgspec import Struct

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.people import role_name
from controlroom.dialects.automation360.queues import MANAGE, at, numbered, reach
from controlroom.dialects.automation360.routing import Superseded, delete, get, post, put
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.access.scope import Of
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.queues import rights, sharing
from controlroom.engine.queues.rights import Holder, QueueGrant, Reached, Right
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.ids import RoleId, UserId

Word = Literal["participate", "manage", "own"]

_RIGHTS: Final[dict[Word, Right]] = {"participate": Right.ADD, "manage": Right.MANAGE, "own": Right.OWN}


class RoleRef(Shape, frozen=True):
    """A role."""

    id: int


class Role(Shape, frozen=True):
    """A role that has a right on the queue."""

    id: int
    name: str


class RoleText(Shape, frozen=True):
    """Likewise, its id as text."""

    id: str
    name: str


class Roles(Struct, frozen=True):
    """All roles that have the right now."""

    roles: list[RoleText]


class RoleAdded(Shape, frozen=True):
    """The role that was given the right, and all that have it now."""

    id: int
    name: str
    roles: list[Role]


class Members(Shape, frozen=True):
    """The users with rights of their own on the queue."""

    users: list[int]


class SetMember(Shape, frozen=True):
    """What a user may do: no more than this."""

    permissions: tuple[Word, ...] = ()


class Member(Shape, frozen=True):
    """What a user may do."""

    id: int
    permissions: list[Word]


class MemberText(Shape, frozen=True):
    """Likewise, the id as text."""

    id: str
    permissions: list[Word]


# ---------------------------------------------------------------------------------------------------- roles
@get("/v3/wlm/queues/{queue:str}/consumers", number_codes=True)
async def list_consumers(request: Asking, queue: Id) -> list[Role]:
    """List the roles whose holders see the queue."""
    return await _roles(request, queue, Right.SEE)


@get("/v3/wlm/queues/{queue:str}/participants", number_codes=True)
async def list_participants(request: Asking, queue: Id) -> list[Role]:
    """List the roles whose holders add items."""
    return await _roles(request, queue, Right.ADD)


@post(
    "/v3/wlm/queues/{queue:str}/consumers",
    status=201,
    pair=MANAGE,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/queues/{id}/consumers"),
)
async def add_consumers(request: Asking, queue: Id, data: Body[list[RoleRef]]) -> RoleAdded:
    """Let the holders of roles see the queue."""
    having = await _add(request, queue, data, Right.SEE)
    first = next((each for each in having if data and each.id == data[0].id), Role(0, ""))
    return RoleAdded(first.id, first.name, having)


@post(
    "/v3/wlm/queues/{queue:str}/participants",
    status=201,
    pair=MANAGE,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/queues/{id}/participants"),
)
async def add_participants(request: Asking, queue: Id, data: Body[list[RoleRef]]) -> None:
    """Let the holders of roles add items."""
    await _add(request, queue, data, Right.ADD)


@post("/v4/wlm/queues/{queue:str}/consumers", status=201, pair=MANAGE, number_codes=True)
async def add_consumers_v4(request: Asking, queue: Id, data: Body[list[RoleRef]]) -> Roles:
    """Let the holders of roles see the queue."""
    return _texts(await _add(request, queue, data, Right.SEE))


@post("/v4/wlm/queues/{queue:str}/participants", status=201, pair=MANAGE, number_codes=True)
async def add_participants_v4(request: Asking, queue: Id, data: Body[list[RoleRef]]) -> Roles:
    """Let the holders of roles add items."""
    return _texts(await _add(request, queue, data, Right.ADD))


@delete("/v3/wlm/queues/{queue:str}/consumers/{role:str}", pair=MANAGE, number_codes=True)
async def delete_consumer(request: Asking, queue: Id, role: Id) -> None:
    """Take it from the holders of a role to see the queue."""
    await _withdraw(request, queue, role, Right.SEE)


@delete("/v3/wlm/queues/{queue:str}/participants/{role:str}", pair=MANAGE, number_codes=True)
async def delete_participant(request: Asking, queue: Id, role: Id) -> None:
    """Take it from the holders of a role to add items."""
    await _withdraw(request, queue, role, Right.ADD)


# ---------------------------------------------------------------------------------------------------- members
@get("/v3/wlm/queues/{queue:str}/members", number_codes=True)
async def list_members(request: Asking, queue: Id) -> Members:
    """List the users with rights of their own on the queue."""
    grants = await _grants(request, queue)
    return Members([each.user_number for each in grants if each.user_number is not None])


@put(
    "/v3/wlm/queues/{queue:str}/members/{user:str}",
    pair=MANAGE,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/queues/{id}/members/{userId}"),
)
async def set_member(request: Asking, queue: Id, user: Id, data: Body[SetMember]) -> Member:
    """Say what a user may do with the queue."""
    await _set_member(request, queue, user, data)
    return Member(int(numbered(user)), list(data.permissions))


@put("/v4/wlm/queues/{queue:str}/members/{user:str}", pair=MANAGE, number_codes=True)
async def set_member_v4(request: Asking, queue: Id, user: Id, data: Body[SetMember]) -> MemberText:
    """Say what a user may do with the queue."""
    await _set_member(request, queue, user, data)
    return MemberText(numbered(user), list(data.permissions))


@delete("/v3/wlm/queues/{queue:str}/members/{user:str}", pair=MANAGE, number_codes=True)
async def delete_member(request: Asking, queue: Id, user: Id) -> None:
    """Take all rights of their own on the queue from a user."""
    holder = Holder(user=await _user(request, user))

    async def withdraw(reached: Reached) -> None:
        await sharing.withdraw(request.engine, reached, holder)

    await at(request, queue, Right.OWN, withdraw)


# ---------------------------------------------------------------------------------------------------- both
async def _grants(request: Asking, queue: str) -> list[QueueGrant]:
    reached = await reach(request, queue, Right.SEE)
    return await rights.list_grants(request.db, reached.scope, reached.queue)


async def _roles(request: Asking, queue: str, right: Right) -> list[Role]:
    return _having(await _grants(request, queue), right)


def _having(grants: list[QueueGrant], right: Right) -> list[Role]:
    return [
        Role(each.role_number, role_name(each.role_name or "", is_system=each.role_is_system))
        for each in grants
        if each.role_number is not None and right in each.rights
    ]


def _texts(roles: list[Role]) -> Roles:
    return Roles([RoleText(str(each.id), each.name) for each in roles])


async def _add(request: Asking, queue: str, roles: list[RoleRef], right: Right) -> list[Role]:
    ids = await _resolved(request, ROLE, [str(each.id) for each in roles])
    holders = [Holder(role=RoleId(each)) for each in ids]

    async def share(reached: Reached) -> list[QueueGrant]:
        return await sharing.share(request.engine, reached, holders, right)

    return _having(await at(request, queue, Right.OWN, share), right)


async def _withdraw(request: Asking, queue: str, role: str, right: Right) -> None:
    found: RoleId = await resolve(request.db, _nowhere(request), ROLE, numbered(role), Ways.NUMBER)
    holder = Holder(role=found)

    async def withdraw(reached: Reached) -> None:
        await sharing.withdraw(request.engine, reached, holder, [right])

    await at(request, queue, Right.OWN, withdraw)


async def _set_member(request: Asking, queue: str, user: str, data: SetMember) -> None:
    holder = Holder(user=await _user(request, user))
    wanted = [_RIGHTS[each] for each in dict.fromkeys(data.permissions)]

    async def set_rights(reached: Reached) -> None:
        await sharing.set_rights(request.engine, reached, holder, wanted)

    await at(request, queue, Right.OWN, set_rights)


async def _user(request: Asking, user: str) -> UserId:
    return await resolve(request.db, _nowhere(request), USER, numbered(user), Ways.NUMBER)


async def _resolved(request: Asking, noun: Noun[RoleId], texts: list[str]) -> list[RoleId]:
    return await resolve_all(request.db, _nowhere(request), [Reference(noun, each, Ways.NUMBER) for each in texts])


def _nowhere(request: Asking) -> Of:
    """Users and roles are the organization's, whatever the workspace."""
    return Of(request.actor.organization_id, ())
