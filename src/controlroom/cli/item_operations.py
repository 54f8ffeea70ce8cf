"""`controlroom items retry`, `done`, `complete`, `hold` …: on items that are named, or on all that a filter finds."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import counting, show_json
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.following import follow as follow_run
from controlroom.cli.lookup import among, find_id, find_queue, is_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed, instant
from controlroom.cli.verbs import tell

State = Literal["new", "pending", "held", "in_progress", "failed", "invalid", "done"]
_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]

_LONGEST_SECONDS = 24 * 3600.0
"""For which an answer is waited: an operation on a million items takes minutes."""
_PAUSE_SECONDS = 0.5
_REST = 5.0
"""So many times longer than a look at the progress takes is the pause after it: counting must not slow the work."""


@Parameter(name="*", group=Group("Which items"))
@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which work items: all that is given must hold."""

    process: str | None = None
    """Items of a process, by name or id."""
    run: str | None = None
    """Items of a run."""
    step: str | None = None
    """Items of a step, by id, or by name with --process."""
    queue: str | None = None
    """Items in a queue, by name or id; PROCESS:STEP for the input queue of a step."""
    state: State | None = None
    """Items in this state."""
    exception_type: Literal["application", "business", "orchestrator", "unspecified"] | None = None
    """Items that failed by this type of exception."""
    exception_code: str | None = None
    """Items that failed with this code."""
    reference: str | None = None
    """Items with this reference."""
    created_after: str | None = None
    """Items made after this time: 2030-01-31 or 2030-01-31T07:30."""
    created_before: str | None = None
    """Items made before this time."""

    def body(self, client: Client) -> dict[str, str]:
        """The filter as the API takes it; empty if nothing was given. Raises CommandFailed, Misused."""
        process = None if self.process is None else find_id(client, "processes", self.process)
        asked = {
            "process_id": process,
            "process_run_id": self.run,
            "step_id": None if self.step is None else _step(client, process, self.step),
            "queue_id": None if self.queue is None else str(find_queue(client, self.queue)["id"]),
            "state": self.state,
            "exception_type": self.exception_type,
            "exception_code": self.exception_code,
            "reference": self.reference,
            "created_after": self.created_after and instant(self.created_after, option="--created-after"),
            "created_before": self.created_before and instant(self.created_before, option="--created-before"),
        }
        return {name: value for name, value in asked.items() if value is not None}


ALL = ItemFilter()
"""No filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Operation:
    """An operation: its name in the API, and its words; `{}` in the question is a number of items."""

    name: str
    summary: str
    question: str
    past: str
    fit: str
    asks_for_ids: bool = False
    """Whether it is confirmed even for items that are named."""


_OPERATIONS = {
    "retry": _Operation(
        name="retry",
        summary="Put failed work items back into their queues",
        question="Retry {}?",
        past="retried",
        fit="What has failed can be retried.",
    ),
    "done": _Operation(
        name="mark_as_done",
        summary="Mark failed work items as done",
        question="Mark {} as done?",
        past="marked as done",
        fit="What has failed can be marked as done.",
    ),
    "complete": _Operation(
        name="complete",
        summary="Declare work items done that wait, are held, failed or were refused",
        question="Declare {} done?",
        past="declared done",
        fit="What nobody works on and is not done yet can be declared done.",
    ),
    "delete": _Operation(
        name="delete",
        summary="Delete work items",
        question="Delete {}?",
        past="deleted",
        fit="What nobody works on can be deleted.",
        asks_for_ids=True,
    ),
    "hold": _Operation(
        name="hold",
        summary="Set work items aside that wait in a run, or in a queue that stands alone",
        question="Set {} aside?",
        past="set aside",
        fit="What waits in a run, or in a queue that stands alone, can be set aside.",
    ),
    "release": _Operation(
        name="release_hold",
        summary="Let work items go on that were set aside",
        question="Let {} go on?",
        past="let go",
        fit="What was set aside can go on.",
    ),
}
_RERUN = _Operation(
    name="rerun",
    summary="",
    question="Start a run with copies of {}?",
    past="run again",
    fit="Inputs of the process that have ended can be run again.",
)


def add_operations(app: App) -> None:
    """Make the operations commands of an app."""
    for name, operation in _OPERATIONS.items():
        app.command(_command(operation), name=name)
    app.command(rerun)


def _command(operation: _Operation) -> Callable[..., None]:
    def command(
        *items: str, which: ItemFilter = ALL, preview: _Flag = False, yes: Yes = False, room: RoomOptions = HERE
    ) -> None:
        _operate(room, operation, items, which, is_preview=preview, yes=yes)

    command.__doc__ = f"""{operation.summary}: those that are named, or all that a filter finds.

    Parameters
    ----------
    items
        Their ids.
    preview
        Only say how many items the filter finds, and how many of them would be touched.
    """
    return command


def rerun(
    *,
    which: ItemFilter = ALL,
    preview: _Flag = False,
    follow: _Flag = False,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> int:
    """Start a run of the process --process with copies of its inputs that have ended, and print the run's id.

    The options say which inputs. The items themselves stay as they are.

    Parameters
    ----------
    preview
        Only say how many items the filter finds, and how many of them would be copied.
    follow
        Show the run's console until it has ended, and succeed only if it completes.
    """
    if which.process is None:
        raise Misused("rerun needs --process: the process whose inputs are run again")
    with Client(address(room), timeout=_LONGEST_SECONDS) as client:
        asked = which.body(client)
        if not _agreed(client, room, _RERUN, asked, is_preview=preview, yes=yes):
            return 0
        answer = client.post("/work-items/bulk", {"operation": _RERUN.name, "filter": asked})
        if answer["process_run"] is None:
            raise CommandFailed("nothing was started: somebody has changed these items meanwhile")
        run = answer["process_run"]["id"]
        if follow:
            return follow_run(client, run, as_json=room.json)
    tell(room, answer)
    if not room.json:
        print(run)
    return 0


def _operate(
    room: RoomOptions, operation: _Operation, items: tuple[str, ...], which: ItemFilter, *, is_preview: bool, yes: bool
) -> None:
    """Do it to the named items, all or none; or, once a person has agreed, to those that the filter finds."""
    if bool(items) == (which != ALL):
        raise Misused(
            "which work items? Name them, or say which by options" + (", not both" if items else ""),
            hint="Options are --process, --state, --exception-type and others: see --help.",
        )
    if items and is_preview:
        raise Misused("--preview is for items that options find: named ones are all touched, or none")
    if items and operation.asks_for_ids:
        confirmed(operation.question.format(_count(len(items))), yes=yes)
    with Client(address(room), timeout=_LONGEST_SECONDS) as client:
        if items:
            body = {"batch_operation": operation.name, "work_item_ids": list(items)}
            tell(room, client.post("/work-items/batch", body))
            return
        asked = which.body(client)
        total = _agreed(client, room, operation, asked, is_preview=is_preview, yes=yes)
        if not total:
            return
        answer = _apply(client, operation, asked, total)
    if room.json:
        show_json(answer)
    else:
        print(f"{_count(answer['touched'])} {operation.past}.")


def _agreed(
    client: Client, room: RoomOptions, operation: _Operation, asked: dict[str, str], *, is_preview: bool, yes: bool
) -> int:
    """How many items the operation would touch, once a person has agreed to that; 0 if nothing is to be done."""
    found = _preview(client, operation, asked)
    touched, matched = found["would_touch"], found["matched"]
    if is_preview or not touched:
        if room.json:
            show_json(found if is_preview else {"touched": 0, "process_run": None})
        else:
            why = f" {operation.fit}" if touched < matched else ""
            print(f"{_count(matched)} found, {touched:,} would be {operation.past}.{why}")
        return 0
    of = f" (of {matched:,} found)" if touched < matched else ""
    confirmed(operation.question.format(_count(touched) + of), yes=yes)
    return touched


def _preview(client: Client, operation: _Operation, asked: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = client.post(
        "/work-items/bulk", {"operation": operation.name, "filter": asked, "preview": True}
    )
    return found


def _apply(client: Client, operation: _Operation, asked: dict[str, str], total: int) -> dict[str, Any]:
    """The answer to the operation; on a terminal a bar tells how far the room has come."""
    over = threading.Event()

    def watch() -> None:
        with Client(client.address) as second:
            pause = _PAUSE_SECONDS
            while not over.wait(pause):
                began = time.monotonic()
                try:
                    left = _preview(second, operation, asked)["would_touch"]
                except CommandFailed:  # Why quiet: whether the operation goes well is said by its own answer
                    return
                told(max(total - left, 0))
                pause = max(_PAUSE_SECONDS, _REST * (time.monotonic() - began))

    with counting("work items", total) as told:
        if sys.stderr.isatty():
            threading.Thread(target=watch, daemon=True).start()
        try:
            answer: dict[str, Any] = client.post("/work-items/bulk", {"operation": operation.name, "filter": asked})
        finally:
            over.set()
    return answer


def _step(client: Client, process: str | None, named: str) -> str:
    """The id of the step of a process with this id or name. Raises Misused for a name without its process."""
    if is_id(named):
        return named
    if process is None:
        raise Misused("--step by name needs --process")
    steps = client.get(f"/processes/{process}")["steps"]
    return str(among(steps, named, noun="step", place="in this process")["id"])


def _count(number: int) -> str:
    return f"{number:,} work item{'s' if number != 1 else ''}"
