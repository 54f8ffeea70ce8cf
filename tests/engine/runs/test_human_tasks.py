"""Steps that wait for a person."""

import asyncio

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.forms import AnswerWrong, Form, FormField
from controlroom.engine.processes.model import ProcessChange, StepDefinition
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import human_tasks
from controlroom.engine.runs.human_tasks import HumanTaskNotFound, HumanTaskOver
from controlroom.engine.runs.model import Result, RunState, StopRequest
from controlroom.engine.work_items import store as items
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import uuid7

FORM = Form(title="Approve", fields=(FormField(name="why", is_required=True),), buttons=("Yes", "No"))


@pytest.fixture
async def asking(floor):
    """A process of which the first step runs a task, the second asks a person, and the third runs the task again."""

    async def made(*which: str):
        process = await floor.process({})
        task = await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)
        works = {"ask": FORM, "do": task}
        steps = tuple(StepDefinition(name=f"{name} {place}", work=works[name]) for place, name in enumerate(which))
        await processes.update(floor.engine, floor.ada, floor.workspace, process, ProcessChange(steps=steps))
        return process

    return made


async def test_an_item_waits_for_a_person_and_goes_on_with_what_they_say(floor, ada, asking):
    """What was filled in becomes its payload, and that of the item of the next step; then the run goes on."""
    run = await floor.start(await asking("ask", "do"), payloads({"sum": 7}))
    [task] = await human_tasks.list_open(floor.engine.database, floor.scope, limit=9)
    assert (task.run_id, task.form, task.is_open) == (run.id, FORM, True)
    walt = await floor.worker()
    assert await walt.claim() == []

    done = await human_tasks.submit(floor.engine, ada, floor.workspace, task.id, {"why": "it is right"}, button="Yes")
    await floor.run(run)

    assert (done.is_open, done.payload) == (False, Raw(b'{"sum": 7, "why": "it is right", "button": "Yes"}'))
    assert await human_tasks.list_open(floor.engine.database, floor.scope, limit=9) == []
    assignment, _ = await walt.take()
    payload = "select payload from work_item where id = %(id)s"
    assert await floor.engine.database.value(payload, id=assignment.work_item_id) == {
        "sum": 7,
        "why": "it is right",
        "button": "Yes",
    }
    await walt.finish(assignment)
    after = await floor.run(run)
    assert (after.state, after.result) == (RunState.COMPLETED, Result.SUCCEEDED)


async def test_what_a_robot_puts_out_waits_for_a_person_and_comes_out_of_the_run(floor, ada, asking):
    """After the last step what was filled in is an output of the run, which ends."""
    run = await floor.start(await asking("do", "ask"), payloads(1))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await human_tasks_output(floor, robot, assignment)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    [task] = await human_tasks.of_run(floor.engine.database, floor.scope, run.id, limit=9)

    await human_tasks.submit(floor.engine, ada, floor.workspace, task.id, {"why": "so"})

    assert (await floor.run(run)).state is RunState.COMPLETED
    outputs = await items.list_outputs(floor.engine.database, floor.scope, run.id, limit=9, most_bytes=10**6)
    assert [item.payload for item in outputs] == [Raw(b'{"a": 1, "why": "so"}')]


async def human_tasks_output(floor, robot, assignment) -> None:
    """The robot puts something out."""
    from controlroom.engine.runs.outputs import output  # noqa: PLC0415

    await output(floor.engine, robot, assignment.work_item_id, Raw(b'{"a":1}'))


async def test_one_of_two_who_submit_at_once_is_told_that_it_is_over(floor, ada, asking):
    """And what the other one said counts, once."""
    run = await floor.start(await asking("ask", "do"), payloads({}))
    [task] = await human_tasks.list_open(floor.engine.database, floor.scope, limit=9)

    def submitting(why: str):
        return human_tasks.submit(floor.engine, ada, floor.workspace, task.id, {"why": why})

    found = await asyncio.gather(submitting("a"), submitting("b"), return_exceptions=True)

    assert sum(isinstance(one, HumanTaskOver) for one in found) == 1
    await floor.run(run)
    assert sorted(await floor.states(run)) == ["done", "pending"]


async def test_who_may_not_submit_and_what_is_refused(floor, ada, ben, cleo, asking):
    """What the form asks must be there; an outsider finds nothing; what was stopped is over."""
    run = await floor.start(await asking("ask"), payloads({}))
    [task] = await human_tasks.list_open(floor.engine.database, floor.scope, limit=9)
    where = (floor.engine, ada, floor.workspace)

    with pytest.raises(AnswerWrong):
        await human_tasks.submit(*where, task.id, {})
    with pytest.raises(AnswerWrong):
        await human_tasks.submit(*where, task.id, {"why": "so"}, button="Perhaps")
    with pytest.raises(HumanTaskNotFound):
        await human_tasks.submit(*where, uuid7(), {})
    with pytest.raises(NotFound):
        await human_tasks.submit(floor.engine, cleo, floor.workspace, task.id, {"why": "so"})
    viewer = ben.__class__(
        kind=ben.kind, id=ben.id, name=ben.name, organization_id=ben.organization_id, grants={floor.workspace: set()}
    )
    with pytest.raises(Forbidden):
        await human_tasks.submit(floor.engine, viewer, floor.workspace, task.id, {"why": "so"})
    stop = StopRequest(terminate=True, remaining_done=False, reason="enough")
    await runs.stop(*where, run.id, stop)
    await floor.run(run)
    with pytest.raises(HumanTaskOver):
        await human_tasks.submit(*where, task.id, {"why": "so"})
