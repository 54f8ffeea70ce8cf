"""The shop floor of runs, for what starts them by itself; and a database clock that tests set."""

from datetime import timedelta

import pytest
from tests.engine.runs.conftest import Floor

from controlroom.postgres.clock import shift_clock


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


@pytest.fixture
async def later(engine_dsn):
    """Sets the database's clock ahead, by more each time; right again after the test."""
    offset = timedelta()

    async def shift(**by) -> None:
        nonlocal offset
        offset += timedelta(**by)
        await shift_clock(engine_dsn, offset)

    yield shift
    await shift_clock(engine_dsn, timedelta())
