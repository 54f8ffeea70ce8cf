"""Which list of packages runs a project."""

import re

import pytest

from controlroom.errors import Invalid
from controlroom.project_plans import Tool
from controlroom.worker.dbt.tools import ToolNotHad, recipe

PYTHONS = [(3, 11), (3, 12), (3, 13)]


@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
@pytest.mark.parametrize("python", PYTHONS)
def test_each_list_names_exact_packages_with_hashes(adapter, python):
    """There is dbt 1.11 with its adapter, for the asked Python; nothing in it is left to choice."""
    found = recipe(Tool("1.11", adapter), python=python)

    assert not found.is_own
    assert found.spec.python == f"{python[0]}.{python[1]}"
    assert all(re.fullmatch(r"[\w.-]+==\S+( --hash=sha256:[0-9a-f]{64})+", line) for line in found.spec.pip)
    names = {line.partition("=")[0]: line.partition("==")[2].split()[0] for line in found.spec.pip}
    assert names["dbt-core"].startswith("1.11.")
    assert f"dbt-{adapter}" in names
    assert "dbt-core-experimental-parser" not in names
    assert int(names.get("duckdb", "1.").partition(".")[0]) < 2


def test_a_python_without_a_list_is_served_by_the_newest_one():
    """A worker of a later Python asks the builder for one that there is a list for."""
    assert recipe(Tool("1.11", "duckdb"), python=(3, 99)).spec.python == "3.13"


@pytest.mark.parametrize("tool", [Tool("1.12", "duckdb"), Tool("2.0", "postgres"), Tool("fusion", "duckdb")])
def test_what_cannot_be_had_is_said(tool):
    """Unknown versions are refused with what there is."""
    with pytest.raises(ToolNotHad, match=r"dbt 1\.11 with duckdb, dbt 1\.11 with postgres") as refusal:
        recipe(tool)

    assert tool.version in refusal.value.message


def test_an_operator_adds_adapters(tmp_path):
    """A folder of the same form brings others; what it does not have is still the wheel's."""
    (tmp_path / "1.11").mkdir()
    (tmp_path / "1.11" / "snowflake.txt").write_text("dbt-core==1.11.16\ndbt-snowflake==1.11.0\n")
    with pytest.raises(ToolNotHad):
        recipe(Tool("1.11", "snowflake"))

    found = recipe(Tool("1.11.16", "snowflake"), added=tmp_path, python=(3, 12))

    assert (found.spec.pip[1], found.spec.python, found.is_own) == ("dbt-snowflake==1.11.0", "3.12", False)
    assert recipe(Tool("1.11", "duckdb"), added=tmp_path).spec == recipe(Tool("1.11", "duckdb")).spec


def test_requirements_of_the_project():
    """Those that name dbt replace the list, others are added to it; both make an environment of the project's own."""
    replaced = recipe(Tool("1.12", "duckdb"), "dbt-core==1.10.1\ndbt-duckdb\n")
    added = recipe(Tool("1.11", "duckdb"), "pandas==2.2.0\n")

    assert (replaced.spec.pip, replaced.is_own) == (("dbt-core==1.10.1", "dbt-duckdb"), True)
    assert (added.spec.pip[-1], added.is_own) == ("pandas==2.2.0", True)
    assert recipe(Tool("1.11", "duckdb"), "# nothing\n") == recipe(Tool("1.11", "duckdb"))
    with pytest.raises(Invalid, match="beside it"):
        recipe(Tool("1.11", "duckdb"), "-r other.txt\n")
