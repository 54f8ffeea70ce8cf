"""Profiles: a connection and who logs in to it, by a key. A target that names one needs neither of both."""

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections import logins, store
from controlroom.engine.connections.errors import ConnectionNotFound, LoginUsed, ProfileKeyTaken, ProfileNotFound
from controlroom.engine.connections.model import Profile
from controlroom.engine.connections.rules import checked_key, fitting
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import ConnectionId, LoginId, ProfileId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

PROFILE: Final = Noun[ProfileId](
    "profile",
    lambda _: ProfileNotFound(),
    "connection_profile",
    InWorkspace("connection_profile.workspace_id"),
    there="connection_profile.deleted_at is null",
    name="connection_profile.key",
)

COLUMNS: Final = """connection_profile.id, connection_profile.number, connection_profile.workspace_id,
    profile_workspace.number as workspace_number, connection_profile.key, connection_profile.connection_id,
    profile_connection.number as connection_number, connection_profile.login_id,
    profile_login.number as login_number, connection_profile.created_at, connection_profile.updated_at,
    connection_profile.deleted_at"""
JOINS: Final = """join workspace as profile_workspace on profile_workspace.id = connection_profile.workspace_id
    join connection as profile_connection on profile_connection.id = connection_profile.connection_id
    join connection_login as profile_login on profile_login.id = connection_profile.login_id"""


class ProfileChange(Struct, frozen=True, kw_only=True):
    """What a profile shall be; what is left out stays."""

    key: str | UnsetType = UNSET
    connection_id: ConnectionId | UnsetType = UNSET
    login_id: LoginId | UnsetType = UNSET


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, key: str, connection: ConnectionId, login: LoginId
) -> Profile:
    """A new profile. Raises ConnectionNotFound, LoginNotFound, LoginUnfit, ProfileKeyTaken."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _ensure_fits(tx, scope, connection, login)
        made = ProfileId(uuid7())
        await _add(tx, scope, made, key=checked_key(key), connection=connection, login=login)
        await record(engine, tx, actor, scope, "connection_profile.created", made, key=key)
        return await get(tx, scope, made)


async def get(
    db: Statements, scope: Scope, profile: ProfileId, *, is_held: bool = False, deleted: bool = False
) -> Profile:
    """A profile. Raises ProfileNotFound."""
    found = await db.one_or_none(
        Profile,
        f"""
        select {COLUMNS} from connection_profile {JOINS}
         where connection_profile.id = %(profile)s and connection_profile.workspace_id = {SEEN}
           and (%(deleted)s or connection_profile.deleted_at is null)
         {"for update of connection_profile" if is_held else ""}
        """,
        profile=profile,
        deleted=deleted,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise ProfileNotFound
    return found


async def edit(
    engine: Engine, actor: Actor, workspace: WorkspaceId, profile: ProfileId, change: ProfileChange
) -> Profile:
    """Change a profile. Raises ProfileNotFound, ConnectionNotFound, LoginNotFound, LoginUnfit, ProfileKeyTaken."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await get(tx, scope, profile, is_held=True)
        key = before.key if change.key is UNSET else checked_key(change.key)
        connection = before.connection_id if change.connection_id is UNSET else change.connection_id
        login = before.login_id if change.login_id is UNSET else change.login_id
        await _ensure_fits(tx, scope, connection, login)
        await _change(tx, profile, key=key, connection=connection, login=login)
        await record(engine, tx, actor, scope, "connection_profile.updated", profile, key=key)
        return await get(tx, scope, profile)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, profile: ProfileId) -> Profile:
    """Delete a profile that no target names. Raises ProfileNotFound, LoginUsed."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await get(tx, scope, profile, is_held=True)
        user = await _user_of(tx, profile)
        if user is not None:
            raise LoginUsed("profile", f"the target {user}")
        await _remove(tx, profile)
        await record(engine, tx, actor, scope, "connection_profile.deleted", profile, key=before.key)
        return await get(tx, scope, profile, deleted=True)


async def _ensure_fits(tx: ScopedTx, scope: Scope, connection: ConnectionId, login: LoginId) -> None:
    to = await store.get(tx, scope.organization, connection, is_held=True)
    if to is None:
        raise ConnectionNotFound
    fitting(to.kind, (await logins.get(tx, scope, login)).kind)


async def _add(
    tx: ScopedTx, scope: Scope, profile: ProfileId, *, key: str, connection: ConnectionId, login: LoginId
) -> None:
    try:
        await tx.execute(
            f"""
            insert into connection_profile (id, workspace_id, key, connection_id, login_id)
            select %(profile)s, seen.id, %(key)s, %(connection)s, %(login)s from {SEEN} as seen
            """,
            profile=profile,
            key=key,
            connection=connection,
            login=login,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise ProfileKeyTaken(key) from taken


async def _change(tx: ScopedTx, profile: ProfileId, *, key: str, connection: ConnectionId, login: LoginId) -> None:
    try:
        await tx.execute(
            """
            update connection_profile
               set key = %(key)s, connection_id = %(connection)s, login_id = %(login)s, updated_at = clock_now()
             where id = %(profile)s
            """,
            profile=profile,
            key=key,
            connection=connection,
            login=login,
        )
    except UniqueViolation as taken:
        raise ProfileKeyTaken(key) from taken


async def _user_of(tx: ScopedTx, profile: ProfileId) -> str | None:
    user: str | None = await tx.value(
        "select name from target where profile_id = %(profile)s and deleted_at is null limit 1", profile=profile
    )
    return user


async def _remove(tx: ScopedTx, profile: ProfileId) -> None:
    await tx.execute(
        "update connection_profile set deleted_at = clock_now(), updated_at = clock_now() where id = %(profile)s",
        profile=profile,
    )
