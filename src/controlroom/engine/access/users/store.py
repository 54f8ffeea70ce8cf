"""Statements on users, their memberships and their credential pairs."""

from typing import Literal

from msgspec import Struct

from controlroom.engine.access.errors import UsernameTaken, WorkspaceNotFound, WrongCredential
from controlroom.engine.access.grants.store import OF_MEMBER, OF_USER
from controlroom.engine.access.model import Actor, ActorKind, Granted, Role, User
from controlroom.engine.access.roles.model import ADMIN, OF_MEMBERS
from controlroom.engine.access.rules import union
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.access.users.model import Account, Member, UserCredential
from controlroom.ids import OrganizationId, UserCredentialId, UserId, UserKeyId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

_USER = f"""app_user.id, app_user.number, app_user.organization_id, app_user.username, app_user.first_name,
    app_user.last_name, app_user.email, app_user.created_at, app_user.disabled_at,
    exists (select from {OF_USER} as held where held.role_id = '{ADMIN}' and held.workspace_id is null) as is_admin"""

_MEMBERS = f"""
    select access_grant.user_id, access_grant.workspace_id, app_user.username, app_user.first_name,
           app_user.last_name, app_user.email, role.name as role, access_grant.created_at
      from access_grant
      join role on role.id = access_grant.role_id
      join app_user on app_user.id = access_grant.user_id
     where {OF_MEMBER}"""

_HELD = """
    coalesce(held.granted, '[]') as granted,
    coalesce((select jsonb_agg(workspace.id) from workspace
               where workspace.organization_id = app_user.organization_id and workspace.deleted_at is null
                 and (held.is_wide or workspace.id = any (held.workspaces))), '[]') as workspaces"""
"""What an `app_user` is granted, and the living workspaces that it may be about, where `_HOLDING` is joined."""

_HOLDING = f"""
    cross join lateral (
        select jsonb_agg(jsonb_build_array(held.workspace_id, role.permissions)) as granted,
               array_agg(held.workspace_id) as workspaces, bool_or(held.workspace_id is null) as is_wide
          from {OF_USER} as held join role on role.id = held.role_id) as held"""


class Login(Struct, frozen=True, kw_only=True):
    """A user who may be the one that logs in."""

    id: UserId
    password_hash: str | None


def place_of_user_credential(credential: UserCredentialId) -> str:
    """Where a sealed secret of a pair belongs."""
    return f"user_credential/{credential}/secret"


class _FoundUser(Struct, frozen=True, kw_only=True):
    id: UserId
    username: str
    organization_id: OrganizationId
    granted: list[Granted]
    workspaces: list[WorkspaceId]

    def to_actor(self) -> Actor:
        """The user as an actor, with all that they and their groups are granted."""
        held = union(self.granted, set(self.workspaces))
        return Actor(
            kind=ActorKind.USER,
            id=self.id,
            name=self.username,
            organization_id=self.organization_id,
            grants=held.workspaces,
            throughout=held.throughout,
            words=held.words,
        )


class FoundCredential(_FoundUser, frozen=True, kw_only=True):
    """A credential pair as authentication needs it, and its user."""

    credential: UserCredentialId
    sealed: bytes


class FoundUserKey(_FoundUser, frozen=True, kw_only=True):
    """A user's key as authentication needs it, and its user."""

    key: UserKeyId
    lookup: bytes


class FoundSession(_FoundUser, frozen=True, kw_only=True):
    """A session that lives, and its user."""

    key: UserKeyId | None
    """By which it was begun."""


async def actor_of_user(tx: Statements, user: UserId) -> Actor:
    """The user as an actor, with all that they and their groups are granted.

    Raises Unauthenticated if disabled or unknown.
    """
    found = await tx.one_or_none(
        _FoundUser,
        f"""
        select app_user.id, app_user.username, app_user.organization_id, {_HELD}
          from app_user {_HOLDING}
         where app_user.id = %(user)s and app_user.disabled_at is null
        """,
        user=user,
    )
    if found is None:
        raise WrongCredential("user")
    return found.to_actor()


async def session_by_lookup(tx: Statements, lookup: bytes) -> FoundSession | None:
    """The session whose token has this keyed hash, and its user with what they may do now; None if it opens nothing."""
    return await tx.one_or_none(
        FoundSession,
        f"""
        select app_user.id, app_user.username, app_user.organization_id, user_session.credential_id as key, {_HELD}
          from user_session join app_user on app_user.id = user_session.user_id and app_user.disabled_at is null
               {_HOLDING}
         where user_session.lookup = %(lookup)s and user_session.expires_at > clock_now()
        """,
        lookup=lookup,
    )


async def logins(tx: Statements, *, username: str, organization: OrganizationId | None) -> list[Login]:
    """Users of this name, whatever its case, who are not disabled."""
    return await tx.all(
        Login,
        """
        select id, password_hash from app_user
         where lower(username) = lower(%(username)s) and disabled_at is null and deleted_at is null
           and (%(organization)s::uuid is null or organization_id = %(organization)s)
         order by id limit 8
        """,
        username=username,
        organization=organization,
    )


async def end_sessions(tx: Statements, user: UserId) -> None:
    """Log a user out, wherever they are."""
    await tx.execute("delete from user_session where user_id = %(user)s", user=user)


async def add_user(
    tx: Statements,
    *,
    user: UserId,
    organization: OrganizationId,
    username: str,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    password_hash: str | None,
) -> User:
    """Write a new user. Raises UsernameTaken, upon which the transaction is lost."""
    try:
        return await tx.one(
            User,
            f"""
            insert into app_user (id, organization_id, username, first_name, last_name, email, password_hash)
            values (%(user)s, %(organization)s, %(username)s, %(first_name)s, %(last_name)s, %(email)s,
                    %(password_hash)s)
            returning {_USER}
            """,
            user=user,
            organization=organization,
            username=username,
            first_name=first_name,
            last_name=last_name,
            email=email,
            password_hash=password_hash,
        )
    except UniqueViolation as taken:
        raise UsernameTaken(username) from taken


async def user(tx: Statements, organization: OrganizationId, user: UserId) -> User | None:
    """One user of the organization."""
    return await tx.one_or_none(
        User,
        f"""
        select {_USER} from app_user
         where id = %(user)s and organization_id = %(organization)s and deleted_at is null
        """,
        user=user,
        organization=organization,
    )


async def list_users(
    tx: Statements, organization: OrganizationId, *, among: list[WorkspaceId] | None, after: UserId | None, limit: int
) -> list[User]:
    """Users of the organization (only those with a place in one of `among`), by the time of their making."""
    return await tx.all(
        User,
        f"""
        select {_USER} from app_user
         where organization_id = %(organization)s and deleted_at is null
           and (%(after)s::uuid is null or id > %(after)s)
           and (%(among)s::uuid[] is null
                or exists (select from {OF_USER} as held where held.workspace_id = any (%(among)s)))
         order by id limit %(limit)s
        """,
        organization=organization,
        among=among,
        after=after,
        limit=limit,
    )


async def account(tx: Statements, organization: OrganizationId, user: UserId) -> Account | None:
    """A user with all that they hold, locked until the transaction ends."""
    found = await tx.one_or_none(
        _FoundUser,
        f"""
        select app_user.id, app_user.username, app_user.organization_id, {_HELD}
          from app_user {_HOLDING}
         where app_user.id = %(user)s and app_user.organization_id = %(organization)s and app_user.deleted_at is null
           for update of app_user
        """,
        user=user,
        organization=organization,
    )
    if found is None:
        return None
    return Account(
        id=found.id,
        organization_id=found.organization_id,
        username=found.username,
        held=union(found.granted, set(found.workspaces)),
    )


async def set_password_hash(tx: Statements, user: UserId, password_hash: str) -> None:
    """Write the hash of a new password."""
    await tx.execute(
        "update app_user set password_hash = %(password_hash)s where id = %(user)s",
        user=user,
        password_hash=password_hash,
    )


async def set_disabled(tx: Statements, user: UserId, *, disabled: bool) -> None:
    """Disable a user, or enable them again. The time of the first disabling stays."""
    await tx.execute(
        """
        update app_user set disabled_at = case when %(disabled)s then coalesce(disabled_at, clock_now()) end
         where id = %(user)s
        """,
        user=user,
        disabled=disabled,
    )


async def user_id_by_name(tx: Statements, organization: OrganizationId, username: str) -> UserId | None:
    """Who has this name in the organization, whatever its case."""
    found: UserId | None = await tx.value(
        """
        select id from app_user
         where organization_id = %(organization)s and lower(username) = lower(%(username)s) and deleted_at is null
        """,
        organization=organization,
        username=username,
    )
    return found


async def is_user_named(tx: Statements, username: str) -> bool:
    """Whether anybody in any organization has this name, whatever its case."""
    named: bool = await tx.value(
        "select exists (select from app_user where lower(username) = lower(%(username)s) and deleted_at is null)",
        username=username,
    )
    return named


async def lock_members(tx: Statements, scope: Scope) -> None:
    """Let changes of a workspace's members happen one after the other. Raises WorkspaceNotFound."""
    if await tx.value(f"select id from workspace where id = {SEEN} for no key update", **scope.params) is None:
        raise WorkspaceNotFound


async def list_members(tx: Statements, scope: Scope, *, after: UserId | None, limit: int) -> list[Member]:
    """Members of the workspace, by the time of the user's making."""
    return await tx.all(
        Member,
        f"""
        {_MEMBERS} and access_grant.workspace_id = {SEEN}
         {oldest_first("access_grant.user_id")}
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def member(tx: Statements, scope: Scope, user: UserId) -> Member | None:
    """One member of the workspace."""
    return await tx.one_or_none(
        Member,
        f"{_MEMBERS} and access_grant.workspace_id = {SEEN} and access_grant.user_id = %(user)s",
        user=user,
        **scope.params,
    )


async def set_role(tx: Statements, scope: Scope, user: UserId, role: Role) -> None:
    """Change a member's role."""
    await tx.execute(
        f"""
        update access_grant set role_id = %(role)s
         where user_id = %(user)s and workspace_id = {SEEN} and {OF_MEMBER}
        """,
        user=user,
        role=OF_MEMBERS[role],
        **scope.params,
    )


async def remove_member(tx: Statements, scope: Scope, user: UserId) -> None:
    """End a membership. What else the user is granted in the workspace stays."""
    await tx.execute(
        f"delete from access_grant where user_id = %(user)s and workspace_id = {SEEN} and {OF_MEMBER}",
        user=user,
        **scope.params,
    )


_CREDENTIAL = "id, number, user_id, name, identifier, created_at, used_at"


async def add_credential(
    tx: ScopedTx, *, credential: UserCredentialId, user: UserId, name: str, identifier: str, sealed: bytes
) -> UserCredential | None:
    """Write a new pair; None if another has the identifier."""
    return await tx.one_or_none(
        UserCredential,
        f"""
        insert into credential (id, kind, organization_id, user_id, name, identifier, sealed)
        select %(credential)s, 'user_credential', organization_id, id, %(name)s, %(identifier)s, %(sealed)s
          from app_user where id = %(user)s
        on conflict (identifier) do nothing
        returning {_CREDENTIAL}
        """,
        credential=credential,
        user=user,
        name=name,
        identifier=identifier,
        sealed=sealed,
    )


async def list_credentials(
    tx: ScopedTx, user: UserId, *, after: UserCredentialId | None, limit: int
) -> list[UserCredential]:
    """A user's pairs without their secrets, oldest first."""
    return await tx.all(
        UserCredential,
        f"""
        select {_CREDENTIAL} from credential
         where user_id = %(user)s and kind = 'user_credential'
         {oldest_first("id")}
        """,
        user=user,
        after=after,
        limit=limit,
    )


async def delete_credential(tx: ScopedTx, user: UserId, credential: UserCredentialId) -> bool:
    """Remove a pair of this user; whether there was one."""
    return (
        await tx.execute(
            "delete from credential where id = %(credential)s and user_id = %(user)s and kind = 'user_credential'",
            credential=credential,
            user=user,
        )
        > 0
    )


async def credential_by_identifier(tx: Statements, identifier: str) -> FoundCredential | None:
    """The pair of this identifier, if its user is not disabled, with what they may do."""
    return await tx.one_or_none(
        FoundCredential,
        f"""
        select credential.id as credential, credential.sealed,
               app_user.id, app_user.username, app_user.organization_id, {_HELD}
          from credential join app_user on app_user.id = credential.user_id and app_user.disabled_at is null
               {_HOLDING}
         where credential.identifier = %(identifier)s and credential.kind = 'user_credential'
           and (credential.expires_at is null or credential.expires_at > clock_now())
        """,
        identifier=identifier,
    )


async def user_key_by_lookup(
    tx: Statements, lookup: bytes, *, kind: Literal["user_key", "personal_token"] = "user_key"
) -> FoundUserKey | None:
    """The key with this keyed hash, unless it has expired or its user is disabled, with what they may do."""
    return await tx.one_or_none(
        FoundUserKey,
        f"""
        select credential.id as key, credential.lookup,
               app_user.id, app_user.username, app_user.organization_id, {_HELD}
          from credential join app_user on app_user.id = credential.user_id and app_user.disabled_at is null
               {_HOLDING}
         where credential.lookup = %(lookup)s and credential.kind = %(kind)s
           and (credential.expires_at is null or credential.expires_at > clock_now())
        """,
        lookup=lookup,
        kind=kind,
    )


async def owner_of_credential(tx: Statements, credential: UserCredentialId) -> UserId | None:
    """Whose pair it is; None if it was deleted."""
    found: UserId | None = await tx.value(
        "select user_id from credential where id = %(credential)s and kind = 'user_credential'", credential=credential
    )
    return found


async def sealed_credential(tx: ScopedTx, credential: UserCredentialId) -> bytes | None:
    """The encrypted secret of a pair."""
    sealed: bytes | None = await tx.value(
        "select sealed from credential where id = %(credential)s and kind = 'user_credential'", credential=credential
    )
    return sealed
