"""As whom a robot runs: who may be named, who may name them, and where it is told."""

import pytest

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.grants.holding import RuntimeMissing
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import Placement, ProcessChange, StepDefinition, Workers
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import store
from controlroom.engine.runs.model import DefaultInput
from controlroom.engine.runs.parameters import RunParameters
from controlroom.errors import Forbidden
from controlroom.ids import UserId, uuid7


async def _step_run(floor, run):
    [found] = await store.list_step_runs(floor.engine.database, floor.scope, run.id, limit=9)
    return found


async def test_a_step_run_tells_as_whom_it_runs(floor, ada, root):
    """The user that the run names goes before the step's, the places of either count by themselves."""
    walt = await floor.worker()
    places = (Workers((walt.actor.worker_id,)),)
    process = await floor.process({"placement": Placement(places, run_as=ada.id)})

    of_step = await floor.start(process)
    of_run = await floor.start(process, placement=Placement(run_as=root.id))

    told = [await _step_run(floor, run) for run in (of_step, of_run)]
    assert [(one.places, one.run_as) for one in told] == [(places, ada.id), (places, root.id)]
    await walt.take()
    assert (await _step_run(floor, of_step)).run_as == ada.id


async def test_a_robot_runs_as_nobody_who_may_not_be_run_as(floor, ada, ben, cleo):
    """A user of another organization is not found; one who lacks RUNTIME there, or is disabled, is refused."""
    process = await floor.process({})

    for user, refusal in ((UserId(uuid7()), UserNotFound), (cleo.id, UserNotFound), (ben.id, RuntimeMissing)):
        with pytest.raises(refusal):
            await floor.start(process, placement=Placement(run_as=user))

    of_ada = await floor.process({"placement": Placement(run_as=ada.id)})
    await floor.engine.database.execute("update app_user set disabled_at = clock_now() where id = %(ada)s", ada=ada.id)
    with pytest.raises(RuntimeMissing):
        await floor.start(of_ada)


async def test_to_name_another_user_takes_a_right(floor, ada, ben):
    """Ben, who operates, names ada neither in a start nor in a step; what she has named he may start."""
    process = await floor.process({"placement": Placement(run_as=ada.id)})
    as_ada = RunParameters(placement=Placement(run_as=ada.id))
    step = StepDefinition(name="s", placement=as_ada.placement)

    with pytest.raises(Forbidden):
        await runs.start(floor.engine, ben, floor.workspace, process, DefaultInput(), as_ada)
    with pytest.raises(Forbidden):
        await processes.update(floor.engine, ben, floor.workspace, process, ProcessChange(steps=(step,)))

    started = await runs.start(floor.engine, ben, floor.workspace, process, DefaultInput())
    assert (await _step_run(floor, started)).run_as == ada.id
