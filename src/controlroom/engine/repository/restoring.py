"""A deleted folder or file is there again, where it lay, with its versions and what was said of it.

It has another number than before, and no code policy of its own: both may be another's by now.
"""

from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.repository import nodes, store
from controlroom.engine.repository.errors import NodeNameTaken, NodeNotFound
from controlroom.engine.repository.model import Node, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.repository.stored_versions import KEPT
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.errors import UniqueViolation


class _Gone(Struct, frozen=True):
    name: str
    place: UUID
    """The folder, workspace or own tree in which it lay."""


async def restore(engine: Engine, actor: Actor, node: UUID, *, here: WorkspaceId) -> Node:
    """Have a folder or file again that was deleted, for who may make one where it lay, while its versions are kept.

    It lay in the workspace, or in a user's own tree. Raises NodeNotFound, also for one that is not deleted or whose
    folder is, RightMissing, NodeNameTaken.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        gone = await _lock(tx, actor.organization_id, here, node)
        if gone is None:
            raise NodeNotFound(str(node))
        place = await nodes.get(tx, rights, gone.place, Right.UPDATE)
        if await store.is_package(tx, place, gone.name):
            raise NodeNameTaken(gone.name)
        try:
            await _write(tx, actor.organization_id, node, by=actor.id)
        except UniqueViolation as taken:
            raise NodeNameTaken(gone.name) from taken
        restored = await nodes.get(tx, rights, node)
        kind = "folder.restored" if restored.is_folder else "file.restored"
        await record(engine, tx, actor, restored, kind, restored.id, name=restored.name)
        return restored


async def _lock(tx: ScopedTx, organization: OrganizationId, workspace: WorkspaceId, node: UUID) -> _Gone | None:
    return await tx.one_or_none(
        _Gone,
        """
        select name, coalesce(parent_id, workspace_id, owner_id) as place from repository_file
         where id = %(node)s and organization_id = %(organization)s
           and (workspace_id is null or workspace_id = %(workspace)s)
           and deleted_at >= clock_now() - %(kept)s::interval
           for update
        """,
        node=node,
        organization=organization,
        workspace=workspace,
        kept=KEPT,
    )


async def _write(tx: ScopedTx, organization: OrganizationId, node: UUID, *, by: UUID | None) -> None:
    """Take the mark off a locked one; what it lies in may be called otherwise, or lie elsewhere, by now."""
    await tx.execute(
        """
        update repository_file as file
           set deleted_at = null, updated_at = clock_now(), updated_by = %(by)s,
               above = coalesce((select above from repository_file as parent where parent.id = file.parent_id),
                                array[coalesce(file.workspace_id, file.owner_id)]) || file.id,
               path = coalesce((select path from repository_file as parent where parent.id = file.parent_id),
                               '{}') || file.name
         where id = %(node)s and organization_id = %(organization)s
        """,
        node=node,
        organization=organization,
        by=by,
    )
