"""Sessions whose token says who it is for: a JSON Web Token, signed by RS512 (RFC 7519, 7518 §3.3).

Anybody can check one by the room's public keys; what it opens here is still decided by its row, as of any session: it
ends by logging out, a new password, or when its user is disabled, and it may do what its user may do now. A grammar
adds the claims that its clients read. A token can be had anew for one that lives, until `sessions.LIFE` after the
first.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from msgspec import Struct

from controlroom.engine.access.errors import SessionOver, WrongCredential
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.access.sessions import LIFE
from controlroom.engine.access.signing_keys import ALGORITHM, LONGEST_LIFE, SigningKey, checking, signing
from controlroom.engine.access.users.actors import actor_of_user, session_by_lookup
from controlroom.engine.access.uses import noted, of_user
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import SessionId, UserId, UserKeyId, uuid7
from controlroom.postgres.database import Statements

PREFIX: Final = "eyJ"
"""How the JSON of a header begins in base64."""
SUCCESSION: Final = timedelta(minutes=1)
"""So long a token still opens for which another was had: requests are under way with it."""
_LONGEST: Final = 8192
_OURS: Final = frozenset({"exp", "iat", "jti"})


class Jwt(Struct, frozen=True, kw_only=True):
    """A token that was just signed."""

    id: SessionId
    token: str
    expires_at: datetime
    actor: Actor


class Terms(Struct, frozen=True, kw_only=True):
    """How a session stands beside others of its user, by the habits of the grammar that gives it."""

    is_alone: bool = False
    """Ends when another such session begins."""
    by_key: UserKeyId | None = None
    """The key by which it was begun, with which it ends."""
    at_most: int | None = None
    """Signed sessions of the user that were begun in the same way, this one included: the oldest make room."""


class _Times(Struct, frozen=True):
    began_at: datetime
    issued_at: datetime
    expires_at: datetime


class _Before(_Times, frozen=True):
    user_id: UserId
    is_alone: bool
    credential_id: UserKeyId | None


def is_one(token: str) -> bool:
    """Whether a text is written like such a token."""
    return token.startswith(PREFIX) and token.count(".") == 2  # noqa: PLR2004 - header, claims and signature


async def issue(
    engine: Engine,
    user: Actor,
    *,
    life: timedelta,
    claims: Mapping[str, Any] | None = None,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> Jwt:
    """A token for a user who has just logged in (`logins.log_in`), or proved in another way who they are.

    It may do all that the user may: an actor whose rights are narrowed to some purpose must not get one. The claims
    stand beside ours (`sub`, the user's id, can be another name of theirs; `exp`, `iat` and `jti` cannot). Raises
    Unauthenticated for a user who has been disabled since.
    """
    assert user.id is not None  # noqa: S101  # the actor of a log-in is a user
    _check(life)
    key = await signing(engine)
    async with scoped(engine.database, user.organization_id) as tx:
        times = await _enter(tx, UserId(user.id), life)
        await _make_room(tx, UserId(user.id), terms)
        made = await _signed(engine, tx, key, user, times, claims, terms)
        await record(engine, tx, user, user.organization_id, "user.logged_in", user.id, by="jwt")
    return made


async def refresh(
    engine: Engine,
    token: str,
    *,
    life: timedelta,
    claims: Mapping[str, Any] | None = None,
    succession: timedelta = SUCCESSION,
) -> Jwt:
    """A further token for one that lives, which opens for a `succession` more. Claims that are not given stay.

    Raises Unauthenticated for one that does not, or whose first one was had longer than `sessions.LIFE` ago.
    """
    _check(life)
    said = await _verified(engine, token)
    key = await signing(engine)
    async with engine.database.transaction() as tx:
        before = await tx.one_or_none(
            _Before,
            """
            update user_session set expires_at = least(expires_at, clock_now() + %(succession)s::interval)
             where lookup = %(lookup)s and kind = 'jwt' and expires_at > clock_now()
               and began_at > clock_now() - %(longest)s::interval
            returning user_id, is_alone, credential_id, began_at, date_trunc('second', clock_now()) as issued_at,
                      date_trunc('second', clock_now()) + %(life)s::interval as expires_at
            """,
            lookup=engine.keys.lookup(token),
            succession=succession,
            longest=LIFE,
            life=life,
        )
        if before is None:
            raise SessionOver(is_expired=_is_past(said))
        terms = Terms(is_alone=before.is_alone, by_key=before.credential_id)
        user = await actor_of_user(tx, before.user_id)
        return await _signed(engine, tx, key, user, before, {**said, **(claims or {})}, terms)


async def authenticate(engine: Engine, token: str) -> Actor:
    """The user of a token, with what they may do now. Raises Unauthenticated."""
    said = await _verified(engine, token)
    found = await session_by_lookup(engine.database, engine.keys.lookup(token))
    if found is None:
        raise SessionOver(is_expired=_is_past(said))
    user = found.to_actor()
    return of_user(engine, user) if found.key is None else noted(engine, user, found.key)


async def end(engine: Engine, user: Actor, token: str) -> None:
    """Log out: the token opens nothing any more."""
    async with scoped(engine.database, user.organization_id) as tx:
        await tx.execute("delete from user_session where lookup = %(lookup)s", lookup=engine.keys.lookup(token))
        await record(engine, tx, user, user.organization_id, "user.logged_out", user.id)


def _is_past(said: Mapping[str, Any]) -> bool:
    """Whether a token says that its time is over: for the message alone, the row decides."""
    ends = said.get("exp")
    return isinstance(ends, int) and ends <= time.time()


async def _verified(engine: Engine, token: str) -> Mapping[str, Any]:
    """What a token says, if one of our keys has signed exactly this. Whether it lives is for its row to say."""
    if not is_one(token) or len(token) > _LONGEST or not token.isascii():
        raise WrongCredential("token")
    try:
        header = jws.extract_compact(token.encode()).headers()
        kid = header.get("kid")
        key = await checking(engine, kid) if isinstance(kid, str) and header.get("alg") == ALGORITHM else None
        if key is None:
            raise WrongCredential("token")
        return jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError) as wrong:
        raise WrongCredential("token") from wrong


async def _enter(tx: Statements, user: UserId, life: timedelta) -> _Times:
    """When a log-in begins, in whole seconds, as claims are; by the database's clock, which ends it.

    Log-ins of one user come here one after the other. Raises Unauthenticated if they are disabled.
    """
    times = await tx.one_or_none(
        _Times,
        """
        update app_user set logged_in_at = clock_now() where id = %(user)s and disabled_at is null
        returning clock_now() as began_at, date_trunc('second', clock_now()) as issued_at,
                  date_trunc('second', clock_now()) + %(life)s::interval as expires_at
        """,
        user=user,
        life=life,
    )
    if times is None:
        raise WrongCredential("user")
    return times


async def _make_room(tx: Statements, user: UserId, terms: Terms) -> None:
    """End the sessions that a new one takes the place of; and delete some that have expired: who logs in tidies up."""
    await tx.execute(
        """
        with expired as (
            select id from user_session where expires_at <= clock_now() order by expires_at limit 100
               for update skip locked
        ), alone as (
            select id from user_session where user_id = %(user)s and kind = 'jwt' and is_alone and %(is_alone)s
        ), oldest as (
            select id from user_session
             where user_id = %(user)s and kind = 'jwt' and credential_id is not distinct from %(by_key)s
               and %(at_most)s::int is not null
             order by created_at desc, id desc offset %(at_most)s::int - 1
        )
        delete from user_session
         where id in (select id from expired union all select id from alone union all select id from oldest)
        """,
        user=user,
        is_alone=terms.is_alone,
        by_key=terms.by_key,
        at_most=terms.at_most,
    )


async def _signed(
    engine: Engine,
    tx: Statements,
    key: SigningKey,
    user: Actor,
    times: _Times,
    claims: Mapping[str, Any] | None,
    terms: Terms,
) -> Jwt:
    session = SessionId(uuid7())
    theirs = {name: value for name, value in (claims or {}).items() if name not in _OURS}
    said = {
        "sub": str(user.id),
        **theirs,
        "iat": int(times.issued_at.timestamp()),
        "exp": int(times.expires_at.timestamp()),
        "jti": str(session),
    }
    token = jwt.encode({"alg": ALGORITHM, "kid": key.kid}, said, key.private, algorithms=[ALGORITHM])
    await tx.execute(
        """
        insert into user_session (id, user_id, kind, lookup, began_at, expires_at, is_alone, credential_id)
        values (%(session)s, %(user)s, 'jwt', %(lookup)s, %(began_at)s, %(expires_at)s, %(is_alone)s, %(by_key)s)
        """,
        session=session,
        user=user.id,
        lookup=engine.keys.lookup(token),
        began_at=times.began_at,
        expires_at=times.expires_at,
        is_alone=terms.is_alone,
        by_key=terms.by_key,
    )
    return Jwt(id=session, token=token, expires_at=times.expires_at, actor=user)


def _check(life: timedelta) -> None:
    if not timedelta(seconds=1) <= life <= LONGEST_LIFE:
        raise Invalid("a token lives for a second to twelve hours", code="INVALID_LIFETIME")
