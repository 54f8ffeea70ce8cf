"""What is kept in the vault of an organization has a name, a description and a revision: lockers and secrets alike.

Who calls has found the row by what the asker is to it, and locked it.
"""

from enum import StrEnum
from uuid import UUID

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.vault.lockers.model import Asker
from controlroom.ids import OrganizationId
from controlroom.postgres.errors import UniqueViolation


class Kept(StrEnum):
    """What is kept, by its table."""

    LOCKER = "locker"
    SECRET = "shared_secret"  # noqa: S105 - a table


_WORDS = {Kept.LOCKER: "locker", Kept.SECRET: "secret"}


async def change(tx: ScopedTx, asker: Asker, of: Kept, which: UUID, *, name: str, description: str) -> None:
    """Write what it is called; its next revision. Raises NameTaken: the transaction is lost."""
    try:
        await tx.execute(
            f"""
            update {of.value} set name = %(name)s, description = %(description)s, revision = revision + 1,
                                  updated_by = %(user)s, updated_at = clock_now()
             where id = %(which)s and organization_id = %(organization)s
            """,
            which=which,
            organization=asker.organization,
            name=name,
            description=description,
            user=asker.user,
        )
    except UniqueViolation as taken:
        raise NameTaken(_WORDS[of], name) from taken


async def delete(tx: ScopedTx, organization: OrganizationId, of: Kept, which: UUID) -> None:
    """Remove it. What was in a locker is in none; of a secret attributes and values go along."""
    await tx.execute(
        f"delete from {of.value} where id = %(which)s and organization_id = %(organization)s",
        which=which,
        organization=organization,
    )
