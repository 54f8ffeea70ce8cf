"""Rights of roles in folders: given, taken and told. Takes the editing of roles in the organization."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import NotOfOrganization, RoleNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.record import record
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.roles.model import NamedRole
from controlroom.engine.access.scope import Of, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.engine.repository import nodes
from controlroom.engine.repository.errors import NodeNotFound, NotPossible
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import is_container, known
from controlroom.errors import Invalid
from controlroom.ids import OrganizationId, RoleId
from controlroom.postgres.database import Statements

Named = UUID | int | str
_MOST_ROLES: Final = 500


class FolderRights(Struct, frozen=True, kw_only=True):
    """What holders of a role may do in a folder, and below it where no nearer folder says otherwise."""

    folder_id: UUID
    folder_number: int
    rights: frozenset[Right]
    is_inherited: bool
    """No right was given in this folder itself."""
    updated_at: datetime | None


async def set_rights(
    engine: Engine, actor: Actor, role: Named, given: Sequence[tuple[Named, Mapping[Right, bool]]]
) -> list[FolderRights]:
    """Give a role of the organization rights in folders, and take others; rights that are not named stay as they were.

    Raises RoleNotFound, NodeNotFound, NotPossible for a role of the system, Invalid for what is no folder.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        wanted = await _role(tx, actor, role)
        if wanted.is_system:
            raise NotPossible("roles of the system have no rights in folders")
        told = []
        for folder, rights in given:
            node = await _folder(tx, actor.organization_id, folder)
            before = await _at(tx, actor.organization_id, wanted.id, node)
            after = (before.rights | {right for right, on in rights.items() if on}) - {
                right for right, on in rights.items() if not on
            }
            await _write(tx, actor, wanted.id, node, after)
            place = (
                actor.organization_id if node.workspace_id is None else Of(node.organization_id, (node.workspace_id,))
            )
            await record(engine, tx, actor, place, "folder.rights_set", node.id, role=wanted.name, rights=sorted(after))
            told.append(await _at(tx, actor.organization_id, wanted.id, node))
        return told


async def clear_rights(engine: Engine, actor: Actor, role: Named, folder: Named) -> None:
    """Let what is said of the folder above hold again. Raises RoleNotFound, NodeNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        wanted = await _role(tx, actor, role)
        node = await _folder(tx, actor.organization_id, folder)
        await tx.execute(
            "delete from folder_right where role_id = %(role)s and folder_id = %(folder)s",
            role=wanted.id,
            folder=node.id,
        )
        await record(engine, tx, actor, actor.organization_id, "folder.rights_cleared", node.id, role=wanted.name)


async def rights_in(
    engine: Engine, actor: Actor, role: Named, folder: Named, *, with_children: bool = False
) -> list[FolderRights]:
    """What a role may do in a folder, of the root in each workspace; with children in what lies directly in it, too."""
    async with scoped(engine.database, actor.organization_id) as tx:
        wanted = await _role(tx, actor, role)
        node = await nodes.find(tx, actor.organization_id, folder)
        if node is None or node.owner_id is not None or not node.is_folder:
            raise NodeNotFound(str(folder))
        told = [node] if is_container(node) else []
        if with_children or node.kind is NodeKind.ROOT:
            told += [each for each in await nodes.children(tx, node) if is_container(each)]
        return [await _at(tx, actor.organization_id, wanted.id, each) for each in told]


class RoleInFolder(Struct, frozen=True, kw_only=True):
    """What the holders of a role may do in one folder."""

    role_id: RoleId
    role_number: int
    role_name: str
    rights: frozenset[Right]
    is_inherited: bool
    """Nothing is said of it in this folder itself."""
    from_number: int | None
    """The folder that says it; None: none does."""


class _RoleRow(Struct, frozen=True):
    role_id: RoleId
    role_number: int
    role_name: str
    rights: list[str] | None
    folder_id: UUID | None
    from_number: int | None


async def roles_in(engine: Engine, actor: Actor, folder: Named) -> list[RoleInFolder]:
    """What each role of the organization may do in a folder, by name. Takes the editing of roles; NodeNotFound."""
    if not actor.uses(Permission.WRITE_ROLES, None):
        raise NotOfOrganization(Permission.WRITE_ROLES.value)
    node = await _folder(engine.database, actor.organization_id, folder)
    rows = await engine.database.all(
        _RoleRow,
        """
        select role.id as role_id, role.number as role_number, role.name as role_name, given.rights,
               given.folder_id, place.number as from_number
          from role
          left join lateral (
               select folder_right.folder_id, folder_right.rights
                 from unnest(%(above)s::uuid[]) with ordinality as above (id, depth)
                 join folder_right on folder_right.folder_id = above.id
                where folder_right.role_id = role.id and folder_right.organization_id = %(organization)s
                order by above.depth desc limit 1) as given on true
          left join repository_node as place
                 on place.id = given.folder_id and place.organization_id = %(organization)s
         where role.organization_id = %(organization)s
         order by role.name collate "C" limit %(limit)s
        """,
        above=node.above,
        organization=actor.organization_id,
        limit=_MOST_ROLES,
    )
    return [
        RoleInFolder(
            role_id=row.role_id,
            role_number=row.role_number,
            role_name=row.role_name,
            rights=known(row.rights or []),
            is_inherited=row.folder_id != node.id,
            from_number=row.from_number,
        )
        for row in rows
    ]


async def rights_of_role(db: Statements, organization: OrganizationId, role: RoleId) -> list[FolderRights]:
    """In which folders a role was given rights."""
    rows = await db.all(
        _Row,
        """
        select folder_id, node.number as folder_number, rights, folder_right.updated_at
          from folder_right join repository_node as node on node.id = folder_right.folder_id
         where role_id = %(role)s and folder_right.organization_id = %(organization)s
         order by node.number
        """,
        role=role,
        organization=organization,
    )
    return [_told(row, is_inherited=False) for row in rows]


class _Row(Struct, frozen=True):
    folder_id: UUID
    folder_number: int
    rights: list[str]
    updated_at: datetime


def _told(row: _Row, *, is_inherited: bool) -> FolderRights:
    return FolderRights(
        folder_id=row.folder_id,
        folder_number=row.folder_number,
        rights=known(row.rights),
        is_inherited=is_inherited,
        updated_at=row.updated_at,
    )


async def _at(tx: Statements, organization: OrganizationId, role: RoleId, node: Node) -> FolderRights:
    """What the nearest folder says that says anything."""
    row = await tx.one_or_none(
        _Row,
        """
        select given.folder_id, %(number)s::bigint as folder_number, given.rights, given.updated_at
          from unnest(%(above)s::uuid[]) with ordinality as above (id, depth)
          join folder_right as given on given.folder_id = above.id
         where given.role_id = %(role)s and given.organization_id = %(organization)s
         order by above.depth desc limit 1
        """,
        above=node.above,
        number=node.number,
        role=role,
        organization=organization,
    )
    if row is None:
        return FolderRights(
            folder_id=node.id, folder_number=node.number, rights=frozenset(), is_inherited=True, updated_at=None
        )
    return FolderRights(
        folder_id=node.id,
        folder_number=node.number,
        rights=known(row.rights),
        is_inherited=row.folder_id != node.id,
        updated_at=row.updated_at,
    )


async def _write(tx: ScopedTx, actor: Actor, role: RoleId, node: Node, rights: Collection[Right]) -> None:
    await tx.execute(
        """
        insert into folder_right (organization_id, role_id, folder_id, rights, updated_by)
        values (%(organization)s, %(role)s, %(folder)s, %(rights)s, %(by)s)
        on conflict (role_id, folder_id)
        do update set rights = excluded.rights, updated_at = clock_now(), updated_by = excluded.updated_by
        """,
        organization=actor.organization_id,
        role=role,
        folder=node.id,
        rights=sorted(rights),
        by=actor.id,
    )


async def _role(tx: ScopedTx, actor: Actor, role: Named) -> NamedRole:
    if not actor.uses(Permission.WRITE_ROLES, None):
        raise NotOfOrganization(Permission.WRITE_ROLES.value)
    of = Of(actor.organization_id, tuple(actor.grants))
    found = await roles.get(
        tx, actor.organization_id, await resolve(tx, of, ROLE, str(role), Ways.ID | Ways.NUMBER), lock="for share"
    )
    if found is None:
        raise RoleNotFound
    return found


async def _folder(tx: Statements, organization: OrganizationId, folder: Named) -> Node:
    node = await nodes.find(tx, organization, folder)
    if node is None or node.owner_id is not None:
        raise NodeNotFound(str(folder))
    if not is_container(node):
        raise Invalid(f"{node.name!r} is no folder of a workspace", code="NOT_A_FOLDER")
    return node
