"""Runs of a dbt project: from the accepted trigger to the first line of its first own command, and deps, build, docs.

All times are of one machine's clock, and alternate with the same commands typed by hand in the environment that the
worker has built, on a copy of the project. The first line is that of dbt's debug log, which has microseconds.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.api import Caller
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

PROJECT = Path(__file__).parents[2] / "examples" / "dbt-orchard"
ROUNDS = 12
BY_HAND = 4
WARMING = 3
REST = 0.5

_SECOND = 3
"""The index of a run's step of deps; its own command is the next."""
_STAMP = re.compile(r"^(\d\d):(\d\d):(\d\d\.\d+) ", re.MULTILINE)


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room() as here:
        pushed = here.json("dbt", "push", PROJECT, "--name", "orchard")
        token = here.json("dbt", "tokens", "create", "bench", "--permission", "account_admin")["token"]
        api = Account(here, token, pushed)
        job = api.job("dbt build")
        cold = api.run(job)
        for _ in range(WARMING):  # the first run leaves an interpreter behind that later ones are born of
            time.sleep(REST)
            api.run(job)
        program = next(here.data.glob("**/environments/*/bin/dbt"))
        firsts, wholes, hands = [], [], []
        for number in range(ROUNDS):
            time.sleep(REST)
            ran = api.run(job)
            firsts.append(ran.first_line - ran.accepted)
            wholes.append(ran.seconds)
            if number % (ROUNDS // BY_HAND) == 0:
                hands.append(by_hand(program, Path(name) / str(number)))
        hand = statistics.median(hands)
        yield Figure(
            "trigger accepted → first line of the first own command, warm (p50 / p99)",
            milliseconds(percentile(firsts, 0.5), percentile(firsts, 0.99)),
            "≤ 1,500 ms",
            f"the first run of the room {milliseconds(cold.first_line - cold.accepted)}, its environment built in it",
        )
        yield Figure(
            "deps + build + docs of the example, warm, from trigger to end (p50 / p99)",
            milliseconds(percentile(wholes, 0.5), percentile(wholes, 0.99)),
            f"≤ 0.4 of by hand = {milliseconds(0.4 * hand)}",
            f"by hand {milliseconds(hand)}: {statistics.median(wholes) / hand:.2f} of it",
        )


class Ran:
    """A run that has ended."""

    def __init__(self, accepted: float, answer: dict[str, Any], log: str) -> None:
        self.accepted = accepted
        self.ended = datetime.fromisoformat(answer["finished_at"]).timestamp()
        self.seconds = self.ended - accepted
        found = _STAMP.search(log)
        assert found is not None, log[:500]
        day = datetime.fromtimestamp(accepted, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        self.first_line = day + int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


class Account(Caller):
    """The account of a room, as clients of its dbt grammar see it."""

    def __init__(self, here: Room, token: str, pushed: dict[str, Any]) -> None:
        super().__init__(here.url, f"Token {token}")
        self._base = f"/api/v2/accounts/{pushed['account_id']}"
        self._ids = {name: pushed[name] for name in ("account_id", "project_id", "environment_id")}

    def job(self, *steps: str) -> int:
        """A job of these commands, with docs."""
        body = {**self._ids, "name": "bench", "execute_steps": steps, "generate_docs": True}
        return int(self._ask("POST", "/jobs/", body)["id"])

    def run(self, job: int) -> Ran:
        """Trigger it and wait for its end."""
        run = self._ask("POST", f"/jobs/{job}/run/", {"cause": "bench"})["id"]
        accepted = time.time()
        while not (answer := self._ask("GET", f"/runs/{run}/"))["is_complete"]:
            time.sleep(0.05)
        assert answer["is_success"], answer["status_message"]
        steps = self._ask("GET", f"/runs/{run}/?include_related=run_steps,debug_logs")["run_steps"]
        return Ran(accepted, answer, steps[_SECOND]["debug_logs"])

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        content = self.call(method, self._base + path, None if body is None else json.dumps(body).encode())
        return dict(json.loads(content)["data"])


def by_hand(program: Path, folder: Path) -> float:
    """Seconds of the three commands, typed one after the other."""
    shutil.copytree(PROJECT, folder)
    output = {"type": "duckdb", "path": "orchard.duckdb", "threads": 4}
    profile = {"orchard": {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile))
    variables = {"PATH": os.defpath, "HOME": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    began = time.monotonic()
    for words in (["deps"], ["build"], ["docs", "generate"]):
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True, env=variables)
    return time.monotonic() - began


if __name__ == "__main__":
    show(main())
