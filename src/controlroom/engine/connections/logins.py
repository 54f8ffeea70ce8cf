"""Log-ins: as whom a workspace uses connections. Their passwords are sealed, and opened for a run's plan alone."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections.errors import LoginNotFound, LoginUsed
from controlroom.engine.connections.model import Login, LoginChange, LoginDefinition
from controlroom.engine.connections.rules import MASK, checked_login
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import LoginId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

LOGIN: Final = Noun[LoginId](
    "log-in",
    lambda _: LoginNotFound(),
    "connection_login",
    InWorkspace("connection_login.workspace_id"),
    there="connection_login.deleted_at is null",
)

COLUMNS: Final = """connection_login.id, connection_login.number, connection_login.workspace_id,
    login_workspace.number as workspace_number, connection_login.kind, connection_login.username,
    connection_login.schema_name, connection_login.threads, connection_login.target_name,
    connection_login.sealed is not null as has_password, connection_login.created_at, connection_login.updated_at,
    connection_login.deleted_at"""
JOINS: Final = "join workspace as login_workspace on login_workspace.id = connection_login.workspace_id"


class SealedLogin(Login, frozen=True, kw_only=True):
    """A log-in with its encrypted password."""

    sealed: bytes | None


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, login: LoginDefinition) -> Login:
    """A new log-in. Raises LoginInvalid."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await add(engine, tx, actor, scope, login)


async def add(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, login: LoginDefinition) -> Login:
    """Likewise, in the caller's transaction."""
    checked_login(login)
    made = LoginId(uuid7())
    written = await tx.execute(
        f"""
        insert into connection_login (id, workspace_id, kind, username, schema_name, threads, target_name, sealed)
        select %(login)s, seen.id, %(kind)s, %(username)s, %(schema)s, %(threads)s, %(target_name)s, %(sealed)s
          from {SEEN} as seen
        """,
        login=made,
        kind=login.kind,
        username=login.username,
        schema=login.schema_name,
        threads=login.threads,
        target_name=login.target_name,
        sealed=_sealed(engine.keys, made, login.password),
        **scope.params,
    )
    if not written:
        await ensure_seen(tx, scope)
    await record(engine, tx, actor, scope, "connection_login.created", made, of=login.kind.value)
    return await get(tx, scope, made)


async def get(db: Statements, scope: Scope, login: LoginId, *, deleted: bool = False) -> Login:
    """A log-in, never its password. Raises LoginNotFound."""
    return await _found(db, scope, login, deleted=deleted)


async def of_ids(db: Statements, scope: Scope, ids: Sequence[LoginId]) -> list[Login]:
    """Those of some log-ins that are there and seen."""
    return await db.all(
        Login,
        f"""
        select {COLUMNS} from connection_login {JOINS}
         where connection_login.id = any(%(ids)s::uuid[]) and connection_login.workspace_id in {EACH}
           and connection_login.deleted_at is null
        """,
        ids=list(ids),
        **scope.each,
    )


async def edit(engine: Engine, actor: Actor, workspace: WorkspaceId, login: LoginId, change: LoginChange) -> Login:
    """Change a log-in; a mask for a password keeps the one there, the empty text ends that there is one.

    Raises LoginNotFound, LoginInvalid.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await edit_in(engine, tx, actor, scope, login, change)


async def edit_in(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, login: LoginId, change: LoginChange
) -> Login:
    """Likewise, in the caller's transaction."""
    before = await _found(tx, scope, login, is_held=True)
    keeps = change.password is UNSET or change.password == MASK
    wanted = checked_login(
        LoginDefinition(
            kind=before.kind,
            username=before.username if change.username is UNSET else change.username,
            password=None if keeps or change.password is UNSET else change.password,
            schema_name=before.schema_name if change.schema_name is UNSET else change.schema_name,
            threads=before.threads if change.threads is UNSET else change.threads,
            target_name=before.target_name if change.target_name is UNSET else change.target_name,
        )
    )
    sealed = before.sealed if keeps else _sealed(engine.keys, login, wanted.password)
    await _change(tx, login, wanted, sealed)
    await record(engine, tx, actor, scope, "connection_login.updated", login)
    return await get(tx, scope, login)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, login: LoginId) -> Login:
    """Delete a log-in that nothing uses, with its password. Raises LoginNotFound, LoginUsed."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _found(tx, scope, login, is_held=True)
        user = await _user_of(tx, login)
        if user is not None:
            raise LoginUsed("log-in", user)
        await _remove(tx, login)
        await record(engine, tx, actor, scope, "connection_login.deleted", login)
        return await get(tx, scope, login, deleted=True)


async def opened(db: Statements, keys: Keys, scope: Scope, login: LoginId) -> LoginDefinition:
    """A log-in with its password, for the plan of a run. Raises LoginNotFound."""
    found = await _found(db, scope, login)
    return LoginDefinition(
        kind=found.kind,
        username=found.username,
        password=None if found.sealed is None else keys.unseal(found.sealed, place=_place(login)).decode(),
        schema_name=found.schema_name,
        threads=found.threads,
        target_name=found.target_name,
    )


async def _change(tx: ScopedTx, login: LoginId, wanted: LoginDefinition, sealed: bytes | None) -> None:
    await tx.execute(
        """
        update connection_login
           set username = %(username)s, schema_name = %(schema)s, threads = %(threads)s,
               target_name = %(target_name)s, sealed = %(sealed)s, updated_at = clock_now()
         where id = %(login)s
        """,
        login=login,
        username=wanted.username,
        schema=wanted.schema_name,
        threads=wanted.threads,
        target_name=wanted.target_name,
        sealed=sealed,
    )


async def _user_of(tx: ScopedTx, login: LoginId) -> str | None:
    user: str | None = await tx.value(
        """
        (select 'the target ' || target.name from target
          where target.login_id = %(login)s and target.deleted_at is null limit 1)
        union all
        (select 'the profile ' || connection_profile.key from connection_profile
          where connection_profile.login_id = %(login)s and connection_profile.deleted_at is null limit 1)
        """,
        login=login,
    )
    return user


async def _remove(tx: ScopedTx, login: LoginId) -> None:
    await tx.execute(
        """
        update connection_login set deleted_at = clock_now(), updated_at = clock_now(), sealed = null
         where id = %(login)s
        """,
        login=login,
    )


async def _found(
    db: Statements, scope: Scope, login: LoginId, *, is_held: bool = False, deleted: bool = False
) -> SealedLogin:
    found = await db.one_or_none(
        SealedLogin,
        f"""
        select {COLUMNS}, connection_login.sealed from connection_login {JOINS}
         where connection_login.id = %(login)s and connection_login.workspace_id = {SEEN}
           and (%(deleted)s or connection_login.deleted_at is null)
         {"for update of connection_login" if is_held else ""}
        """,
        login=login,
        deleted=deleted,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise LoginNotFound
    return found


def _sealed(keys: Keys, login: LoginId, password: str | None) -> bytes | None:
    return keys.seal(password.encode(), place=_place(login)) if password else None


def _place(login: LoginId) -> str:
    return f"connection_login/{login}"
