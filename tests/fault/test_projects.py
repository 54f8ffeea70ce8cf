"""Runs of projects survive the death of worker and server in each of their phases, or end: none stays as it is.

One room for all, because the environment is made once. The project has one model whose query takes as long as a run
says, so that a death meets it at work.
"""

import json
import urllib.request
from typing import Any

import pytest

from rooms import Room, room, until

pytestmark = pytest.mark.fault

FILES = {
    "dbt_project.yml": "name: shop\nprofile: shop\nversion: '1.0'\nmodels:\n  shop:\n    +materialized: table\n",
    "models/rows.sql": "select count(*) as n, '{{ var(\"mark\", \"\") }}' as mark from range({{ var('rows', 1) }})\n",
}
SLOWLY = """dbt run --vars '{"rows": 3000000000000, "mark": "slow"}'"""
COMPLETE = {10, 20, 30}
SECONDS = 240


class Shop:
    """A dbt project in a room, by the grammar of its clients."""

    def __init__(self, running: Room, folder) -> None:
        self.room = running
        for name, content in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        running.cli("dbt", "push", folder, "--name", "shop")
        made = running.json("dbt", "tokens", "create", "fault", "--permission", "account_admin")
        self._token, self._account = made["token"], made["account_id"]
        target = self.call("GET", "/environments/")[0]
        self.job = self.call(
            "POST",
            "/jobs/",
            project_id=target["project_id"],
            environment_id=target["id"],
            name="fault",
            execute_steps=["dbt run"],
        )["id"]

    def call(self, method: str, path: str, **body: Any) -> Any:
        """What the room answers."""
        request = urllib.request.Request(
            f"{self.room.url}/api/v2/accounts/{self._account}{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Token {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def start(self, *steps: str, **body: Any) -> int:
        """Start a run; its id."""
        if steps:
            body["steps_override"] = list(steps)
        return self.call("POST", f"/jobs/{self.job}/run/", cause="fault", **body)["id"]

    def run(self, run: int) -> dict[str, Any]:
        """A run with its steps, also while its server is away."""
        try:
            return self.call("GET", f"/runs/{run}/?include_related=run_steps")
        except OSError:
            return {"status": 0, "run_steps": []}

    def reaches(self, run: int, name: str) -> None:
        """Wait until a run is in the step whose name begins so."""

        def is_there() -> bool:
            steps = self.run(run)["run_steps"]
            return any(step["name"].startswith(name) and step["status_humanized"] == "Running" for step in steps)

        until(is_there, f"run {run} reaches {name}", seconds=SECONDS)

    def ended(self, run: int) -> dict[str, Any]:
        """A run once it has ended, which it must."""
        until(lambda: self.run(run)["status"] in COMPLETE, f"run {run} ends", seconds=SECONDS)
        return self.run(run)

    def marks(self) -> str:
        """What the database holds, as the next run reads it."""
        run = self.start('dbt show --quiet --inline "select mark from rows"')
        found = self.ended(run)
        assert found["status"] == 10, found["status_message"]
        return found["run_steps"][-1]["logs"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The project of a room with two workers' slots; its environment is not made yet."""
    with room() as running:
        yield Shop(running, tmp_path_factory.mktemp("shop"))


def test_a_worker_that_dies_before_the_first_command_is_replaced(shop):
    """While it makes the environment: the run goes on as a new attempt, and ends well."""
    run = shop.start()
    shop.reaches(run, "Create profile")

    shop.room.child("worker").kill()

    found = shop.ended(run)
    assert found["status"] == 10, found["status_message"]


def test_a_worker_that_dies_at_a_command_fails_the_run(shop):
    """It is told so, with its steps; the database is as before, and the next run of the job comes at once."""
    before = shop.marks()
    run = shop.start('dbt run --vars \'{"mark": "half"}\'', SLOWLY)
    until(
        lambda: [step["status_humanized"] for step in shop.run(run)["run_steps"]][3:] == ["Success", "Running"],
        "the second command is at work",
        seconds=SECONDS,
    )

    shop.room.child("worker").kill()

    found = shop.ended(run)
    assert (found["status"], found["finished_at"] is not None) == (20, True)
    assert [step["status_humanized"] for step in found["run_steps"]][3:] == ["Success", "Error"]
    assert "half" not in shop.marks()
    assert before.split()[-1:] == shop.marks().split()[-1:]


@pytest.mark.parametrize("at", ["Clone", "Create profile", "Invoke dbt with `dbt run"])
def test_a_server_that_dies_in_a_phase_is_not_missed(shop, at):
    """Its worker goes on and tells the next server: the run ends well, and what it wrote is there."""
    mark = at.split()[0].lower()
    run = shop.start(f'dbt run --vars \'{{"rows": 20000000000, "mark": "{mark}"}}\'')
    if at != "Clone":  # which takes no time: it is met somewhere at its beginning
        until(lambda: shop.run(run)["status"] in COMPLETE or len(shop.run(run)["run_steps"]) > 0, "it begins")

    shop.room.child("server").kill()

    found = shop.ended(run)
    assert found["status"] == 10, found["status_message"]
    assert mark in shop.marks()


def test_a_room_that_dies_as_a_whole_leaves_no_run_running(shop):
    """Server and worker at once, with one run at work and one queued behind it: both end, the second one well."""
    first, second = shop.start(SLOWLY), shop.start()
    shop.reaches(first, "Invoke dbt with `dbt run")

    shop.room.child("worker").kill()
    shop.room.child("server").kill()

    assert shop.ended(first)["status"] == 20
    found = shop.ended(second)
    assert found["status"] == 10, found["status_message"]
