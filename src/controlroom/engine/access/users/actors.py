"""Users as actors: by their id, session, key or pair, with all that they and their groups are granted."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import Actor, ActorKind, Granted
from controlroom.engine.access.rules import union
from controlroom.engine.access.users.model import Account
from controlroom.ids import OrganizationId, UserCredentialId, UserId, UserKeyId, WorkspaceId
from controlroom.postgres.database import Statements

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
    password_is_temporary: bool

    def to_actor(self) -> Actor:
        """The user; who has yet to choose a password of their own is told so."""
        return replace(super().to_actor(), has_temporary_password=self.password_is_temporary and self.key is None)


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
        select app_user.id, app_user.username, app_user.organization_id, user_session.credential_id as key,
               app_user.password_is_temporary, {_HELD}
          from user_session join app_user on app_user.id = user_session.user_id and app_user.disabled_at is null
               {_HOLDING}
         where user_session.lookup = %(lookup)s and user_session.expires_at > clock_now()
        """,
        lookup=lookup,
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
