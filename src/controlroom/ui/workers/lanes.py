"""The last hours of a worker as a lane: pure, from its step runs and a moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from controlroom.engine.runs.model import Result, StepRunState
from controlroom.engine.runs.occupation import Lately, Occupied
from controlroom.engine.workers.model import WorkerState
from controlroom.ui import words
from controlroom.ui.charts import Span

SHOWN: Final = timedelta(hours=2)
_CLOSE: Final = 0.004
"""Marks of one kind that are nearer than this are drawn as one: nobody sees the gap, and a page has few marks."""


def lane_of(worker: Occupied, done: Sequence[Lately], now: datetime) -> list[Span]:
    """What it did; hatched is when it was not there."""
    return [*_absence(worker, now), *_joined([_span(each, now) for each in done])]


def lanes_of(worker: Occupied, done: Sequence[Lately], now: datetime) -> list[list[Span]]:
    """Likewise, in as many lanes as were in use at once: what overlaps stands one below the other."""
    ends: list[datetime] = []
    lanes: list[list[Span]] = []
    for each in sorted(done, key=lambda one: one.started_at):
        place = next((i for i, end in enumerate(ends) if end <= each.started_at), len(ends))
        if place == len(ends):
            ends.append(each.started_at)
            lanes.append([])
        ends[place] = each.ended_at or now
        lanes[place].append(_span(each, now))
    while len(lanes) < min(worker.slots, _MOST_EMPTY):
        lanes.append([])
    return [[*_absence(worker, now), *_joined(spans)] for spans in lanes]


_MOST_EMPTY: Final = 8


def sentence(done: Sequence[Lately]) -> str:
    """Of a lane, for readers."""
    if not done:
        return "no step run in the last 2 hours"
    failed = sum(each.result in _BAD for each in done)
    told = f"{len(done)} step run{'' if len(done) == 1 else 's'} in the last 2 hours"
    return f"{told}, {failed} failed" if failed else told


_BAD: Final = frozenset({Result.FAILED, Result.TIMED_OUT, Result.LOST})


def _at(moment: datetime, now: datetime) -> float:
    return min(1.0, max(0.0, 1 - (now - moment) / SHOWN))


def _span(each: Lately, now: datetime) -> Span:
    end = each.ended_at or now
    took = words.duration(end - each.started_at)
    title = f"{each.process_name} #{each.run_number}, {each.step_name}: {_word(each)}, {took}"
    return Span(_fill(each), _at(each.started_at, now), _at(end, now), title)


def _word(each: Lately) -> str:
    if each.state is StepRunState.IN_PROGRESS or each.result is None:
        return "runs"
    return each.result.value.replace("_", " ")


def _fill(each: Lately) -> str:
    if each.result is None:
        return "run"
    if each.result in _BAD:
        return "bad"
    return "idle" if each.result is Result.STOPPED else "ok"


def _absence(worker: Occupied, now: datetime) -> list[Span]:
    gone = []
    if (made := _at(worker.created_at, now)) > 0:
        gone.append(Span("wait", 0.0, made, "not yet linked"))
    if worker.state is WorkerState.OFFLINE:
        since = worker.seen_at or worker.created_at
        gone.append(Span("wait", max(made, _at(since, now)), 1.0, "offline"))
    return gone


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.fill == span.fill and span.start - last.end < _CLOSE:
            joined[-1] = Span(span.fill, last.start, max(last.end, span.end), _titles(last.title, span.title))
        else:
            joined.append(span)
    return joined


def _titles(first: str, second: str) -> str:
    """Of several that are drawn as one: how many, and the last."""
    before = first.partition(" more and ")
    count = int(before[0]) + 1 if before[1] else 1
    return f"{count} more and {second}"
