"""Credential Vault API v2 (§2.12): lockers, which share credentials with roles."""

from controlroom.border.columns import As
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.columns import Columns, nothing_is_zero
from controlroom.dialects.automation360.credentials import Credentials, show, the
from controlroom.dialects.automation360.ids import Id, find, shown
from controlroom.dialects.automation360.lists import Listed, Sought, page
from controlroom.dialects.automation360.routing import delete, get, post, put
from controlroom.dialects.automation360.vault_routes import Routes, checked, everywhere, keeping
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.vault.lockers import actions, store
from controlroom.engine.vault.lockers.listings import LOCKERS, seen_by
from controlroom.engine.vault.lockers.model import Asker, Locker, LockerMember, LockerRight
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.lockers.store import LOCKER
from controlroom.engine.vault.shared import actions as secrets
from controlroom.ids import LockerId

_routes = Routes()
handlers = _routes.handlers


class MemberTold(Shape, frozen=True):
    """A user who looks after a locker."""

    id: str
    permissions: list[LockerRight]


class Members(Shape, frozen=True):
    """Who looks after a locker."""

    list: list[MemberTold]


class ConsumerTold(Shape, frozen=True):
    """A role that uses a locker."""

    id: str


class Consumers(Shape, frozen=True):
    """The roles that use a locker."""

    list: list[ConsumerTold]


class LockerPermission(Shape, frozen=True, kw_only=True):
    """What the caller is to a locker."""

    is_consumer: bool
    is_owner: bool
    is_manager: bool
    is_participant: bool


class LockerTold(Shape, frozen=True, kw_only=True):
    """A locker."""

    id: str
    name: str
    description: str
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    version: str
    members: list[MemberTold]
    count_of_credentials: int
    locker_permission: LockerPermission


class LockerAsked(Shape, frozen=True, kw_only=True):
    """What a locker shall be called; with a version, only while it is the one there."""

    name: str
    description: str = ""
    version: int | None = None


class ConsumerAsked(Shape, frozen=True):
    """A role, by its id."""

    id: int


class RightsAsked(Shape, frozen=True):
    """What a member may do."""

    permissions: tuple[LockerRight, ...]


_COLUMNS = Columns(
    LOCKERS,
    {
        "id": As("number", sort="id"),
        "name": "name",
        "description": "description",
        "version": "revision",
        "countOfCredentials": "secret_count",
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by_number"),
        "updatedBy": nothing_is_zero("updated_by_number"),
    },
)


@_routes.route(post, "/lockers", status=201)
async def create_locker(request: Asking, data: Body[LockerAsked]) -> LockerTold:
    """Create a locker that the caller owns."""
    checked(data.name, data.description)
    engine, actor = keeping(request)
    made = await actions.create(engine, actor, name=data.name, description=data.description)
    return _show(made, asker_of(actor), ())


@_routes.route(post, "/lockers/list")
async def list_lockers(request: Asking, data: Sought = None) -> Listed[LockerTold]:
    """Search the lockers of which the caller is a member or a consumer."""
    engine, actor = keeping(request)
    asker = asker_of(actor)
    found = await page(request, data, _COLUMNS, Locker, within=seen_by(asker))
    consumed = await store.consumed_by(engine.database, asker)
    return found.shown([_show(row, asker, consumed) for row in found.rows])


@_routes.route(get, "/lockers/{locker:str}")
async def get_locker(request: Asking, locker: Id) -> LockerTold:
    """Get a locker."""
    engine, actor = keeping(request)
    found = await actions.get(engine, actor, await _the(request, locker))
    return _show(found, asker_of(actor), await store.consumed_by(engine.database, asker_of(actor)))


@_routes.route(put, "/lockers/{locker:str}")
async def update_locker(request: Asking, locker: Id, data: Body[LockerAsked]) -> LockerTold:
    """Call a locker otherwise, if its version is still the one that the caller has seen."""
    checked(data.name, data.description)
    engine, actor = keeping(request)
    changed = await actions.edit(
        engine,
        actor,
        await _the(request, locker),
        name=data.name,
        description=data.description,
        revision=data.version,
    )
    return _show(changed, asker_of(actor), await store.consumed_by(engine.database, asker_of(actor)))


@_routes.route(delete, "/lockers/{locker:str}")
async def delete_locker(request: Asking, locker: Id) -> None:
    """Delete a locker; the credentials in it stay their owners'."""
    await actions.delete(*keeping(request), await _the(request, locker))


@_routes.route(get, "/lockers/{locker:str}/consumers")
async def list_locker_consumers(request: Asking, locker: Id) -> Consumers:
    """List the roles that use a locker."""
    found = await actions.consumers(*keeping(request), await _the(request, locker))
    return Consumers([ConsumerTold(shown(each.role_number)) for each in found])


@_routes.route(post, "/lockers/{locker:str}/consumers", status=204)
async def add_locker_consumer(request: Asking, locker: Id, data: Body[ConsumerAsked]) -> None:
    """Let a role use a locker."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    await actions.add_consumer(engine, actor, where, (await find(request, ROLE, data.id, everywhere(request))).id)


@_routes.route(delete, "/lockers/{locker:str}/consumers/{role:str}")
async def remove_locker_consumer(request: Asking, locker: Id, role: Id) -> None:
    """Let a role use a locker no more."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    await actions.remove_consumer(engine, actor, where, (await find(request, ROLE, role, everywhere(request))).id)


@_routes.route(get, "/lockers/{locker:str}/members")
async def list_locker_members(request: Asking, locker: Id) -> Members:
    """List who looks after a locker."""
    found = await actions.members(*keeping(request), await _the(request, locker))
    return Members([_show_member(each) for each in found])


@_routes.route(put, "/lockers/{locker:str}/members/{user:str}", status=204)
async def set_locker_member(request: Asking, locker: Id, user: Id, data: Body[RightsAsked]) -> None:
    """Say what a user may do with a locker."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    who = (await find(request, USER, user, everywhere(request))).id
    await actions.set_member(engine, actor, where, who, data.permissions)


@_routes.route(delete, "/lockers/{locker:str}/members/{user:str}")
async def remove_locker_member(request: Asking, locker: Id, user: Id) -> None:
    """Let a user look after a locker no more."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    await actions.remove_member(engine, actor, where, (await find(request, USER, user, everywhere(request))).id)


@_routes.route(get, "/lockers/{locker:str}/credentials")
async def list_locker_credentials(request: Asking, locker: Id) -> Credentials:
    """List the credentials in a locker that the caller may see."""
    engine, actor = keeping(request)
    found = await secrets.in_locker(engine, actor, await _the(request, locker))
    return Credentials([show(each, asker_of(actor)) for each in found])


@_routes.route(put, "/lockers/{locker:str}/credentials/{credential:str}", status=204)
async def put_credential_into_locker(request: Asking, locker: Id, credential: Id) -> None:
    """Put a credential of the caller into a locker."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    await secrets.put_into(engine, actor, await the(request, credential), where)


@_routes.route(delete, "/lockers/{locker:str}/credentials/{credential:str}")
async def take_credential_from_locker(request: Asking, locker: Id, credential: Id) -> None:
    """Take a credential out of a locker."""
    engine, actor = keeping(request)
    where = await _the(request, locker)
    await secrets.take_out(engine, actor, await the(request, credential), where)


async def _the(request: Asking, locker: str) -> LockerId:
    return (await find(request, LOCKER, locker, everywhere(request))).id


def _show(locker: Locker, asker: Asker, consumed: "list[LockerId] | tuple[()]") -> LockerTold:
    rights = next((member.rights for member in locker.members if member.user_id == asker.user), [])
    return LockerTold(
        id=shown(locker.number),
        name=locker.name,
        description=locker.description,
        created_by=shown(locker.created_by_number),
        created_on=moment(locker.created_at),
        updated_by=shown(locker.updated_by_number),
        updated_on=moment(locker.updated_at),
        version=shown(locker.revision),
        members=[_show_member(each) for each in locker.members],
        count_of_credentials=locker.secret_count,
        locker_permission=LockerPermission(
            is_consumer=locker.id in consumed,
            is_owner=LockerRight.OWN in rights,
            is_manager=LockerRight.MANAGE in rights,
            is_participant=LockerRight.PARTICIPATE in rights,
        ),
    )


def _show_member(member: LockerMember) -> MemberTold:
    return MemberTold(shown(member.user_number), member.rights)
