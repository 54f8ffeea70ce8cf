"""Watching a run at the prompt: its console as it comes, until it has ended."""

import sys
from typing import Any, NamedTuple

from controlroom.cli.calling import Client
from controlroom.cli.display import seconds, show_json
from controlroom.cli.errors import FAILED, INTERRUPTED
from controlroom.cli.live_lines import Label, LiveLines
from controlroom.cli.screen import harmless
from controlroom.cli.values import confirmed
from controlroom_client.following import BeganAnew, Event, Heading, Line, Source, State, Unfinished, following

_PATIENCE_SECONDS = 120.0
_COLOURS = (36, 33, 35, 32, 34, 31)
_NAMED_ONE_BY_ONE = 12
"""Artifacts. Why: more of them are no sentence any more; a dbt command leaves hundreds."""


class Called(NamedTuple):
    """What a person calls a run, and the command that lists what it has left."""

    name: str
    listing: str


def follow(client: Client, run_id: str, *, as_json: bool = False, called: Called | None = None) -> int:
    """Show the console of a run's step runs until it has ended; the exit code is 0 only if it completed.

    `called` is how the run is told of, if not by its id. A room that restarts meanwhile is waited for. Ctrl-C ends the
    watching, and the run if the person says so.
    """
    client.api.patience = _PATIENCE_SECONDS
    called = called or Called(run_id, f"controlroom artifacts list {run_id}")
    screen = _Screen(is_quiet=as_json)
    try:
        for event in client.iterate(following(client.api, run_id)):
            screen.show(event)
        run: dict[str, Any] = client.get(f"/process-runs/{run_id}")
        step_runs = list(client.each("/step-runs", process_run_id=run_id))
    except KeyboardInterrupt:
        return _leave(client, run_id)
    if as_json:
        show_json({**run, "step_runs": step_runs})
    else:
        for step_run in step_runs:
            left = list(client.each(f"/step-runs/{step_run['id']}/artifacts"))
            if left:
                name = screen.names.get(step_run["id"], step_run["step"]["name"])
                screen.say(f"{name}: {artifacts_in_words(left, called.listing)}")
        print(f"run {called.name} {run['state']} in {seconds(run['duration'])}", file=sys.stderr)
    return 0 if run["state"] == "completed" else FAILED


def artifacts_in_words(left: list[dict[str, Any]], listing: str) -> str:
    """A few artifacts by name, each once; of many how many they are, and how to see them."""
    names = sorted({each["name"] for each in left})
    if len(left) <= _NAMED_ONE_BY_ONE:
        return f"artifacts {', '.join(names)}"
    return f"{len(left)} artifacts ({listing})"


class _Screen:
    """Where the events of a run are shown: what robots print, and sentences of ours apart from it."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._lines = LiveLines(to_stderr=is_quiet)
        self.names: dict[str, str] = {}
        """What each step run is called, by its id."""

    def show(self, event: Event) -> None:
        """Show what has happened."""
        label = self._label(event.source)
        match event:
            case Line(text=text):
                self._lines.line(label, text)
            case Unfinished(text=text):
                self._lines.unfinished(label, text)
            case Heading(text=text):
                self._lines.line(label, f"── {text}")
            case BeganAnew():
                self.say(f"{label.text}: begins anew")
            case State(state=state, error_code=code, error=message):
                why = ": ".join(part for part in (code, message) if part)
                self.say(f"{label.text}: {state.replace('_', ' ')}{f' ({why})' if why else ''}")

    def say(self, sentence: str) -> None:
        """A sentence of ours, apart from what robots print."""
        self._lines.end()
        print(f"\033[2m{sentence}\033[0m" if sys.stderr.isatty() else sentence, file=sys.stderr)

    def _label(self, source: Source) -> Label:
        name = self.names.setdefault(source.step_run_id, harmless(source.name))
        return Label(name, _COLOURS[source.place % len(_COLOURS)])


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
