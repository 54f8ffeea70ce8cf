"""What an actor may do in which folder: the one place that says so.

Two things give rights. Whoever has a permission in a workspace has what it means in all folders of it. And a role is
granted rights in a folder, which whoever holds the role has there and in all that lies below, unless the role has
others in a nearer folder. A user's own tree is theirs alone, and nothing is run from it.

    rights = await rights_of(db, actor)
    await pages.page(db, ListedNode, listing, rights.seen(Right.VIEW), asked)   # a list of what the actor may view
    rights.require(Right.RUN, task)                                             # NodeNotFound, or RightMissing
    rights.workspaces(Right.VIEW), rights.folders(Right.VIEW)                   # for lists of what belongs to tasks
"""

from collections.abc import Collection, Mapping
from typing import Final, Self
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import Of
from controlroom.engine.lists.model import Within
from controlroom.engine.repository.errors import NodeNotFound, RightMissing
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.ids import OrganizationId, RoleId, UserId, WorkspaceId
from controlroom.postgres.database import Statements

PERMISSION_FOR: Final[Mapping[Right, Permission]] = {
    Right.VIEW: Permission.READ_PACKAGES,
    Right.DOWNLOAD: Permission.READ_PACKAGES,
    Right.RUN: Permission.START_RUNS,
    Right.UPDATE: Permission.WRITE_PACKAGES,
    Right.DELETE: Permission.WRITE_PACKAGES,
    Right.CLONE: Permission.WRITE_PACKAGES,
}
"""What gives a right in a whole workspace."""

_OF_OWNER: Final = frozenset(Right) - {Right.RUN}


class _Entry(Struct, frozen=True):
    """A right in a folder, as it holds for one folder below it or for that itself."""

    folder_id: UUID
    workspace_id: WorkspaceId
    above: list[UUID]
    rights: list[str]


class Rights(Struct, frozen=True, kw_only=True):
    """What one actor may do in the repository."""

    organization: OrganizationId
    owner: UserId | None
    """The user whose tree is theirs; None for an actor that is no user."""
    in_workspaces: dict[WorkspaceId, frozenset[Right]]
    """What permissions give in whole workspaces."""
    in_folders: dict[UUID, frozenset[Right]]
    """What roles give, by workspace, folder or package: each that it holds for is named."""
    places: dict[UUID, WorkspaceId]
    """In which workspace each of those folders lies."""
    passages: dict[UUID, frozenset[UUID]]
    """What each of those folders lies in."""

    def of(self, node: Node) -> frozenset[Right]:
        """What the actor may do with something."""
        return self.at(node.container_id, node.workspace_id, node.owner_id)

    def at(self, container: UUID, workspace: WorkspaceId | None, owner: UserId | None) -> frozenset[Right]:
        """What the actor may do with what lies in a folder of a workspace, or of one user."""
        if owner is not None:
            return _OF_OWNER if owner == self.owner else frozenset()
        if workspace is None:  # the root of all is no secret; of what lies in it each workspace says itself who has it
            return frozenset({Right.VIEW, Right.DOWNLOAD})
        return self.in_workspaces.get(workspace, frozenset()) | self.in_folders.get(container, frozenset())

    def require(self, right: Right, node: Node) -> None:
        """Raise NodeNotFound for what the actor may not know of, RightMissing for what they may not do so with."""
        held = self.of(node)
        if right not in held:
            if Right.VIEW not in held and not self.leads_through(node):
                raise NodeNotFound(node.number)
            raise RightMissing(right, node.name or "the root of all")

    def leads_through(self, node: Node) -> bool:
        """Whether something in which the actor may view lies in it."""
        return node.id in self._passages(Right.VIEW)

    def with_own(self, workspace: WorkspaceId) -> Self:
        """The same, for who has just made a workspace: its owner, which they were not when they were let in."""
        return replace(self, in_workspaces=self.in_workspaces | {workspace: frozenset(Right)})

    def workspaces(self, right: Right) -> tuple[WorkspaceId, ...]:
        """The workspaces in all folders of which the actor has the right."""
        return tuple(each for each, held in self.in_workspaces.items() if right in held)

    def folders(self, right: Right) -> tuple[UUID, ...]:
        """The folders, packages among them, in which the actor has the right by a role, each by itself."""
        return tuple(each for each, held in self.in_folders.items() if right in held)

    def scope(self, right: Right) -> Of:
        """The workspaces in which the actor has the right in any folder; in which of them is for `seen` to say."""
        some = {self.places[each] for each in self.folders(right)}
        return Of(self.organization, tuple({*self.workspaces(right), *some}))

    def seen(self, right: Right = Right.VIEW) -> Within:
        """The part of the repository in which the actor has a right, and the folders that lead there."""
        return Within.one(
            """%(organization)s::uuid
               and (repository_node.workspace_id = any(%(whole)s::uuid[])
                    or repository_node.container_id = any(%(folders)s::uuid[])
                    or repository_node.owner_id = %(owner)s::uuid
                    or repository_node.id = any(%(passages)s::uuid[]))""",
            organization=self.organization,
            whole=list(self.workspaces(right)),
            folders=list(self.folders(right)),
            owner=self.owner,
            passages=list(self._passages(right)),
        )

    def _passages(self, right: Right) -> frozenset[UUID]:
        found = frozenset(above for folder in self.folders(right) for above in self.passages[folder])
        return found | {self.organization}


async def rights_of(db: Statements, actor: Actor) -> Rights:
    """What an actor may do in which folder: one look-up, and a second one only where a role of theirs has rights."""
    owner = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None
    by_permission = {
        workspace: frozenset(right for right, needed in PERMISSION_FOR.items() if actor.may(needed, workspace))
        for workspace in actor.grants
    }
    roles = [] if owner is None else await _roles_with_rights(db, actor.organization_id, owner)
    entries = await _entries(db, actor.organization_id, roles) if roles else []
    in_folders: dict[UUID, frozenset[Right]] = {}
    for entry in entries:
        in_folders[entry.folder_id] = in_folders.get(entry.folder_id, frozenset()) | known(entry.rights)
    return Rights(
        organization=actor.organization_id,
        owner=owner,
        in_workspaces=by_permission,
        in_folders=in_folders,
        places={entry.folder_id: entry.workspace_id for entry in entries},
        passages={entry.folder_id: frozenset(entry.above) for entry in entries},
    )


def known(rights: Collection[str]) -> frozenset[Right]:
    """Those that this release knows."""
    return frozenset(right for right in Right if right.value in rights)


async def _roles_with_rights(db: Statements, organization: OrganizationId, user: UserId) -> list[RoleId]:
    """The roles that a user holds, anywhere, and that have rights in a folder."""
    return await db.all(
        RoleId,
        f"""
        select distinct held.role_id
          from app_user cross join lateral {OF_USER} as held
         where app_user.id = %(user)s and app_user.organization_id = %(organization)s
           and exists (select from folder_right where folder_right.role_id = held.role_id)
        """,
        user=user,
        organization=organization,
    )


async def _entries(db: Statements, organization: OrganizationId, roles: list[RoleId]) -> list[_Entry]:
    """For each folder that lies in one with a right of the roles: what each role's nearest right gives."""
    return await db.all(
        _Entry,
        """
        with given as (
            select folder_id, role_id, rights from folder_right
             where role_id = any(%(roles)s::uuid[]) and organization_id = %(organization)s
        ), container as (
            select workspace.id, workspace.id as workspace_id, array[workspace.id] as above
              from workspace
             where workspace.organization_id = %(organization)s and workspace.deleted_at is null
             union all
            select folder.id, folder.workspace_id, folder.above
              from repository_file as folder
             where folder.organization_id = %(organization)s and folder.is_folder and folder.workspace_id is not null
               and folder.deleted_at is null
             union all
            select package.id, package.workspace_id, coalesce(folder.above, array[workspace.id]) || package.id
              from package
              join workspace on workspace.id = package.workspace_id
              left join repository_file as folder on folder.id = package.folder_id
             where workspace.organization_id = %(organization)s and package.deleted_at is null
               and workspace.deleted_at is null
        )
        select distinct on (container.id, given.role_id) container.id as folder_id, container.workspace_id,
               container.above, given.rights
          from container
         cross join lateral unnest(container.above) with ordinality as above (id, depth)
          join given on given.folder_id = above.id
         order by container.id, given.role_id, above.depth desc
        """,
        organization=organization,
        roles=roles,
    )


def is_container(node: Node) -> bool:
    """Whether rights are given in it."""
    return node.kind in {NodeKind.WORKSPACE, NodeKind.FOLDER, NodeKind.PACKAGE} and node.owner_id is None
