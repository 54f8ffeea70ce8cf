"""Held by a backup while it reads; who deletes for good asks for it first, and leaves it be while somebody has it.

A lock of the session: it is gone with the program that has it, however that ends.
"""

from typing import Final

import asyncpg

from controlroom.postgres.database import Tx

_LOCK: Final = 0x4261636B7570  # any number that nobody else uses


async def hold(connection: asyncpg.Connection) -> None:
    """Keep everything that is there now, as long as the connection lives; waits for who deletes just now."""
    await connection.execute("select pg_advisory_lock_shared($1)", _LOCK)


async def may_delete(tx: Tx) -> bool:
    """Whether no backup is under way; none begins before this transaction ends."""
    return bool(await tx.value("select pg_try_advisory_xact_lock(%(lock)s)", lock=_LOCK))
