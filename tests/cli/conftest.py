"""A room for the commands that need no robot."""

from collections.abc import Iterator

import pytest

from rooms import Room, room


@pytest.fixture(scope="module")
def running() -> Iterator[Room]:
    """A room without a worker, for all tests of a file."""
    with room("--no-worker") as started:
        yield started
