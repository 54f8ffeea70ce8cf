"""Lockers of the organization (our own management API): how secrets of people are shared with roles."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind
from controlroom.engine.vault.lockers import actions, model
from controlroom.engine.vault.lockers.listings import LOCKERS, seen_by
from controlroom.engine.vault.lockers.model import LockerRight
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared import actions as secrets
from controlroom.ids import LockerId, RoleId, SharedSecretId, UserId


class LockerMemberAnswer(Shape, frozen=True, kw_only=True):
    """A user who looks after a locker, and what they may do with it."""

    id: UserId
    username: str
    rights: list[LockerRight]


class LockerAnswer(Shape, frozen=True, kw_only=True):
    """A locker."""

    id: LockerId
    name: str
    description: str
    revision: int
    secret_count: int
    members: list[LockerMemberAnswer]
    created_at: datetime
    updated_at: datetime


class CreateLocker(OwnBody, frozen=True, kw_only=True):
    """A new locker; who asks owns it, unless another user is said to."""

    name: str
    description: str = ""
    owner: Reference | None = None


class EditLocker(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. With a revision, only while it is the one there."""

    name: str | None = None
    description: str | None = None
    revision: int | None = None


class SetLockerMember(OwnBody, frozen=True):
    """A user, and all that they shall be allowed."""

    user: Reference
    rights: list[LockerRight]


class AddConsumer(OwnBody, frozen=True):
    """A role, whose holders use what is in the locker."""

    role: Reference


class PutIntoLocker(OwnBody, frozen=True):
    """A secret of the organization."""

    secret: Reference


@get("/lockers", needs=Permission.READ_SECRETS)
async def list_lockers(request: Asking, paging: Pages) -> Page[LockerAnswer]:
    """List the lockers that you may know of, oldest first."""
    position = paging.after(LockerId)
    asked = Asked(start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Locker, LOCKERS, seen_by(asker_of(request.actor)), asked)
    return paging.page(rows, _show)


@post("/lockers", needs=Permission.READ_SECRETS)
async def create_locker(request: Asking, data: Body[CreateLocker]) -> LockerAnswer:
    """Create a locker."""
    owner = None if data.owner is None else UserId(data.owner.id)
    made = await actions.create(*request.governing, name=data.name, description=data.description, owner=owner)
    return _show(made)


@get("/lockers/{locker_id:uuid}", needs=Permission.READ_SECRETS)
async def get_locker(request: Asking, locker_id: Path[LockerId]) -> LockerAnswer:
    """Get a locker."""
    return _show(await actions.get(*request.governing, locker_id))


@update("/lockers/{locker_id:uuid}", needs=Permission.READ_SECRETS)
async def update_locker(request: Asking, locker_id: Path[LockerId], data: Body[EditLocker]) -> LockerAnswer:
    """Call a locker otherwise, for who manages it."""
    changed = await actions.edit(
        *request.governing, locker_id, name=data.name, description=data.description, revision=data.revision
    )
    return _show(changed)


@delete("/lockers/{locker_id:uuid}", needs=Permission.READ_SECRETS)
async def delete_locker(request: Asking, locker_id: Path[LockerId]) -> Deleted:
    """Delete a locker, for who owns it; the secrets in it stay their owners'."""
    return await Deleted.after(locker_id, actions.delete(*request.governing, locker_id))


@post("/lockers/{locker_id:uuid}/members", needs=Permission.READ_SECRETS)
async def set_locker_member(request: Asking, locker_id: Path[LockerId], data: Body[SetLockerMember]) -> Identified:
    """Say what a user may do with a locker, for who owns it."""
    await actions.set_member(*request.governing, locker_id, UserId(data.user.id), data.rights)
    return Identified(data.user.id)


@delete("/lockers/{locker_id:uuid}/members/{user_id:uuid}", needs=Permission.READ_SECRETS)
async def remove_locker_member(request: Asking, locker_id: Path[LockerId], user_id: Path[UserId]) -> Deleted:
    """Let a user look after a locker no more, for who owns it."""
    return await Deleted.after(user_id, actions.remove_member(*request.governing, locker_id, user_id))


@get("/lockers/{locker_id:uuid}/consumers", needs=Permission.READ_SECRETS)
async def list_locker_consumers(request: Asking, locker_id: Path[LockerId]) -> list[Named]:
    """List the roles that use a locker."""
    return [_show_consumer(each) for each in await actions.consumers(*request.governing, locker_id)]


@post("/lockers/{locker_id:uuid}/consumers", needs=Permission.READ_SECRETS)
async def add_locker_consumer(request: Asking, locker_id: Path[LockerId], data: Body[AddConsumer]) -> Identified:
    """Let a role use a locker, for who manages it."""
    await actions.add_consumer(*request.governing, locker_id, RoleId(data.role.id))
    return Identified(data.role.id)


@delete("/lockers/{locker_id:uuid}/consumers/{role_id:uuid}", needs=Permission.READ_SECRETS)
async def remove_locker_consumer(request: Asking, locker_id: Path[LockerId], role_id: Path[RoleId]) -> Deleted:
    """Let a role use a locker no more, for who manages it."""
    return await Deleted.after(role_id, actions.remove_consumer(*request.governing, locker_id, role_id))


@get("/lockers/{locker_id:uuid}/secrets", needs=Permission.READ_SECRETS)
async def list_locker_secrets(request: Asking, locker_id: Path[LockerId]) -> list[Named]:
    """List the secrets in a locker that you may see."""
    return [Named(each.id, each.name) for each in await secrets.in_locker(*request.governing, locker_id)]


@post("/lockers/{locker_id:uuid}/secrets", needs=Permission.READ_SECRETS)
async def put_into_locker(request: Asking, locker_id: Path[LockerId], data: Body[PutIntoLocker]) -> Identified:
    """Put a secret of yours into a locker."""
    await secrets.put_into(*request.governing, SharedSecretId(data.secret.id), locker_id)
    return Identified(data.secret.id)


@delete("/lockers/{locker_id:uuid}/secrets/{secret_id:uuid}", needs=Permission.READ_SECRETS)
async def take_from_locker(request: Asking, locker_id: Path[LockerId], secret_id: Path[SharedSecretId]) -> Deleted:
    """Take a secret out of a locker: yours, or any for who manages it."""
    return await Deleted.after(secret_id, secrets.take_out(*request.governing, secret_id, locker_id))


_show_member = shown_as(LockerMemberAnswer, model.LockerMember, id="user_id")
_show = shown_as(LockerAnswer, model.Locker, members=lambda locker: [_show_member(member) for member in locker.members])
_show_consumer = shown_as(Named, model.Consumer, id="role_id", name="role_name")
