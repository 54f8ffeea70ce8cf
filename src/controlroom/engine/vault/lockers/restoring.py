"""A deleted locker is there again: what its deletion took along is kept beside it for an hour.

Why not a mark upon its row, as elsewhere: whoever reads secrets would have to mind it, and a statement that forgot it
would show them. So the row goes, as do who looks after it and who uses it, and here stands what they were. Why an hour:
secrets come back into it, so that roles use them again; their owners shall not find that long afterwards.
"""

from typing import Final

from msgspec import Struct

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault.errors import LockerNotFound
from controlroom.engine.vault.lockers import store
from controlroom.engine.vault.lockers.model import Asker, Locker, LockerRight, Standing
from controlroom.engine.vault.lockers.rules import asker_of, ensure_has
from controlroom.ids import LockerId, OrganizationId
from controlroom.postgres.errors import UniqueViolation

_KEPT: Final = "interval '1 hour'"


async def keep(tx: ScopedTx, organization: OrganizationId, locker: LockerId) -> None:
    """Note what a locked locker is, before it is deleted."""
    await tx.execute(
        """
        insert into deleted_locker (locker_id, locker_number, organization_id, name, description, revision, created_by,
                                    created_at, members, consumers, secrets)
        select id, number, organization_id, name, description, revision, created_by, created_at,
               (select coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'rights', rights)), '[]')
                  from locker_member where locker_id = locker.id),
               array(select role_id from locker_consumer where locker_id = locker.id),
               (select coalesce(jsonb_agg(jsonb_build_object('id', secret.id, 'revision', secret.revision)), '[]')
                  from shared_secret as secret where secret.locker_id = locker.id)
          from locker where id = %(locker)s and organization_id = %(organization)s
        """,
        locker=locker,
        organization=organization,
    )


async def restore(engine: Engine, actor: Actor, locker: LockerId) -> Locker:
    """Have a locker again that was deleted within the hour, for who owned it, or governs all.

    Users and roles that are no more stay away, as do secrets that were changed, put elsewhere or deleted since. Raises
    LockerNotFound, also for one that is not deleted, LockerRightMissing, NameTaken.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        gone = await _lock(tx, asker, locker)
        if gone is None or (standing := Standing.of(asker, gone.rights, consumes=False)).is_none:
            raise LockerNotFound
        ensure_has(standing, LockerRight.OWN)
        await _write(tx, asker, locker, gone.name)
        await record(engine, tx, actor, asker.organization, "locker.restored", locker, name=gone.name)
        restored = await store.get(tx, asker.organization, locker)
    if restored is None:
        raise LockerNotFound
    return restored


async def forget(tx: ScopedTx, room: Room) -> int:  # noqa: ARG001 - every tenant's
    """Forget the lockers whose deletion can't be taken back any more; how many."""
    return await tx.execute(f"delete from deleted_locker where deleted_at < clock_now() - {_KEPT}")


class _Gone(Struct, frozen=True):
    name: str
    rights: list[LockerRight]
    """Of who asks."""


async def _lock(tx: ScopedTx, asker: Asker, locker: LockerId) -> _Gone | None:
    return await tx.one_or_none(
        _Gone,
        f"""
        select name,
               coalesce((select each -> 'rights' from jsonb_array_elements(members) as each
                          where (each ->> 'user_id')::uuid = %(user)s), '[]') as rights
          from deleted_locker
         where locker_id = %(locker)s and organization_id = %(organization)s
           and deleted_at >= clock_now() - {_KEPT}
           for update
        """,
        locker=locker,
        organization=asker.organization,
        user=asker.user,
    )


async def _write(tx: ScopedTx, asker: Asker, locker: LockerId, name: str) -> None:
    """Have again what stands beside it. Raises NameTaken, upon which the transaction is lost."""
    its = {"locker": locker, "organization": asker.organization}
    try:
        await tx.execute(
            """
            insert into locker (id, number, organization_id, name, description, revision, created_by, created_at,
                                updated_by)
            select locker_id, locker_number, organization_id, name, description, revision + 1, created_by, created_at,
                   %(user)s
              from deleted_locker where locker_id = %(locker)s and organization_id = %(organization)s
            """,
            user=asker.user,
            **its,
        )
    except UniqueViolation as taken:
        raise NameTaken("locker", name) from taken
    await tx.execute(
        """
        with gone as (
            delete from deleted_locker where locker_id = %(locker)s and organization_id = %(organization)s
            returning members, consumers, secrets
        ), looked_after as (
            insert into locker_member (locker_id, user_id, rights)
            select %(locker)s, member.user_id, member.rights
              from gone, lateral jsonb_to_recordset(gone.members) as member (user_id uuid, rights text[])
              join app_user on app_user.id = member.user_id and app_user.organization_id = %(organization)s
                           and app_user.deleted_at is null
        ), used as (
            insert into locker_consumer (locker_id, role_id)
            select %(locker)s, role.id from gone join role on role.id = any (gone.consumers)
             where role.organization_id is null or role.organization_id = %(organization)s
        )
        update shared_secret set locker_id = %(locker)s
          from gone, lateral jsonb_to_recordset(gone.secrets) as secret (id uuid, revision bigint)
         where shared_secret.id = secret.id and shared_secret.revision = secret.revision
           and shared_secret.locker_id is null and shared_secret.organization_id = %(organization)s
        """,
        **its,
    )
