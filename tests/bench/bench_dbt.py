"""Runs of a dbt project: from the accepted trigger to the first line of its first own command, and deps, build, docs.

All times are of one machine's clock, and alternate with the same commands typed by hand in the environment that the
worker has built, on a copy of the project. The first line is that of dbt's debug log, which has microseconds. *Between
the phases* is all that a run takes of which no phase is under way, from its trigger to its end. At last twenty small
runs of twenty jobs, half of them on one database and half on another, are triggered at once for two slots.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.api import Caller
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

PROJECT = Path(__file__).parents[2] / "examples" / "dbt-orchard"
ROUNDS = 12
BY_HAND = 4
SMALL_RUNS = 20
WARMING = 3
REST = 0.5

_SECOND = 3
"""The index of a run's step of deps; its own command is the next."""
_STAMP = re.compile(r"^(\d\d):(\d\d):(\d\d\.\d+) ", re.MULTILINE)


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--slots", "2") as here:
        pushed = here.json("dbt", "push", PROJECT, "--name", "orchard")
        token = here.json("dbt", "tokens", "create", "bench", "--permission", "account_admin")["token"]
        api = Account(here, token, pushed)
        job = api.job("dbt build")
        cold = api.run(job)
        for _ in range(WARMING):  # the first run leaves an interpreter behind that later ones are born of
            time.sleep(REST)
            api.run(job)
        program = next(here.data.glob("**/environments/*/bin/dbt"))
        firsts, wholes, gaps, hands = [], [], [], []
        for number in range(ROUNDS):
            time.sleep(REST)
            ran = api.run(job)
            firsts.append(ran.first_line - ran.accepted)
            wholes.append(ran.seconds)
            gaps.append(ran.between)
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
        yield Figure(
            "of that between the phases, in all (p50 / p99)",
            milliseconds(percentile(gaps, 0.5), percentile(gaps, 0.99)),
            beside="waiting for a worker, moving what a command left, keeping the database, telling the end",
        )
        yield _many(here, api, Path(name))


def _many(here: Room, api: "Account", folder: Path) -> Figure:
    """Small runs on two slots, from the first trigger to the last end, and how many were under way together."""
    other = Account(here, api.token, here.json("dbt", "push", PROJECT, "--name", "second"))
    jobs = [each.job("dbt compile", docs=False) for _ in range(SMALL_RUNS // 2) for each in (api, other)]
    api.finished([api.trigger(jobs[0]), api.trigger(jobs[1])])
    ended = api.finished([api.trigger(job) for job in jobs])
    begun = [datetime.fromisoformat(run["dequeued_at"]) for run in ended]
    ends = [datetime.fromisoformat(run["finished_at"]) for run in ended]
    took = max(ends) - min(datetime.fromisoformat(run["created_at"]) for run in ended)
    busy = sum((end - begin for begin, end in zip(begun, ends, strict=True)), timedelta())
    return Figure(
        f"{SMALL_RUNS} small runs on two slots, two databases: first trigger → last end",
        f"{took.total_seconds():.1f} s",
        beside=f"{busy / took:.2f} under way at a time; nothing was left waiting",
    )


class Ran:
    """A run that has ended."""

    def __init__(self, accepted: float, answer: dict[str, Any], steps: list[dict[str, Any]]) -> None:
        self.accepted = accepted
        self.ended = datetime.fromisoformat(answer["finished_at"]).timestamp()
        self.seconds = self.ended - accepted
        phases = (
            datetime.fromisoformat(step["finished_at"]) - datetime.fromisoformat(step["started_at"]) for step in steps
        )
        self.between = self.seconds - sum(phases, timedelta()).total_seconds()
        found = _STAMP.search(steps[_SECOND]["debug_logs"])
        assert found is not None, steps[_SECOND]["debug_logs"][:500]
        day = datetime.fromtimestamp(accepted, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        self.first_line = day + int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


class Account(Caller):
    """The account of a room, as clients of its dbt grammar see it."""

    def __init__(self, here: Room, token: str, pushed: dict[str, Any]) -> None:
        super().__init__(here.url, f"Token {token}")
        self.token = token
        self._base = f"/api/v2/accounts/{pushed['account_id']}"
        self._ids = {name: pushed[name] for name in ("account_id", "project_id", "environment_id")}

    def job(self, *steps: str, docs: bool = True) -> int:
        """A job of these commands."""
        body = {**self._ids, "name": "bench", "execute_steps": steps, "generate_docs": docs}
        return int(self._ask("POST", "/jobs/", body)["id"])

    def trigger(self, job: int) -> int:
        """Trigger a job; the run's id."""
        return int(self._ask("POST", f"/jobs/{job}/run/", {"cause": "bench"})["id"])

    def finished(self, runs: list[int]) -> list[dict[str, Any]]:
        """Runs, once all of them have ended well."""
        ended = []
        for run in runs:
            while not (answer := self._ask("GET", f"/runs/{run}/"))["is_complete"]:
                time.sleep(0.05)
            assert answer["is_success"], answer["status_message"]
            ended.append(answer)
        return ended

    def run(self, job: int) -> Ran:
        """Trigger it and wait for its end."""
        run = self.trigger(job)
        accepted = time.time()
        [answer] = self.finished([run])
        steps = self._ask("GET", f"/runs/{run}/?include_related=run_steps,debug_logs")["run_steps"]
        return Ran(accepted, answer, steps)

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
