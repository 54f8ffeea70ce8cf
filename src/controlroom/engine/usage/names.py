"""What ids mean to people: in records and differences things stand by their ids, and are read by their names."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Scope
from controlroom.postgres.database import Statements

_OF_WORKSPACES: Final = ("process", "package", "queue", "schedule", "assistant", "target", "webhook", "secret", "asset")
_OF_ORGANIZATION: Final = ("user_group", "item_model", "code_policy", "connection")
_OF_WHO_GOVERNS: Final = ("locker", "shared_secret", "shared_asset", "model_provider", "workspace")
"""Of which others are told only as far as they have to do with them."""


class _Named(Struct, frozen=True):
    id: UUID
    name: str


def _naming() -> str:
    parts = [
        """select app_user.id, app_user.username as name from app_user
            where app_user.id = any(%(ids)s::uuid[]) and app_user.organization_id = %(organization)s""",
        """select role.id, role.name from role
            where role.id = any(%(ids)s::uuid[])
              and (role.organization_id is null or role.organization_id = %(organization)s)""",
        f"""select task.id, package.name || ': ' || task.name from task join package on package.id = task.package_id
            where task.id = any(%(ids)s::uuid[]) and package.workspace_id in {EACH}""",
    ]
    parts += [
        f"""select {each}.id, {each}.name from {each}
            where {each}.id = any(%(ids)s::uuid[]) and {each}.workspace_id in {EACH} and {each}.name <> ''"""
        for each in _OF_WORKSPACES
    ]
    parts += [
        f"""select {each}.id, {each}.name from {each}
            where {each}.id = any(%(ids)s::uuid[]) and {each}.organization_id = %(organization)s"""
        for each in _OF_ORGANIZATION
    ]
    parts += [
        f"""select {each}.id, {each}.name from {each}
            where %(governs)s and {each}.id = any(%(ids)s::uuid[]) and {each}.organization_id = %(organization)s"""
        for each in _OF_WHO_GOVERNS
    ]
    return "\n union all ".join(parts)


_STATEMENT: Final = _naming()


async def names_of(db: Statements, scope: Scope, ids: Collection[UUID], *, governs: bool = False) -> dict[UUID, str]:
    """What things are called, also those that were deleted and left a row; what nobody calls by a name is left out.

    People, roles and groups of the organization, and what lies in the scope's workspaces; for who `governs` the
    organization its lockers and such, too.
    """
    if not ids:
        return {}
    found = await db.all(_Named, _STATEMENT, ids=list(ids), governs=governs, **scope.each)
    return {each.id: each.name for each in found}
