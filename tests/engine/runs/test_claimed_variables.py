"""Robots find the variables of their workspace and of their process."""

from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessDefinition
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.engine.variables import actions
from controlroom.engine.variables.model import Where
from controlroom.engine.vault.masks import masks_of
from controlroom.ids import UserId


async def test_a_robot_finds_what_is_its_own(floor, engine, ada, workspace):
    """The process's value before the workspace's; not those of targets, users and other processes."""
    walt = await floor.worker()
    process = await floor.process({})
    other = (await processes.create(engine, ada, workspace, ProcessDefinition(name="Nightly"))).id
    target = (await targets.create(engine, ada, workspace, TargetDefinition(name="Production"))).id
    await actions.create(engine, ada, workspace, "API_COLOR", "red")
    await actions.create(engine, ada, workspace, "API_SIZE", "big")
    await actions.create(engine, ada, workspace, "API_COLOR", "blue", Where(process_id=process))
    await actions.create(engine, ada, workspace, "API_OTHER", "x", Where(process_id=other))
    await actions.create(engine, ada, workspace, "API_TARGET", "x", Where(target_id=target))
    await actions.create(engine, ada, workspace, "API_MINE", "x", Where(user_id=UserId(ada.id)))

    await floor.start(process)
    assignment, _ = await walt.take()

    assert assignment.variables == {"API_COLOR": "blue", "API_SIZE": "big"}


async def test_what_is_secret_about_them_is_masked(floor, engine, ada, workspace):
    """From the first line that the robot prints, also where the answer of the claim was lost."""
    walt = await floor.worker()
    process = await floor.process({})
    await actions.create(engine, ada, workspace, "DBT_ENV_SECRET_TOKEN", "hunter22")
    await floor.start(process)
    await walt.claim()

    [assignment] = await walt.claim(knows=False)

    assert assignment.variables == {"DBT_ENV_SECRET_TOKEN": "hunter22"}
    masks = await masks_of(engine.database, floor.scope, engine.keys, assignment.step_run_id)
    assert masks.values == ("hunter22",)


async def test_the_step_says_last(floor, engine, ada, workspace):
    """What its author has written into a step goes before a variable of the same name."""
    walt = await floor.worker()
    process = await floor.process({})
    await engine.database.execute(
        'update step set environment = \'{"API_COLOR": "green"}\' where process_id = %(id)s', id=process
    )
    await actions.create(engine, ada, workspace, "API_COLOR", "red")
    await floor.start(process)

    assignment, _ = await walt.take()

    assert assignment.variables == {"API_COLOR": "green"}
