"""A dbt project in a real room, as clients of its dbt Cloud grammar see it: for tests of whole runs."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rooms import Room, until

COMPLETE = {10, 20, 30}
SECONDS = 240
"""How long a run may take that also makes its environment, on a machine with other work."""

FILES = {
    "dbt_project.yml": "name: shop\nprofile: shop\nversion: '1.0'\nmodels:\n  shop:\n    +materialized: table\n",
    "models/rows.sql": "select count(*) as n, '{{ var(\"mark\", \"\") }}' as mark from range({{ var('rows', 1) }})\n",
}
"""One model whose query takes as long as a run says."""
SLOWLY = """dbt run --vars '{"rows": 3000000000000, "mark": "slow"}'"""


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


class Shop:
    """A project with an environment and a job in it."""

    def __init__(
        self,
        running: Room,
        folder: Path,
        files: Mapping[str, str] = FILES,
        *options: object,
        name: str = "shop",
        steps: tuple[str, ...] = ("dbt run",),
    ) -> None:
        self.room = running
        self.ids = running.json("dbt", "push", written(folder, files), "--name", name, *options)
        made = running.json("dbt", "tokens", "create", name, "--permission", "account_admin")
        self.token, self._account = made["token"], made["account_id"]
        self.job = self.make_job(*steps)

    def make_job(self, *steps: str, **more: Any) -> int:
        """A job of these commands; its id."""
        where = {name: self.ids[name] for name in ("project_id", "environment_id")}
        return self.call("POST", "/jobs/", name="job", execute_steps=list(steps), **where | more)["id"]

    def raw(self, path: str, *, version: int = 2) -> bytes:
        """What the room answers to a GET, as it comes."""
        with urllib.request.urlopen(self._request("GET", path, None, version), timeout=60) as answer:
            return answer.read()

    def call(self, method: str, path: str, *, version: int = 2, **body: Any) -> Any:
        """`data` of what the room answers."""
        try:
            with urllib.request.urlopen(self._request(method, path, body or None, version), timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from refusal

    def _request(self, method: str, path: str, body: Any, version: int) -> urllib.request.Request:
        return urllib.request.Request(
            f"{self.room.url}/api/v{version}/accounts/{self._account}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
            method=method,
        )

    def start(self, *steps: str, job: int | None = None, **body: Any) -> int:
        """Start a run; its id."""
        if steps:
            body["steps_override"] = list(steps)
        return self.call("POST", f"/jobs/{job or self.job}/run/", cause="test", **body)["id"]

    def cancel(self, run: int) -> dict[str, Any]:
        """Ask for the end of a run; what is answered."""
        return self.call("POST", f"/runs/{run}/cancel/")

    def run(self, run: int) -> dict[str, Any]:
        """A run with its steps, also while its server is away."""
        try:
            return self.call("GET", f"/runs/{run}/?include_related=run_steps,trigger")
        except OSError:
            return {"status": 0, "run_steps": []}

    def steps(self, run: int) -> list[str]:
        """How the steps of a run stand."""
        return [step["status_humanized"] for step in self.run(run)["run_steps"]]

    def reaches(self, run: int, name: str) -> None:
        """Wait until a run is in the step whose name begins so."""

        def is_there() -> bool:
            steps = self.run(run)["run_steps"]
            return any(step["name"].startswith(name) and step["status_humanized"] == "Running" for step in steps)

        until(is_there, f"run {run} reaches {name}", seconds=SECONDS)

    def says(self, run: int, text: str) -> None:
        """Wait until a step of a run has printed a text."""
        until(
            lambda: any(text in step["logs"] for step in self.run(run)["run_steps"]),
            f"run {run} says {text}",
            seconds=SECONDS,
        )

    def ended(self, run: int) -> dict[str, Any]:
        """A run once it has ended, which it must."""
        until(lambda: self.run(run)["status"] in COMPLETE, f"run {run} ends", seconds=SECONDS)
        return self.run(run)

    def good(self, run: int) -> dict[str, Any]:
        """A run once it has ended, which it must, and well."""
        found = self.ended(run)
        assert found["status"] == 10, [found["status_message"], *(step["logs"] for step in found["run_steps"])]
        return found

    def shown(self, select: str, *, job: int | None = None) -> str:
        """What the database holds, as the next run reads it."""
        run = self.start(f'dbt show --quiet --limit 100 --inline "{select}"', job=job)
        return self.good(run)["run_steps"][-1]["logs"]

    def artifact(self, run: int, name: str, *, step: int | None = None) -> Any:
        """A file that a step of a run has left, read as JSON."""
        return json.loads(self.raw(f"/runs/{run}/artifacts/{name}" + ("" if step is None else f"?step={step}")))
