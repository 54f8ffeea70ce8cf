"""Whether the database takes what is written: a full disk answers `select 1` as ever."""

import os
from typing import Final
from uuid import UUID

from controlroom.postgres.database import Statements

_BYTES: Final = 32 * 1024
"""Why so many: a small row fits into pages that the table has already, however full the disk is."""


async def write(db: Statements, server: UUID) -> None:
    """Write a server's probe; raises Unavailable: `DATABASE_FULL` when the disk is.

    Rows of servers that are no more go with it.
    """
    await db.execute(
        """
        with gone as (delete from write_probe where written_at < clock_now() - interval '1 day')
        insert into write_probe (server, filling) values (%(server)s, %(filling)s)
            on conflict (server) do update set filling = excluded.filling, written_at = clock_now()
        """,
        server=server,
        filling=os.urandom(_BYTES),
    )
