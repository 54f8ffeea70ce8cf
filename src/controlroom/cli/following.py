"""Watching a run: its console as it comes, until it has ended."""

import sys
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from controlroom.cli.client import Client
from controlroom.cli.display import seconds, show_json
from controlroom.cli.errors import FAILED, INTERRUPTED
from controlroom.cli.live_lines import Label, LiveLines
from controlroom.cli.screen import harmless
from controlroom.cli.values import confirmed

_RUN_ENDED = frozenset({"completed", "unresolved"})
_STEP_RUN_ENDED = frozenset({"completed", "failed"})
_PAUSES = (0.05, 0.5)
"""Seconds between two looks: the first while something happens, the second after a long silence."""
_PATIENCE_SECONDS = 120.0
_COLOURS = (36, 33, 35, 32, 34, 31)
_NAMED_ONE_BY_ONE = 12
"""Artifacts. Why: more of them are no sentence any more; a dbt command leaves hundreds."""
_HEADED = frozenset({"source", "profile", "command"})
"""Kinds of phases that have a heading: what somebody has written down as a step, or a project's run begins with."""


class Called(NamedTuple):
    """What a person calls a run, and the command that lists what it has left."""

    name: str
    listing: str


def follow(client: Client, run_id: str, *, as_json: bool = False, called: Called | None = None) -> int:
    """Show the console of a run's step runs until it has ended; the exit code is 0 only if it completed.

    `called` is how the run is told of, if not by its id. A room that restarts meanwhile is waited for. Ctrl-C ends the
    watching, and the run if the person says so.
    """
    client.patience = _PATIENCE_SECONDS
    called = called or Called(run_id, f"controlroom artifacts list {run_id}")
    watch = _Watch(client, run_id, quiet=as_json)
    try:
        run = watch.to_the_end()
    except KeyboardInterrupt:
        return _leave(client, run_id)
    if as_json:
        show_json({**run, "step_runs": watch.step_runs})
    else:
        watch.show_artifacts(called.listing)
        print(f"run {called.name} {run['state']} in {seconds(run['duration'])}", file=sys.stderr)
    return 0 if run["state"] == "completed" else FAILED


def artifacts_in_words(left: list[dict[str, Any]], listing: str) -> str:
    """A few artifacts by name, each once; of many how many they are, and how to see them."""
    names = sorted({each["name"] for each in left})
    if len(left) <= _NAMED_ONE_BY_ONE:
        return f"artifacts {', '.join(names)}"
    return f"{len(left)} artifacts ({listing})"


@dataclass
class _Console:
    """How far the console of a step run has been read: the page in hand, and how much of it was shown."""

    step_run_id: str
    label: Label
    page: str
    shown: int = 0
    is_ended: bool = False
    lines: int = 0
    """How many were shown of all of its pages."""
    headed: int = 0
    """Of how many phases the heading was shown."""
    has_headings: bool | None = None
    """None until its phases are known."""


class _Watch:
    def __init__(self, client: Client, run_id: str, *, quiet: bool) -> None:
        self._client = client
        self._run_id = run_id
        self._lines = LiveLines(to_stderr=quiet)
        self._consoles: dict[str, _Console] = {}
        self._states: dict[str, str] = {}
        self.step_runs: list[dict[str, Any]] = []

    def to_the_end(self) -> dict[str, Any]:
        """Show what comes until the run has ended; gives the run as it then is."""
        pause = _PAUSES[0]
        while True:
            # Why in this order: what a step run wrote before the run ended is read after it was seen to have ended
            run: dict[str, Any] = self._client.get(f"/process-runs/{self._run_id}")
            self.step_runs = list(self._client.each("/step-runs", process_run_id=self._run_id))
            happened = sum(self._look_at(step_run) for step_run in self.step_runs)
            if run["state"] in _RUN_ENDED and all(each["state"] in _STEP_RUN_ENDED for each in self.step_runs):
                return run
            pause = _PAUSES[0] if happened else min(pause * 1.3, _PAUSES[1])
            time.sleep(pause)

    def show_artifacts(self, listing: str) -> None:
        """Tell the files that the step runs left; `listing` is the command that lists them."""
        for step_run in self.step_runs:
            console = self._consoles.get(step_run["id"])
            label = console.label.text if console else step_run["step"]["name"]
            left = list(self._client.each(f"/step-runs/{step_run['id']}/artifacts"))
            if left:
                self._say(f"{label}: {artifacts_in_words(left, listing)}")

    def _look_at(self, step_run: dict[str, Any]) -> int:
        """Show what is new of a step run; gives how much that was."""
        console = self._consoles.get(step_run["id"])
        if console is None:
            console = self._begin(step_run)
        if console.is_ended or step_run["state"] in {"new", "awaiting_worker"}:
            return self._tell_state(console, step_run)
        told = self._tell_state(console, step_run) if step_run["state"] not in _STEP_RUN_ENDED else 0
        told += self._read(console)
        if step_run["state"] in _STEP_RUN_ENDED:
            console.is_ended = True
            told += self._tell_state(console, step_run)
        return told

    def _begin(self, step_run: dict[str, Any]) -> _Console:
        step = step_run["step"]["name"]
        same = sum(1 for each in self._consoles.values() if each.label.text.rpartition("#")[0] == step)
        console = _Console(
            step_run_id=step_run["id"],
            label=Label(harmless(f"{step}#{same + 1}"), _COLOURS[len(self._consoles) % len(_COLOURS)]),
            page=self._first_page(step_run["id"]),
        )
        self._consoles[step_run["id"]] = console
        return console

    def _read(self, console: _Console) -> int:
        """Show the lines that were not shown yet. The last page is asked for again until it is full."""
        told = 0
        while True:
            answer = self._client.get(console.page)
            messages = answer["data"]
            headings = self._headings(console)
            for message in messages[console.shown :]:
                told += self._show_headings(console, headings, message["line_number"])
                self._lines.line(console.label, message["message"].removesuffix("\n"))
                console.lines = message["line_number"]
            told += max(len(messages) - console.shown, 0)
            if len(messages) < console.shown:
                # A worker was lost before the robot began, and the attempt of the next one writes anew
                self._say(f"{console.label.text}: begins anew")
                console.page, console.shown, console.lines = self._first_page(console.step_run_id), 0, 0
                continue
            console.shown = len(messages)
            if not answer.get("next"):
                told += self._show_headings(console, headings, console.lines + 1)
                if standing := answer.get("unfinished"):
                    self._lines.unfinished(console.label, standing["message"])
                return told
            console.page, console.shown = answer["next"], 0

    def _headings(self, console: _Console) -> list[tuple[int, str]]:
        """Where the phases that have a heading begin, by the console's lines, and what it says."""
        if console.has_headings is False:
            return []
        phases = list(self._client.each(f"/step-runs/{console.step_run_id}/phases"))
        if phases:
            console.has_headings = any(phase["kind"] in _HEADED for phase in phases)
        begun = [phase for phase in phases if phase["first_line"] is not None and phase["kind"] in _HEADED]
        return [(phase["first_line"], phase["name"]) for phase in begun]

    def _show_headings(self, console: _Console, headings: list[tuple[int, str]], line: int) -> int:
        """Show the headings of what begins at a line, or has begun before it and was not told yet."""
        due = [name for begins, name in headings[console.headed :] if begins <= line]
        for name in due:
            self._lines.line(console.label, f"── {name}")
        console.headed += len(due)
        return len(due)

    def _first_page(self, step_run_id: str) -> str:
        asked = {"limit": 1000, "unfinished": "true"}
        return self._client.locate(f"/step-runs/{step_run_id}/console-messages", asked)

    def _tell_state(self, console: _Console, step_run: dict[str, Any]) -> int:
        state = "paused" if step_run["paused_at"] else step_run["state"]
        if self._states.get(console.step_run_id) == state:
            return 0
        self._states[console.step_run_id] = state
        error = step_run.get("error") or {}
        why = ": ".join(part for part in (error.get("code"), error.get("message")) if part)
        self._say(f"{console.label.text}: {state.replace('_', ' ')}{f' ({why})' if why else ''}")
        return 1

    def _say(self, sentence: str) -> None:
        """A sentence of ours, apart from what robots print."""
        self._lines.end()
        print(f"\033[2m{sentence}\033[0m" if sys.stderr.isatty() else sentence, file=sys.stderr)


def _leave(client: Client, run_id: str) -> int:
    """Ctrl-C: the run goes on unless the person wants it stopped."""
    print(file=sys.stderr)
    if sys.stdin.isatty():
        try:
            confirmed("Stop the run, too?", yes=False)
        except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110 - whatever was meant, it was not yes
            pass
        else:
            client.post(
                f"/process-runs/{run_id}/stop",
                {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True},
            )
            print(f"run {run_id} is told to stop", file=sys.stderr)
            return INTERRUPTED
    print(f"The run goes on. To end it: controlroom runs stop {run_id}", file=sys.stderr)
    return INTERRUPTED
