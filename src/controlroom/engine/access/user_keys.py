"""Keys of users: with one, a program logs in as its user, without a password and for a time.

A user may have several, one a program: of more than `MOST` the oldest makes room. A session that was begun by a key
ends with it.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.access.credentials import count_use
from controlroom.engine.access.errors import UserKeyNotFound, WrongCredential
from controlroom.engine.access.model import Actor
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users import actors
from controlroom.engine.access.users.actions import governed
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import UserId, UserKeyId, WorkspaceId, uuid7
from controlroom.keys import is_well_formed, mint

PREFIX: Final = "cru"
LENGTH: Final = 40
"""As long as clients expect such keys to be: with prefix and checksum, 184 bits are left."""
MOST: Final = 20
"""Keys of one user. A guess: more than one has programs of one's own, and few enough to look through."""
_CHECKSUM: Final = 6
_LONGEST_LIFE: Final = timedelta(days=3650)


class UserKey(Struct, frozen=True, kw_only=True):
    """A user's key without its value."""

    id: UserKeyId
    number: int
    user_id: UserId
    name: str
    """What it is for."""
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None
    """None: never."""


_COLUMNS = "id, number, user_id, name, created_at, used_at, use_count, expires_at"


def _place(key: UserKeyId) -> str:
    return f"user_key/{key}/value"


async def make(
    engine: Engine,
    actor: Actor,
    user: UserId,
    *,
    name: str = "API key",
    life: timedelta | None = None,
    within: WorkspaceId | None = None,
) -> tuple[UserKey, str]:
    """A further key of a user, and its value.

    Their own, or of one whom the actor may govern (`users.actions.governed`). Without a life it is the room's: see the
    setting `limits.user_key_days`.
    """
    if life is not None and not timedelta(seconds=1) <= life <= _LONGEST_LIFE:
        raise Invalid("a user's key lives for a second to ten years", code="INVALID_LIFETIME")
    key, value = UserKeyId(uuid7()), mint(PREFIX, length=LENGTH - len(PREFIX) - _CHECKSUM)
    days = engine.limits.user_key_days
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        await _make_room(tx, user)
        made = await _add(
            tx,
            user,
            key=key,
            name=checked_name(name),
            lookup=engine.keys.lookup(value),
            sealed=engine.keys.seal(value.encode(), place=_place(key)),
            is_own=actor.id == user,
            life=life or (timedelta(days=days) if days else None),
        )
        await record(engine, tx, actor, actor.organization_id, "user_key.created", key, user=str(user))
    return made, value


async def list_keys(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> list[UserKey]:
    """A user's keys, oldest first, never their values."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        return await _of_user(tx, user)


async def reveal(
    engine: Engine, actor: Actor, user: UserId, key: UserKeyId, *, within: WorkspaceId | None = None
) -> str:
    """The value of a user's key once more. Audited. Raises UserKeyNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        sealed = await _sealed(tx, user, key)
        if sealed is None:
            raise UserKeyNotFound
        await record(engine, tx, actor, actor.organization_id, "user_key.revealed", key, user=str(user))
    return engine.keys.unseal(sealed, place=_place(key)).decode()


async def revoke(
    engine: Engine, actor: Actor, user: UserId, key: UserKeyId, *, within: WorkspaceId | None = None
) -> None:
    """Delete a user's key, and end what was begun by it. Raises UserKeyNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        if not await _delete(tx, user, key):
            raise UserKeyNotFound
        await record(engine, tx, actor, actor.organization_id, "user_key.deleted", key, user=str(user))


async def log_in(engine: Engine, *, username: str, value: str) -> tuple[Actor, UserKeyId]:
    """The user of a key, if it is that of this name, whatever its case. Raises Unauthenticated.

    Without the right checksum there is no statement at all: guesses cost nothing, and 184 bits cannot be guessed.
    """
    if not (value.startswith(PREFIX) and len(value) == LENGTH and value.isascii() and is_well_formed(value)):
        raise WrongCredential("user name or API key")
    lookup = engine.keys.lookup(value)
    found = await actors.user_key_by_lookup(engine.database, lookup)
    if (
        found is None
        or not hmac.compare_digest(found.lookup, lookup)
        or found.username.casefold() != username.casefold()
    ):
        raise WrongCredential("user name or API key")
    count_use(engine, found.key)
    return found.to_actor(), found.key


async def _add(
    tx: ScopedTx,
    user: UserId,
    *,
    key: UserKeyId,
    name: str,
    lookup: bytes,
    sealed: bytes,
    is_own: bool,
    life: timedelta | None,
) -> UserKey:
    return await tx.one(
        UserKey,
        f"""
        insert into credential (id, kind, organization_id, user_id, name, lookup, sealed, created_by, expires_at)
        select %(key)s, 'user_key', organization_id, id, %(name)s, %(lookup)s, %(sealed)s,
               case when %(is_own)s then id end, clock_now() + %(life)s::interval
          from app_user where id = %(user)s
        returning {_COLUMNS}
        """,
        user=user,
        key=key,
        name=name,
        lookup=lookup,
        sealed=sealed,
        is_own=is_own,
        life=life,
    )


async def _of_user(tx: ScopedTx, user: UserId) -> list[UserKey]:
    return await tx.all(
        UserKey,
        f"select {_COLUMNS} from credential where user_id = %(user)s and kind = 'user_key' order by id",
        user=user,
    )


async def _sealed(tx: ScopedTx, user: UserId, key: UserKeyId) -> bytes | None:
    sealed: bytes | None = await tx.value(
        "select sealed from credential where id = %(key)s and user_id = %(user)s and kind = 'user_key'",
        key=key,
        user=user,
    )
    return sealed


async def _make_room(tx: ScopedTx, user: UserId) -> None:
    await tx.execute(
        """
        delete from credential where id in (
            select id from credential where user_id = %(user)s and kind = 'user_key' order by id desc offset %(rest)s)
        """,
        user=user,
        rest=MOST - 1,
    )


async def _delete(tx: ScopedTx, user: UserId, key: UserKeyId) -> bool:
    return (
        await tx.execute(
            "delete from credential where id = %(key)s and user_id = %(user)s and kind = 'user_key'",
            key=key,
            user=user,
        )
        > 0
    )
