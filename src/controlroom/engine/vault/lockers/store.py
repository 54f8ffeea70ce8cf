"""Statements on lockers."""

from collections.abc import Collection
from typing import Final, Literal

from msgspec import Struct

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.vault.errors import LockerNotFound
from controlroom.engine.vault.lockers.model import Asker, Consumer, Locker, LockerMember, LockerRight, Standing
from controlroom.ids import LockerId, OrganizationId, RoleId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

LOCKER: Final = Noun[LockerId](
    "locker",
    lambda _: LockerNotFound(),
    "locker",
    InOrganization("locker.organization_id"),
    name="locker.name",
)

COLUMNS: Final = """locker.id, locker.number, locker.name, locker.description, locker.revision,
    locker.created_by, author.number as created_by_number, locker.created_at,
    locker.updated_by, editor.number as updated_by_number, locker.updated_at,
    (select count(*) from shared_secret where shared_secret.locker_id = locker.id) as secret_count,
    (select coalesce(jsonb_agg(jsonb_build_object('user_id', app_user.id, 'user_number', app_user.number,
                                                  'username', app_user.username, 'rights', locker_member.rights)
                               order by app_user.number), '[]')
       from locker_member join app_user on app_user.id = locker_member.user_id
      where locker_member.locker_id = locker.id) as members"""

JOINS: Final = """left join app_user as author on author.id = locker.created_by
    left join app_user as editor on editor.id = locker.updated_by"""

CONSUMED_BY_USER: Final = f"""(
    select locker_consumer.locker_id
      from app_user, lateral {OF_USER} as held join locker_consumer on locker_consumer.role_id = held.role_id
     where app_user.id = %(user)s and app_user.disabled_at is null)"""
"""The lockers that a user consumes, by a role that they hold anywhere."""

RIGHTS_OF_USER: Final = """coalesce((select rights from locker_member
                  where locker_member.locker_id = locker.id and locker_member.user_id = %(user)s), '{}')"""

VISIBLE: Final = f"""(
    select locker.id from locker
     where locker.organization_id = %(organization)s
       and (%(governs)s or locker.id in (select locker_id from locker_member where user_id = %(user)s)
            or locker.id in {CONSUMED_BY_USER}))"""
"""The lockers that an asker may know of."""


class _Found(Struct, frozen=True):
    rights: list[LockerRight]
    consumes: bool
    revision: int


class Held(Struct, frozen=True):
    """What somebody is to a locker, and its revision."""

    standing: Standing
    revision: int


async def standing(
    tx: Statements, asker: Asker, locker: LockerId, *, lock: Literal["", "for update", "for key share"] = ""
) -> Held | None:
    """What the asker is to a locker of the organization; locked for changing it, or so that it stays.

    None: there is no such.
    """
    found = await tx.one_or_none(
        _Found,
        f"""
        select locker.revision, {RIGHTS_OF_USER} as rights, locker.id in {CONSUMED_BY_USER} as consumes
          from locker where locker.id = %(locker)s and locker.organization_id = %(organization)s
        """
        + (f"{lock} of locker" if lock else ""),
        locker=locker,
        organization=asker.organization,
        user=asker.user,
    )
    return None if found is None else Held(Standing.of(asker, found.rights, consumes=found.consumes), found.revision)


async def consumed_by(tx: Statements, asker: Asker) -> list[LockerId]:
    """The lockers that the asker consumes."""
    if asker.user is None:
        return []
    return await tx.all(LockerId, f"select locker_id from {CONSUMED_BY_USER} as consumed", user=asker.user)


async def get(tx: Statements, organization: OrganizationId, locker: LockerId) -> Locker | None:
    """One locker of the organization."""
    return await tx.one_or_none(
        Locker,
        f"""
        select {COLUMNS} from locker {JOINS}
         where locker.id = %(locker)s and locker.organization_id = %(organization)s
        """,
        locker=locker,
        organization=organization,
    )


async def add(tx: ScopedTx, asker: Asker, locker: LockerId, *, name: str, description: str) -> None:
    """Write a new locker. Raises NameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            insert into locker (id, organization_id, name, description, created_by, updated_by)
            values (%(locker)s, %(organization)s, %(name)s, %(description)s, %(user)s, %(user)s)
            """,
            locker=locker,
            organization=asker.organization,
            name=name,
            description=description,
            user=asker.user,
        )
    except UniqueViolation as taken:
        raise NameTaken("locker", name) from taken


async def members(tx: Statements, organization: OrganizationId, locker: LockerId) -> list[LockerMember]:
    """Who looks after a locker."""
    return await tx.all(
        LockerMember,
        """
        select app_user.id as user_id, app_user.number as user_number, app_user.username, locker_member.rights
          from locker_member join app_user on app_user.id = locker_member.user_id
         where locker_member.locker_id = %(locker)s and app_user.organization_id = %(organization)s
         order by app_user.number
        """,
        locker=locker,
        organization=organization,
    )


async def set_member(
    tx: ScopedTx, organization: OrganizationId, locker: LockerId, user: UserId, rights: Collection[LockerRight]
) -> bool:
    """Let a user of the organization look after a locked locker, with these rights; False if there is no such user."""
    return (
        await tx.execute(
            """
            insert into locker_member (locker_id, user_id, rights)
            select %(locker)s, app_user.id, %(rights)s::text[] from app_user
             where app_user.id = %(user)s and app_user.organization_id = %(organization)s
               and app_user.deleted_at is null
            on conflict (locker_id, user_id) do update set rights = excluded.rights
            """,
            locker=locker,
            organization=organization,
            user=user,
            rights=[right.value for right in LockerRight if right in rights],
        )
        > 0
    )


async def remove_member(tx: ScopedTx, locker: LockerId, user: UserId) -> bool:
    """End that a user looks after a locked locker; whether they did."""
    return (
        await tx.execute(
            "delete from locker_member where locker_id = %(locker)s and user_id = %(user)s", locker=locker, user=user
        )
        > 0
    )


async def consumers(tx: Statements, organization: OrganizationId, locker: LockerId) -> list[Consumer]:
    """The roles that use a locker."""
    return await tx.all(
        Consumer,
        """
        select role.id as role_id, role.number as role_number, role.name as role_name
          from locker_consumer join role on role.id = locker_consumer.role_id
          join locker on locker.id = locker_consumer.locker_id
         where locker.id = %(locker)s and locker.organization_id = %(organization)s
         order by role.number
        """,
        locker=locker,
        organization=organization,
    )


async def add_consumer(tx: ScopedTx, organization: OrganizationId, locker: LockerId, role: RoleId) -> bool | None:
    """Let a role use a locked locker; False if it does, None if there is no such role."""
    added: bool | None = await tx.value(
        """
        with found as (
            select id from role
             where id = %(role)s and (organization_id is null or organization_id = %(organization)s)
        ), added as (
            insert into locker_consumer (locker_id, role_id) select %(locker)s, id from found
            on conflict do nothing returning role_id
        )
        select exists (select from added) from found
        """,
        locker=locker,
        organization=organization,
        role=role,
    )
    return added


async def remove_consumer(tx: ScopedTx, locker: LockerId, role: RoleId) -> bool:
    """End that a role uses a locked locker; whether it did."""
    return (
        await tx.execute(
            "delete from locker_consumer where locker_id = %(locker)s and role_id = %(role)s", locker=locker, role=role
        )
        > 0
    )
