"""The lists of exact packages for later Pythons are really installed, by their hashes, and projects run on them."""

import os
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
import sample_projects as projects
from dbt_rooms import dbt_room

import interpreters
from controlroom.project_plans import Tool

pytestmark = [pytest.mark.timeout(600), pytest.mark.matrix]

TELLS = """
import sys

def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql("select '%d.%d' as version" % sys.version_info[:2])
"""
LISTS = Path(str(files("controlroom.worker.dbt"))) / "requirements" / "1.11"


def having(python: str) -> str:
    """A PATH on which there is this Python; the test is skipped where there is none."""
    return f"{interpreters.needed(python).parent}:{os.environ['PATH']}"


@pytest.mark.parametrize("python", ["3.12", "3.13"])
async def test_projects_run_on_later_pythons(environments, tmp_path, python):
    """On DuckDB, first plainly, then from an interpreter that is kept warm; a worker's own Python is not asked for."""
    added = tmp_path / "added" / "1.99"  # as an operator adds lists: there the wheel's is the only one
    added.mkdir(parents=True)
    shutil.copy(LISTS / f"duckdb-{python}.txt", added)
    plan = projects.plan(
        "dbt build",
        "dbt show --quiet --inline \"select version from {{ ref('tells') }}\"",
        tool=Tool("1.99", "duckdb"),
        output={**projects.DUCKDB, "path": "shop.duckdb"},
    )
    settings = {"path": having(python), "dbt_requirements": str(added.parent)}
    async with dbt_room(tmp_path / "walt", environments, **settings) as room:
        room.patience = 500.0  # its environment is made meanwhile
        for _ in range(2):
            ran = await room.run(projects.SHOP | {"models/tells.py": TELLS}, plan)

            assert ran.finish.error is None, ran.attempt.text
            assert python in ran.console(4)
            assert f"on Python {python}." in ran.console(1)
            assert ran.json(3, "manifest.json")["metadata"]["dbt_version"].startswith("1.11.")
            async with room.worker.logged("zygote ready"):
                pass
        assert "spare=True" in room.worker.log
    _, *exact = (LISTS / f"duckdb-{python}.txt").read_text().split("dbt-core==")
    assert exact[0].split()[0] == ran.json(3, "manifest.json")["metadata"]["dbt_version"]


@pytest.mark.parametrize("python", ["3.12", "3.13"])
async def test_the_list_with_postgres_is_installed_too(environments, tmp_path, python):
    """As far as that goes without a server: dbt says that it cannot reach one, by its adapter for PostgreSQL."""
    added = tmp_path / "added" / "1.99"
    added.mkdir(parents=True)
    shutil.copy(LISTS / f"postgres-{python}.txt", added)
    output = {"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "x", "password": "x-password", "dbname": "x"}
    plan = projects.plan("dbt parse", "dbt debug", tool=Tool("1.99", "postgres"), output=output | {"schema": "x"})
    settings = {"path": having(python), "dbt_requirements": str(added.parent)}
    async with dbt_room(tmp_path / "walt", environments, **settings) as room:
        room.patience = 500.0  # its environment is made meanwhile
        ran = await room.run(projects.SHOP, plan)

    assert ran.states[:4] == ["succeeded"] * 4, ran.attempt.text
    assert ran.states[4] == "failed"
    assert "postgres" in ran.console(4)
