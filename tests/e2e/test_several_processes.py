"""A room whose server is several processes: work goes on whichever of them dies."""

import json
from collections import Counter
from pathlib import Path

import psutil
import pytest

from rooms import Room, room, until

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDERS = 30
ENDED = {"completed", "unresolved"}


def server(here: Room, number: int) -> psutil.Process:
    """The process of the server that has this number."""
    [found] = [each for each in here.process.children() if each.cmdline()[-2:] == ["server", str(number)]]
    return found


def test_robots_work_while_each_server_is_killed_in_turn(tmp_path):
    """Every order of a run is booked once, though the process that serves a robot may die under it."""
    with room("--servers", "2", "--slots", "2") as here:
        here.cli("push", EXAMPLES / "producer-consumer", "--name", "invoices")
        here.cli(
            *("process", "create", "Invoices", "--step", "produce=invoices:produce"),
            *("--step", "consume=invoices:consume", "--step", "report=invoices:report"),
            *("--after-previous", "report", "--max-parallel", "consume=2"),
        )
        orders = tmp_path / "orders.csv"
        lines = [f"{number},Customer {number},DE,100.00" for number in range(ORDERS)]
        orders.write_text("\n".join(["order,customer,country,net", *lines]) + "\n")
        run = here.json("run", "Invoices", "--file", orders)["id"]

        for number, done in ((1, ORDERS // 4), (2, ORDERS // 2)):
            until(lambda done=done: len(items(here, run, "done")) > done, "some orders are booked", seconds=120)
            killed = server(here, number)
            killed.kill()
            until(lambda number=number: f"server {number} runs again" in here.log, "it serves again")

        until(lambda: here.json("runs", "show", run)["state"] in ENDED, "the run ends", seconds=120)
        assert here.json("runs", "show", run)["state"] == "completed"
        assert Counter(item["state"] for item in items(here, run)) == {"done": 1 + 2 * ORDERS}
        outputs = here.json("runs", "outputs", run)
        assert sum(float(output["payload"]["DE"]) for output in outputs) == ORDERS * 119
        assert here.stop() == 0


def items(here: Room, run: str, state: str | None = None) -> list[dict]:
    """Items of the run's steps."""
    asked = ["--state", state] if state else []
    listed = json.loads(here.cli("items", "list", "--run", run, "--json", *asked).stdout)
    return [item for item in listed if item["step"]]
