"""Rooms with real workers and real dbt, for stories of whole runs. They share the environments that they make."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controlroom.worker.environments.build_place import remove_tree
from dbt_shop import Shop
from rooms import Room, room


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder takes its time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.matrix)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def environments() -> Iterator[Path]:
    """A cache of environments that all rooms of a session share."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="dbt-environments-"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)


@pytest.fixture(scope="session")
def running(environments: Path) -> Iterator[Room]:
    """A room with two slots."""
    with room("--slots", "2", CONTROLROOM_WORKER_ENVIRONMENTS=str(environments)) as started:
        yield started


@pytest.fixture(scope="module")
def opened(running: Room, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Shop]:
    """Makes projects in the room."""

    def open_(*args: Any, **more: Any) -> Shop:
        return Shop(running, tmp_path_factory.mktemp("shop"), *args, **more)

    return open_
