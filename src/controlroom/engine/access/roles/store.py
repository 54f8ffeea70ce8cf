"""Statements on roles."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.roles.model import NamedRole
from controlroom.engine.access.scope import ScopedTx
from controlroom.ids import OrganizationId, RoleId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

_ROLE = """role.id, role.number, role.name, role.description, role.permissions,
    role.organization_id is null as is_system, role.created_at, role.updated_at,
    role.revision"""

_KNOWN = "(role.organization_id is null or role.organization_id = %(organization)s)"


async def get(
    tx: Statements, organization: OrganizationId, role: RoleId, *, lock: Literal["", "for update", "for share"] = ""
) -> NamedRole | None:
    """A role of the organization or of the system; locked for changing it, or for granting what it is now."""
    return await tx.one_or_none(
        NamedRole,
        f"select {_ROLE} from role where id = %(role)s and {_KNOWN} {lock}",
        role=role,
        organization=organization,
    )


async def list_roles(
    tx: Statements, organization: OrganizationId, *, after: RoleId | None, limit: int
) -> list[NamedRole]:
    """The system's roles and the organization's, in the order of their making."""
    return await tx.all(
        NamedRole,
        f"select {_ROLE} from role where {_KNOWN} {oldest_first('id')}",
        organization=organization,
        after=after,
        limit=limit,
    )


async def add(
    tx: Statements,
    organization: OrganizationId,
    *,
    role: RoleId,
    name: str,
    description: str,
    permissions: Collection[str],
    by: UUID | None,
) -> NamedRole:
    """Write a new role of the organization. Raises NameTaken, upon which the transaction is lost."""
    try:
        return await tx.one(
            NamedRole,
            f"""
            insert into role (id, organization_id, name, description, permissions, created_by, updated_by)
            select %(role)s, %(organization)s, %(name)s, %(description)s, %(permissions)s, doer.id, doer.id
              from (select) as once left join app_user as doer on doer.id = %(by)s
            returning {_ROLE}
            """,
            role=role,
            organization=organization,
            name=name,
            description=description,
            permissions=sorted(permissions),
            by=by,
        )
    except UniqueViolation as taken:
        raise NameTaken("role", name) from taken


async def change(
    tx: Statements,
    organization: OrganizationId,
    role: RoleId,
    *,
    name: str,
    description: str,
    permissions: Collection[str],
    by: UUID | None,
) -> NamedRole:
    """Write what a locked role of the organization is. Raises NameTaken, upon which the transaction is lost."""
    try:
        return await tx.one(
            NamedRole,
            f"""
            update role set name = %(name)s, description = %(description)s, permissions = %(permissions)s,
                            updated_at = clock_now(), revision = revision + 1,
                            updated_by = (select doer.id from app_user as doer where doer.id = %(by)s)
             where id = %(role)s and organization_id = %(organization)s
            returning {_ROLE}
            """,
            role=role,
            organization=organization,
            name=name,
            description=description,
            permissions=sorted(permissions),
            by=by,
        )
    except UniqueViolation as taken:
        raise NameTaken("role", name) from taken


async def delete(tx: Statements, organization: OrganizationId, role: RoleId) -> None:
    """Remove a locked role of the organization that is granted nowhere."""
    await tx.execute(
        "delete from role where id = %(role)s and organization_id = %(organization)s",
        role=role,
        organization=organization,
    )


async def count_grants(tx: ScopedTx, organization: OrganizationId, role: RoleId) -> int:
    """How often a role is granted in the organization."""
    count: int = await tx.value(
        "select count(*) from access_grant where role_id = %(role)s and organization_id = %(organization)s",
        role=role,
        organization=organization,
    )
    return count
