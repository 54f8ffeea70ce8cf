"""A room for the commands that need no robot, and one for those that do."""

from collections.abc import Iterator

import pytest

from rooms import Room, room


@pytest.fixture(scope="session")
def started() -> Iterator[Room]:
    """A room without a worker."""
    with room("--no-worker") as here:
        yield here


@pytest.fixture(scope="module")
def running(started: Room, request: pytest.FixtureRequest) -> Room:
    """A room without a worker, in which a file has a workspace of its own: a start takes seconds of a processor."""
    return started.beside(request.module.__name__)


@pytest.fixture(scope="session")
def at_work() -> Iterator[Room]:
    """A room with a worker. All who ask for it share its workspace: without a sandbox a worker may serve no other."""
    with room() as here:
        yield here
