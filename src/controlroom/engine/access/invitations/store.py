"""Statements on invitations."""

from typing import Final

from controlroom.engine.access.errors import InvitationNotFound
from controlroom.engine.access.invitations.model import Invitation, OpenInvitation
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.model import OF_MEMBERS
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import InvitationId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

INVITATION: Final = Noun[InvitationId](
    "invitation", lambda _: InvitationNotFound(), "invitation", InWorkspace("invitation.workspace_id")
)

COLUMNS: Final = """invitation.id, invitation.number, invitation.workspace_id, role.name as role, invitation.email,
           invitation.created_by, invitation.created_at, invitation.expires_at,
           invitation.expires_at <= clock_now() as is_over,
           coalesce(nullif(trim(inviter.first_name || ' ' || inviter.last_name), ''), inviter.username, '')
               as invited_by"""
JOINS: Final = """join role on role.id = invitation.role_id
          left join app_user as inviter on inviter.id = invitation.created_by"""


async def list_invitations(
    db: Statements, scope: Scope, *, after: InvitationId | None = None, limit: int
) -> list[Invitation]:
    """Invitations into the workspace that nobody has followed yet, oldest first."""
    return await db.all(
        Invitation,
        f"""
        select {COLUMNS} from invitation {JOINS}
         where invitation.workspace_id = {SEEN}
         {oldest_first("invitation.id")}
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, invitation: InvitationId) -> Invitation:
    """One of them. Raises InvitationNotFound."""
    found = await db.one_or_none(
        Invitation,
        f"""
        select {COLUMNS} from invitation {JOINS}
         where invitation.id = %(invitation)s and invitation.workspace_id = {SEEN}
        """,
        invitation=invitation,
        **scope.params,
    )
    if found is None:
        raise InvitationNotFound
    return found


async def insert(
    tx: ScopedTx,
    scope: Scope,
    *,
    invitation: InvitationId,
    role: Role,
    email: str,
    lookup: bytes,
    days: int,
    created_by: UserId | None,
) -> None:
    """Write a new one."""
    await tx.execute(
        f"""
        insert into invitation (id, organization_id, workspace_id, role_id, email, lookup, created_by, expires_at)
        select %(invitation)s, %(organization)s, seen.id, %(role)s, %(email)s, %(lookup)s, %(created_by)s,
               clock_now() + make_interval(days => %(days)s)
          from {SEEN} as seen
        """,
        invitation=invitation,
        role=OF_MEMBERS[role],
        email=email,
        lookup=lookup,
        days=days,
        created_by=created_by,
        **scope.params,
    )


async def delete(tx: ScopedTx, scope: Scope, invitation: InvitationId) -> bool:
    """Remove one; whether it was there."""
    deleted = await tx.execute(
        f"delete from invitation where id = %(invitation)s and workspace_id = {SEEN}",
        invitation=invitation,
        **scope.params,
    )
    return deleted > 0


async def open_invitation_by_lookup(db: Statements, lookup: bytes, *, lock: bool = False) -> OpenInvitation | None:
    """The one whose token has this keyed hash, while it lives: it, its workspace, and whoever invites."""
    return await db.one_or_none(
        OpenInvitation,
        f"""
        select {COLUMNS}, invitation.organization_id, organization.name as organization_name,
               workspace.name as workspace_name
          from invitation {JOINS}
          join organization on organization.id = invitation.organization_id
          join workspace on workspace.id = invitation.workspace_id and workspace.deleted_at is null
         where invitation.lookup = %(lookup)s and invitation.expires_at > clock_now()
           and inviter.disabled_at is null
         {"for update of invitation" if lock else ""}
        """,
        lookup=lookup,
    )
