"""Keys of users: with one, a program logs in as its user, without a password and for a time.

A user has one such key; a new one takes its place. A session that was begun by a key ends with it.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.access.credentials import count_use
from controlroom.engine.access.errors import UserKeyNotFound, WrongCredential
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users.actions import governed
from controlroom.engine.access.users.store import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import UserId, UserKeyId, WorkspaceId, uuid7
from controlroom.keys import is_well_formed, mint
from controlroom.postgres.database import Statements

PREFIX: Final = "cru"
LENGTH: Final = 40
"""As long as clients expect such keys to be: with prefix and checksum, 184 bits are left."""
_CHECKSUM: Final = 6
_LONGEST_LIFE: Final = timedelta(days=3650)


class UserKey(Struct, frozen=True, kw_only=True):
    """A user's key without its value."""

    id: UserKeyId
    number: int
    user_id: UserId
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None
    """None: never."""


_COLUMNS = "id, number, user_id, created_at, used_at, use_count, expires_at"


class _Found(Struct, frozen=True):
    id: UserKeyId
    user_id: UserId
    lookup: bytes
    username: str


def _place(key: UserKeyId) -> str:
    return f"user_key/{key}/value"


async def make(
    engine: Engine, actor: Actor, user: UserId, *, life: timedelta | None = None, within: WorkspaceId | None = None
) -> tuple[UserKey, str]:
    """A new key of a user, in place of the one before, and its value.

    Their own, or of one whom the actor may govern (`users.actions.governed`). Without a life it is the room's: see the
    setting `limits.user_key_days`.
    """
    if life is not None and not timedelta(seconds=1) <= life <= _LONGEST_LIFE:
        raise Invalid("a user's key lives for a second to ten years", code="INVALID_LIFETIME")
    key, value = UserKeyId(uuid7()), mint(PREFIX, length=LENGTH - len(PREFIX) - _CHECKSUM)
    days = engine.limits.user_key_days
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        await _delete(tx, user)
        made = await _add(
            tx,
            user,
            key=key,
            lookup=engine.keys.lookup(value),
            sealed=engine.keys.seal(value.encode(), place=_place(key)),
            is_own=actor.id == user,
            life=life or (timedelta(days=days) if days else None),
        )
        await record(engine, tx, actor, actor.organization_id, "user_key.created", key, user=str(user))
    return made, value


async def get(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> UserKey:
    """A user's key, never its value. Raises UserKeyNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        found = await _of_user(tx, user)
    if found is None:
        raise UserKeyNotFound
    return found


async def reveal(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> str:
    """The value of a user's key once more. Audited. Raises UserKeyNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        found = await _sealed(tx, user)
        if found is None:
            raise UserKeyNotFound
        await record(engine, tx, actor, actor.organization_id, "user_key.revealed", found.id, user=str(user))
    return engine.keys.unseal(found.sealed, place=_place(found.id)).decode()


async def revoke(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> None:
    """Delete a user's key, and end what was begun by it. Raises UserKeyNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        if not await _delete(tx, user):
            raise UserKeyNotFound
        await record(engine, tx, actor, actor.organization_id, "user_key.deleted", user)


async def log_in(engine: Engine, *, username: str, value: str) -> tuple[Actor, UserKeyId]:
    """The user of a key, if it is that of this name, whatever its case. Raises Unauthenticated.

    Without the right checksum there is no statement at all: guesses cost nothing, and 184 bits cannot be guessed.
    """
    if not (value.startswith(PREFIX) and len(value) == LENGTH and value.isascii() and is_well_formed(value)):
        raise WrongCredential("user name or API key")
    lookup = engine.keys.lookup(value)
    found = await user_key_by_lookup(engine.database, lookup)
    if (
        found is None
        or not hmac.compare_digest(found.lookup, lookup)
        or found.username.casefold() != username.casefold()
    ):
        raise WrongCredential("user name or API key")
    actor = await actor_of_user(engine.database, found.user_id)
    count_use(engine, found.id)
    return actor, found.id


class _Sealed(Struct, frozen=True):
    id: UserKeyId
    sealed: bytes


async def _add(
    tx: ScopedTx, user: UserId, *, key: UserKeyId, lookup: bytes, sealed: bytes, is_own: bool, life: timedelta | None
) -> UserKey:
    return await tx.one(
        UserKey,
        f"""
        insert into credential (id, kind, organization_id, user_id, name, lookup, sealed, created_by, expires_at)
        select %(key)s, 'user_key', organization_id, id, 'API key', %(lookup)s, %(sealed)s,
               case when %(is_own)s then id end, clock_now() + %(life)s::interval
          from app_user where id = %(user)s
        returning {_COLUMNS}
        """,
        user=user,
        key=key,
        lookup=lookup,
        sealed=sealed,
        is_own=is_own,
        life=life,
    )


async def _of_user(tx: ScopedTx, user: UserId) -> UserKey | None:
    return await tx.one_or_none(
        UserKey, f"select {_COLUMNS} from credential where user_id = %(user)s and kind = 'user_key'", user=user
    )


async def _sealed(tx: ScopedTx, user: UserId) -> _Sealed | None:
    return await tx.one_or_none(
        _Sealed, "select id, sealed from credential where user_id = %(user)s and kind = 'user_key'", user=user
    )


async def user_key_by_lookup(db: Statements, lookup: bytes) -> _Found | None:
    """The key with this keyed hash, unless it has expired or its user is disabled."""
    return await db.one_or_none(
        _Found,
        """
        select credential.id, credential.user_id, credential.lookup, app_user.username
          from credential join app_user on app_user.id = credential.user_id and app_user.disabled_at is null
         where credential.lookup = %(lookup)s and credential.kind = 'user_key'
           and (credential.expires_at is null or credential.expires_at > clock_now())
        """,
        lookup=lookup,
    )


async def _delete(tx: ScopedTx, user: UserId) -> bool:
    return await tx.execute("delete from credential where user_id = %(user)s and kind = 'user_key'", user=user) > 0
