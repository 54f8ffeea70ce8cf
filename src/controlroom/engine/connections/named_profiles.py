"""Profiles: a connection and who logs in to it, by a key. A target that names one needs neither of both."""

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections import attributes as extended
from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import LoginUsed, ProfileKeyTaken, ProfileNotFound
from controlroom.engine.connections.model import Profile
from controlroom.engine.connections.rules import checked_key, fitting
from controlroom.engine.connections.seeing import usable
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId, WorkspaceId, uuid7
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
    profile_login.number as login_number, connection_profile.extended_attributes_id,
    profile_attributes.number as extended_attributes_number, connection_profile.created_at,
    connection_profile.updated_at, connection_profile.deleted_at"""
JOINS: Final = """join workspace as profile_workspace on profile_workspace.id = connection_profile.workspace_id
    join connection as profile_connection on profile_connection.id = connection_profile.connection_id
    join connection_login as profile_login on profile_login.id = connection_profile.login_id
    left join extended_attributes as profile_attributes
           on profile_attributes.id = connection_profile.extended_attributes_id"""


class ProfileChange(Struct, frozen=True, kw_only=True):
    """What a profile shall be; what is left out stays."""

    key: str | UnsetType = UNSET
    connection_id: ConnectionId | UnsetType = UNSET
    login_id: LoginId | UnsetType = UNSET
    extended_attributes_id: ExtendedAttributesId | UnsetType | None = UNSET


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    key: str,
    connection: ConnectionId,
    login: LoginId,
    attributes: ExtendedAttributesId | None = None,
) -> Profile:
    """A new profile. Whoever does not see all connections may name those that workspaces of theirs use.

    Raises ConnectionNotFound, LoginNotFound, ExtendedAttributesNotFound, LoginUnfit, ProfileKeyTaken.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _ensure_fits(tx, actor, scope, connection, login, before=None)
        if attributes is not None:
            await extended.get(tx, scope, attributes)
        made = ProfileId(uuid7())
        await _add(tx, scope, made, key=checked_key(key), connection=connection, login=login, attributes=attributes)
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
        attributes = (
            before.extended_attributes_id if change.extended_attributes_id is UNSET else change.extended_attributes_id
        )
        await _ensure_fits(tx, actor, scope, connection, login, before=before.connection_id)
        if attributes is not None:
            await extended.get(tx, scope, attributes)
        await _change(tx, profile, key=key, connection=connection, login=login, attributes=attributes)
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


async def _ensure_fits(
    tx: ScopedTx, actor: Actor, scope: Scope, connection: ConnectionId, login: LoginId, *, before: ConnectionId | None
) -> None:
    kind = await usable(tx, actor, scope, connection, keeps=connection == before)
    fitting(kind, (await logins.get(tx, scope, login)).kind)


async def _add(
    tx: ScopedTx,
    scope: Scope,
    profile: ProfileId,
    *,
    key: str,
    connection: ConnectionId,
    login: LoginId,
    attributes: ExtendedAttributesId | None,
) -> None:
    try:
        await tx.execute(
            f"""
            insert into connection_profile (id, workspace_id, key, connection_id, login_id, extended_attributes_id)
            select %(profile)s, seen.id, %(key)s, %(connection)s, %(login)s, %(attributes)s from {SEEN} as seen
            """,
            profile=profile,
            key=key,
            connection=connection,
            login=login,
            attributes=attributes,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise ProfileKeyTaken(key) from taken


async def _change(
    tx: ScopedTx,
    profile: ProfileId,
    *,
    key: str,
    connection: ConnectionId,
    login: LoginId,
    attributes: ExtendedAttributesId | None,
) -> None:
    try:
        await tx.execute(
            """
            update connection_profile
               set key = %(key)s, connection_id = %(connection)s, login_id = %(login)s,
                   extended_attributes_id = %(attributes)s, updated_at = clock_now()
             where id = %(profile)s
            """,
            profile=profile,
            key=key,
            connection=connection,
            login=login,
            attributes=attributes,
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
