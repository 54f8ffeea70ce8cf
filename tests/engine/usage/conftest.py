"""The shop floor of runs, for what uses things."""

import pytest
from tests.engine.runs.conftest import Floor


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)
