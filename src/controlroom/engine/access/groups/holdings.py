"""Groups of users together with what they are granted: as a directory shows, and changes, them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import GroupNotFound, UserNotFound
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.actions import kept_governed
from controlroom.engine.access.grants.handing import hand, rehand
from controlroom.engine.access.grants.model import HeldGrant, Principal, PrincipalKind, WantedGrant
from controlroom.engine.access.grants.store import held_by
from controlroom.engine.access.groups import actions, store
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import OrganizationId, UserGroupId, UserId
from controlroom.postgres.database import Statements


class HoldingGroup(Struct, frozen=True, kw_only=True):
    """A group, and what it is granted."""

    id: UserGroupId
    number: int
    name: str
    description: str
    created_at: datetime
    grants: list[HeldGrant]


class GroupOfUser(Struct, frozen=True):
    """That a user is in a group."""

    user: UserId
    number: int
    name: str


GROUPS: Final = Listing(
    noun="user groups",
    table="user_group",
    columns=f"""user_group.id, user_group.number, user_group.name, user_group.description, user_group.created_at,
           {held_by(PrincipalKind.GROUP, "user_group.id")} as grants""",
    tenant="user_group.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""The groups of an organization, `within=throughout(actor, Permission.READ_MEMBERS)`."""


async def get(engine: Engine, actor: Actor, group: UserGroupId) -> HoldingGroup:
    """One of them. Raises GroupNotFound."""
    ensure_in_organization(actor, Permission.READ_MEMBERS)
    return await _get(engine.database, actor.organization_id, group)


async def create(engine: Engine, actor: Actor, *, name: str, wanted: Collection[WantedGrant]) -> HoldingGroup:
    """A new group that holds this, with nobody in it. Raises NameTaken, and as `set_grants`."""
    async with scoped(engine.database, actor.organization_id) as tx:
        made = await actions.add(engine, tx, actor, name=name, description="", members=())
        await hand(tx, actor, Principal(PrincipalKind.GROUP, made.id), wanted)
        return await _get(tx, actor.organization_id, made.id)


async def set_grants(engine: Engine, actor: Actor, group: UserGroupId, wanted: Collection[WantedGrant]) -> HoldingGroup:
    """Have a group hold this, and nothing else. Raises BeyondOwnRights, LastOwner, LastAdmin, RoleNotFound."""
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await store.lock(tx, actor.organization_id, group):
            raise GroupNotFound
        before = await _get(tx, actor.organization_id, group)
        governed = await grants.governed_by_group(tx, actor.organization_id, group)
        async with kept_governed(tx, actor.organization_id, governed):
            await rehand(tx, actor, Principal(PrincipalKind.GROUP, group), before.grants, wanted)
        after = await _get(tx, actor.organization_id, group)
        told = [{"role": each.role_name, "workspace": str(each.workspace_id or "")} for each in after.grants]
        await record(
            engine, tx, actor, actor.organization_id, "user_group.updated", group, name=after.name, grants=told
        )
        tx.after_commit(lambda: forget(engine))
    return after


async def set_groups(engine: Engine, actor: Actor, user: UserId, wanted: Collection[UserGroupId]) -> None:
    """Have a user be in these groups, and in no others. Raises as coming and going do (`groups.actions`)."""
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await _is_there(tx, actor.organization_id, user):
            raise UserNotFound
        held = set(await _groups_of(tx, user))
        for group in sorted({*wanted} - held):
            await actions.put_in(engine, tx, actor, group, [user])
        for group in sorted(held - {*wanted}):
            await actions.take_out(engine, tx, actor, group, [user])
        tx.after_commit(lambda: forget(engine))


async def of_users(
    db: Statements, organization: OrganizationId, users: Sequence[UserId]
) -> dict[UserId, list[GroupOfUser]]:
    """In which groups users of an organization are."""
    rows = await db.all(
        GroupOfUser,
        """
        select user_group_member.user_id as user, user_group.number, user_group.name
          from user_group_member join user_group on user_group.id = user_group_member.user_group_id
         where user_group_member.user_id = any (%(users)s::uuid[]) and user_group.organization_id = %(organization)s
         order by user_group.id
        """,
        users=list(users),
        organization=organization,
    )
    found: dict[UserId, list[GroupOfUser]] = {}
    for row in rows:
        found.setdefault(row.user, []).append(row)
    return found


async def _get(tx: Statements, organization: OrganizationId, group: UserGroupId) -> HoldingGroup:
    found = await tx.one_or_none(
        HoldingGroup,
        f"{GROUPS.select} where user_group.id = %(group)s and {GROUPS.tenant} = %(organization)s",
        group=group,
        organization=organization,
    )
    if found is None:
        raise GroupNotFound
    return found


async def _groups_of(tx: ScopedTx, user: UserId) -> list[UserGroupId]:
    return await tx.all(UserGroupId, "select user_group_id from user_group_member where user_id = %(user)s", user=user)


async def _is_there(tx: ScopedTx, organization: OrganizationId, user: UserId) -> bool:
    found = await tx.value(
        """
        select id from app_user
         where id = %(user)s and organization_id = %(organization)s and deleted_at is null for no key update
        """,
        user=user,
        organization=organization,
    )
    return found is not None
