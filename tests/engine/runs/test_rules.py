"""The rules of runs: what a run should do next, and which edges its states have."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from controlroom.engine.runs.model import Result, RunState, StepRunState
from controlroom.engine.runs.rules import (
    RUN_EDGES,
    STEP_RUN_EDGES,
    CreateStepRuns,
    EndRun,
    RunLoad,
    StepLoad,
    Turn,
    exception_of,
    merged,
    next_for,
    on_pause,
    on_resume,
    result_of,
)
from controlroom.engine.work_items.model import ExceptionType
from controlroom.ids import StepId, uuid7
from controlroom.protocol import ErrorCode


def step(**given_) -> StepLoad:
    values = {
        "id": StepId(uuid7()),
        "max_parallel": 1,
        "starts_after_previous": False,
        "active": 0,
        "waiting": 0,
        "ready": 0,
        "unfinished": 0,
    }
    return StepLoad(**(values | given_))


def run(*steps: StepLoad, **given_) -> RunLoad:
    values = {"state": RunState.IN_PROGRESS, "was_stopped": False, "has_failed_items": False}
    return RunLoad(steps=steps, **(values | given_))


@st.composite
def steps(draw) -> StepLoad:
    """Any step as the database could show it."""
    active = draw(st.integers(0, 5))
    unfinished = draw(st.integers(0, 1))
    return step(
        max_parallel=draw(st.integers(1, 5)),
        starts_after_previous=draw(st.booleans()),
        active=active,
        waiting=draw(st.integers(0, active)),
        unfinished=unfinished,
        ready=draw(st.integers(0, 6)) if unfinished else 0,
    )


runs = st.builds(
    lambda steps, state, stopped, failed: run(*steps, state=state, was_stopped=stopped, has_failed_items=failed),
    st.lists(steps(), min_size=1, max_size=4),
    st.sampled_from([RunState.NEW, RunState.IN_PROGRESS, RunState.STOPPING, RunState.UNRESOLVED]),
    st.booleans(),
    st.booleans(),
)


@given(runs)
def test_a_run_ends_exactly_when_nothing_is_left(load):
    """A run ends if, and only if, no step run is active and no item is unfinished."""
    is_idle = all(not one.active and not one.unfinished for one in load.steps)

    assert isinstance(next_for(load), EndRun) == is_idle


@given(runs)
def test_a_run_ends_by_an_edge(load):
    """The decided end is an edge of the state table, or the state the run has already."""
    decision = next_for(load)

    if isinstance(decision, EndRun):
        assert decision.state is load.state or decision.state in RUN_EDGES[load.state]


@given(runs)
def test_no_more_step_runs_than_allowed_and_needed(load):
    """Step runs never exceed `max_parallel`, nor the items that nobody is waiting for."""
    decision = next_for(load)

    if isinstance(decision, CreateStepRuns):
        by_id = {one.id: one for one in load.steps}
        for id_, count in decision.counts:
            assert 0 < count <= by_id[id_].max_parallel - by_id[id_].active
            assert count <= by_id[id_].ready - by_id[id_].waiting


@given(runs)
def test_a_stopping_run_gets_no_more_step_runs(load):
    """Once a stop was asked for, nothing new begins."""
    decision = next_for(load)

    if load.state is RunState.STOPPING and isinstance(decision, CreateStepRuns):
        assert decision.counts == ()


@given(st.lists(steps(), min_size=2, max_size=4))
def test_a_step_that_starts_after_the_previous_waits_for_all_of_them(loads):
    """`starts_after_previous` holds a step back while any earlier step has something in hand."""
    decision = next_for(run(*loads))

    if isinstance(decision, CreateStepRuns):
        created = {id_ for id_, _ in decision.counts}
        for place, one in enumerate(loads):
            if one.starts_after_previous and any(before.active or before.unfinished for before in loads[:place]):
                assert one.id not in created


@pytest.mark.parametrize(
    ("failed", "stopped", "state", "result"),
    [
        (False, False, RunState.COMPLETED, Result.SUCCEEDED),
        (True, False, RunState.UNRESOLVED, Result.FAILED),
        (False, True, RunState.COMPLETED, Result.STOPPED),
        (True, True, RunState.UNRESOLVED, Result.STOPPED),
    ],
)
def test_how_a_run_ends(failed, stopped, state, result):
    """Failed items leave a run unresolved; a stop shows in the result."""
    load = run(step(), has_failed_items=failed, was_stopped=stopped)

    assert next_for(load) == EndRun(state, result)


@given(st.data())
def test_no_path_leaves_a_final_state(data):
    """Walking the edges at random ends in a final state and stays there."""
    for edges in (RUN_EDGES, STEP_RUN_EDGES):
        state = data.draw(st.sampled_from(list(edges)))
        for _ in range(20):
            following = sorted(edges[state])
            if not following:
                break
            state = data.draw(st.sampled_from(following))
        assert state in edges
    assert not RUN_EDGES[RunState.COMPLETED]
    for final in (StepRunState.COMPLETED, StepRunState.FAILED, StepRunState.WITHDRAWN):
        assert not STEP_RUN_EDGES[final]


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_has_a_result_and_an_exception(code):
    """No code is forgotten; only the robot's own faults count as application exceptions."""
    assert isinstance(result_of(code), Result)
    is_robots = code in {ErrorCode.ROBOT_FAILED, ErrorCode.TIMEOUT}
    assert (exception_of(code, "").type is ExceptionType.APPLICATION) == is_robots


@given(st.sampled_from(StepRunState), st.booleans(), st.booleans())
def test_a_pause_is_of_a_robot_at_work_and_is_undone_by_a_resume(state, is_paused, is_ending):
    """What may be paused may go on; doing either twice changes nothing; what has ended takes neither."""
    pause = on_pause(state, is_paused=is_paused, is_ending=is_ending)
    resume = on_resume(state, is_paused=is_paused)

    if pause is not Turn.REFUSED:
        assert state is StepRunState.IN_PROGRESS
        assert on_pause(state, is_paused=True, is_ending=is_ending) is Turn.ALREADY
        assert on_resume(state, is_paused=True) is Turn.DONE
    if resume is not Turn.REFUSED:
        assert on_resume(state, is_paused=False) is not Turn.DONE
    if state not in {StepRunState.IN_PROGRESS, StepRunState.AWAITING_WORKER}:
        assert (pause, resume) == (Turn.REFUSED, Turn.REFUSED)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.none() | _VALUES.map(lambda value: (value,)), max_size=6))
def test_outputs_are_merged_by_their_names(outputs):
    """Every name of every object, with the last value of it; what is no object, or no payload at all, adds nothing."""
    given_ = [None if one is None else Raw(msgspec.json.encode(one[0])) for one in outputs]
    expected = {}
    for one in outputs:
        if one is not None and isinstance(one[0], dict):
            expected |= one[0]

    assert {name: msgspec.json.decode(value) for name, value in merged(given_).items()} == expected
