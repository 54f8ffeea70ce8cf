"""Where a project's tables are: a PostgreSQL, a file on the worker's disk; and workers without a sandbox."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sample_projects as projects
from dbt_rooms import dbt_room

from controlroom.project_plans import Tool, WorkerFolder

pytestmark = [pytest.mark.timeout(300), pytest.mark.matrix]

EXAMPLE = Path(__file__).parents[3] / "examples" / "dbt-orchard"


def example() -> dict[str, bytes]:
    """The project that stands as an example."""
    return {
        str(file.relative_to(EXAMPLE)): file.read_bytes()
        for file in EXAMPLE.rglob("*")
        if file.is_file() and file.name != ".gitignore"
    }


@asynccontextmanager
async def on_loopback(dsn: str):
    """A server that only has a socket, at an address: its parts as a profile says them."""
    parts = urlsplit(dsn)
    [folder] = parse_qs(parts.query)["host"]

    async def pipe(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def connected(reader, writer):
        inner = await asyncio.open_unix_connection(next(str(path) for path in Path(folder).glob(".s.PGSQL.*[0-9]")))
        await asyncio.gather(pipe(reader, inner[1]), pipe(inner[0], writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield {
            "type": "postgres",
            "host": "127.0.0.1",
            "port": server.sockets[0].getsockname()[1],
            "user": unquote(parts.username),
            "password": unquote(parts.password),
            "dbname": parts.path[1:],
            "schema": "orchard",
        }


async def test_postgres(dbt, new_database):
    """The example is built, tested and described on a PostgreSQL; its password is in nothing that is left."""
    async with on_loopback(await new_database()) as output:
        plan = projects.plan(
            "dbt build",
            freshness=True,
            docs=True,
            tool=Tool("1.11", "postgres"),
            output=output,
            secrets=(output["password"],),
        )
        for _ in range(2):
            ran = await dbt.run(example(), plan)

            assert ran.finish.error is None, ran.attempt.text
            assert "Completed successfully" in ran.console(4)
            assert {"manifest.json", "sources.json"} <= ran.names(3)
            assert ran.json(5, "catalog.json")["nodes"]
            for content in [ran.attempt.console, *ran.attempt.of_phases.values()]:
                assert output["password"].encode() not in content
            async with dbt.worker.logged("zygote ready"):
                pass


async def test_the_example_on_duckdb(dbt):
    """The same on a DuckDB file, the second time over what the first has left."""
    database = None
    for _ in range(2):
        plan = projects.plan(
            "dbt build", freshness=True, docs=True, output=projects.DUCKDB, database=dbt.database(database)
        )
        ran = await dbt.run(example(), plan)

        assert ran.finish.error is None, ran.attempt.text
        [database] = ran.attempt.databases


async def test_a_file_on_the_workers_disk(environments, tmp_path, open_folder):
    """It is worked on where it lies, by each run's own user, if the operator allows the folder."""
    tables = open_folder / "tables"
    tables.mkdir()
    tables.chmod(0o1777)
    async with dbt_room(tmp_path / "walt", environments, database_folders=[str(tables)]) as room:

        async def run(path: str, command: str):
            plan = projects.plan(command, output=projects.DUCKDB, database=WorkerFolder(path))
            return await room.run(projects.SHOP, plan)

        first = await run(str(tables / "shop.duckdb"), "dbt build")
        second = await run("shop.duckdb", "dbt show --inline 'select n from totals'")
        refused = await run("/etc/shop.duckdb", "dbt build")
        escaped = await run("../shop.duckdb", "dbt build")

    assert first.finish.error is None, first.attempt.text
    assert "| 1 |" in second.console(3)
    assert (tables / "shop.duckdb").stat().st_size > 0
    assert refused.states == escaped.states == ["succeeded", "failed", "skipped", "skipped"]
    assert "database_folders" in refused.console(1)
    assert not first.attempt.databases


@pytest.mark.parametrize("settings", [{"sandbox": "off"}, {"spares_memory_bytes": 0}])
async def test_without_a_sandbox_or_spares(environments, tmp_path, open_folder, settings):
    """Projects run all the same, each command as a process of its own."""
    if "sandbox" in settings:  # the interpreters of the others may be where no other user can go
        environments = open_folder / "environments"
    async with dbt_room(tmp_path / "walt", environments, **settings) as room:
        for _ in range(2):
            plan = projects.plan("dbt build", output=projects.DUCKDB, database=room.database(None), docs=True)
            ran = await room.run(projects.SHOP, plan)

            assert ran.finish.error is None, ran.attempt.text
            assert len(ran.attempt.databases) == 1
        assert "spare=True" not in room.worker.log


async def test_the_network_cannot_be_kept_away_without_a_sandbox(environments, tmp_path):
    """Then the profile says so, and nothing of the project runs."""
    async with dbt_room(tmp_path / "walt", environments, sandbox="off", dbt_network=False) as room:
        ran = await room.run(projects.SHOP, projects.plan("dbt build"))

    assert ran.states == ["succeeded", "failed", "skipped", "skipped"]
    assert "dbt_network" in ran.console(1)


async def test_requirements_of_its_own(dbt):
    """A project's requirements make an environment of its own, in which its models find them."""
    files = projects.SHOP | {"requirements.txt": "colorama==0.4.6\n", "models/p.py": USES}

    ran = await dbt.run(files, projects.plan("dbt run -s p"))

    assert ran.finish.error is None, ran.attempt.text


USES = """
import colorama

def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql("select '" + colorama.__version__ + "' as version")
"""
