"""Lists of commands as the engine hands them out, and what it keeps of their phases."""

import hashlib

import pytest
from tests.engine.runs.conftest import expire_leases

from controlroom.engine.runs import reports, store
from controlroom.engine.runs.errors import ArtifactNotFound
from controlroom.errors import Invalid
from controlroom.objects.store import Blob
from controlroom.protocol import Command, Commands, OnFailure, PhaseKind, PhaseReport, PhaseReports, PhaseState

LIST = (
    Command(name="deps", words=("tool", "deps")),
    Command(name="build", words=("tool", "build", "--all"), variables={"A": "b"}, on_failure=OnFailure.CONTINUE),
    Command(name="tidy", words=("rm", "-r", "x"), always_run=True),
)


def blob(text: str) -> Blob:
    """What an object's store would say of it."""
    return Blob(hashlib.sha256(text.encode()).hexdigest(), len(text))


def phase(position: int, state: PhaseState, **more) -> PhaseReport:
    """The phase of a command."""
    kind = PhaseKind.COMMAND if position else PhaseKind.ENVIRONMENT
    return PhaseReport(position=position, kind=kind, name=f"phase {position}", state=state, **more)


async def tell(floor, walt, assignment, *phases: PhaseReport) -> None:
    """Report phases."""
    await reports.report_phases(
        floor.engine, walt.actor, assignment.step_run_id, assignment.attempt, PhaseReports(phases)
    )


async def phases_of(floor, assignment):
    """The phases of a step run."""
    return await store.list_phases(floor.engine.database, floor.scope, assignment.step_run_id)


async def test_a_claim_brings_the_commands_whole(floor):
    """What the step's author wrote is what the worker gets, with the latest version of the package; no task."""
    await floor.start(await floor.process({"commands": LIST}))
    walt = await floor.worker()

    [assignment] = await walt.claim()
    [again] = await walt.claim(knows=False)

    assert assignment.work == again.work == Commands(LIST)
    assert (assignment.task, assignment.package.hash) == ("", "beef")
    await walt.finish(assignment)
    assert await walt.claim() == []


async def test_a_worker_of_before_gets_tasks_only(floor):
    """It passes over commands, however urgent, and finds what lies behind; another worker takes them."""
    await floor.start(await floor.process({"commands": LIST}), priority=5)
    task = await floor.start(await floor.process({}))
    old, walt = await floor.worker("old", abilities=()), await floor.worker()

    [taken] = await old.claim(free=5)
    [commands] = await walt.claim(free=5)

    assert (taken.run_id, taken.task) == (task.id, "Do")
    assert commands.work == Commands(LIST)


async def test_of_several_workspaces_it_gets_tasks_only_too(floors):
    """A worker of before that serves several passes over the commands of each."""
    floor, next_door = await floors(2)
    await next_door.start(await next_door.process({"commands": LIST}), priority=5)
    task = await floor.start(await floor.process({}))
    old, walt = await floor.worker("old", next_door, abilities=()), await floor.worker("walt", next_door)

    assert [each.run_id for each in await old.claim(free=5)] == [task.id]
    assert [each.work for each in await walt.claim(free=5)] == [Commands(LIST)]


async def test_only_begun_phases_are_code_that_may_have_run(floor):
    """Phases that wait or were skipped let a lost attempt be repeated; one that was begun does not."""
    await floor.start(await floor.process({"commands": LIST}))
    walt = await floor.worker()
    [first] = await walt.claim()
    await tell(floor, walt, first, phase(0, PhaseState.IN_PROGRESS), phase(1, PhaseState.WAITING))
    await expire_leases(floor)

    assert [each.state for each in await phases_of(floor, first)] == ["failed", "skipped"]
    walt.held.clear()
    [second] = await walt.claim()
    assert second.attempt == first.attempt + 1


async def test_a_worker_that_is_lost_in_the_middle_ends_the_phases(floor):
    """What was running has failed with the console that had come, what was to come is skipped, what is done stays."""
    run = await floor.start(await floor.process({"commands": LIST}))
    walt = await floor.worker()
    [assignment] = await walt.claim()
    await tell(
        floor,
        walt,
        assignment,
        phase(0, PhaseState.SUCCEEDED),
        phase(1, PhaseState.SUCCEEDED, exit_code=0, first_line=0, last_line=0, started_at=1.0, ended_at=2.0),
        phase(2, PhaseState.IN_PROGRESS, first_line=1, started_at=2.0),
        phase(3, PhaseState.WAITING),
    )
    await floor.engine.database.execute(
        """
        insert into console_chunk (step_run_id, attempt, first_line, line_count, at, body)
        values (%(step_run)s, 1, 0, 3, clock_now(), '\\x610a620a630a')
        """,
        step_run=assignment.step_run_id,
    )

    await expire_leases(floor)

    _, done, lost, never = await phases_of(floor, assignment)
    assert (done.state, done.exit_code, done.line_count) == ("succeeded", 0, 1)
    assert (lost.state, lost.lines, lost.ended_at is not None) == ("failed", (1, 1, 3), True)
    assert (never.state, never.started_at, never.ended_at) == ("skipped", None, None)
    assert await floor.states(await floor.run(run)) == ["failed"]


async def test_phases_leave_files_of_one_name(floor):
    """An artifact is unique by attempt, phase and name; the last content counts, and each phase is asked by itself."""
    await floor.start(await floor.process({"commands": LIST}))
    walt = await floor.worker()
    [assignment] = await walt.claim()
    await tell(floor, walt, assignment, phase(1, PhaseState.SUCCEEDED), phase(2, PhaseState.IN_PROGRESS))
    attempt = (floor.engine, walt.actor, assignment.step_run_id, assignment.attempt)
    for position, text in ((1, "one"), (1, "one again"), (2, "second"), (None, "whole")):
        await reports.add_artifacts(*attempt, {"result.json": blob(text)}, phase=position)

    reading = (floor.engine.database, floor.scope, assignment.step_run_id)
    found = await store.list_artifacts(*reading, limit=10)
    first, second = await phases_of(floor, assignment)

    assert [(each.phase, each.phase_name, each.size) for each in found] == [
        (1, "phase 1", 9),
        (2, "phase 2", 6),
        (None, None, 5),
    ]
    assert await store.list_artifacts(*reading, phase=second.id, limit=10) == found[1:2]
    assert await store.get_artifact(*reading, found[0].id) == found[0]
    assert found[0].phase_id == first.id
    with pytest.raises(ArtifactNotFound):
        await store.get_artifact(*reading, first.id)


async def test_phases_share_the_most_artifacts_that_a_step_run_may_leave(floor):
    """One more than the limit is refused in whichever phase; one again is not one more."""
    await floor.start(await floor.process({"commands": LIST}))
    walt = await floor.worker()
    [assignment] = await walt.claim()
    attempt = (floor.engine, walt.actor, assignment.step_run_id, assignment.attempt)
    most = floor.engine.limits.artifacts
    names = [f"{number}" for number in range(most - 1)]
    await reports.add_artifacts(*attempt, dict.fromkeys(names, blob("x")), phase=1)
    await reports.add_artifacts(*attempt, {"0": blob("y")}, phase=2)

    await reports.add_artifacts(*attempt, {"0": blob("z")}, phase=2)
    with pytest.raises(Invalid, match="at most"):
        await reports.add_artifacts(*attempt, {"1": blob("z")}, phase=2)
