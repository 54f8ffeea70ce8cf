"""What was deleted is there again: for things of a workspace whose rows a deletion only marks."""

from typing import TypeVar
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.nouns import Noun
from controlroom.errors import Conflict
from controlroom.postgres.errors import UniqueViolation

T = TypeVar("T", bound=UUID)


async def restore(tx: ScopedTx, scope: Scope, noun: Noun[T], deleted: T) -> None:
    """Take the mark of a deletion off a thing of the workspace; whatever else the deletion did is the caller's to mend.

    Raises what the noun says of one that is not there, also for one that is not deleted; Conflict `NAME_TAKEN`.
    """
    try:
        restored = await tx.execute(
            f"""
            update {noun.table} set deleted_at = null
             where id = %(deleted)s and workspace_id = {SEEN} and deleted_at is not null
            """,
            deleted=deleted,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise Conflict(f"another {noun.word} has its name by now", code="NAME_TAKEN") from taken
    if not restored:
        raise noun.missing(str(deleted))
