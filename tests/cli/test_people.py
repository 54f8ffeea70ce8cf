"""The commands over people, workspaces and the audit log, against a real room."""

import json

import pytest

from rooms import Room, run_cli

PASSWORD = "correct horse battery\n"


@pytest.fixture(scope="module")
def running(started: Room) -> Room:
    """A room without a worker, by the key with which it began: it governs the organization."""
    return started


def test_a_person_comes_logs_in_and_goes(running):
    """Made with a role and a password, they log in; taken out of the workspace, they see it no more."""
    running.cli(
        "users", "create", "Theodora", "--role", "viewer", "--password", "--email", "d@example.com", stdin=PASSWORD
    )
    token = running.cli("login", "theodora", stdin=PASSWORD).stdout.strip()
    session = {"CONTROLROOM_URL": running.url, "CONTROLROOM_API_KEY": token}
    here = session | {"CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}

    listed = json.loads(run_cli("workspaces", "list", "--json", **session).stdout)
    assert [each["id"] for each in listed] == [running.facts["workspace_id"]]
    assert run_cli("process", "list", **here).returncode == 0
    refused = run_cli("secrets", "set", "a", "b=c", **here)
    assert (refused.returncode, "Vault.write_secrets" in refused.stderr) == (1, True)
    running.cli("members", "role", "theodora", "operator")
    assert [each["role"] for each in running.json("members", "list") if each["username"] == "Theodora"] == ["operator"]

    running.cli("members", "remove", "Theodora", "--yes")
    assert run_cli("process", "list", **here).returncode == 1
    assert run_cli("logout", **session).returncode == 0
    assert "not valid" in run_cli("workspaces", "list", **session).stderr


def test_credentials_are_made_and_revoked(running):
    """The pair is printed once, in the form that rcc takes."""
    running.cli("users", "create", "eva", "--role", "owner")
    pair = running.cli("users", "credentials", "make", "eva", "laptop").stdout.strip()
    [listed] = running.json("users", "credentials", "list", "eva")

    identifier, _, secret = pair.partition(":")
    assert (identifier, len(secret)) == (listed["identifier"], 96)
    told = running.json("users", "show", "eva")
    by_herself = {"role": "owner", "in": "workspace", "through": None}
    assert (told["roles"], told["runs_robots"], told["groups"]) == ([by_herself], False, [])
    assert "owner (workspace)" in running.cli("users", "show", "eva").stdout
    running.cli("users", "credentials", "revoke", "eva", listed["id"], "--yes")
    assert running.json("users", "credentials", "list", "eva") == []


def test_the_first_admin_makes_a_workspace(running):
    """They log in without a word on the machine of the room, and make a workspace that a further API key could not."""
    key = running.cli("keys", "create", "further", "-p", "read_processes").stdout.strip()
    refused = run_cli("workspaces", "create", "Finance", CONTROLROOM_URL=running.url, CONTROLROOM_API_KEY=key)
    assert (refused.returncode, "admin" in refused.stderr) == (1, True)
    token = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    session = {"CONTROLROOM_URL": running.url, "CONTROLROOM_API_KEY": token}

    made = run_cli("workspaces", "create", "Finance", **session).stdout.strip()
    renamed = run_cli("workspaces", "rename", "Sales", CONTROLROOM_WORKSPACE=made, **session)
    key = run_cli("keys", "create", "first", "-p", "read_processes", CONTROLROOM_WORKSPACE=made, **session)

    assert (renamed.returncode, key.returncode) == (0, 0)
    names = {each["name"] for each in json.loads(run_cli("workspaces", "list", "--json", **session).stdout)}
    assert {"Sales", "Default"} <= names


def test_a_workspace_is_left_by_its_admin(running):
    """People are invited by a link that is printed once, and taken back; the empty workspace is deleted."""
    token = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    session = {"CONTROLROOM_URL": running.url, "CONTROLROOM_API_KEY": token}
    made = run_cli("workspaces", "create", "Passing", **session).stdout.strip()
    here = session | {"CONTROLROOM_WORKSPACE": made}

    link = run_cli("members", "invite", "viewer", "--email", "f@example.com", "--days", "3", **here).stdout.strip()
    [invited] = json.loads(run_cli("members", "invitations", "--json", **here).stdout)
    assert link.startswith(f"{running.url}/invite/cri_")
    assert (invited["email"], invited["role"]) == ("f@example.com", "viewer")
    assert run_cli("members", "withdraw", invited["id"], **here).returncode == 0
    assert json.loads(run_cli("members", "invitations", "--json", **here).stdout) == []

    assert run_cli("workspaces", "delete", "--yes", **here).returncode == 0
    assert "Passing" not in run_cli("workspaces", "list", **session).stdout


def test_disabled_users_are_kept_out_until_they_are_enabled(running):
    """A new password lets them in, too; the old one does not."""
    running.cli("users", "create", "finn", "--role", "viewer", "--password", stdin=PASSWORD)
    running.cli("users", "disable", "finn", "--yes")
    running.cli("login", "finn", stdin=PASSWORD, code=1)
    running.cli("users", "enable", "finn")
    running.cli("users", "password", "finn", stdin="another long one\n")

    running.cli("login", "finn", stdin=PASSWORD, code=1)
    running.cli("login", "finn", stdin="another long one\n")
    assert running.json("users", "show", "FINN")["disabled_at"] is None
    assert "there is no 'gus'" in running.cli("users", "show", "gus", code=1).stderr


def test_the_audit_log_tells_who_did_what(running):
    """By kind of event, newest first."""
    made = running.json("keys", "create", "ci", "-p", "read_processes")
    running.cli("keys", "reveal", "ci")

    [seen] = running.json("audit", "--event", "api_key.revealed", "--limit", "1")

    assert seen["subject_id"] == made["id"]
    assert seen["actor"]["name"] == "first key"
    assert "api_key.revealed" in running.cli("audit", "--limit", "5").stdout


def test_roles_are_made_and_granted_to_people_groups_and_keys(running):
    """By somebody who governs the organization; a group gives what it has to whom is in it."""
    token = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    here = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_API_KEY": token,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
    }

    def cli(*command: str) -> str:
        done = run_cli(*command, **here)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    running.cli("users", "create", "gina", "--role", "viewer")
    cli("keys", "create", "bot", "-p", "read_processes")
    cli("roles", "create", "keeper", "-p", "ApiKeys.read_api_keys", "--description", "keeps keys")
    cli("roles", "edit", "keeper", "-p", "read_api_keys", "-p", "read_audit_log")
    cli("user-groups", "create", "Finance")
    cli("user-groups", "rename", "Finance", "Sales")
    cli("user-groups", "add", "Sales", "Gina")
    given = [
        cli("grants", "give", "keeper", "--user", "gina"),
        cli("grants", "give", "keeper", "--group", "Sales", "--organization"),
        cli("grants", "give", "viewer", "--key", "bot", "--organization"),
    ]
    assert "Audit.read_audit_log" in cli("roles", "show", "keeper")
    assert "gina" in cli("user-groups", "show", "Sales")
    told = json.loads(cli("grants", "list", "--organization", "--json"))
    assert {each["id"] for each in told} >= set(given[1:])
    assert run_cli("grants", "give", "keeper", **here).returncode == 2
    shown = json.loads(cli("users", "show", "gina", "--json"))
    assert {"role": "keeper", "in": "organization", "through": "Sales"} in shown["roles"]
    assert ("keeper (organization, by Sales)" in cli("users", "show", "gina"), shown["groups"]) == (True, ["Sales"])

    cli("user-groups", "set", "Sales")
    cli("user-groups", "set", "Sales", "gina")
    cli("user-groups", "remove", "Sales", "gina")
    for each in given:
        cli("grants", "revoke", each, "--yes")
    cli("user-groups", "delete", "Sales", "--yes")
    cli("roles", "delete", "keeper", "--yes")
    assert "keeper" not in cli("roles", "list")


def test_who_starts_a_room_governs_its_users(running, tmp_path):
    """On the room's machine its first key is enough: users of the organization, roles, and keys to log in by."""
    here = {"CONTROLROOM_DATA": str(running.data), "CONTROLROOM_ROOMS": str(tmp_path / "rooms.json")}

    def said(*words):
        done = run_cli(*words, "--json", **here)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    key = said("users", "api-key", "admin", "--name", "ci", "--days", "3")
    role = said("roles", "create", "Clerks", "-p", "automation360:dashboard.view")
    made = said("users", "create", "hannelore", "--holds", "Clerks", "--holds", "basic", "--runs-robots")
    given = said("grants", "give", "viewer", "--holders", "Clerks")

    assert (len(key["value"]), key["api_key"], key["username"]) == (40, key["value"], "admin")
    assert given["principal"] == {"type": "role", "id": role["id"], "name": "Clerks"}
    [listed] = said("users", "api-keys", "list", "admin")
    assert said("users", "api-keys", "reveal", "admin", listed["id"])["value"] == key["value"]
    said("users", "api-keys", "revoke", "admin", listed["id"], "--yes")
    assert said("users", "show", "hannelore")["id"] == made["id"]
    said("users", "delete", "hannelore", "--yes")
    said("roles", "delete", "Clerks", "--yes")
    assert running.json("users", "api-key", "admin")["username"] == "admin"  # by the first key, from wherever
    key = running.cli("keys", "create", "other", "-p", "read_members", "-p", "read_api_keys").stdout.strip()
    other = {"CONTROLROOM_URL": running.url, "CONTROLROOM_API_KEY": key}
    other |= {"CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}
    refused = run_cli("users", "api-key", "admin", **other)
    assert "not yours" in refused.stderr
    assert "controlroom login" in refused.stderr


def test_a_token_for_programs_of_dbt_is_made_and_shown_once(running):
    """The account's id and the token are printed; who lacks the right is told which, and another set's name."""
    made = running.json("dbt", "tokens", "create", "airflow", "--permission", "job_runner", "--project", "Default")
    assert (made["token"][:5], made["permission_grants"][0]["permission_set"]) == ("dbtc_", "job_runner")
    assert made["permission_grants"][0]["project_id"] is not None
    told = running.cli("dbt", "tokens", "create", "wide", "-p", "account_admin").stdout
    assert str(made["account_id"]) in told
    assert "dbtc_" in told
    listed = running.cli("dbt", "tokens", "list").stdout
    assert "job_runner" in listed
    assert made["token"] not in listed
    running.cli("dbt", "tokens", "disable", "airflow")
    assert {each["name"]: bool(each["disabled_at"]) for each in running.json("dbt", "tokens", "list")}["airflow"]
    running.cli("dbt", "tokens", "enable", str(made["id"]))
    running.cli("dbt", "tokens", "delete", "airflow", "--yes")
    assert "airflow" not in running.cli("dbt", "tokens", "list").stdout
    assert "job_admin" in running.cli("dbt", "tokens", "create", "x", "-p", "nonsense", code=1).stderr
    key = running.cli("keys", "create", "third", "-p", "read_api_keys", "-p", "write_api_keys", "-p", "read_members")
    third = {"CONTROLROOM_URL": running.url, "CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}
    refused = run_cli(
        "dbt", "tokens", "create", "y", "-p", "job_viewer", CONTROLROOM_API_KEY=key.stdout.strip(), **third
    )
    assert (refused.returncode, "api_keys" in refused.stderr) == (1, True)
