"""Statements on exports and imports."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import Room, ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.transfers.errors import TransferNotFound
from controlroom.engine.transfers.model import Claimed, Transfer, TransferKind
from controlroom.ids import OrganizationId, UserId, as_uuid, uuid7
from controlroom.postgres.database import Statements

TRANSFER: Final = Noun[UUID]("transfer", TransferNotFound, "transfer", InOrganization("transfer.organization_id"))

LEASE: Final = timedelta(seconds=60)
MOST_ATTEMPTS: Final = 3
"""After so many servers that died over it, it has failed."""
KEPT: Final = timedelta(days=30)
"""How long an archive and what is known of it stay after the end."""

_TRANSFER: Final = """
    select id, number, organization_id, user_id, kind, state, name, hash, size, reason, done, created_at, ended_at
      from transfer
"""


async def insert(
    tx: ScopedTx,
    *,
    transfer: UUID,
    organization: OrganizationId,
    user: UserId,
    kind: TransferKind,
    name: str,
    wish: bytes,
    sealed: bytes | None,
    digest: str | None = None,
    size: int | None = None,
) -> None:
    """Write what is to be done."""
    await tx.execute(
        """
        insert into transfer (id, organization_id, user_id, kind, name, wish, sealed, hash, size)
        values (%(id)s, %(organization)s, %(user)s, %(kind)s, %(name)s, %(wish)s::text::jsonb, %(sealed)s, %(hash)s,
                %(size)s)
        """,
        id=transfer,
        organization=organization,
        user=user,
        kind=kind,
        name=name,
        wish=wish.decode(),
        sealed=sealed,
        hash=digest,
        size=size,
    )


async def get(db: Statements, actor: Actor, transfer: UUID | str) -> Transfer:
    """One by its id or number: one's own, or for who governs the organization anybody's. Raises TransferNotFound."""
    text = str(transfer).strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - 64 bits
    found = await db.one_or_none(
        Transfer,
        f"""{_TRANSFER}
         where organization_id = %(organization)s and (id = %(id)s or number = %(number)s)
           and (user_id = %(user)s or %(is_admin)s)""",
        organization=actor.organization_id,
        id=as_uuid(text),
        number=number,
        user=actor.id,
        is_admin=actor.is_admin,
    )
    if found is None:
        raise TransferNotFound(transfer)
    return found


async def claim(tx: ScopedTx, room: Room) -> Claimed | None:  # noqa: ARG001 - every tenant's
    """The oldest that nobody has in hand; None if there is none."""
    return await tx.one_or_none(
        Claimed,
        """
        update transfer
           set lease_id = %(lease)s, lease_until = clock_now() + %(life)s, attempts = attempts + 1
         where id = (select id from transfer
                      where state = 'in_progress' and (lease_until is null or lease_until < clock_now())
                      order by id limit 1 for update skip locked)
        returning id, organization_id, user_id, kind, name, convert_to(wish::text, 'UTF8') as wish, sealed, hash,
                  attempts, lease_id, created_at
        """,
        lease=uuid7(),
        life=LEASE,
    )


async def renew(tx: ScopedTx, claimed: Claimed) -> bool:
    """Keep it in hand; False if it is lost."""
    return (
        await tx.execute(
            """
            update transfer set lease_until = clock_now() + %(life)s
             where id = %(id)s and lease_id = %(lease)s and state = 'in_progress'
            """,
            id=claimed.id,
            lease=claimed.lease_id,
            life=LEASE,
        )
        > 0
    )


async def let_go(tx: ScopedTx, claimed: Claimed) -> None:
    """Give it back, as if it had not been taken: the server stops."""
    await tx.execute(
        """
        update transfer set lease_id = null, lease_until = null, attempts = attempts - 1
         where id = %(id)s and lease_id = %(lease)s and state = 'in_progress'
        """,
        id=claimed.id,
        lease=claimed.lease_id,
    )


async def complete(tx: ScopedTx, claimed: Claimed, *, digest: str | None, size: int | None, done: int) -> bool:
    """Write that it is done; False if it is not ours any more."""
    return (
        await tx.execute(
            """
            update transfer
               set state = 'completed', ended_at = clock_now(), hash = %(hash)s, size = %(size)s, done = %(done)s,
                   sealed = null
             where id = %(id)s and lease_id = %(lease)s and state = 'in_progress'
            """,
            id=claimed.id,
            lease=claimed.lease_id,
            hash=digest,
            size=size,
            done=done,
        )
        > 0
    )


async def fail(tx: ScopedTx, claimed: Claimed, reason: str) -> bool:
    """Write why it is not done; False if it is not ours any more."""
    return (
        await tx.execute(
            """
            update transfer
               set state = 'failed', ended_at = clock_now(), reason = %(reason)s, sealed = null, hash = null
             where id = %(id)s and lease_id = %(lease)s and state = 'in_progress'
            """,
            id=claimed.id,
            lease=claimed.lease_id,
            reason=reason[:1000],
        )
        > 0
    )


async def delete_ended(tx: ScopedTx, transfer: Transfer) -> bool:
    """Delete one that the caller has found; False while it is in progress."""
    return bool(await tx.execute("delete from transfer where id = %(id)s and state <> 'in_progress'", id=transfer.id))


async def prune(tx: ScopedTx, room: Room) -> int:  # noqa: ARG001 - every tenant's
    """Forget what ended long ago; their archives are swept."""
    return await tx.execute(
        "delete from transfer where ended_at < clock_now() - %(kept)s::interval::interval", kept=KEPT
    )
