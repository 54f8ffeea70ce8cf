"""`controlroom dbt connections|environments|variables`: what a person keeps in order at the prompt."""

import json

import pytest

from rooms import Room, room


@pytest.fixture(scope="module")
def running():
    """A room without a worker, in whose project nothing is yet."""
    with room("--no-worker") as here:
        yield here


def dbt(running: Room, *words: object, **options):
    """What a command prints as JSON."""
    return json.loads(running.cli("dbt", *words, "--json", **options).stdout)


def test_a_connection_with_its_environment(running, tmp_path):
    """By name, by the number that programs are told, with a password by a file that is shown nowhere."""
    (tmp_path / "password").write_text("hunter22\n")
    made = dbt(running, "connections", "create", "Sales", "postgres://db.example:5433/sales?sslmode=require")
    assert made["settings"]["port"] == 5433
    words = ("--connection", "Sales", "--purpose", "production", "--user", "dbt", "--schema", "marts")
    environment = dbt(running, "environments", "create", "Production", *words, "--password-file", tmp_path / "password")
    assert (environment["connection_id"], environment["purpose"]) == (made["id"], "production")

    shown = running.cli("dbt", "environments", "show", environment["number"]).stdout
    assert "marts" in shown
    assert "hunter22" not in shown
    changed = dbt(running, "environments", "set", "Production", "--branch", "main", "--threads", "8")
    assert (changed["branch"], changed["uses_branch"], changed["login_id"]) == ("main", True, environment["login_id"])
    assert "1" in running.cli("dbt", "connections", "list").stdout
    assert "used by" in running.cli("dbt", "connections", "delete", made["number"], "--yes", code=1).stderr
    assert dbt(running, "connections", "set", "Sales", "--name", "Shop")["name"] == "Shop"
    dbt(running, "environments", "delete", "Production", "--yes")
    assert dbt(running, "connections", "delete", "Shop", "--yes")["deleted"] is True


def test_a_file_by_another_name(running):
    """`duckdb:NAME`; it has no versions before a run has brought one."""
    dbt(running, "connections", "create", "Warehouse", "duckdb:shop.duckdb")

    assert dbt(running, "connections", "show", "Warehouse")["versions"] == []
    assert "shop.duckdb" in running.cli("dbt", "connections", "list").stdout
    dbt(running, "connections", "delete", "Warehouse", "--yes")


def test_variables_are_set_and_secret_ones_are_in_no_command(running, tmp_path, monkeypatch):
    """By words, by a file, by a variable of the shell; scope by scope."""
    (tmp_path / "token").write_text("hunter22\n")
    monkeypatch.setenv("MY_TOKEN", "hunter23")
    dbt(running, "environments", "create", "Staging")
    dbt(running, "variables", "set", "DBT_COLOR", "red")
    dbt(running, "variables", "set", "DBT_COLOR", "blue", "--environment", "Staging")
    dbt(running, "variables", "set", "DBT_ENV_SECRET_A", f"@{tmp_path / 'token'}")
    refused = running.cli("dbt", "variables", "set", "DBT_ENV_SECRET_A", "hunter22", code=2)
    assert "list of processes" in refused.stderr
    assert "which value" in running.cli("dbt", "variables", "set", "DBT_COLOR", code=2).stderr
    assert "flags" in running.cli("dbt", "variables", "set", "DBT_TARGET_PATH", "x", code=1).stderr

    listed = running.cli("dbt", "variables", "list").stdout
    assert "Staging" in listed
    assert "hunter" not in listed
    assert [row["value"] for row in dbt(running, "variables", "show", "DBT_COLOR")] == ["red", "blue"]
    dbt(running, "variables", "delete", "DBT_COLOR", "--environment", "Staging", "--yes")
    assert [row["value"] for row in dbt(running, "variables", "show", "DBT_COLOR")] == ["red"]
