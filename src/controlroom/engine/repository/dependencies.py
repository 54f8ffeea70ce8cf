"""What tasks and files need of each other, as people say it: read both ways, and written."""

from collections.abc import Collection, Sequence
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.engine import Engine
from controlroom.engine.repository import nodes, store
from controlroom.engine.repository.model import Dependency, Node, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.errors import Invalid
from controlroom.ids import OrganizationId
from controlroom.postgres.database import Statements

MOST = 1000
"""Files that one may be said to need."""


class _Pair(Struct, frozen=True):
    file_id: UUID
    needed_id: UUID


async def needed_by(db: Statements, rights: Rights, node: Node) -> list[Dependency]:
    """What something is said to need, and what that needs in turn; of that what the actor may see."""
    pairs = await _all_below(db, rights.organization, [node.id])
    return await _shown(db, rights, [(pair.needed_id, pair.file_id) for pair in pairs])


async def needing(db: Statements, rights: Rights, node: Node) -> list[Dependency]:
    """What is said to need it; of that what the actor may see."""
    pairs = await db.all(
        _Pair,
        """
        select file_id, needed_id from repository_dependency
         where needed_id = %(id)s and organization_id = %(organization)s
         order by file_id
        """,
        id=node.id,
        organization=rights.organization,
    )
    return await _shown(db, rights, [(pair.file_id, pair.needed_id) for pair in pairs])


async def pairs_below(db: Statements, organization: OrganizationId, ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Who needs what, of some things and of all that these need, however far."""
    return [(pair.file_id, pair.needed_id) for pair in await _all_below(db, organization, ids)]


async def set_needed(engine: Engine, actor: Actor, node: UUID | int, needed: Sequence[int | UUID]) -> list[Dependency]:
    """Say what a task or file needs, instead of what was said before; what the actor may not see of that stays.

    Raises NodeNotFound.
    """
    if len(needed) > MOST:
        raise Invalid(f"something needs at most {MOST} files", code="TOO_MANY_FILES")
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        found = await nodes.get(tx, rights, node, Right.UPDATE)
        others = await nodes.get_all(tx, rights, needed)
        if any(other.id == found.id or other.is_folder for other in others):
            raise Invalid("what is needed is another file", code="DEPENDENCY_INVALID")
        kept = await _unseen(tx, rights, found)
        await store.set_needed(
            tx, actor.organization_id, found.id, [*(other.id for other in others), *kept], by=actor.id
        )
        numbers = [other.number for other in others]
        await record(engine, tx, actor, found, "file.dependencies_set", found.id, name=found.name, needed=numbers)
        return await needed_by(tx, rights, found)


async def _unseen(db: Statements, rights: Rights, node: Node) -> list[UUID]:
    """What something is said to need that the actor may not know of."""
    said = await db.all(
        UUID,
        """
        select needed_id from repository_dependency
         where file_id = %(id)s and organization_id = %(organization)s
        """,
        id=node.id,
        organization=rights.organization,
    )
    found = await nodes.find_all(db, rights.organization, set(said))
    return [each.id for each in found if Right.VIEW not in rights.of(each)]


async def _all_below(db: Statements, organization: OrganizationId, ids: Collection[UUID]) -> list[_Pair]:
    return await db.all(
        _Pair,
        """
        with recursive below (file_id, needed_id) as (
            select file_id, needed_id from repository_dependency
             where file_id = any(%(ids)s::uuid[]) and organization_id = %(organization)s
             union
            select more.file_id, more.needed_id
              from below join repository_dependency as more on more.file_id = below.needed_id
             where more.organization_id = %(organization)s
        )
        select file_id, needed_id from below order by file_id, needed_id
        """,
        ids=list(ids),
        organization=organization,
    )


async def _shown(db: Statements, rights: Rights, pairs: list[tuple[UUID, UUID]]) -> list[Dependency]:
    everything = {each for pair in pairs for each in pair}
    found = {node.id: node for node in await nodes.find_all(db, rights.organization, everything)}
    return [
        Dependency(node=found[told], needed_by=other, needed_by_number=found[other].number)
        for told, other in pairs
        if told in found and other in found and Right.VIEW in rights.of(found[told])
    ]
