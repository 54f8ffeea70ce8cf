"""A secret that a locker shares, from the people who keep it to the robot that reads it on a real worker."""

import json

import pytest

from rooms import room, run_cli

PASSWORD = "correct horse battery\n"

READING = """
from robocorp import vault

secret = vault.get_secret("bank")
print("read", sorted(secret), secret["user"], "length", len(secret["password"]), secret["password"])
"""


@pytest.mark.e2e
@pytest.mark.network
def test_a_robot_reads_what_its_user_consumes(tmp_path):
    """As a user who holds a consuming role it gets the values, masked in its console; as another, or nobody, none."""
    (tmp_path / "robot.yaml").write_text(
        "tasks: {Read: {shell: python read.py}}\nartifactsDir: output\nenvironmentConfigs: [package.yaml]\n"
    )
    (tmp_path / "package.yaml").write_text("dependencies:\n  pypi:\n    - robocorp-vault=1.4.2\n")
    (tmp_path / "read.py").write_text(READING)
    with room() as here:
        for name in ("ada", "dora"):
            here.cli("users", "create", name, "--role", "operator", "--password", stdin=PASSWORD)
        admin = run_cli("login", CONTROLROOM_DATA=str(here.data)).stdout.strip()
        where = {"CONTROLROOM_URL": here.url, "CONTROLROOM_WORKSPACE": here.facts["workspace_id"]}

        def cli(*words, code=0):
            done = run_cli(*words, CONTROLROOM_API_KEY=admin, **where)
            assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
            return done.stdout

        for name in ("ada", "dora"):
            cli("grants", "give", "runner", "--user", name, "--organization")
        cli("roles", "create", "bankers", "-p", "read_secrets")
        cli("grants", "give", "bankers", "--user", "ada", "--organization")
        cli("lockers", "create", "Finance")
        cli("lockers", "consumer", "Finance", "bankers")
        cli("shared-secrets", "create", "bank", "--attribute", "user", "--masked", "password", "--locker", "Finance")
        cli("shared-secrets", "set", "bank", "user=teller", "password=swordfish")
        cli("push", tmp_path, "--name", "reader")
        cli("process", "create", "Reading", "--step", "read=reader:Read")

        told = cli("run", "Reading", "--run-as", "ada", "--follow")
        assert "read ['password', 'user'] *** length 9 ***" in told
        assert "swordfish" not in told
        for others in (("--run-as", "dora"), ()):
            assert "No secret with name" in cli("run", "Reading", *others, "--follow", code=1)
        read = [each for each in json.loads(cli("audit", "--json")) if each["event_type"] == "shared_secret.read"]
        assert len(read) == 1
