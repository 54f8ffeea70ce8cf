"""What one start asks for beside its input: its name, its cause, and what it has in place of the steps' settings."""

from datetime import timedelta

import msgspec
import pytest

from controlroom.engine.packages import labels
from controlroom.engine.packages.errors import LabelNotFound, PackageVersionNotFound
from controlroom.engine.processes.model import Placement
from controlroom.engine.runs.model import Overrides
from controlroom.engine.runs.overrides import TaskNotInVersion
from controlroom.errors import Invalid, NotFound
from controlroom.ids import PackageVersionId, uuid7
from controlroom.robots.definition import parse_robot
from engine.runs.conftest import payloads


async def _version(floor, process, number: int, *tasks: str) -> PackageVersionId:
    """One more version of the package of the process's steps."""
    version = PackageVersionId(uuid7())
    robot = parse_robot(
        "tasks:\n" + "".join(f"  {task}:\n    shell: 'true'\n" for task in tasks) + "artifactsDir: output\n"
    )
    await floor.engine.database.execute(
        """
        insert into package_version (id, package_id, version, hash, size, robot)
        select %(id)s, task.package_id, %(number)s, %(hash)s, 4, %(robot)s
          from step join task on task.id = step.task_id where step.process_id = %(process)s limit 1
        """,
        id=version,
        number=number,
        hash=f"beef{number}",
        robot=msgspec.Raw(msgspec.json.encode(robot)),
        process=process,
    )
    return version


async def test_a_run_tells_its_name_and_cause(floor):
    """A run has the name and the cause that its start gave; a usual one has none."""
    process = await floor.process({})

    named = await floor.start(process, name="March", cause="Kicked off by the bookkeeper")
    usual = await floor.start(process)

    assert (named.told.name, named.told.cause) == ("March", "Kicked off by the bookkeeper")
    assert usual.told is None


async def test_variables_and_time_limit_of_a_run_go_over_those_of_its_steps(floor):
    """Every assignment of the run, of each step and attempt, has its variables and its limit; other runs' have not."""
    process = await floor.process({}, {})
    await floor.engine.database.execute(
        """
        update step set environment = '{"REGION": "eu", "LEVEL": "info"}', timeout = interval '1 hour'
         where process_id = %(process)s
        """,
        process=process,
    )
    walt = await floor.worker()

    await floor.start(process, overrides=Overrides(variables={"LEVEL": "debug"}, timeout=timedelta(days=1, seconds=2)))
    [first] = await walt.claim()
    [again] = await walt.claim(knows=False)
    await floor.start(process)
    [usual] = await walt.claim()

    assert (first.variables, first.timeout_seconds) == ({"REGION": "eu", "LEVEL": "debug"}, 86402.0)
    assert (again.variables, again.timeout_seconds) == (first.variables, first.timeout_seconds)
    assert (usual.variables, usual.timeout_seconds) == ({"REGION": "eu", "LEVEL": "info"}, 3600.0)


async def test_a_run_takes_the_version_that_it_names_and_others_the_latest(floor):
    """The version holds for all step runs of the run, whatever is uploaded meanwhile."""
    process = await floor.process({"max_parallel": 2, "one_item_per_step_run": True})
    named = await _version(floor, process, 2, "Do")
    await _version(floor, process, 3, "Do")
    walt = await floor.worker()

    await floor.start(process, overrides=Overrides(version=named))
    await floor.start(process)
    await _version(floor, process, 4, "Do")

    assert [each.package.hash for each in await walt.claim(free=2)] == ["beef2", "beef4"]


async def test_a_version_that_is_no_steps_is_refused_at_the_start(floor):
    """One that is not there, of another package, or without the task of the step starts nothing."""
    process, other = await floor.process({}), await floor.process({})
    foreign = await _version(floor, other, 2, "Do")
    without = await _version(floor, process, 2, "Undo")

    for version, refusal in (
        (PackageVersionId(uuid7()), PackageVersionNotFound),
        (foreign, PackageVersionNotFound),
        (without, TaskNotInVersion),
    ):
        with pytest.raises(refusal):
            await floor.start(process, overrides=Overrides(version=version))

    started = "select count(*) from run where process_id = %(process)s"
    assert await floor.engine.database.value(started, process=process) == 0


@pytest.fixture
async def labelled(floor):
    """A process of one package that has two versions, and the package."""
    process = await floor.process({"max_parallel": 2, "one_item_per_step_run": True})
    await _version(floor, process, 2, "Do")
    await _version(floor, process, 3, "Do")
    package = await floor.engine.database.value(
        "select task.package_id from task join step on task_id = task.id where process_id = %(process)s",
        process=process,
    )
    return process, package


async def test_a_label_is_read_at_the_start(floor, labelled):
    """A run takes the version that bears the label then, and keeps it when the label moves."""
    process, package = labelled
    walt = await floor.worker()

    async def label(version: int) -> None:
        await labels.set_label(floor.engine, floor.ada, floor.workspace, package, "production", version)

    await label(2)
    first = await floor.start(process, payloads(1, 2), overrides=Overrides(label="production"))
    await label(3)
    second = await floor.start(process, overrides=Overrides(label="production"))

    assert [each.package.hash for each in await walt.claim(free=3)] == ["beef2", "beef2", "beef3"]
    assert (first.told.overrides.label, second.told.overrides.label) == ("production", "production")
    versions = await labels.list_versions(floor.engine.database, floor.scope, package, limit=2)
    assert [(each.version, each.labels) for each in versions] == [(3, ["production"]), (2, [])]


async def test_a_label_that_a_package_has_not_is_refused(floor, labelled):
    """Before it was given and after it was taken away it means nothing; and only what is there bears one."""
    process, package = labelled
    asked = {"overrides": Overrides(label="production")}
    here = (floor.engine, floor.ada, floor.workspace, package, "production")

    with pytest.raises(LabelNotFound):
        await floor.start(process, **asked)
    with pytest.raises(PackageVersionNotFound):
        await labels.set_label(*here, 9)
    await labels.set_label(*here, 2)
    await floor.start(process, **asked)
    await labels.remove_label(*here)
    with pytest.raises(LabelNotFound):
        await floor.start(process, **asked)
    with pytest.raises(LabelNotFound):
        await labels.remove_label(*here)


async def test_labels_are_none_of_an_outsiders_business(floor, labelled, cleo):
    """An outsider finds no package to label, and no label to take away."""
    _, package = labelled

    for attempt in (
        labels.set_label(floor.engine, cleo, floor.workspace, package, "production", 2),
        labels.remove_label(floor.engine, cleo, floor.workspace, package, "production"),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "x" * 256},
        {"cause": "a\0b"},
        {"overrides": Overrides(timeout=timedelta(0))},
        {"overrides": Overrides(timeout=timedelta(days=31))},
        {"overrides": Overrides(variables={"A=B": "c"})},
        {"overrides": Overrides(variables={"A": "c\0"})},
        {"overrides": Overrides(version=PackageVersionId(uuid7()), label="production")},
        {"priority": 2**40},
    ],
)
async def test_what_no_run_can_have_is_refused(floor, parameters):
    """Texts, limits and variables that could not be kept or handed to a robot are Invalid."""
    process = await floor.process({})

    with pytest.raises(Invalid):
        await floor.start(process, **parameters)


async def test_what_is_as_usual_is_not_kept(floor):
    """Most runs keep no parameters, whichever way their start says that all is as usual: lists read nothing of them."""
    run = await floor.start(await floor.process({}), overrides=Overrides(), placement=Placement())

    kept = await floor.engine.database.value("select parameters from run where id = %(run)s", run=run.id)
    assert (kept, run.told) == ({}, None)
