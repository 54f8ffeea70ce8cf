"""How a state is shown: its shape first, its colour second, and the word that stands beside it."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Sign(NamedTuple):
    """The sign of a state."""

    shape: str
    """A symbol of the sprite, without its prefix."""
    tone: str
    """`ok`, `bad`, `warn`, `run` or `idle`: good is quiet, bad is loud."""
    word: str

    @property
    def turns(self) -> bool:
        """Whether the shape turns: something is under way."""
        return self.shape == "run"


SIGNS: Final[Mapping[str, Mapping[str, Sign]]] = {
    "run": {
        "new": Sign("new", "idle", "New"),
        "in_progress": Sign("run", "run", "In progress"),
        "stopping": Sign("stopped", "idle", "Stopping"),
        "completed": Sign("done", "ok", "Completed"),
        "unresolved": Sign("unresolved", "warn", "Unresolved"),
    },
    "step_run": {
        "new": Sign("new", "idle", "New"),
        "awaiting_worker": Sign("wait", "idle", "Awaits a worker"),
        "in_progress": Sign("run", "run", "In progress"),
        "paused": Sign("paused", "idle", "Paused"),
        "withdrawn": Sign("withdrawn", "idle", "Withdrawn"),
        "completed": Sign("done", "ok", "Completed"),
        "failed": Sign("failed", "bad", "Failed"),
    },
    "result": {
        "succeeded": Sign("done", "ok", "Succeeded"),
        "failed": Sign("failed", "bad", "Failed"),
        "stopped": Sign("stopped", "idle", "Stopped"),
        "timed_out": Sign("timed-out", "bad", "Timed out"),
        "lost": Sign("lost", "bad", "Lost"),
    },
    "item": {
        "draft": Sign("new", "idle", "Draft"),
        "new": Sign("new", "idle", "New"),
        "pending": Sign("wait", "idle", "Pending"),
        "in_progress": Sign("run", "run", "In progress"),
        "held": Sign("paused", "idle", "Held"),
        "done": Sign("done", "ok", "Done"),
        "failed": Sign("failed", "bad", "Failed"),
        "invalid": Sign("invalid", "warn", "Invalid"),
        "deleted": Sign("withdrawn", "idle", "Deleted"),
    },
    "worker": {
        "busy": Sign("run", "run", "Busy"),
        "idle": Sign("idle", "idle", "Idle"),
        "resting": Sign("paused", "idle", "Resting"),
        "offline": Sign("lost", "idle", "Offline"),
    },
    "phase": {
        "waiting": Sign("wait", "idle", "To come"),
        "in_progress": Sign("run", "run", "In progress"),
        "succeeded": Sign("done", "ok", "Succeeded"),
        "failed": Sign("failed", "bad", "Failed"),
        "skipped": Sign("withdrawn", "idle", "Skipped"),
    },
    "job": {
        "waiting": Sign("wait", "idle", "Waiting"),
        "in_progress": Sign("run", "run", "In progress"),
        "completed": Sign("done", "ok", "Completed"),
        "stopped": Sign("stopped", "idle", "Stopped"),
        "failed": Sign("failed", "bad", "Failed"),
    },
    "delivery": {
        "pending": Sign("wait", "idle", "Pending"),
        "delivered": Sign("done", "ok", "Delivered"),
        "failed": Sign("failed", "bad", "Given up"),
    },
}
"""By noun and stored state. A word that is not here is shown as it is: `sign_of`."""


def sign_of(noun: str, state: object) -> Sign:
    """The sign of a noun's state."""
    value = str(getattr(state, "value", state))
    found = SIGNS[noun].get(value)
    return Sign("new", "idle", value.replace("_", " ").capitalize()) if found is None else found


def of_run(state: object, result: object = None) -> Sign:
    """A run: what it came to says more than that it has ended, where that is something else."""
    result = getattr(result, "value", result)
    if result in {"stopped", "timed_out", "lost"}:
        return sign_of("result", result)
    return sign_of("run", state)


def of_step_run(state: object, result: object = None, *, is_paused: bool = False) -> Sign:
    """A step run, likewise."""
    if is_paused:
        return sign_of("step_run", "paused")
    result = getattr(result, "value", result)
    if result in {"stopped", "timed_out", "lost"}:
        return sign_of("result", result)
    return sign_of("step_run", state)
