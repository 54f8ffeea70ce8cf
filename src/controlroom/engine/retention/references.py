"""Which objects are still named by a row: the one place that knows all tables that name objects.

A table with a column `hash` that is not in one of the two lists fails the tests.
"""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import ScopedTx

NAMING: Final = (
    "package_version",
    "package_commit",
    "work_item_file",
    "artifact",
    "console_archive",
    "asset",
    "shared_asset",
    "assistant_artifact",
    "repository_file_version",
    "transfer",
    "queue_job",
    "connection_file",
)
"""Tables whose column `hash` keeps an object."""

NOT_NAMING: Final = ("upload",)
"""Tables whose column `hash` keeps none: what an upload brought is named by what it was brought for."""


async def unnamed(tx: ScopedTx, hashes: Sequence[str]) -> list[str]:
    """Those of the hashes that no row names."""
    named = " and ".join(f"not exists (select from {table} where {table}.hash = blob.hash)" for table in NAMING)
    return await tx.all(
        str, f"select blob.hash from unnest(%(hashes)s::text[]) as blob (hash) where {named}", hashes=list(hashes)
    )
