"""The timeline of a run: pure, from step runs and a moment to lanes and bands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.runs.model import Result, StepRun, StepRunState
from controlroom.engine.runs.run_views import Band, Timed
from controlroom.ui import words
from controlroom.ui.charts import Span

_SHORTEST: Final = timedelta(milliseconds=200)
_GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_LONGEST_SAID: Final = 60


class Lane(Struct, frozen=True):
    """A row: a step run, and what is drawn of it."""

    of: Timed
    spans: list[Span]
    failed: list[float]
    said: str

    @property
    def step_run(self) -> StepRun:
        """Its step run."""
        return self.of.step_run


class Group(Struct, frozen=True):
    """The rows of one step; of many step runs a band, and those that went wrong."""

    step: str
    count: int
    lanes: list[Lane]
    band: Band | None = None


class Mark(Struct, frozen=True):
    """A moment of the axis."""

    share: float
    at: datetime
    said: str
    """How long after the beginning it is, where the clock would say the same several times; else empty."""


class Timeline(Struct, frozen=True):
    """All of it, and where its picture begins and ends."""

    groups: list[Group]
    began: datetime
    ends: datetime
    now: float | None
    """Where the present is; None once nothing runs any more."""
    grid: tuple[float, ...] = _GRID

    @property
    def marks(self) -> list[Mark]:
        """The moments of the grid."""
        apart = (self.ends - self.began) * (self.grid[1] - self.grid[0])
        is_short = apart < timedelta(seconds=1)
        return [
            Mark(share, self.began + (self.ends - self.began) * share, _after(apart * 4 * share) if is_short else "")
            for share in self.grid
        ]


def _after(span: timedelta) -> str:
    return f"{span.total_seconds():.2f} s" if span else "0"


def bounds(step_runs: Sequence[Timed], bands: Sequence[Band], now: datetime) -> tuple[datetime, datetime, bool]:
    """When the picture begins and ends, and whether something still runs."""
    began = [each.step_run.created_at for each in step_runs] + [each.began for each in bands]
    ended = [each.step_run.ended_at for each in step_runs] + [each.ended for each in bands]
    runs_on = any(each is None for each in ended)
    last = max([each or now for each in ended] + ([now] if runs_on else []))
    whole = max(_SHORTEST, last - min(began))
    return min(began), min(began) + (whole * 1.15 if runs_on else whole), runs_on


def timeline_of(step_runs: Sequence[Timed], bands: Sequence[Band], now: datetime) -> Timeline | None:
    """The timeline; None without any step run. While something runs there is room behind the present."""
    if not step_runs and not bands:
        return None
    began, ends, runs_on = bounds(step_runs, bands, now)
    by_step: dict[str, list[Timed]] = {}
    of_band = {each.step_name: each for each in bands}
    for each in step_runs:
        by_step.setdefault(each.step_run.step_name, []).append(each)
    for name in of_band:
        by_step.setdefault(name, [])
    groups = []
    for step, members in by_step.items():
        band = of_band.get(step)
        count = band.count if band is not None else len(members)
        groups.append(Group(step, count, [_lane(each, began, ends, now) for each in members], band))
    return Timeline(groups, began, ends, (now - began) / (ends - began) if runs_on else None)


def _lane(of: Timed, began: datetime, ends: datetime, now: datetime) -> Lane:
    def at(moment: datetime) -> float:
        return min(1.0, max(0.0, (moment - began) / (ends - began)))

    step_run = of.step_run
    end = step_run.ended_at or now
    started = step_run.started_at
    spans = [Span("wait", at(step_run.created_at), at(started or end), "awaits a worker")]
    if started is not None:
        ready = of.environment_until
        if ready is not None and started < ready < end:
            spans.append(Span("environment", at(started), at(ready), "environment"))
            started = ready
        spans.append(Span(_fill(step_run), at(started), at(end)))
    took = step_run.duration
    said = step_run.error_message or (words.duration(took) if took is not None else "")
    said = said if len(said) < _LONGEST_SAID else f"{said[: _LONGEST_SAID - 2]}…"
    return Lane(of, spans, [at(moment) for moment in of.failures], said)


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
