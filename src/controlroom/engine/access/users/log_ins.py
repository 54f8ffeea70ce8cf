"""How a user is logged in now: their sessions, by themselves or by who governs their account."""

from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.errors import SessionNotFound
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users import store
from controlroom.engine.access.users.actions import governed
from controlroom.engine.engine import Engine
from controlroom.ids import SessionId, UserId, WorkspaceId


class UserSession(Struct, frozen=True, kw_only=True):
    """A session that lives, without its token."""

    id: SessionId
    kind: str
    """`session`, or `jwt`: a signed one, of a program."""
    began_at: datetime
    expires_at: datetime


async def list_sessions(
    engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None
) -> list[UserSession]:
    """A user's sessions that live, the latest first."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        return await _sessions(tx, user)


async def end_session(
    engine: Engine, actor: Actor, user: UserId, session: SessionId, *, within: WorkspaceId | None = None
) -> None:
    """End one of a user's sessions. Raises SessionNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        ended = await tx.execute(
            "delete from user_session where id = %(session)s and user_id = %(user)s", session=session, user=user
        )
        if not ended:
            raise SessionNotFound
        await record(engine, tx, actor, account.organization_id, "user.session_ended", user, username=account.username)


async def end_sessions(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> None:
    """Log a user out wherever they are."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        await store.end_sessions(tx, user)
        await record(engine, tx, actor, account.organization_id, "user.session_ended", user, username=account.username)


async def session_of(engine: Engine, actor: Actor, token: str) -> SessionId | None:
    """Which of their own sessions somebody speaks by."""
    found: SessionId | None = await engine.database.value(
        "select id from user_session where user_id = %(user)s and lookup = %(lookup)s",
        user=actor.id,
        lookup=engine.keys.lookup(token),
    )
    return found


async def _sessions(tx: ScopedTx, user: UserId) -> list[UserSession]:
    return await tx.all(
        UserSession,
        """
        select id, kind, began_at, expires_at from user_session
         where user_id = %(user)s and expires_at > clock_now()
         order by began_at desc limit 100
        """,
        user=user,
    )
