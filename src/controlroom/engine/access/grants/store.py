"""Statements on grants: who has which role, where."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.grants.model import Grant, Principal, PrincipalKind
from controlroom.engine.access.model import Granted, Role
from controlroom.engine.access.roles.model import ADMIN, OF_MEMBERS
from controlroom.engine.access.scope import ScopedTx
from controlroom.ids import GrantId, OrganizationId, RoleId, UserGroupId, UserId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

_BY_SELF_OR_GROUP: Final = """
    select access_grant.workspace_id, access_grant.role_id from access_grant where access_grant.user_id = app_user.id
     union all
    select access_grant.workspace_id, access_grant.role_id
      from user_group_member join access_grant using (user_group_id)
     where user_group_member.user_id = app_user.id"""

OF_USER: Final = f"""(
    with own as materialized ({_BY_SELF_OR_GROUP})
    select workspace_id, role_id from own
     union all
    select given.workspace_id, given.role_id
      from own join access_grant as given
             on given.holder_role_id = own.role_id and given.organization_id = app_user.organization_id
     where own.workspace_id is null)"""
"""What an `app_user` of the statement is granted, by themselves, their groups and the roles that they hold in the
organization: (workspace_id, role_id)."""

OF_CREDENTIAL: Final = """(
    with own as materialized (
        select access_grant.workspace_id, access_grant.role_id from access_grant
         where access_grant.credential_id = credential.id)
    select workspace_id, role_id from own
     union all
    select given.workspace_id, given.role_id
      from own join access_grant as given
             on given.holder_role_id = own.role_id and given.organization_id = credential.organization_id
     where own.workspace_id is null)"""
"""Likewise of a `credential` that stands for itself."""

OF_MEMBER: Final = "access_grant.role_id in (" + ", ".join(f"'{role}'" for role in OF_MEMBERS.values()) + ")"
"""Whether an `access_grant` of a user in a workspace is their membership."""

_COLUMN: Final = {
    PrincipalKind.USER: "user_id",
    PrincipalKind.GROUP: "user_group_id",
    PrincipalKind.CREDENTIAL: "credential_id",
    PrincipalKind.ROLE: "holder_role_id",
}

_KNOWN: Final = {
    PrincipalKind.USER: "app_user where organization_id = %(organization)s and deleted_at is null and",
    PrincipalKind.GROUP: "user_group where organization_id = %(organization)s and",
    PrincipalKind.CREDENTIAL: """credential where kind in ('workspace_key', 'service_token')
                                                 and organization_id = %(organization)s and""",
    PrincipalKind.ROLE: "role where (organization_id is null or organization_id = %(organization)s) and",
}

_GRANT: Final = """
    select access_grant.id, access_grant.number, access_grant.workspace_id, access_grant.role_id,
           role.name as role_name, access_grant.created_at,
           case when app_user.id is not null then 'user' when user_group.id is not null then 'group'
                when holder.id is not null then 'role' else 'credential' end as principal_kind,
           coalesce(app_user.id, user_group.id, holder.id, credential.id) as principal_id,
           coalesce(app_user.username, user_group.name, holder.name, credential.name) as principal_name
      from access_grant
      join role on role.id = access_grant.role_id
      left join app_user on app_user.id = access_grant.user_id
      left join user_group on user_group.id = access_grant.user_group_id
      left join credential on credential.id = access_grant.credential_id
      left join role as holder on holder.id = access_grant.holder_role_id
"""


def held_by(principal: PrincipalKind, row: str) -> str:
    """What the principal whose id is `row` is granted where it still is something, as JSON (SQL): `HeldGrant`s."""
    return f"""coalesce((select jsonb_agg(jsonb_build_object(
                                'id', held.id, 'number', held.number, 'role_id', held.role_id, 'role_name', role.name,
                                'workspace_id', held.workspace_id, 'workspace_number', workspace.number,
                                'workspace_name', workspace.name, 'created_at', held.created_at) order by held.id)
                       from access_grant as held join role on role.id = held.role_id
                       left join workspace on workspace.id = held.workspace_id
                      where held.{_COLUMN[principal]} = {row} and workspace.deleted_at is null), '[]')"""


async def add(
    tx: ScopedTx,
    organization: OrganizationId,
    *,
    grant: GrantId,
    principal: Principal,
    role: RoleId,
    workspace: WorkspaceId | None,
) -> bool:
    """Write a grant to somebody of the organization; False if it is there, or another role of a member's."""
    return (
        await tx.execute(
            f"""
            insert into access_grant (id, organization_id, workspace_id, {_COLUMN[principal.kind]}, role_id)
            values (%(grant)s, %(organization)s, %(workspace)s, %(principal)s, %(role)s)
            on conflict do nothing
            """,
            grant=grant,
            organization=organization,
            workspace=workspace,
            principal=principal.id,
            role=role,
        )
        > 0
    )


async def is_known(tx: Statements, organization: OrganizationId, principal: Principal) -> bool:
    """Whether the principal is of the organization; kept from going away until the transaction ends."""
    found = await tx.value(
        f"""
        select id from {_KNOWN[principal.kind]} id = %(principal)s for key share
        """,
        principal=principal.id,
        organization=organization,
    )
    return found is not None


async def get(tx: Statements, organization: OrganizationId, grant: GrantId) -> Grant | None:
    """One grant of the organization."""
    return await tx.one_or_none(
        Grant,
        f"{_GRANT} where access_grant.id = %(grant)s and access_grant.organization_id = %(organization)s",
        grant=grant,
        organization=organization,
    )


async def list_grants(
    tx: Statements,
    organization: OrganizationId,
    workspace: WorkspaceId | None,
    *,
    after: GrantId | None,
    limit: int,
) -> list[Grant]:
    """Grants in a workspace, or (None) in the organization itself, in the order of their making."""
    where = "access_grant.workspace_id " + ("is null" if workspace is None else "= %(workspace)s")
    return await tx.all(
        Grant,
        f"""
        {_GRANT}
         where access_grant.organization_id = %(organization)s and {where}
         {oldest_first("access_grant.id")}
        """,
        organization=organization,
        after=after,
        limit=limit,
        **({} if workspace is None else {"workspace": workspace}),
    )


async def list_beside_memberships(
    tx: Statements,
    organization: OrganizationId,
    workspace: WorkspaceId | None,
    *,
    sought: str,
    after: GrantId | None,
    limit: int,
) -> list[Grant]:
    """Likewise, without what makes members; only those with a holder or a role whose name has what is sought."""
    where = (
        "access_grant.workspace_id is null"
        if workspace is None
        else f"access_grant.workspace_id = %(workspace)s and not (access_grant.user_id is not null and {OF_MEMBER})"
    )
    return await tx.all(
        Grant,
        f"""
        select * from (
            {_GRANT}
             where access_grant.organization_id = %(organization)s and {where}) as granted
         where (%(sought)s = '' or strpos(lower(principal_name), lower(%(sought)s)) > 0
                or strpos(lower(role_name), lower(%(sought)s)) > 0)
         {oldest_first("id")}
        """,
        organization=organization,
        sought=sought,
        after=after,
        limit=limit,
        **({} if workspace is None else {"workspace": workspace}),
    )


async def delete(tx: ScopedTx, organization: OrganizationId, grant: GrantId) -> bool:
    """Remove a grant; whether it was there."""
    return (
        await tx.execute(
            "delete from access_grant where id = %(grant)s and organization_id = %(organization)s",
            grant=grant,
            organization=organization,
        )
        > 0
    )


async def take(tx: ScopedTx, organization: OrganizationId, grants: Sequence[GrantId]) -> None:
    """Remove grants of the organization."""
    await tx.execute(
        "delete from access_grant where id = any (%(grants)s::uuid[]) and organization_id = %(organization)s",
        grants=list(grants),
        organization=organization,
    )


async def of_group(tx: ScopedTx, organization: OrganizationId, group: UserGroupId) -> list[Granted]:
    """What a group is granted in the workspaces that are there, and in the organization; also by its roles."""
    return await tx.all(
        Granted,
        """
        with own as (
            select workspace_id, role_id from access_grant
             where user_group_id = %(group)s and organization_id = %(organization)s
        ), held as (
            select workspace_id, role_id from own
             union all
            select given.workspace_id, given.role_id
              from own join access_grant as given
                     on given.holder_role_id = own.role_id and given.organization_id = %(organization)s
             where own.workspace_id is null
        )
        select held.workspace_id as workspace, role.permissions
          from held join role on role.id = held.role_id left join workspace on workspace.id = held.workspace_id
         where workspace.deleted_at is null
        """,
        group=group,
        organization=organization,
    )


async def of_role(tx: ScopedTx, organization: OrganizationId, role: RoleId) -> list[Granted]:
    """What a role is granted itself, so that all who hold it have it, in the workspaces that are there."""
    return await tx.all(
        Granted,
        """
        select access_grant.workspace_id as workspace, role.permissions
          from access_grant join role on role.id = access_grant.role_id
          left join workspace on workspace.id = access_grant.workspace_id
         where access_grant.holder_role_id = %(role)s and access_grant.organization_id = %(organization)s
           and workspace.deleted_at is null
        """,
        role=role,
        organization=organization,
    )


async def governed_by_group(tx: ScopedTx, organization: OrganizationId, group: UserGroupId) -> list[WorkspaceId | None]:
    """Where members of a group are owners, the workspaces in order, and whether they are admins: None, the last."""
    governed: list[WorkspaceId | None] = await tx.all(
        WorkspaceId,
        """
        select workspace_id from access_grant
         where user_group_id = %(group)s and organization_id = %(organization)s and role_id = %(owner)s
           and workspace_id is not null
         order by workspace_id
        """,
        group=group,
        organization=organization,
        owner=OF_MEMBERS[Role.OWNER],
    )
    is_admin = await tx.value(
        """
        select exists (select from access_grant
                        where user_group_id = %(group)s and organization_id = %(organization)s and role_id = %(admin)s
                          and workspace_id is null)
        """,
        group=group,
        organization=organization,
        admin=ADMIN,
    )
    return [*governed, None] if is_admin else governed


async def lock_place(tx: Statements, organization: OrganizationId, workspace: WorkspaceId | None) -> None:
    """Let changes of who governs a workspace, or (None) the organization, happen one after the other."""
    if workspace is None:
        await tx.execute(
            "select from organization where id = %(organization)s for no key update", organization=organization
        )
    else:
        await tx.execute(
            "select from workspace where id = %(workspace)s and organization_id = %(organization)s for no key update",
            workspace=workspace,
            organization=organization,
        )


async def count_governors(tx: ScopedTx, organization: OrganizationId, workspace: WorkspaceId | None) -> int:
    """How many users own a workspace, or (None) are admins of the organization: by themselves or by a group."""
    where = "access_grant.workspace_id " + ("is null" if workspace is None else "= %(workspace)s")
    count: int = await tx.value(
        f"""
        select count(distinct coalesce(access_grant.user_id, user_group_member.user_id))
          from access_grant left join user_group_member using (user_group_id)
         where access_grant.organization_id = %(organization)s and access_grant.role_id = %(role)s and {where}
        """,
        organization=organization,
        role=ADMIN if workspace is None else OF_MEMBERS[Role.OWNER],
        **({} if workspace is None else {"workspace": workspace}),
    )
    return count


async def add_membership(
    tx: ScopedTx, organization: OrganizationId, *, grant: GrantId, workspace: WorkspaceId, user: UserId, role: Role
) -> bool:
    """Make a user of the organization a member of one of its workspaces; False if they are, or one is not there."""
    return (
        await tx.execute(
            """
            insert into access_grant (id, organization_id, workspace_id, user_id, role_id)
            select %(grant)s, workspace.organization_id, workspace.id, app_user.id, %(role)s
              from workspace join app_user using (organization_id)
             where workspace.id = %(workspace)s and workspace.organization_id = %(organization)s
               and workspace.deleted_at is null and app_user.id = %(user)s
            on conflict do nothing
            """,
            grant=grant,
            organization=organization,
            workspace=workspace,
            user=user,
            role=OF_MEMBERS[role],
        )
        > 0
    )
