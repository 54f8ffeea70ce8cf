"""The profile that is written for a run."""

import msgspec
import pytest
import yaml

from controlroom.worker.dbt.profiles import profile


def test_one_output_under_the_projects_name():
    """It has the asked target and threads, and is YAML."""
    text = profile(("shop",), target="prod", output={"type": "duckdb", "threads": 1}, threads=4)

    assert yaml.safe_load(text) == {
        "shop": {"target": "prod", "outputs": {"prod": {"type": "duckdb", "threads": 4}}},
    }


@pytest.mark.parametrize(
    "value", ["12", "1e3", "{{ env_var('X') }}", "p{%w", "None", "é{#", '"quoted"', "[1]", "*a", "#x"]
)
def test_what_a_template_would_change_is_a_template_of_itself(value):
    """Values that dbt would render or read as numbers are quoted; plain ones stay as they are."""
    text = profile(("shop",), target="t", output={"password": value, "user": "ada_1", "n": 5432}, threads=1)

    output = msgspec.json.decode(text)["shop"]["outputs"]["t"]
    assert output["password"] == "{{ " + msgspec.json.encode(value).decode() + " | as_text }}"
    assert (output["user"], output["n"]) == ("ada_1", 5432)


def test_inner_values_likewise():
    """Lists and mappings are gone through."""
    text = profile(("shop",), target="t", output={"settings": {"x": ["{{", "y"]}}, threads=1)

    assert msgspec.json.decode(text)["shop"]["outputs"]["t"]["settings"] == {"x": ['{{ "{{" | as_text }}', "y"]}
