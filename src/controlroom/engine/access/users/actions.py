"""The verbs of people: users, their places in workspaces, and the pairs with which they sign."""

import secrets

from controlroom.engine.access import store as access_store
from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import (
    CredentialNotFound,
    MemberExists,
    UserNotFound,
)
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.actions import kept_governed
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, Permission, Role, User
from controlroom.engine.access.names import checked_name, checked_text
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import ensure_may_give, may_govern
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.access.users import actors, memberships, pairs, store
from controlroom.engine.access.users.model import Account, Member, UserCredential
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.ids import GrantId, UserCredentialId, UserId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

_IDENTIFIER_DIGITS = 12
_SECRET_BYTES = 48  # 96 lower-case hex digits: programs accept no other form


def initial_password_key(user: UserId) -> str:
    """Under which server key the password that we made up for a user is kept until they change it."""
    return f"initial-password/{user}"


async def create_user(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    username: str,
    password: str | None,
    role: Role,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
) -> User:
    """A new user of the organization with a place in the workspace. Without a password they cannot log in by one.

    Raises UsernameTaken; BeyondOwnRights when the role can do more than the actor.
    """
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    ensure_may_give(actor, PERMISSIONS_OF_ROLE[role], workspace)
    password_hash = None if password is None else await hash_password(password)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        user = await store.add_user(
            tx,
            user=UserId(uuid7()),
            organization=scope.organization,
            username=checked_name(username, what="user name"),
            first_name=checked_text(first_name, what="first name"),
            last_name=checked_text(last_name, what="last name"),
            email=checked_text(email, what="mail address"),
            password_hash=password_hash,
        )
        await grants.add_membership(
            tx, scope.organization, grant=GrantId(uuid7()), workspace=workspace, user=user.id, role=role
        )
        await record(engine, tx, actor, scope, "user.created", user.id, username=username, role=role.value)
    return user


async def list_users(engine: Engine, actor: Actor, *, after: UserId | None = None, limit: int) -> list[User]:
    """Users that the actor may see: all, for who reads members in the organization, else those of their workspaces."""
    is_wide = actor.may(Permission.READ_MEMBERS, None)
    among = None if is_wide else [w for w in actor.grants if actor.may(Permission.READ_MEMBERS, w)]
    return await store.list_users(engine.database, actor.organization_id, among=among, after=after, limit=limit)


async def get_user(engine: Engine, actor: Actor, user: UserId) -> User:
    """One of these users, and themselves. Raises UserNotFound."""
    found = await store.user(engine.database, actor.organization_id, user)
    if found is None:
        raise UserNotFound
    if not actor.may(Permission.READ_MEMBERS, None) and actor.id != user:
        among = [each for each in actor.grants if actor.may(Permission.READ_MEMBERS, each)]
        if not await store.is_among(engine.database, actor.organization_id, user, among):
            raise UserNotFound
    return found


async def set_password(
    engine: Engine,
    actor: Actor,
    user: UserId,
    password: str,
    *,
    within: WorkspaceId | None = None,
    is_temporary: bool = False,
) -> None:
    """Give a user a new password: their own, or one whom the actor may govern. It ends the user's sessions.

    One that is temporary opens nothing but the page on which its user chooses another.

    Here and below `within` is a workspace: of a user who is no member of it, or whom the actor does not see there, it
    is not found.
    """
    if within is not None:  # before the password is looked at, which takes long
        await _member(engine.database, scope_of(actor, Permission.READ_MEMBERS, within), user)
    password_hash = await hash_password(password)
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        await store.set_password_hash(tx, user, password_hash, is_temporary=is_temporary and user != actor.id)
        await store.end_sessions(tx, user)
        await access_store.delete_server_key(tx, initial_password_key(user))
        await record(engine, tx, actor, account.organization_id, "user.password_set", user)


async def disable_user(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> None:
    """Let a user in no more; what they made stays."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        await store.set_disabled(tx, user, disabled=True)
        await store.end_sessions(tx, user)
        await record(engine, tx, actor, account.organization_id, "user.disabled", user, username=account.username)


async def enable_user(engine: Engine, actor: Actor, user: UserId, *, within: WorkspaceId | None = None) -> None:
    """Let a disabled user in again."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        await store.set_disabled(tx, user, disabled=False)
        await record(engine, tx, actor, account.organization_id, "user.enabled", user, username=account.username)


async def get_member(db: Statements, scope: Scope, user: UserId) -> Member:
    """One member. Raises NotFound."""
    return await _member(db, scope, user)


async def add_member(engine: Engine, actor: Actor, workspace: WorkspaceId, *, username: str, role: Role) -> Member:
    """Give a user of the organization a place in a workspace. Raises UserNotFound, MemberExists, BeyondOwnRights."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    ensure_may_give(actor, PERMISSIONS_OF_ROLE[role], workspace)
    async with scoped(engine.database, scope) as tx:
        await memberships.lock_members(tx, scope)
        user = await store.user_id_by_name(tx, scope.organization, username)
        if user is None:
            raise UserNotFound
        if not await grants.add_membership(
            tx, scope.organization, grant=GrantId(uuid7()), workspace=workspace, user=user, role=role
        ):
            raise MemberExists
        await record(engine, tx, actor, scope, "member.added", user, role=role.value)
        return await _member(tx, scope, user)


async def change_role(engine: Engine, actor: Actor, workspace: WorkspaceId, user: UserId, role: Role) -> Member:
    """Give a member another role. Raises LastOwner; BeyondOwnRights when the old or the new one can do more."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await memberships.lock_members(tx, scope)
        before = await _member(tx, scope, user)
        ensure_may_give(actor, PERMISSIONS_OF_ROLE[role] | PERMISSIONS_OF_ROLE[before.role], workspace)
        async with kept_governed(tx, scope.organization, [workspace]):
            await memberships.set_role(tx, scope, user, role)
        await record(engine, tx, actor, scope, "member.changed", user, role=role.value, was=before.role.value)
        return await _member(tx, scope, user)


async def remove_member(engine: Engine, actor: Actor, workspace: WorkspaceId, user: UserId) -> None:
    """End a membership; the user stays in the organization. Raises LastOwner, BeyondOwnRights."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await memberships.lock_members(tx, scope)
        before = await _member(tx, scope, user)
        ensure_may_give(actor, PERMISSIONS_OF_ROLE[before.role], workspace)
        async with kept_governed(tx, scope.organization, [workspace]):
            await memberships.remove_member(tx, scope, user)
        await record(engine, tx, actor, scope, "member.removed", user, role=before.role.value)


async def create_credential(
    engine: Engine, actor: Actor, user: UserId, *, name: str, within: WorkspaceId | None = None
) -> tuple[UserCredential, str]:
    """A new pair for a user, and the text `identifier:secret` of it, shown this once."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        credential, pair = await write_credential(engine, tx, user, name=name)
        await record(
            engine, tx, actor, account.organization_id, "user_credential.created", credential.id, user=str(user)
        )
    return credential, pair


async def write_credential(engine: Engine, tx: ScopedTx, user: UserId, *, name: str) -> tuple[UserCredential, str]:
    """Mint and write a pair in the caller's transaction, who has seen to the right to do so."""
    name, secret = checked_name(name), secrets.token_hex(_SECRET_BYTES)
    while True:  # until an identifier is free, which the first one nearly always is
        credential = UserCredentialId(uuid7())
        identifier = str(10 ** (_IDENTIFIER_DIGITS - 1) + secrets.randbelow(9 * 10 ** (_IDENTIFIER_DIGITS - 1)))
        sealed = engine.keys.seal(secret.encode(), place=pairs.place_of_user_credential(credential))
        written = await pairs.add_credential(
            tx, credential=credential, user=user, name=name, identifier=identifier, sealed=sealed
        )
        if written is not None:
            return written, f"{identifier}:{secret}"


async def list_credentials(
    engine: Engine,
    actor: Actor,
    user: UserId,
    *,
    after: UserCredentialId | None = None,
    limit: int,
    within: WorkspaceId | None = None,
) -> list[UserCredential]:
    """A user's pairs, never their secrets."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await governed(tx, actor, user, within)
        return await pairs.list_credentials(tx, user, after=after, limit=limit)


async def revoke_credential(
    engine: Engine, actor: Actor, user: UserId, credential: UserCredentialId, *, within: WorkspaceId | None = None
) -> None:
    """Delete a pair: nothing that it signs is accepted any more. Raises NotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, within)
        if not await pairs.delete_credential(tx, user, credential):
            raise CredentialNotFound
        await record(engine, tx, actor, account.organization_id, "user_credential.deleted", credential, user=str(user))
        tx.after_commit(lambda: forget(engine))


async def governs(engine: Engine, actor: Actor, user: UserId) -> bool:
    """Whether an account is the actor's own or theirs to govern."""
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await actors.account(tx, actor.organization_id, user)
    return account is not None and (account.id == actor.id or may_govern(actor, account.held))


async def governed(tx: ScopedTx, actor: Actor, user: UserId, within: WorkspaceId | None) -> Account:
    """The account, locked, if it is the actor's own or theirs to govern. Outsiders are told that it does not exist."""
    if within is not None:
        await _member(tx, scope_of(actor, Permission.READ_MEMBERS, within), user)
    account = await actors.account(tx, actor.organization_id, user)
    if account is None:
        raise UserNotFound
    if account.id == actor.id or may_govern(actor, account.held):
        return account
    if any(actor.may(Permission.READ_MEMBERS, workspace) for workspace in account.held.workspaces):
        raise Forbidden("this user's account is not yours to change", code="NOT_YOURS_TO_GOVERN")
    raise UserNotFound


async def _member(tx: Statements, scope: Scope, user: UserId) -> Member:
    found = await memberships.member(tx, scope, user)
    if found is None:
        await ensure_seen(tx, scope)
        raise UserNotFound
    return found
