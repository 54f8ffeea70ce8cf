"""Deploys for several users while a worker is lost, and while servers are killed around the commit (§14 of the design).

Everything goes over HTTP, in the grammar of the Control Room API, on a real room. The seed is printed; `FAULT_SEED=…`
repeats it.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms import PROGRAM, Room, clean_environment, room, until

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "8"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
PATIENCE = 90.0
ROBOT = """tasks:
  Wait:
    shell: python3 -c "import pathlib, time; print('at work', flush=True); time.sleep(4)"
artifactsDir: output
"""


class Client:
    """Somebody who is logged in, and logs in again whenever the room has forgotten them."""

    def __init__(self, here: Room) -> None:
        self._here = here
        self._http = httpx2.Client(base_url=here.url, timeout=120, trust_env=False)
        self.log_in()

    def log_in(self) -> None:
        """By name and password."""
        told = self._http.post("/v2/authentication", json=self._here.facts["admin"] | {"multipleLogin": True}).json()
        self._http.headers["X-Authorization"] = told["token"]

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The answer of a call that must succeed."""
        answer = self._http.post(path, json=body, headers=headers)
        assert answer.status_code in {200, 201}, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def rows(self, path: str, field: str, value: object) -> list[dict[str, Any]]:
        """The rows of a list where a field has a value."""
        found = self.post(path, {"filter": {"operator": "eq", "field": field, "value": str(value)}})
        rows: list[dict[str, Any]] = found["list"]
        return rows


@contextmanager
def another_worker(here: Room, folder: Path, name: str):
    """A second worker of the room, as a process of its own."""
    token = here.json("workers", "link-token")["link_token"]
    words = [*PROGRAM, "worker", "--url", here.url, "--link-token", token, "--name", name, "--folder", str(folder)]
    log = folder.with_suffix(".log").open("ab")
    worker = subprocess.Popen([*words, "--sandbox", "off"], env=clean_environment(), stdout=log, stderr=log)
    try:
        yield worker
    finally:
        with suppress(ProcessLookupError):
            worker.kill()
        worker.wait()


def furnish(here: Room, folder: Path) -> int:
    """Push the robot; the number of its bot."""
    (folder / "robot").mkdir()
    (folder / "robot" / "robot.yaml").write_text(ROBOT)
    here.cli("push", folder / "robot", "--name", "waiting")
    client = Client(here)
    [bot] = [row for row in client._http.get("/v3/automations").json()["automations"] if row["name"] == "Wait"]
    return int(bot["id"])


def test_one_of_two_workers_is_lost(tmp_path):
    """Each user has one execution, all the same; what the lost device had at work has failed, and says so."""
    with room(data=tmp_path / "room") as here, another_worker(here, tmp_path / "second", "second") as second:
        bot, client = furnish(here, tmp_path), Client(here)
        dora = here.json("users", "create", "dora", "--role", "owner")["id"]
        until(lambda: client.rows("/v2/devices/list", "hostName", "second"), "the second device comes")
        here.cli("users", "default-worker", "dora", "second")
        numbers = {row["username"]: row["id"] for row in client.post("/v1/devices/runasusers/list", {})["list"]}
        assert dora
        users = [numbers[here.facts["admin"]["username"]], numbers["dora"]]

        told = client.post("/v3/automations/deploy", {"fileId": bot, "runAsUserIds": users})

        def of(user: int) -> dict[str, Any]:
            found = client.rows("/v3/activity/list", "deploymentId", told["deploymentId"])
            [execution] = [row for row in found if row["userId"] == str(user)]
            return execution

        assert len(client.rows("/v3/activity/list", "deploymentId", told["deploymentId"])) == 2
        until(lambda: of(users[1])["status"] == "RUNNING", "the second device runs", seconds=PATIENCE)
        second.send_signal(signal.SIGKILL)
        until(lambda: of(users[0])["progress"] == 100, "the first execution ends", seconds=PATIENCE)
        until(lambda: of(users[1])["progress"] == 100, "the lost device is noticed", seconds=PATIENCE)
        mine, lost = of(users[0]), of(users[1])
        assert (mine["status"], mine["message"]) == ("COMPLETED", "")
        assert lost["status"] == "RUN_FAILED"
        assert lost["message"]
        assert len(client.rows("/v3/activity/list", "deploymentId", told["deploymentId"])) == 2


def test_a_deploy_whose_answer_is_lost_is_there_once(tmp_path):
    """Killed before the commit or between commit and answer: repeated with its key, it is one execution."""
    chance, lost = random.Random(SEED), 0
    print(f"seed {SEED}")
    with room(data=tmp_path / "room") as here:
        bot, client = furnish(here, tmp_path), Client(here)
        me = next(iter(client.post("/v1/devices/runasusers/list", {})["list"]))["id"]
        for number in range(ROUNDS):
            body = {"fileId": bot, "runAsUserIds": [me], "automationName": f"round {number}"}
            answers: list[str] = []

            def deploy(body=body, answers=answers, number=number) -> None:
                with suppress(httpx2.TransportError, AssertionError, KeyError):
                    key = {"Idempotency-Key": f"round-{number}"}
                    answers.append(client.post("/v3/automations/deploy", body, **key)["deploymentId"])

            server, sending = here.child("server"), threading.Thread(target=deploy)
            sending.start()
            time.sleep(chance.uniform(0.0, 0.1))  # around the commit
            server.kill()
            sending.join()
            lost += not answers
            end = time.monotonic() + PATIENCE
            while len(answers) < 2:
                assert time.monotonic() < end, f"the room does not come back:\n{here.log[-3000:]}"
                deploy()
                time.sleep(0.05)  # between two questions to a room that is away
            assert len(set(answers)) == 1
            assert len(client.rows("/v3/activity/list", "automationName", f"round {number}")) == 1
    print(f"{lost} of {ROUNDS} answers were lost")
    assert lost, "no answer was lost: the moments of the kills are badly chosen"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
