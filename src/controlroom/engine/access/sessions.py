"""Sessions: what a person gets who logs in by name and password.

A session is a row and a token whose keyed hash finds it. It ends by itself after `LIFE`, or before: by logging out, by
a new password, or when its user is disabled.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.access.users import actors
from controlroom.engine.access.uses import of_user
from controlroom.engine.engine import Engine
from controlroom.ids import SessionId, UserId, uuid7
from controlroom.keys import is_well_formed, mint
from controlroom.postgres.database import Statements

SESSION_PREFIX = "crs_"
LIFE = timedelta(hours=12)  # Why: a day of work; who comes back tomorrow logs in again


class Session(Struct, frozen=True, kw_only=True):
    """A session that has just begun."""

    id: SessionId
    token: str
    expires_at: datetime
    actor: Actor


async def begin(engine: Engine, *, username: str, password: str, place: str) -> Session:
    """Log in, from a place. Raises Unauthenticated, whichever of the two is wrong; TooManyLogins; Unavailable."""
    actor = await log_in(engine, username=username, password=password, place=place)
    return await _begin(engine, actor)


async def _begin(engine: Engine, actor: Actor) -> Session:
    assert actor.id is not None  # noqa: S101  # the actor of a log-in is a user
    session, token = SessionId(uuid7()), mint(SESSION_PREFIX)
    async with scoped(engine.database, actor.organization_id) as tx:
        await delete_expired(tx)
        expires_at = await _add(tx, session, UserId(actor.id), engine.keys.lookup(token))
        await record(engine, tx, actor, actor.organization_id, "user.logged_in", actor.id)
    return Session(id=session, token=token, expires_at=expires_at, actor=actor)


async def begin_of(engine: Engine, user: UserId) -> Session:
    """Begin a session for a user who has shown who they are in another way. Raises Unauthenticated if disabled."""
    return await _begin(engine, await actors.actor_of_user(engine.database, user))


async def authenticate(engine: Engine, token: str) -> Actor:
    """The user of a session's token, with what they may do now. Raises Unauthenticated."""
    if not is_well_formed(token):
        raise WrongCredential("session")
    found = await actors.session_by_lookup(engine.database, engine.keys.lookup(token))
    if found is None:
        raise WrongCredential("session")
    return of_user(engine, found.to_actor())


async def end(engine: Engine, token: str) -> bool:
    """Log out: the token opens nothing any more; whether it did until now."""
    return (
        await engine.database.execute(
            "delete from user_session where lookup = %(lookup)s", lookup=engine.keys.lookup(token)
        )
        > 0
    )


async def _add(tx: Statements, session: SessionId, user: UserId, lookup: bytes) -> datetime:
    expires_at: datetime = await tx.value(
        """
        with seen as (update app_user set logged_in_at = clock_now() where id = %(user)s returning id)
        insert into user_session (id, user_id, lookup, expires_at)
        select %(session)s, seen.id, %(lookup)s, clock_now() + %(life)s from seen
        returning expires_at
        """,
        session=session,
        user=user,
        lookup=lookup,
        life=LIFE,
    )
    return expires_at


async def delete_expired(tx: Statements) -> None:
    """Delete what has expired, some at a time: whoever logs in tidies up."""
    await tx.execute(
        """
        delete from user_session where id in (
            select id from user_session where expires_at <= clock_now() order by expires_at limit 100
               for update skip locked)
        """
    )
