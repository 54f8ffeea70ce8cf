"""Statements on folders and plain files, their versions, labels, locks and dependencies.

Who calls has found the node by its rights (`rights.py`); writes are in a transaction of its scope.
"""

from collections.abc import Collection
from itertools import chain, count
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.repository.errors import NodeNameTaken, NodeNotFound
from controlroom.engine.repository.model import Node, NodeKind
from controlroom.ids import OrganizationId, UserId, as_uuid, uuid7
from controlroom.postgres.errors import UniqueViolation

FILE: Final = Noun[UUID](
    "repository file",
    NodeNotFound,
    "repository_file",
    InOrganization("repository_file.organization_id"),
    there="repository_file.deleted_at is null and repository_file.workspace_id is not null",
)

MOST_MOVED: Final = 100
"""Packages of a folder that is renamed or moved. Why: the grammar that asks for it knows the limit; it is generous."""


class Lying(Struct, frozen=True):
    """What lies in a folder, however deep."""

    packages: int
    locked: int


class Owner(Struct, frozen=True):
    """A user, and whether they are still there."""

    id: UserId
    is_disabled: bool
    is_deleted: bool


class LeftFiles(Struct, frozen=True, kw_only=True):
    """What somebody who is gone has left in their own tree."""

    id: UserId
    number: int
    username: str
    is_deleted: bool
    """Else disabled."""
    files: int
    """And folders."""


async def insert(
    tx: ScopedTx,
    parent: Node,
    name: str,
    *,
    is_folder: bool,
    by: UUID | None,
    content_type: str = "",
    description: str = "",
    copied_from: UUID | None = None,
) -> UUID:
    """A new folder or file below a workspace, a folder or a user's root. Raises NodeNameTaken."""
    id_ = uuid7()
    is_top = parent.kind in {NodeKind.ROOT, NodeKind.WORKSPACE}
    if await is_package(tx, parent, name):
        raise NodeNameTaken(name)
    try:
        await tx.execute(
            """
            insert into repository_file (id, organization_id, workspace_id, owner_id, parent_id, above, path, name,
                                         is_folder, content_type, description, copied_from, created_by, updated_by)
            values (%(id)s, %(organization)s, %(workspace)s, %(owner)s, %(parent)s, %(above)s::uuid[], %(path)s::text[],
                    %(name)s, %(is_folder)s, %(content_type)s, %(description)s, %(copied_from)s, %(by)s, %(by)s)
            """,
            id=id_,
            organization=parent.organization_id,
            workspace=parent.workspace_id,
            owner=parent.owner_id,
            parent=None if is_top else parent.id,
            above=[*parent.above, id_],
            path=[*inner_path(parent), name],
            name=name,
            is_folder=is_folder,
            content_type=content_type,
            description=description,
            copied_from=copied_from,
            by=by,
        )
    except UniqueViolation as taken:
        raise NodeNameTaken(name) from taken
    return id_


async def is_package(tx: ScopedTx, parent: Node, name: str) -> bool:
    """Whether a package of this name lies there."""
    return bool(
        await tx.value(
            """
            select exists (select from package
                            where package.workspace_id = %(workspace)s and lower(package.name) = lower(%(name)s)
                              and coalesce(package.folder_id, package.workspace_id) = %(parent)s
                              and package.deleted_at is null)
            """,
            workspace=parent.workspace_id,
            parent=parent.id,
            name=name,
        )
    )


def inner_path(node: Node) -> list[str]:
    """Names below the workspace, or below the user's root."""
    return node.path if node.owner_id is not None else node.path[1:]


async def edit(tx: ScopedTx, node: Node, parent: Node, *, name: str, description: str, by: UUID | None) -> None:
    """Give a folder or file another name, description or place; what lies in it goes along. Raises NodeNameTaken."""
    is_top = parent.kind in {NodeKind.ROOT, NodeKind.WORKSPACE}
    moved = name.lower() != node.name.lower() or parent.id != node.parent_id
    if moved and await is_package(tx, parent, name):
        raise NodeNameTaken(name)
    try:
        await tx.execute(
            """
            update repository_file
               set path = %(path)s::text[] || path[%(depth)s + 1:],
                   above = %(above)s::uuid[] || above[%(depth)s + 1:],
                   name = case when id = %(id)s then %(name)s else name end,
                   description = case when id = %(id)s then %(description)s else description end,
                   parent_id = case when id = %(id)s then %(parent)s::uuid else parent_id end,
                   updated_at = case when id = %(id)s then clock_now() else updated_at end,
                   updated_by = case when id = %(id)s then %(by)s::uuid else updated_by end
             where organization_id = %(organization)s and above @> array[%(id)s::uuid] and deleted_at is null
            """,
            id=node.id,
            organization=node.organization_id,
            path=[*inner_path(parent), name],
            above=parent.above,
            depth=len(inner_path(node)),
            name=name,
            description=description,
            parent=None if is_top else parent.id,
            by=by,
        )
    except UniqueViolation as taken:
        raise NodeNameTaken(name) from taken


async def lock(tx: ScopedTx, node: Node) -> None:
    """Make changes of a folder or file wait for each other; raises NodeNotFound if it is gone meanwhile."""
    found = await tx.value(
        """
        select id from repository_file
         where id = %(id)s and organization_id = %(organization)s and deleted_at is null for update
        """,
        id=node.id,
        organization=node.organization_id,
    )
    if found is None:
        raise NodeNotFound(node.number)


async def lying_in(tx: ScopedTx, node: Node) -> Lying:
    """How much lies in a folder or workspace, however deep."""
    return await tx.one(
        Lying,
        """
        select count(*) filter (where kind = 'package') as packages,
               count(*) filter (where locked_by is not null) as locked
          from repository_node
         where organization_id = %(organization)s and above @> array[%(id)s::uuid] and id <> %(id)s and kind <> 'task'
        """,
        id=node.id,
        organization=node.organization_id,
    )


async def delete(tx: ScopedTx, node: Node, *, by: UUID | None) -> None:
    """Mark a locked folder or file as deleted; its number may be another's from now on."""
    await tx.execute(
        """
        update repository_file
           set deleted_at = clock_now(), updated_by = %(by)s, number = nextval('number'),
               locked_by = null, locked_at = null, code_policy_id = null
         where id = %(id)s and organization_id = %(organization)s
        """,
        id=node.id,
        organization=node.organization_id,
        by=by,
    )


async def set_lock(tx: ScopedTx, node: Node, user: UserId | None) -> None:
    """Let one user alone write a file or package, or (None) everybody who may."""
    table = "repository_file" if node.kind is NodeKind.FILE else "package"
    await tx.execute(
        f"""
        update {table}
           set locked_by = %(user)s::uuid, locked_at = case when %(user)s::uuid is null then null else clock_now() end
         where id = %(id)s
        """,
        id=node.id if node.kind is NodeKind.FILE else node.container_id,
        user=user,
    )


async def free_name(tx: ScopedTx, owner: UserId, wished: str) -> str:
    """The name that a file in a user's root may have: the wished one, or it with a number behind, from 2 on."""
    taken = await tx.all(
        str,
        """
        select lower(name) from repository_file
         where owner_id = %(owner)s and parent_id is null and deleted_at is null
           and starts_with(lower(name), lower(%(wished)s))
        """,
        owner=owner,
        wished=wished,
    )
    numbered = (f"{wished} ({number})" for number in count(2))
    return next(name for name in chain([wished], numbered) if name.lower() not in taken)


async def place_package(tx: ScopedTx, package: UUID, parent: Node) -> None:
    """Put a locked package into a folder, or directly below its workspace."""
    await tx.execute(
        "update package set folder_id = %(folder)s::uuid where id = %(package)s",
        package=package,
        folder=None if parent.kind is NodeKind.WORKSPACE else parent.id,
    )


async def rename_package(tx: ScopedTx, package: UUID, name: str) -> None:
    """Give a locked package another name. Raises NodeNameTaken."""
    try:
        await tx.execute("update package set name = %(name)s where id = %(package)s", package=package, name=name)
    except UniqueViolation as taken:
        raise NodeNameTaken(name) from taken


async def take_number(tx: ScopedTx, package: UUID, task: UUID | None, number: int) -> None:
    """A file has become a bot: its number goes on as that of its only task, or (None) of the package."""
    if task is None:
        await tx.execute("update package set number = %(number)s where id = %(id)s", id=package, number=number)
    else:
        await tx.execute("update task set number = %(number)s where id = %(id)s", id=task, number=number)


async def set_needed(
    tx: ScopedTx, organization: OrganizationId, node: UUID, needed: Collection[UUID], *, by: UUID | None
) -> None:
    """Say what a task or file needs, instead of what was said before."""
    await tx.execute(
        "delete from repository_dependency where file_id = %(id)s and organization_id = %(organization)s",
        id=node,
        organization=organization,
    )
    await tx.execute(
        """
        insert into repository_dependency (organization_id, file_id, needed_id, created_by)
        select distinct %(organization)s::uuid, %(id)s::uuid, needed, %(by)s::uuid
          from unnest(%(needed)s::uuid[]) as needed
        """,
        id=node,
        organization=organization,
        needed=list(needed),
        by=by,
    )


async def give_tree(tx: ScopedTx, organization: OrganizationId, source: UserId, target: UserId) -> int:
    """Make a user's tree another one's; how many files and folders. Checked-out copies lose what they are copies of."""
    return await tx.execute(
        """
        update repository_file
           set owner_id = %(target)s, above = %(target)s::uuid || above[2:], copied_from = null,
               updated_at = clock_now()
         where owner_id = %(source)s and organization_id = %(organization)s and deleted_at is null
        """,
        organization=organization,
        source=source,
        target=target,
    )


async def owner(tx: ScopedTx, organization: OrganizationId, user: str) -> Owner | None:
    """A user by id or number, also one who is deleted: their files are still there."""
    return await tx.one_or_none(
        Owner,
        """
        select id, disabled_at is not null as is_disabled, deleted_at is not null as is_deleted from app_user
         where organization_id = %(organization)s and (id = %(id)s::uuid or number = %(number)s::bigint)
        """,
        organization=organization,
        id=as_uuid(user),
        number=int(user) if user.isascii() and user.isdigit() and len(user) < 19 else None,  # noqa: PLR2004 - 64 bits
    )


async def has_files(tx: ScopedTx, organization: OrganizationId, owner: UserId) -> bool:
    """Whether a user has anything of their own."""
    return bool(
        await tx.value(
            """
            select exists (select from repository_file
                            where owner_id = %(owner)s and organization_id = %(organization)s and deleted_at is null)
            """,
            organization=organization,
            owner=owner,
        )
    )


async def left_files(
    tx: ScopedTx, organization: OrganizationId, *, of: int | None = None, limit: int
) -> list[LeftFiles]:
    """The users who are deleted or disabled and have files of their own, oldest first; or (`of`) one of a number."""
    return await tx.all(
        LeftFiles,
        """
        select app_user.id, app_user.number, app_user.username, app_user.deleted_at is not null as is_deleted,
               own.files
          from app_user
         cross join lateral (select count(*) as files from repository_file
                              where repository_file.owner_id = app_user.id and repository_file.deleted_at is null
                                and repository_file.organization_id = %(organization)s) as own
         where app_user.organization_id = %(organization)s and app_user.disabled_at is not null and own.files > 0
           and (%(of)s::bigint is null or app_user.number = %(of)s)
         order by app_user.id limit %(limit)s
        """,
        organization=organization,
        of=of,
        limit=limit,
    )
