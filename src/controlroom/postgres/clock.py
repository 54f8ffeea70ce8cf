"""The database's clock can be set, for tests: `clock_now()` is the time of the statement plus an offset."""

from datetime import timedelta

import asyncpg

_PARAMETER = "controlroom.clock_offset"


async def shift_clock(dsn: str, offset: timedelta) -> None:
    """Make `clock_now()` differ from the time by the offset, in every session of the server; zero sets it right.

    When it returns, every statement that begins sees it: each session has been told to read its settings anew, and does
    so before its next statement.
    """
    connection = await asyncpg.connect(dsn)
    try:
        microseconds = offset // timedelta(microseconds=1)
        await connection.execute(f"set {_PARAMETER} = ''")  # before release 17 a name must be known to be set for all
        await connection.execute(f"alter system set {_PARAMETER} = '{microseconds} microseconds'")
        await connection.execute("select pg_reload_conf()")
        await connection.reset()
        await _seen(connection, f"{microseconds} microseconds")
    finally:
        await connection.close()
    # The server's first process tells its sessions one after the other, and takes new ones only when it has told all.
    await (await asyncpg.connect(dsn)).close()


async def _seen(connection: asyncpg.Connection, value: str) -> None:
    """Wait until the server's first process has read the setting and begun to tell its sessions."""
    while await connection.fetchval("select current_setting($1, true)", _PARAMETER) != value:
        pass
