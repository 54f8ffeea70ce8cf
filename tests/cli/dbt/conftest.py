"""Who makes projects governs the organization: they are made by the key with which a room begins."""

import pytest

from rooms import Room


@pytest.fixture(scope="session")
def running(started: Room) -> Room:
    """A room without a worker, in which others may be."""
    return started
