"""The verbs of invitations: to invite, to take it back, and to follow one.

Whoever invites has the role to give, as for any membership; it is theirs until the invitation is followed: with them it
dies. A token is shown once, kept as a keyed hash, and gone when somebody has come by it.
"""

from typing import Final

from controlroom.engine.access.errors import InvitationNotFound, MemberExists
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.invitations import store
from controlroom.engine.access.invitations.model import PREFIX, Invitation, OpenInvitation
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, ActorKind, Permission, Role
from controlroom.engine.access.names import checked_name, checked_text
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import ensure_may_give
from controlroom.engine.access.scope import Of, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.access.users import store as users
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.errors import Invalid
from controlroom.ids import GrantId, InvitationId, UserId, WorkspaceId, uuid7
from controlroom.keys import is_well_formed, mint

LIFE_DAYS: Final = 7
_MOST_DAYS: Final = 90


async def invite(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, role: Role, email: str = "", days: int = LIFE_DAYS
) -> tuple[Invitation, str]:
    """A new invitation, and its token, which is told this once. Raises BeyondOwnRights."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    ensure_may_give(actor, PERMISSIONS_OF_ROLE[role], workspace)
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(f"an invitation lives for 1 to {_MOST_DAYS} days", code="INVALID_LIFETIME")
    invitation, token = InvitationId(uuid7()), mint(PREFIX)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.insert(
            tx,
            scope,
            invitation=invitation,
            role=role,
            email=checked_text(email, what="mail address"),
            lookup=engine.keys.lookup(token),
            days=days,
            created_by=UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None,
        )
        await record(engine, tx, actor, scope, "invitation.created", invitation, role=role.value, email=email)
        return await store.get(tx, scope, invitation), token


async def withdraw(engine: Engine, actor: Actor, workspace: WorkspaceId, invitation: InvitationId) -> None:
    """Take one back: its link leads nowhere any more. Raises InvitationNotFound."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.delete(tx, scope, invitation):
            await ensure_seen(tx, scope)
            raise InvitationNotFound
        await record(engine, tx, actor, scope, "invitation.deleted", invitation)


async def look_at(engine: Engine, token: str) -> OpenInvitation:
    """What a token invites to. Raises InvitationNotFound for one that is used, over, taken back, or none."""
    found = None
    if token.startswith(PREFIX) and is_well_formed(token):
        found = await store.open_invitation_by_lookup(engine.database, engine.keys.lookup(token))
    if found is None:
        raise InvitationNotFound
    return found


async def come(
    engine: Engine,
    token: str,
    *,
    username: str,
    password: str | None,
    first_name: str = "",
    last_name: str = "",
    email: str | None = None,
) -> UserId:
    """Follow an invitation as somebody new: a user of this name, with the place that it gives.

    Without a password they come by another way to log in. Raises InvitationNotFound, UsernameTaken, WeakPassword.
    """
    await look_at(engine, token)  # before the password is hashed, which takes long
    password_hash = None if password is None else await hash_password(password)
    async with scoped(engine.database, (await look_at(engine, token)).organization_id) as tx:
        invitation = await _locked(engine, tx, token)
        user = UserId(uuid7())
        await users.add_user(
            tx,
            user=user,
            organization=invitation.organization_id,
            username=checked_name(username, what="user name"),
            first_name=checked_text(first_name, what="first name"),
            last_name=checked_text(last_name, what="last name"),
            email=checked_text(invitation.email if email is None else email, what="mail address"),
            password_hash=password_hash,
        )
        by = By(ActorKind.USER.value, user)
        scope = _scope(invitation)
        await record(engine, tx, by, scope, "user.created", user, username=username, role=invitation.role.value)
        await _enter(engine, tx, by, invitation, user)
    return user


async def join(engine: Engine, actor: Actor, token: str) -> OpenInvitation:
    """Follow an invitation as the user that one is. Raises InvitationNotFound, also of another organization."""
    async with scoped(engine.database, actor.organization_id) as tx:
        invitation = await _locked(engine, tx, token)
        if invitation.organization_id != actor.organization_id or actor.kind is not ActorKind.USER or not actor.id:
            raise InvitationNotFound
        await _enter(engine, tx, By(actor.kind.value, actor.id), invitation, UserId(actor.id))
    return invitation


async def _locked(engine: Engine, tx: ScopedTx, token: str) -> OpenInvitation:
    await look_at(engine, token)
    found = await store.open_invitation_by_lookup(tx, engine.keys.lookup(token), lock=True)
    if found is None:
        raise InvitationNotFound
    return found


async def _enter(engine: Engine, tx: ScopedTx, by: By, invitation: OpenInvitation, user: UserId) -> None:
    scope = _scope(invitation)
    if not await grants.add_membership(
        tx,
        invitation.organization_id,
        grant=GrantId(uuid7()),
        workspace=invitation.workspace_id,
        user=user,
        role=invitation.role,
    ):
        raise MemberExists
    await store.delete(tx, scope, invitation.id)
    await record(engine, tx, by, scope, "invitation.accepted", invitation.id, role=invitation.role.value)
    await record(engine, tx, by, scope, "member.added", user, role=invitation.role.value)


def _scope(invitation: OpenInvitation) -> Of:
    return Of(invitation.organization_id, (invitation.workspace_id,))
