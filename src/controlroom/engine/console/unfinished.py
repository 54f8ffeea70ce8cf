"""The line that a robot has begun and not ended: shown to who watches, never stored (a line is stored once complete).

It is a remark about its step run, so it may be missed by a server, and is told again by the worker.
"""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.console.model import Position
from controlroom.engine.engine import Engine
from controlroom.engine.vault.masks import Masks
from controlroom.engine.wakes import Topic
from controlroom.ids import StepRunId

FIRST_LINE: Final = 0


class UnfinishedLine(Struct, frozen=True):
    """What stands in the line that comes next: its attempt and number, and its text so far (the first 4 KiB).

    `at` is when the worker told it, by the worker's clock.
    """

    attempt: int
    number: int
    at: datetime
    text: str


def tell(engine: Engine, step_run: StepRunId, line: UnfinishedLine, masks: Masks) -> None:
    """Show it to who watches the step run on any server, masked; one without text takes back what was told before."""
    shown = masks.applied_to_unfinished(line.text.encode()).decode(errors="ignore")
    engine.remarks.make(step_run, f"{line.attempt}:{line.number}:{line.at.timestamp()}:{shown}" if shown else "")
    if shown:
        engine.wakes.wake(Topic.CONSOLE, step_run)


def forget(engine: Engine, step_run: StepRunId) -> None:
    """The step run has ended. Where that is not told, of a lost worker, what stood there is forgotten by itself."""
    engine.remarks.make(step_run, "")


def after(engine: Engine, step_run: StepRunId, last: Position) -> UnfinishedLine | None:
    """The unfinished line that follows the last one that a reader has; None if there is none, or lines lie between.

    The caller has made sure that the reader may see the step run's console.
    """
    remark = engine.remarks.about(step_run)
    if remark is None:
        return None
    attempt, number, at, text = remark.split(":", 3)
    line = UnfinishedLine(int(attempt), int(number), datetime.fromtimestamp(float(at), UTC), text)
    follows = (line.attempt, line.number) == (last.attempt, last.line + 1)
    begins = line.number == FIRST_LINE and line.attempt > last.attempt
    return line if follows or begins else None
