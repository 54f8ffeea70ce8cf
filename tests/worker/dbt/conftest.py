"""What tests of projects share lies beside them and is imported by its name."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from dbt_rooms import DbtRoom, dbt_room

from controlroom.worker.environments.build_place import remove_tree


@pytest.fixture(scope="session")
def environments() -> Iterator[Path]:
    """A cache of environments that all tests of a session share."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="dbt-environments-"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)


@pytest.fixture(scope="session")
async def dbt(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DbtRoom]:
    """A room and its worker."""
    async with dbt_room(tmp_path_factory.mktemp("walt"), environments, slots=2) as found:
        yield found
