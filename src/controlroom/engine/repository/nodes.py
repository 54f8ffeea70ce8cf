"""The tree as it is read: one node by its id or number, and lists of them.

What a grammar calls the root, and types of its own for folders and tasks, are words that its list is declared with:

    NODES: Final = listing(Words(root="Robots", separator="/", folder_type="folder", task_type="task", label="live"))
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.lists.words import literal
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights
from controlroom.ids import OrganizationId, UserId, as_uuid
from controlroom.postgres.database import Statements

_NODE: Final = """
    select node.id, node.number, node.organization_id, node.workspace_id, node.owner_id, node.parent_id,
           node.parent_number, node.container_id, node.above, node.kind, node.is_folder, node.name, node.path,
           node.content_type, node.description, node.has_errors, node.size, node.version, node.locked_by,
           (select app_user.number from app_user where app_user.id = node.locked_by) as locked_by_number,
           node.created_at, node.created_by, node.updated_at, node.updated_by, node.copied_from
      from repository_node as node
"""
_LARGEST: Final = 2**63 - 1


async def get(db: Statements, rights: Rights, node: UUID | int | str, right: Right = Right.VIEW) -> Node:
    """What an id or number names, if the actor has the right there.

    Raises NodeNotFound, also for what the actor may not know of, and RightMissing.
    """
    found = await find(db, rights.organization, node)
    if found is None:
        raise NodeNotFound(node)
    rights.require(right, found)
    return found


async def get_passage(db: Statements, rights: Rights, node: UUID | int | str) -> Node:
    """Likewise; also a folder of which the actor sees no more than that it leads to one in which they may view."""
    found = await find(db, rights.organization, node)
    if found is None or not (rights.leads_through(found) or Right.VIEW in rights.of(found)):
        raise NodeNotFound(node)
    return found


async def find(db: Statements, organization: OrganizationId, node: UUID | int | str) -> Node | None:
    """What an id or number names in the organization, whoever may see it: for verbs that ask for rights themselves."""
    text = str(node).strip()
    if (id_ := as_uuid(node if isinstance(node, UUID) else text)) is not None:
        where = "node.id = %(id)s"
    elif text.isascii() and text.isdigit() and int(text) <= _LARGEST:
        where = "node.number = %(number)s"
    else:
        return None
    named = {"id": id_} if id_ is not None else {"number": int(text)}
    return await db.one_or_none(
        Node, f"{_NODE} where {where} and node.organization_id = %(organization)s", organization=organization, **named
    )


async def find_all(db: Statements, organization: OrganizationId, ids: Collection[UUID]) -> list[Node]:
    """Those of the ids that are there."""
    return await db.all(
        Node,
        f"{_NODE} where node.id = any(%(ids)s::uuid[]) and node.organization_id = %(organization)s",
        ids=list(ids),
        organization=organization,
    )


async def get_all(db: Statements, rights: Rights, named: Sequence[UUID | int], right: Right = Right.VIEW) -> list[Node]:
    """What several ids and numbers name, in their order, in one look-up. Raises as `get` does for the first."""
    found = await db.all(
        Node,
        f"""{_NODE}
         where node.organization_id = %(organization)s
           and (node.number = any(%(numbers)s::bigint[]) or node.id = any(%(ids)s::uuid[]))""",
        organization=rights.organization,
        numbers=[each for each in named if isinstance(each, int) and 0 < each <= _LARGEST],
        ids=[each for each in named if isinstance(each, UUID)],
    )
    by_name: dict[UUID | int, Node] = {node.number: node for node in found} | {node.id: node for node in found}
    nodes = []
    for each in named:
        if (node := by_name.get(each)) is None:
            raise NodeNotFound(each)
        rights.require(right, node)
        nodes.append(node)
    return nodes


async def at_path(
    db: Statements, organization: OrganizationId, path: Sequence[str], owner: UserId | None = None
) -> Node | None:
    """What lies at a path of the organization's tree, or of a user's own, whatever the case of its letters."""
    return await db.one_or_none(
        Node,
        f"""{_NODE}
         where node.organization_id = %(organization)s and node.owner_id is not distinct from %(owner)s::uuid
           and lower(node.path::text) = lower(%(path)s::text[]::text)
           and node.kind <> 'task'
         limit 1""",
        organization=organization,
        owner=owner,
        path=list(path),
    )


async def below(db: Statements, node: Node) -> list[Node]:
    """All packages and files that lie in a folder, however deep."""
    return await db.all(
        Node,
        f"""{_NODE}
         where node.organization_id = %(organization)s and node.above @> array[%(id)s::uuid]
           and node.kind in ('package', 'file')
         order by node.number""",
        id=node.id,
        organization=node.organization_id,
    )


async def children(db: Statements, node: Node) -> list[Node]:
    """All that lies directly in a folder."""
    return await db.all(
        Node,
        f"{_NODE} where node.parent_id = %(id)s and node.organization_id = %(organization)s order by node.number",
        id=node.id,
        organization=node.organization_id,
    )


async def folders(db: Statements, node: Node, *, limit: int, at: Sequence[str] | None = None) -> list[Node]:
    """The folders of the tree in which something lies, its workspace's or its user's, by path; with the root.

    `at`: only those of this path, whatever the case of its letters.
    """
    return await db.all(
        Node,
        f"""{_NODE}
         where node.organization_id = %(organization)s and node.kind in ('folder', 'workspace', 'root')
           and case when %(owner)s::uuid is null then node.workspace_id = %(workspace)s::uuid
                    else node.owner_id = %(owner)s::uuid end
           and (%(at)s::text[] is null or lower(node.path::text) = lower((%(at)s::text[])::text))
         order by lower(node.path::text) collate "C", node.number limit %(limit)s""",
        organization=node.organization_id,
        workspace=node.workspace_id,
        owner=node.owner_id,
        at=None if at is None else list(at),
        limit=limit,
    )


async def editor_of(db: Statements, node: Node) -> str:
    """The name of who has checked something out; empty: nobody has."""
    found: str | None = await db.value(
        "select username from app_user where id = %(user)s and organization_id = %(organization)s",
        user=node.locked_by,
        organization=node.organization_id,
    )
    return found or ""


async def copies_of(db: Statements, node: Node, owner: UserId) -> list[Node]:
    """The copies that a user has checked out of something, the latest first."""
    return await db.all(
        Node,
        f"""{_NODE}
         where node.organization_id = %(organization)s and node.owner_id = %(owner)s and node.copied_from = %(id)s
         order by node.number desc""",
        organization=node.organization_id,
        owner=owner,
        id=node.id,
    )


class Words(Struct, frozen=True, kw_only=True):
    """What a grammar calls things of the repository. Written in code, never by a caller."""

    root: str
    """With what every path begins."""
    root_name: str
    separator: str
    folder_type: str
    task_type: str
    label: str
    """Whose version is told beside the latest one."""


def listing(words: Words) -> Listing:
    """The list of all that is in the repository, in a grammar's words; made once. Its rows are `ListedNode`s."""
    root, separator = literal(words.root), literal(words.separator)
    path = f"concat_ws({separator}, {root}, nullif(array_to_string(repository_node.path, {separator}), ''))"
    type_ = f"""case when repository_node.is_folder then {literal(words.folder_type)}
                     when repository_node.kind = 'task' then {literal(words.task_type)}
                     else repository_node.content_type end"""
    labelled = _labelled(words.label)
    name = f"coalesce(nullif(repository_node.name, ''), {literal(words.root_name)})"
    joins = """
      left join workspace as place on place.id = repository_node.workspace_id
      left join app_user as owner on owner.id = repository_node.owner_id
      left join app_user as locker on locker.id = repository_node.locked_by
      left join app_user as creator on creator.id = repository_node.created_by
      left join app_user as updater on updater.id = repository_node.updated_by"""
    return Listing(
        noun="files",
        table="repository_node",
        tenant="repository_node.organization_id",
        joins=joins,
        columns=f"""repository_node.id, repository_node.number, repository_node.parent_number,
            repository_node.parent_id, repository_node.container_id, repository_node.workspace_id,
            place.number as workspace_number,
            repository_node.owner_id, owner.number as owner_number, repository_node.kind, repository_node.is_folder,
            repository_node.name, {path} as path, {type_} as content_type, repository_node.description,
            repository_node.has_errors, repository_node.size, repository_node.version,
            {labelled} as labelled_version, {_FOLDERS} as folder_count,
            locker.number as locked_by_number, repository_node.created_at, creator.number as created_by_number,
            repository_node.updated_at, updater.number as updated_by_number,
            repository_node.copied_from is not null as is_copy""",
        fields=(
            Field("id", Kind.ID, is_sortable=True),
            Field("number", Kind.INTEGER, is_sortable=True),
            Field("parent", Kind.INTEGER, "coalesce(repository_node.parent_number, 0)", is_sortable=True),
            Field("owner", Kind.INTEGER, _OWNER_NUMBER, is_sortable=True),
            Field("parent_id", Kind.ID, is_nullable=True),
            Field("workspace_id", Kind.ID, is_nullable=True),
            Field("owner_id", Kind.ID, is_nullable=True),
            Field("kind", Kind.TEXT, choices=among(NodeKind), is_sortable=True),
            Field("is_folder", Kind.TRUTH, is_sortable=True),
            Field("is_private", Kind.TRUTH, "(repository_node.owner_id is not null)"),
            Field("name", Kind.TEXT, name, is_sortable=True),
            Field(
                "folder_name",
                Kind.TEXT,
                "repository_node.path[cardinality(repository_node.path) - 1]",
                is_nullable=True,
                is_sortable=True,
            ),
            Field("path", Kind.TEXT, path, is_sortable=True),
            Field("content_type", Kind.TEXT, f"({type_})", is_sortable=True),
            Field("description", Kind.TEXT, is_sortable=True),
            Field("kilobytes", Kind.INTEGER, "((repository_node.size + 1023) / 1024)", is_sortable=True),
            Field("version", Kind.INTEGER, is_sortable=True),
            Field("labelled_version", Kind.INTEGER, labelled, is_sortable=True),
            Field("is_labelled", Kind.TRUTH, f"({labelled} > 0 and {labelled} = repository_node.version)"),
            Field("folder_count", Kind.INTEGER, f"({_FOLDERS})"),
            Field("locked_by", Kind.INTEGER, _LOCKER_NUMBER, is_sortable=True),
            Field("has_errors", Kind.TRUTH, is_sortable=True),
            Field("is_locked", Kind.TRUTH, "(repository_node.locked_by is not null)", is_sortable=True),
            Field("is_copy", Kind.TRUTH, "(repository_node.copied_from is not null)", is_sortable=True),
            Field("created_at", Kind.INSTANT, is_sortable=True),
            Field("updated_at", Kind.INSTANT, is_sortable=True),
            Field("created_by", Kind.INTEGER, "creator.number", is_nullable=True, join=_CREATOR),
            Field("updated_by", Kind.INTEGER, "updater.number", is_nullable=True, join=_UPDATER),
        ),
    )


_CREATOR: Final = "left join app_user as creator on creator.id = repository_node.created_by"
_UPDATER: Final = "left join app_user as updater on updater.id = repository_node.updated_by"

_OWNER_NUMBER: Final = """coalesce((select whose.number from app_user as whose
                         where whose.id = repository_node.owner_id), 0)"""
_LOCKER_NUMBER: Final = """coalesce((select keeper.number from app_user as keeper
                          where keeper.id = repository_node.locked_by), 0)"""

_FOLDERS: Final = """case repository_node.kind
                 when 'root' then (select count(*) from workspace as below
                                    where below.organization_id = repository_node.id and below.deleted_at is null)
                 when 'package' then 0 when 'task' then 0 when 'file' then 0
                 else (select count(*) from repository_file as below
                        where below.is_folder and below.deleted_at is null
                          and coalesce(below.parent_id, below.workspace_id, below.owner_id) = repository_node.id)
                    + (select count(*) from package as below
                        where below.deleted_at is null and below.workspace_id = repository_node.workspace_id
                          and coalesce(below.folder_id, below.workspace_id) = repository_node.id) end"""


def _labelled(label: str) -> str:
    return f"""coalesce(case repository_node.kind
                 when 'file' then (select named.version
                                     from repository_file_label as label
                                     join repository_file_version as named on named.id = label.version_id
                                    where label.file_id = repository_node.id and label.name = {literal(label)})
                 when 'task' then (select named.version
                                     from package_label as label
                                     join package_version as named on named.id = label.package_version_id
                                    where label.package_id = repository_node.container_id
                                      and label.name = {literal(label)}) end, 0)"""
