"""Personal tokens: a program shows one with every call, and speaks as its user, with what they may do now.

Nobody sees a token's value again after it is made; who has lost it makes another one in its place (`rotate`).
"""

import hmac
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.credentials import count_use
from controlroom.engine.access.errors import PersonalTokenNotFound, WrongCredential
from controlroom.engine.access.model import Actor
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users import actors
from controlroom.engine.access.users.actions import governed
from controlroom.engine.access.uses import noted
from controlroom.engine.engine import Engine
from controlroom.errors import Conflict
from controlroom.ids import PersonalTokenId, UserId, uuid7
from controlroom.keys import is_well_formed, mint
from controlroom.postgres.database import Statements

PREFIX: Final = "dbtu_"
"""A guess: that of service tokens, where such tokens come from, has been seen, this one has not."""
MOST: Final = 50
"""Tokens of one user. A guess."""
_CHARACTERS: Final = 36


class TooManyTokens(Conflict):
    """A user has so many tokens that nobody can look through them."""

    def __init__(self) -> None:
        super().__init__(f"a user has at most {MOST} personal tokens: delete one first", code="TOO_MANY_TOKENS")


class PersonalToken(Struct, frozen=True, kw_only=True):
    """A user's token without its value."""

    id: PersonalTokenId
    number: int
    user_id: UserId
    user_number: int
    name: str
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None
    """None: never."""


_SELECTED: Final = """
    select credential.id, credential.number, credential.user_id, app_user.number as user_number, credential.name,
           credential.created_at, credential.used_at, credential.use_count, credential.expires_at
      from credential join app_user on app_user.id = credential.user_id
     where credential.kind = 'personal_token' and credential.user_id = %(user)s"""


async def make(engine: Engine, actor: Actor, user: UserId, *, name: str) -> tuple[PersonalToken, str]:
    """A token of a user, and its value: their own, or of one whom the actor may govern. Raises TooManyTokens."""
    value, token = mint(PREFIX, length=_CHARACTERS), PersonalTokenId(uuid7())
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, None)
        if len(await _of_user(tx, user)) >= MOST:
            raise TooManyTokens
        await _add(tx, user, token, checked_name(name, what="token's name"), engine.keys.lookup(value))
        made = await _get(tx, user, token)
        await _record(engine, tx, actor, "personal_token.created", made)
    return made, value


async def rotate(engine: Engine, actor: Actor, user: UserId, token: PersonalTokenId) -> tuple[PersonalToken, str]:
    """Another value for a token; the one before opens nothing more. Raises PersonalTokenNotFound."""
    value = mint(PREFIX, length=_CHARACTERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, None)
        found = await _get(tx, user, token)
        await _give_value(tx, user, token, engine.keys.lookup(value))
        await _record(engine, tx, actor, "personal_token.rotated", found)
    return found, value


async def list_tokens(engine: Engine, actor: Actor, user: UserId) -> list[PersonalToken]:
    """A user's tokens, oldest first."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, None)
        return await _of_user(tx, user)


async def get(engine: Engine, actor: Actor, user: UserId, token: PersonalTokenId) -> PersonalToken:
    """One token of a user. Raises PersonalTokenNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, None)
        return await _get(tx, user, token)


async def delete(engine: Engine, actor: Actor, user: UserId, token: PersonalTokenId) -> PersonalToken:
    """Delete a token, as it was. Raises PersonalTokenNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, None)
        found = await _get(tx, user, token)
        await _delete(tx, user, token)
        await _record(engine, tx, actor, "personal_token.deleted", found)
    return found


async def authenticate(engine: Engine, value: str) -> Actor:
    """The user of a token's value, with what they may do now, and one use more of it. Raises Unauthenticated.

    Without the right checksum there is no statement at all.
    """
    if not (value.startswith(PREFIX) and value.isascii() and is_well_formed(value)):
        raise WrongCredential("token")
    lookup = engine.keys.lookup(value)
    found = await actors.user_key_by_lookup(engine.database, lookup, kind="personal_token")
    if found is None or not hmac.compare_digest(found.lookup, lookup):
        raise WrongCredential("token")
    count_use(engine, found.key)
    return noted(engine, found.to_actor(), found.key)


async def _add(tx: ScopedTx, user: UserId, token: PersonalTokenId, name: str, lookup: bytes) -> None:
    await tx.execute(
        """
        insert into credential (id, kind, organization_id, user_id, name, lookup)
        select %(token)s, 'personal_token', organization_id, id, %(name)s, %(lookup)s
          from app_user where id = %(user)s
        """,
        token=token,
        user=user,
        name=name,
        lookup=lookup,
    )


async def _give_value(tx: ScopedTx, user: UserId, token: PersonalTokenId, lookup: bytes) -> None:
    await tx.execute(
        """
        update credential set lookup = %(lookup)s
         where id = %(token)s and user_id = %(user)s and kind = 'personal_token'
        """,
        lookup=lookup,
        token=token,
        user=user,
    )


async def _delete(tx: ScopedTx, user: UserId, token: PersonalTokenId) -> None:
    await tx.execute(
        "delete from credential where id = %(token)s and user_id = %(user)s and kind = 'personal_token'",
        token=token,
        user=user,
    )


async def _of_user(tx: Statements, user: UserId) -> list[PersonalToken]:
    return await tx.all(PersonalToken, f"{_SELECTED} order by credential.id", user=user)


async def _get(tx: Statements, user: UserId, token: PersonalTokenId) -> PersonalToken:
    found = await tx.one_or_none(PersonalToken, f"{_SELECTED} and credential.id = %(token)s", user=user, token=token)
    if found is None:
        raise PersonalTokenNotFound
    return found


async def _record(engine: Engine, tx: ScopedTx, actor: Actor, kind: str, token: PersonalToken) -> None:
    data: dict[str, Any] = {"name": token.name, "user": str(token.user_id)}
    await record(engine, tx, actor, actor.organization_id, kind, token.id, **data)
