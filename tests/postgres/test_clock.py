"""Tests set the database's clock, for everybody at once."""

import asyncio
from datetime import timedelta

import asyncpg

from controlroom.postgres.clock import shift_clock


async def test_every_session_sees_a_new_time_at_once(postgres):
    """What begins after the clock was set goes by the new time, in sessions that were open before, too."""
    sessions = [await asyncpg.connect(postgres) for _ in range(12)]
    try:
        for hours in range(1, 21):
            await shift_clock(postgres, timedelta(hours=hours))
            seen = await asyncio.gather(*(each.fetchval(OFFSET) for each in sessions))
            assert set(seen) == {timedelta(hours=hours)}
    finally:
        await shift_clock(postgres, timedelta())
        for each in sessions:
            await each.close()


OFFSET = "select current_setting('controlroom.clock_offset')::interval"
