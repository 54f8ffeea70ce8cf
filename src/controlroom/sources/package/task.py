"""The task: loads what its step says into where that says, and tells in the console how far it is.

`python -m controlroom.sources.package.task`, within a run of the room. The report (rows per table) is the artifact
`load.json`. Exit code 0 only if all was loaded; what was loaded before a failure stays, and the next run goes on there.
"""

import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

from controlroom.sources.package.settings import SECRET, SOURCE, Settings, Unusable, settings, told

_TELL_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 60
_OWN: Final = ("_dlt", "Files", "Resources", "Jobs")
"""How dlt counts its own things among the tables."""
_WINDOW: Final = 200_000
"""Rows after which a load is committed: a run that is stopped or fails loses no more."""


def main() -> int:
    """Run the load; the exit code."""
    wanted: Settings | None = None
    try:
        wanted = settings(os.environ, _secret(os.environ.get(SECRET, "")), _payload(os.environ))
        report = _load(wanted)
    except Unusable as unusable:
        print(f"Nothing was loaded: {unusable}", file=sys.stderr)
        return 2
    except Exception as failed:  # noqa: BLE001 - the edge of the task: what is told of a failure holds no secret
        text = _sentence(failed) or traceback.format_exc()
        print(text if wanted is None else wanted.masked(text), file=sys.stderr)
        return 1
    _show(report)
    left = Path(os.environ.get("ROBOT_ARTIFACTS", "output"))
    left.mkdir(parents=True, exist_ok=True)
    (left / "load.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _load(wanted: Settings) -> dict[str, Any]:
    import dlt  # noqa: PLC0415 - takes a second, in which the console says already what goes on

    from controlroom import sources  # noqa: PLC0415
    from controlroom.sources.running import load  # noqa: PLC0415

    for name, value in wanted.values.items():
        dlt.secrets[name] = value
    make = getattr(sources, f"{wanted.source}_source")
    only = f", of it {', '.join(wanted.resources)}" if wanted.resources else ""
    kind = wanted.destination.partition(":")[0]
    print(f"Loading {wanted.source}{only} into {kind}, dataset {wanted.dataset}.", flush=True)
    with tempfile.TemporaryDirectory(prefix="pipelines-") as folder:  # what it must remember stands in the destination
        report = load(
            lambda: make(full=wanted.full, since=wanted.since, window=_WINDOW),
            wanted.destination,
            name=wanted.source,
            dataset=wanted.dataset,
            folder=folder,
            resources=wanted.resources,
            tell=Progress(),
        )
    return told(report, wanted)


def _sentence(failed: Exception) -> str:
    """What is said of a failure; nothing of what nobody has foreseen, which a traceback tells."""
    from controlroom.sources.failures import told  # noqa: PLC0415 - dlt takes a second

    said = told(failed)
    return "" if said is None else f"Not loaded: {said.message}{f'. {said.hint}' if said.hint else ''}"


class Progress:
    """Says now and then how far a load is, a line a time: consoles of runs keep lines."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._step = ""
        self._last = time.monotonic()

    def __call__(self, step: str, what: str, count: int) -> None:
        """See `running.Tell`."""
        if step != self._step:
            self._say()
            self._step, self._counts = step, Counter()
        if not what.startswith(_OWN):
            self._counts[what] += count
        if time.monotonic() - self._last >= _TELL_SECONDS:
            self._say()

    def _say(self) -> None:
        counts = ", ".join(f"{what} {count:,}" for what, count in self._counts.most_common(5))
        if counts:
            print(f"{self._step.partition(' ')[0].lower()}: {counts}", flush=True)
        self._last = time.monotonic()


def _show(report: Mapping[str, Any]) -> None:
    width = max(map(len, report["rows"]), default=0)
    for table, count in report["rows"].items():
        print(f"{table.ljust(width)}  {count:>12,}")
    for remark in report["remarks"]:
        print(f"Remark: {remark}")
    total = sum(report["rows"].values())
    print(f"{total:,} rows in {report['seconds']:.1f} s into {report['destination']}, dataset {report['dataset']}.")


def _secret(name: str) -> Mapping[str, str]:
    if not name:
        raise Unusable(f"{SECRET} names the secret of the vault with what {os.environ.get(SOURCE, 'the source')} needs")
    from robocorp import vault  # noqa: PLC0415 - in the package's list alone

    found: Mapping[str, str] = vault.get_secret(name)
    return found


def _payload(variables: Mapping[str, str]) -> object:
    """What the run was started with."""
    item, workspace = variables.get("RC_WORKITEM_ID"), variables.get("RC_WORKSPACE_ID")
    if not item:
        return None
    answer = requests.get(
        f"{variables['RC_API_WORKITEM_HOST']}/json-v1/workspaces/{workspace}/workitems/{item}/data",
        headers={"Authorization": f"Bearer {variables['RC_API_WORKITEM_TOKEN']}"},
        timeout=_ANSWER_SECONDS,
    )
    if answer.status_code == requests.codes.not_found:
        return None
    answer.raise_for_status()
    return answer.json() if answer.content else None


if __name__ == "__main__":
    sys.exit(main())
