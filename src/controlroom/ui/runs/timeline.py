"""The timeline of a run: pure, from step runs and a moment to lanes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.runs.model import Result, StepRun, StepRunState
from controlroom.ui import words
from controlroom.ui.charts import Span

_SHORTEST: Final = timedelta(seconds=1)
_GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


class Lane(Struct, frozen=True):
    """A row: a step run, and what is drawn of it."""

    step_run: StepRun
    spans: list[Span]
    said: str


class Group(Struct, frozen=True):
    """The rows of one step."""

    step: str
    lanes: list[Lane]


class Timeline(Struct, frozen=True):
    """All of it, and where its picture begins and ends."""

    groups: list[Group]
    began: datetime
    ends: datetime
    now: float | None
    """Where the present is; None once nothing runs any more."""
    grid: tuple[float, ...] = _GRID

    @property
    def marks(self) -> list[tuple[float, datetime]]:
        """The moments of the grid."""
        return [(share, self.began + (self.ends - self.began) * share) for share in self.grid]


def timeline_of(step_runs: Sequence[StepRun], now: datetime) -> Timeline | None:
    """The timeline; None without any step run. While something runs there is room behind the present."""
    if not step_runs:
        return None
    runs_on = any(each.ended_at is None for each in step_runs)
    began = min(each.created_at for each in step_runs)
    last = max([each.ended_at or now for each in step_runs] + ([now] if runs_on else []))
    whole = max(_SHORTEST, last - began)
    ends = began + (whole * 1.15 if runs_on else whole)
    by_step: dict[str, list[Lane]] = {}
    for each in step_runs:
        by_step.setdefault(each.step_name, []).append(_lane(each, began, ends, now))
    groups = [Group(step, lanes) for step, lanes in by_step.items()]
    return Timeline(groups, began, ends, (now - began) / (ends - began) if runs_on else None)


def _lane(step_run: StepRun, began: datetime, ends: datetime, now: datetime) -> Lane:
    def at(moment: datetime) -> float:
        return min(1.0, max(0.0, (moment - began) / (ends - began)))

    end = step_run.ended_at or now
    started = step_run.started_at
    spans = [Span("wait", at(step_run.created_at), at(started or end), "awaits a worker")]
    if started is not None:
        spans.append(Span(_fill(step_run), at(started), at(end)))
    took = step_run.duration
    said = step_run.error_message or (words.duration(took) if took is not None else "")
    return Lane(step_run, spans, said if len(said) < 60 else f"{said[:58]}…")  # noqa: PLR2004 - what fits behind a bar


def _fill(step_run: StepRun) -> str:
    if step_run.state is StepRunState.IN_PROGRESS:
        return "run"
    match step_run.result:
        case Result.LOST:
            return "lost"
        case Result.FAILED | Result.TIMED_OUT:
            return "bad"
        case Result.STOPPED:
            return "idle"
        case _:
            return "ok"
