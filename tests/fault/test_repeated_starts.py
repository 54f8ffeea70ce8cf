"""A start with a key makes one run, however often its answer is lost with the server that should have given it.

Each round sends a start on a real room, kills the server at a random moment around its commit, and repeats the start,
the same bytes, until it is answered. The seed is printed; `FAULT_SEED=…` repeats it.
"""

import os
import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from tests.rooms import room

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
COURIER = Path(__file__).parent / "robots" / "courier"
ITEMS = 50
PATIENCE = 60.0


def test_a_start_that_is_repeated_makes_one_run(tmp_path):
    """Whether it was killed before the commit, or between commit and answer: one run, with its items once."""
    chance, lost = random.Random(SEED), 0
    print(f"seed {SEED}")
    with room("--no-worker", data=tmp_path / "room") as here:
        here.cli("push", COURIER, "--name", "courier")
        here.cli("process", "create", "Deliveries", "--step", "deliver=courier:Deliver")
        process = here.json("process", "show", "Deliveries")["id"]
        address = f"{here.url}/api/v1/workspaces/{here.facts['workspace_id']}/processes/{process}/process-runs"
        headers = {"Authorization": f"RC-WSKEY {here.facts['api_key']}"}

        for number in range(ROUNDS):
            body = {"payloads": [{"number": n} for n in range(ITEMS)], "idempotency_key": f"round-{number}"}
            answers: list[str] = []

            def start(body=body, answers=answers) -> None:
                with suppress(httpx2.TransportError):
                    answer = httpx2.post(address, json=body, headers=headers, timeout=120, trust_env=False)
                    if answer.status_code == 200:
                        answers.append(answer.json()["id"])

            server = here.child("server")
            sending = threading.Thread(target=start)
            sending.start()
            time.sleep(chance.uniform(0.0, 0.15))  # around the commit: to make the request takes most of it
            server.kill()
            sending.join()
            lost += not answers

            until = time.monotonic() + PATIENCE
            while len(answers) < 2:
                assert time.monotonic() < until, f"the room does not come back:\n{here.log[-3000:]}"
                start()
                time.sleep(0.05)  # between two questions to a room that is away

            assert len(set(answers)) == 1
            assert len(here.json("runs", "list", "--process", "Deliveries", "--limit", "1000")) == number + 1
            assert len(here.json("items", "list", "--run", answers[0], "--limit", "1000")) == ITEMS
    print(f"{lost} of {ROUNDS} answers were lost")
    assert lost, "no answer was lost: the moments of the kills are badly chosen"
