"""The timeline of a run, drawn from step runs and a moment."""

from datetime import UTC, datetime, timedelta

from controlroom.engine.runs.model import Result, StepRun, StepRunState
from controlroom.engine.runs.run_views import Band, Timed
from controlroom.ids import uuid7
from controlroom.ui.runs import drawn
from controlroom.ui.runs.timeline import timeline_of

BEGAN = datetime(2026, 11, 30, 7, 30, tzinfo=UTC)


def timed(start, end, *, environment=None, result=Result.SUCCEEDED, failures=()):
    """A step run between two moments, in seconds."""
    is_over = end is not None
    step_run = StepRun(
        id=uuid7(),
        number=1,
        workspace_id=uuid7(),
        run_id=uuid7(),
        step_id=uuid7(),
        step_name="Read",
        state=StepRunState.COMPLETED if is_over else StepRunState.IN_PROGRESS,
        state_at=BEGAN,
        result=result if is_over else None,
        error_code=None,
        error_message="",
        attempt=1,
        worker_id=None,
        created_at=BEGAN,
        started_at=at(start),
        ended_at=at(end),
        paused_at=None,
        exit_code=None,
        places=(),
        run_as=None,
    )
    return Timed(
        step_run=step_run,
        worker_name="walt",
        environment_until=at(environment),
        items=1,
        failures=[at(each) for each in failures],
        of_step=1,
    )


def at(seconds):
    return None if seconds is None else BEGAN + timedelta(seconds=seconds)


def test_a_row_shows_waiting_environment_and_task_and_when_items_failed():
    """In shares of the whole."""
    timeline = timeline_of([timed(10, 100, environment=20, failures=[50])], [], at(200))
    [lane] = timeline.groups[0].lanes
    assert [(each.fill, each.start, each.end) for each in lane.spans] == [
        ("wait", 0.0, 0.1),
        ("environment", 0.1, 0.2),
        ("ok", 0.2, 1.0),
    ]
    assert lane.failed == [0.5]
    assert timeline.now is None


def test_the_axis_of_a_short_run_says_how_long_after_its_beginning():
    """Where the clock would say the same several times; else it is the clock."""
    assert [mark.said for mark in timeline_of([timed(0, 1)], [], at(2)).marks] == [
        "0",
        "0.25 s",
        "0.50 s",
        "0.75 s",
        "1.00 s",
    ]
    assert {mark.said for mark in timeline_of([timed(0, 100)], [], at(200)).marks} == {""}


def test_what_runs_leaves_room_behind_the_present():
    """And the present is told."""
    timeline = timeline_of([timed(0, None)], [], at(100))
    assert timeline.ends > at(100)
    assert 0.8 < timeline.now < 1
    assert timeline_of([], [], at(0)) is None


def test_many_step_runs_are_a_band():
    """Their count is that of all, and its picture has the most at a time as its height."""
    band = Band(uuid7(), "Write", 500, BEGAN, at(10), [0, 2, 4])
    timeline = timeline_of([timed(0, 100)], [band], at(200))
    assert [(group.step, group.count, len(group.lanes)) for group in timeline.groups] == [
        ("Read", 1, 1),
        ("Write", 500, 0),
    ]
    assert drawn.band(band.running, label="x").count("<rect") == 2
    assert 'height="100%"' in drawn.band(band.running, label="x")
