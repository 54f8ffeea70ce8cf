"""The last hours of a worker as a lane: what overlaps, what is joined, when it was not there."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.runs.model import Result, StepRunState
from controlroom.engine.runs.occupation import Counted, Lately, Occupied
from controlroom.engine.workers.model import WorkerState
from controlroom.ids import uuid7
from controlroom.ui.workers.lanes import SHOWN, lane_of, lanes_of, sentence
from controlroom.ui.workers.pages import Slots
from controlroom.ui.workers.told import states_told

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
WORKER = uuid7()


def worker(**of) -> Occupied:
    """A worker that came long ago."""
    usual = {
        "id": WORKER,
        "number": 7,
        "name": "fin-linux-01",
        "state": WorkerState.IDLE,
        "serves_all": False,
        "slots": 2,
        "busy": 0,
        "version": "1",
        "platform": "Debian",
        "sandbox": "bwrap",
        "trouble": "",
        "rests_since": None,
        "seen_at": NOW,
        "created_at": NOW - timedelta(days=9),
        "has_session": True,
        "groups": [],
    }
    return Occupied(**{**usual, **of})


def done(begins: float, ends: float | None, result: Result | None = Result.SUCCEEDED) -> Lately:
    """A step run, in minutes before now."""
    ended = None if ends is None else NOW - timedelta(minutes=ends)
    return Lately(
        worker_id=WORKER,
        id=uuid7(),
        number=1,
        run_id=uuid7(),
        run_number=4823,
        process_name="Supplier invoices",
        step_name="Extract",
        state=StepRunState.IN_PROGRESS if ended is None else StepRunState.COMPLETED,
        result=None if ended is None else result,
        error_code=None,
        started_at=NOW - timedelta(minutes=begins),
        began_at=None,
        ended_at=ended,
    )


def test_what_it_did_is_drawn_where_it_was():
    """A failure is red, what runs reaches to the present, and all lies within the picture."""
    spans = lane_of(worker(), [done(200, 110, Result.SUCCEEDED), done(90, 60, Result.LOST), done(30, None)], NOW)

    assert [each.fill for each in spans] == ["ok", "bad", "run"]
    assert (spans[0].start, spans[-1].end) == (0.0, 1.0)
    assert "Supplier invoices #4823, Extract: lost, 30 m" in spans[1].title


def test_when_it_was_not_there_is_hatched():
    """Before it was linked, and since it fell silent."""
    gone = worker(state=WorkerState.OFFLINE, seen_at=NOW - SHOWN / 4, created_at=NOW - SHOWN / 2)

    assert [(each.fill, each.start, each.end) for each in lane_of(gone, [], NOW)] == [
        ("wait", 0.0, 0.5),
        ("wait", 0.75, 1.0),
    ]
    assert gone.is_silent
    assert gone.free == 0


@given(st.lists(st.tuples(st.floats(0, 120), st.floats(0.01, 60)), max_size=60))
def test_a_page_has_few_marks_and_loses_none(times):
    """However many step runs there were: each is in one mark; what overlaps stands in lanes that do not overlap."""
    work = [done(begins, max(0.0, begins - took)) for begins, took in times]
    work.sort(key=lambda one: one.started_at)

    assert len(lane_of(worker(), work, NOW)) <= 250
    lanes = lanes_of(worker(), work, NOW)
    for spans in lanes:
        assert all(first.end <= second.start + 1e-9 for first, second in pairwise(spans))
    told = sum(
        1 if "more and" not in span.title else int(span.title.partition(" ")[0]) + 1 for lane in lanes for span in lane
    )
    assert told == len(work)


def test_readers_are_told_what_a_lane_shows():
    """How many step runs, and how many failed."""
    assert sentence([]) == "no step run in the last 2 hours"
    assert sentence([done(9, 8), done(7, 6, Result.FAILED)]) == "2 step runs in the last 2 hours, 1 failed"


def test_room_is_the_sum_of_what_was_counted():
    """Slots of those that are offline are told beside what is free."""
    alike = {"of_all": True, "group_id": None, "is_silent": False, "is_resting": False, "is_troubled": False}
    busy = Counted(state=WorkerState.BUSY, workers=300, slots=600, busy=400, free=200, **alike)
    away = Counted(state=WorkerState.OFFLINE, workers=2, slots=4, busy=0, free=0, **alike)
    assert Slots.of([busy, away]) == Slots(workers=302, slots=604, busy=400, free=200, offline=4)
    assert states_told([away, busy]) == "300 busy, 2 offline"
