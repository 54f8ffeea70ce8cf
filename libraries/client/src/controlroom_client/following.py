"""Watching a run: its console as it comes, until it has ended."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from controlroom_client.calls import Calls
from controlroom_client.steps import Give, Pause, Steps

_RUN_ENDED = frozenset({"completed", "unresolved"})
_STEP_RUN_ENDED = frozenset({"completed", "failed"})
_NOT_BEGUN = frozenset({"new", "awaiting_worker"})
_PAUSES = (0.05, 0.5)
"""Seconds between two looks: the first while something happens, the second after a long silence."""
_HEADED = frozenset({"source", "profile", "command"})
"""Kinds of phases that have a heading: what somebody has written down as a step, or a project's run begins with."""


class Source(NamedTuple):
    """Of which step run something is told."""

    step_run_id: str
    step: str
    number: int
    """Of the step runs of this step, from 1."""
    place: int
    """Of all step runs that were watched, from 0."""

    @property
    def name(self) -> str:
        """What people call it: `step#1`."""
        return f"{self.step}#{self.number}"


class Line(NamedTuple):
    """A line of a console, without its end."""

    source: Source
    number: int
    text: str


class Unfinished(NamedTuple):
    """A line of which the end has not come yet. Told at every look while it stands; its `Line` takes its place."""

    source: Source
    text: str


class Heading(NamedTuple):
    """What is done from the next line on: a command of a project's run, for instance."""

    source: Source
    text: str


class State(NamedTuple):
    """A step run is in this state now: as the API calls it, or `paused`."""

    source: Source
    state: str
    error_code: str | None
    error: str | None


class BeganAnew(NamedTuple):
    """The step run's worker was lost before the robot began, and the next one writes the console anew."""

    source: Source


Event: TypeAlias = Line | Unfinished | Heading | State | BeganAnew


def following(calls: Calls, run_id: str) -> Steps[None]:
    """Give the events of a run until it has ended. A room that restarts is waited for, as `calls` is patient."""
    yield from _Watch(calls, run_id).to_the_end()


def waiting(calls: Calls, run_id: str) -> Steps[dict[str, Any]]:
    """Wait until a run has ended; the run as it then is."""
    pause = _PAUSES[0]
    while True:
        run: dict[str, Any] = yield from calls.json("GET", calls.locate(f"/process-runs/{run_id}"))
        if run["state"] in _RUN_ENDED:
            return run
        pause = min(pause * 1.3, _PAUSES[1])
        yield Pause(pause)


@dataclass
class _Console:
    """How far the console of a step run has been read: the page in hand, and how much of it was given."""

    source: Source
    page: str
    shown: int = 0
    state: str | None = None
    is_ended: bool = False
    lines: int = 0
    """How many were given of all of its pages."""
    headed: int = 0
    """Of how many phases the heading was given."""
    has_headings: bool | None = None
    """None until its phases are known."""


class _Watch:
    def __init__(self, calls: Calls, run_id: str) -> None:
        self._calls = calls
        self._run_id = run_id
        self._consoles: dict[str, _Console] = {}

    def to_the_end(self) -> Steps[None]:
        pause = _PAUSES[0]
        while True:
            # Why in this order: what a step run wrote before the run ended is read after it was seen to have ended
            run = yield from self._get(f"/process-runs/{self._run_id}")
            step_runs = yield from self._all("/step-runs", process_run_id=self._run_id)
            happened = False
            for step_run in step_runs:
                happened |= yield from self._look_at(step_run)
            if run["state"] in _RUN_ENDED and all(each["state"] in _STEP_RUN_ENDED for each in step_runs):
                return
            pause = _PAUSES[0] if happened else min(pause * 1.3, _PAUSES[1])
            yield Pause(pause)

    def _look_at(self, step_run: dict[str, Any]) -> Steps[bool]:
        """Give what is new of a step run; whether there was anything."""
        console = self._consoles.get(step_run["id"]) or self._begin(step_run)
        if console.is_ended or step_run["state"] in _NOT_BEGUN:
            return (yield from self._tell_state(console, step_run))
        told = False
        if step_run["state"] not in _STEP_RUN_ENDED:
            told = yield from self._tell_state(console, step_run)
        told |= yield from self._read(console)
        if step_run["state"] in _STEP_RUN_ENDED:
            console.is_ended = True
            told |= yield from self._tell_state(console, step_run)
        return told

    def _begin(self, step_run: dict[str, Any]) -> _Console:
        step = step_run["step"]["name"]
        same = sum(each.source.step == step for each in self._consoles.values())
        source = Source(step_run["id"], step, same + 1, len(self._consoles))
        console = self._consoles[source.step_run_id] = _Console(source, self._first_page(source))
        return console

    def _read(self, console: _Console) -> Steps[bool]:
        """Give the lines that were not given yet. The last page is asked for again until it is full."""
        told = False
        while True:
            answer = yield from self._calls.json("GET", console.page)
            messages = answer["data"]
            headings = yield from self._headings(console)
            for message in messages[console.shown :]:
                told |= yield from self._tell_headings(console, headings, message["line_number"])
                console.lines = message["line_number"]
                yield Give(Line(console.source, console.lines, message["message"].removesuffix("\n")))
            told |= len(messages) > console.shown
            if len(messages) < console.shown:
                yield Give(BeganAnew(console.source))
                console.page, console.shown, console.lines = self._first_page(console.source), 0, 0
                continue
            console.shown = len(messages)
            if not answer.get("next"):
                told |= yield from self._tell_headings(console, headings, console.lines + 1)
                if standing := answer.get("unfinished"):
                    yield Give(Unfinished(console.source, standing["message"]))
                return told
            console.page, console.shown = answer["next"], 0

    def _headings(self, console: _Console) -> Steps[list[tuple[int, str]]]:
        """Where the phases that have a heading begin, by the console's lines, and what it says."""
        if console.has_headings is False:
            return []
        phases = yield from self._all(f"/step-runs/{console.source.step_run_id}/phases")
        if phases:
            console.has_headings = any(phase["kind"] in _HEADED for phase in phases)
        begun = [phase for phase in phases if phase["first_line"] is not None and phase["kind"] in _HEADED]
        return [(phase["first_line"], phase["name"]) for phase in begun]

    def _tell_headings(self, console: _Console, headings: list[tuple[int, str]], line: int) -> Steps[bool]:
        """Give the headings of what begins at a line, or has begun before it and was not told yet."""
        due = [name for begins, name in headings[console.headed :] if begins <= line]
        for name in due:
            yield Give(Heading(console.source, name))
        console.headed += len(due)
        return bool(due)

    def _tell_state(self, console: _Console, step_run: dict[str, Any]) -> Steps[bool]:
        state = "paused" if step_run["paused_at"] else step_run["state"]
        if console.state == state:
            return False
        console.state = state
        error = step_run.get("error") or {}
        yield Give(State(console.source, state, error.get("code"), error.get("message")))
        return True

    def _first_page(self, source: Source) -> str:
        asked = {"limit": 1000, "unfinished": "true"}
        return self._calls.locate(f"/step-runs/{source.step_run_id}/console-messages", asked)

    def _get(self, path: str) -> Steps[Any]:
        return (yield from self._calls.json("GET", self._calls.locate(path)))

    def _all(self, path: str, **query: object) -> Steps[list[dict[str, Any]]]:
        """All rows of a list, which is short."""
        url: str | None = self._calls.locate(path, {**query, "limit": 1000})
        found: list[dict[str, Any]] = []
        while url is not None:
            answer = yield from self._calls.json("GET", url)
            found += answer["data"]
            url = answer.get("next")
        return found
