"""What tests of the sources share: loads that run beside the server in this process, each into a place of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import pytest

from controlroom.sources.running import LoadReport, destination_of, load
from live import (  # noqa: F401 - fixtures are found by being here
    a_crowded_room,
    ada,
    ben,
    cleo,
    hire,
    process,
    room,
    walt,
    workspace,
)


@dataclass
class Loading:
    """Loads of one pipeline, and what they left in its destination."""

    folder: Path
    destination: str
    name: str

    async def run(self, make: Callable[[], Any], *resources: str, **options: Any) -> LoadReport:
        """Load it, while the server goes on answering."""
        return await asyncio.to_thread(
            load, make, self.destination, name=self.name, folder=self.folder, resources=resources, **options
        )

    @property
    def pipeline(self) -> dlt.Pipeline:
        """The pipeline, to look at."""
        return dlt.attach(self.name, pipelines_dir=str(self.folder), destination=destination_of(self.destination))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What a table holds, as dicts, read back by dlt."""
        return self.pipeline.dataset()[table].arrow().to_pylist()

    def columns(self, table: str) -> dict[str, Any]:
        """The names and types of a table's columns in the destination."""
        schema = self.pipeline.dataset()[table].limit(0).arrow().schema
        return {field.name: str(field.type) for field in schema}


@pytest.fixture(scope="session")
async def shared_room(new_database, schema):
    """A room of theirs alone: what is loaded of it is the whole organization, and that of all other tests is much."""
    async with a_crowded_room(partial(new_database, schema)) as live:
        yield live


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Loads into DuckDB."""
    return Loading(tmp_path, f"duckdb:{tmp_path / 'room.duckdb'}", "loaded")
