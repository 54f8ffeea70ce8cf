"""The verbs of groups of users. They are the organization's, and take the writing of members there.

Who comes into a group gets all that it is granted, so that nobody lets in, or out, who could not give all of that.
"""

from collections.abc import Collection, Iterable
from typing import Final

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import GroupNotFound, UserNotFound
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.actions import kept_governed
from controlroom.engine.access.groups import store
from controlroom.engine.access.groups.model import GroupMember, UserGroup
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization, ensure_sees_members
from controlroom.engine.access.rules import ensure_may_give, permissions_of
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import UserGroupId, UserId, uuid7
from controlroom.postgres.database import Statements

MOST_MEMBERS: Final = 1000
"""Users that a group is given at once."""


async def list_groups(engine: Engine, actor: Actor, *, after: UserGroupId | None = None, limit: int) -> list[UserGroup]:
    """Groups of the organization, oldest first."""
    ensure_sees_members(actor)
    return await store.list_groups(engine.database, actor.organization_id, after=after, limit=limit)


async def get_group(engine: Engine, actor: Actor, group: UserGroupId) -> UserGroup:
    """One group. Raises GroupNotFound."""
    ensure_sees_members(actor)
    found = await store.get(engine.database, actor.organization_id, group)
    if found is None:
        raise GroupNotFound
    return found


async def list_group_members(
    engine: Engine, actor: Actor, group: UserGroupId, *, sought: str = "", after: UserId | None = None, limit: int
) -> list[GroupMember]:
    """Who is in a group; `sought` in their names or addresses.

    It takes the reading of members in the organization. Raises GroupNotFound.
    """
    ensure_in_organization(actor, Permission.READ_MEMBERS)
    await get_group(engine, actor, group)
    return await store.list_members(
        engine.database, actor.organization_id, group, sought=sought, after=after, limit=limit
    )


async def create_group(
    engine: Engine, actor: Actor, *, name: str, description: str = "", members: Iterable[UserId] = ()
) -> UserGroup:
    """A new group of these users, without grants. Raises NameTaken, UserNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        return await add(engine, tx, actor, name=name, description=description, members=members)


async def add(
    engine: Engine, tx: ScopedTx, actor: Actor, *, name: str, description: str, members: Iterable[UserId]
) -> UserGroup:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    group = await store.add(
        tx,
        actor.organization_id,
        group=UserGroupId(uuid7()),
        name=checked_name(name, what="group's name"),
        description=checked_description(description),
    )
    await record(engine, tx, actor, actor.organization_id, "user_group.created", group.id, name=group.name)
    await _add(engine, tx, actor, group.id, members)
    return group


async def edit_group(
    engine: Engine, actor: Actor, group: UserGroupId, *, name: str | None = None, description: str | None = None
) -> UserGroup:
    """Call a group otherwise; None leaves what is there. Raises GroupNotFound, NameTaken."""
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await _lock(tx, actor, group)
        before = await store.get(tx, actor.organization_id, group)
        assert before is not None  # noqa: S101  # its row is locked
        after = await store.change(
            tx,
            actor.organization_id,
            group,
            name=before.name if name is None else checked_name(name, what="group's name"),
            description=before.description if description is None else checked_description(description),
        )
        assert after is not None  # noqa: S101  # likewise
        await record(engine, tx, actor, actor.organization_id, "user_group.updated", group, name=after.name)
    return after


async def delete_group(engine: Engine, actor: Actor, group: UserGroupId) -> None:
    """Delete a group and all that it was granted. Raises GroupNotFound, BeyondOwnRights, LastOwner, LastAdmin."""
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await _lock(tx, actor, group)
        await _ensure_could_give(tx, actor, group)
        governed = await grants.governed_by_group(tx, actor.organization_id, group)
        async with kept_governed(tx, actor.organization_id, governed):
            await store.delete(tx, actor.organization_id, group)
        await record(engine, tx, actor, actor.organization_id, "user_group.deleted", group)
        tx.after_commit(lambda: forget(engine))


async def add_group_members(engine: Engine, actor: Actor, group: UserGroupId, users: Iterable[UserId]) -> None:
    """Put users into a group, all of them or none; fine if they are in it.

    Raises GroupNotFound, UserNotFound, BeyondOwnRights.
    """
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await put_in(engine, tx, actor, group, users)


async def put_in(engine: Engine, tx: ScopedTx, actor: Actor, group: UserGroupId, users: Iterable[UserId]) -> None:
    """Likewise, in the transaction of a caller who has seen to the right to write members."""
    await _lock(tx, actor, group)
    await _ensure_could_give(tx, actor, group)
    await _add(engine, tx, actor, group, users)


async def remove_group_members(engine: Engine, actor: Actor, group: UserGroupId, users: Iterable[UserId]) -> None:
    """Take users out of a group, all of them or none.

    Raises GroupNotFound, UserNotFound, BeyondOwnRights, LastOwner, LastAdmin.
    """
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await take_out(engine, tx, actor, group, users)


async def take_out(engine: Engine, tx: ScopedTx, actor: Actor, group: UserGroupId, users: Iterable[UserId]) -> None:
    """Likewise, in the transaction of a caller who has seen to the right to write members."""
    await _lock(tx, actor, group)
    await _ensure_could_give(tx, actor, group)
    governed = await grants.governed_by_group(tx, actor.organization_id, group)
    async with kept_governed(tx, actor.organization_id, governed):
        for user in users:
            if not await store.remove_member(tx, group, user):
                raise UserNotFound
            await record(engine, tx, actor, actor.organization_id, "user_group.member_removed", group, user=str(user))


async def set_group_members(
    engine: Engine, actor: Actor, group: UserGroupId, wanted: Collection[UserId]
) -> list[GroupMember]:
    """Have these users in a group, and no others: all of it, or nothing of it.

    Raises GroupNotFound, UserNotFound, BeyondOwnRights, LastOwner, LastAdmin.
    """
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    if len(wanted) > MOST_MEMBERS:
        raise Invalid(f"a group is given at most {MOST_MEMBERS} users at once", code="TOO_MANY_USERS")
    async with scoped(engine.database, actor.organization_id) as tx:
        await _lock(tx, actor, group)
        before = set(await store.member_ids(tx, group))
        await put_in(engine, tx, actor, group, sorted({*wanted} - before))
        await take_out(engine, tx, actor, group, sorted(before - {*wanted}))
        tx.after_commit(lambda: forget(engine))
        return await store.list_members(tx, actor.organization_id, group, after=None, limit=MOST_MEMBERS)


async def _add(engine: Engine, tx: ScopedTx, actor: Actor, group: UserGroupId, users: Iterable[UserId]) -> None:
    for user in users:
        if not await store.add_member(tx, actor.organization_id, group, user):
            raise UserNotFound
        await record(engine, tx, actor, actor.organization_id, "user_group.member_added", group, user=str(user))


async def _lock(tx: Statements, actor: Actor, group: UserGroupId) -> None:
    if not await store.lock(tx, actor.organization_id, group):
        raise GroupNotFound


async def _ensure_could_give(tx: ScopedTx, actor: Actor, group: UserGroupId) -> None:
    for granted in await grants.of_group(tx, actor.organization_id, group):
        ensure_may_give(actor, permissions_of(granted.permissions, granted.workspace), granted.workspace)
