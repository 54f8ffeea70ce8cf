"""What becomes of queues, when consumers work, and what a worker is doing, in words. Pure."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from controlroom.engine.queues.model import Window
from controlroom.engine.runs.occupation import Counted, Occupied
from controlroom.engine.statistics.rules import Drained, Empties, Grows, Outlook, Stands, Unattended
from controlroom.engine.workers.model import WorkerState
from controlroom.ui import words
from controlroom.ui.states import SIGNS, Sign

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ALL_DAYS = (0, 1, 2, 3, 4, 5, 6)
_WEEKDAYS = (0, 1, 2, 3, 4)


def outlook_told(outlook: Outlook) -> Sign:
    """An outlook with its sign."""
    match outlook:
        case Drained():
            return Sign("done", "ok", "drained")
        case Unattended(is_paused):
            if is_paused:
                return Sign("paused", "idle", "its consumer is paused")
            return Sign("unresolved", "warn", "nobody takes from it")
        case Grows(by):
            return Sign("unresolved", "warn", f"grows by {words.count(by)} an hour")
        case Empties(within):
            return Sign("run", "run", f"empty in {words.about(within)}")
        case Stands(moves):
            return Sign("wait", "idle", "stays as full as it is" if moves else "nothing has moved in an hour")
        case _:
            assert_never(outlook)


def sign_of_worker(worker: Occupied) -> Sign:
    """What a worker is doing: one that fell silent, or that rests, says so."""
    return _sign_of(worker.state, is_silent=worker.is_silent, is_resting=worker.rests_since is not None)


def states_told(counted: Iterable[Counted]) -> str:
    """How many workers do what: `840 idle, 3 silent`; the most common first."""
    counts: dict[str, int] = {}
    for each in counted:
        word = _sign_of(each.state, is_silent=each.is_silent, is_resting=each.is_resting).word.lower()
        counts[word] = counts.get(word, 0) + each.workers
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    return ", ".join(f"{words.count(count)} {word}" for word, count in ordered)


def _sign_of(state: WorkerState, *, is_silent: bool, is_resting: bool) -> Sign:
    if is_silent:
        return Sign("lost", "bad", "Silent")
    if is_resting and state is WorkerState.BUSY:
        return Sign("paused", "idle", "Ends what it has")
    return SIGNS["worker"][state.value]


def windows_told(windows: Sequence[Window], zone: str) -> str:
    """When a consumer works: `weekdays 06:00 to 20:00`."""
    if not windows:
        return "always"
    return "; ".join(f"{_days(each.days)} {each.begins:%H:%M} to {each.ends:%H:%M}" for each in windows) + f", {zone}"


def _days(days: Sequence[int]) -> str:
    sorted_days = tuple(sorted(set(days)))
    if sorted_days == _ALL_DAYS:
        return "daily"
    if sorted_days == _WEEKDAYS:
        return "weekdays"
    return ", ".join(_DAYS[day] for day in sorted_days)
