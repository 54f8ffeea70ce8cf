"""A task is deployed for several users: an item and a step run for each, on the worker of each or wherever is said."""

import asyncio

import msgspec
import pytest
from tests.engine.conftest import new_user

from controlroom.engine.access.model import Permission, Role
from controlroom.engine.lists.model import NEWEST_FIRST, Asked
from controlroom.engine.packages.errors import LabelNotFound
from controlroom.engine.runs import actions, stages, stops, task_runs
from controlroom.engine.runs import deployments as deploying
from controlroom.engine.runs.deployments import Deployment, DeploymentInvalid, OnDefaultOr, OnGroups, deploy
from controlroom.engine.runs.model import Overrides, StopRequest
from controlroom.engine.runs.repeated_starts import KeyReused
from controlroom.engine.runs.stages import Stage
from controlroom.engine.runs.task_inputs import InputUnknown
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items.operations import Operation
from controlroom.engine.workers import actions as worker_verbs
from controlroom.engine.workers import whole_groups
from controlroom.engine.workers.defaults import DefaultWorkerMissing, set_default
from controlroom.engine.workers.errors import WorkerGroupClosed, WorkerGroupIdle
from controlroom.engine.workers.whole_groups import GroupChange
from controlroom.errors import Forbidden
from controlroom.ids import TaskId
from controlroom.protocol import ErrorCode


@pytest.fixture
async def task(floor) -> TaskId:
    """A task that nobody has run yet."""
    await floor.process({})
    return await floor.engine.database.value(
        "select task.id from task join package on package.id = package_id where workspace_id = %(ws)s",
        ws=floor.workspace,
    )


@pytest.fixture
async def dora(engine, team):
    """Another owner, as whom robots run."""
    return await new_user(engine, "dora", team.organization, team.workspace, Role.OWNER)


async def placed(floor, *users):
    """A worker for each of the users, which is their default one."""
    workers = []
    for user in users:
        worker = await floor.worker(user.name)
        await set_default(floor.engine, floor.ada, user.id, worker.actor.worker_id)
        workers.append(worker)
    return workers


def deployed(floor, task, *users, actor=None, **given):
    return deploy(
        floor.engine,
        actor or floor.ada,
        floor.workspace,
        Deployment(task=task, users=tuple(user.id for user in users), **given),
    )


async def listed(floor, run=None, actor=None):
    """What is listed of task runs, oldest first."""
    seen = await task_runs.seen_by(floor.engine.database, actor or floor.ada)
    page = await task_runs.page(floor.engine, seen, Asked(sort=NEWEST_FIRST, length=50))
    return [each for each in page.rows[::-1] if run is None or each.run_id == run.id]


async def test_each_user_gets_an_item_and_a_step_run_on_their_worker(floor, ada, dora, task):
    """All of it is in the commit that answers; each worker takes its user's, with the input as payload, and no more."""
    walt, wanda = await placed(floor, ada, dora)

    run = await deployed(floor, task, ada, dora, payload=msgspec.Raw(b'{"a": 1}'), name="Both")

    queued = await listed(floor, run)
    assert [(each.user_name, stages.stage_of(each), each.run_name) for each in queued] == [
        ("ada", Stage.QUEUED, "Both"),
        ("dora", Stage.QUEUED, "Both"),
    ]
    stored = "select payload ->> 'a' from work_item where run_id = %(run)s"
    assert await floor.engine.database.all(str, stored, run=run.id) == ["1", "1"]
    for worker, mine in zip((walt, wanda), queued, strict=True):
        [assignment] = await worker.claim(free=5)
        assert assignment.step_run_id == mine.id
        await worker.finish(assignment)
    assert (await floor.run(run)).state == "completed"
    assert [stages.stage_of(each) for each in await listed(floor, run)] == [Stage.SUCCEEDED] * 2


async def test_a_user_has_one_at_work_at_a_time(floor, ada, task):
    """Whichever worker asks, however many at once: the second begins when the first has ended."""
    workers = [await floor.worker(f"w{n}") for n in range(4)]
    group = await whole_groups.create(
        floor.engine, ada, GroupChange(name="pool", workers=tuple(w.actor.worker_id for w in workers))
    )
    for _ in range(3):
        await deployed(floor, task, ada, where=OnGroups((group.id,)))

    order = []
    for _ in range(3):
        taken = await asyncio.gather(*(worker.claim() for worker in workers))
        [(worker, assignment)] = [(w, a) for w, each in zip(workers, taken, strict=True) for a in each]
        order.append(assignment.step_run_id)
        await worker.finish(assignment)

    # Which is next is not promised to those who ask in the same moment: each passes over what another has locked.
    assert sorted(order) == [each.id for each in await listed(floor)]


async def test_those_with_the_fewest_queued_are_used(floor, ada, dora, task):
    """Of several users so many; 0 means all, and more than there are is refused."""
    await placed(floor, ada, dora)
    await deployed(floor, task, ada)

    run = await deployed(floor, task, ada, dora, most_users=1)

    assert [each.user_name for each in await listed(floor, run)] == ["dora"]
    for wrong in (3, -1):
        with pytest.raises(DeploymentInvalid):
            await deployed(floor, task, ada, dora, most_users=wrong)
    with pytest.raises(DeploymentInvalid):
        await deployed(floor, task)
    with pytest.raises(DeploymentInvalid):
        await deployed(floor, task, ada, ada)


async def test_a_pool_helps_while_the_default_worker_is_busy(floor, ada, dora, task):
    """The default worker first, then the groups; or the groups alone; without either there is nobody to ask."""
    walt, wanda = await placed(floor, ada, dora)
    helper = await floor.worker("helper")
    group = await whole_groups.create(floor.engine, ada, GroupChange(name="pool", workers=(helper.actor.worker_id,)))
    await deployed(floor, task, ada)
    [busy] = await walt.claim()

    await deployed(floor, task, dora, where=OnDefaultOr((group.id,)))
    assert await helper.claim() == []  # wanda is idle
    [first] = await wanda.claim()
    await wanda.finish(first)
    await walt.finish(busy)
    await deployed(floor, task, dora, where=OnGroups((group.id,)))
    assert (await wanda.claim(), len(await helper.claim())) == ([], 1)

    await set_default(floor.engine, ada, dora.id, None)
    with pytest.raises(DefaultWorkerMissing):
        await deployed(floor, task, dora)


async def test_a_group_that_has_nobody_or_is_for_others_is_refused(floor, ada, ben, task):
    """Its owners and the holders of its roles may use it, and whoever may change workers."""
    empty = await whole_groups.create(floor.engine, ada, GroupChange(name="empty"))
    with pytest.raises(WorkerGroupIdle):
        await deployed(floor, task, ada, where=OnGroups((empty.id,)))
    [walt] = await placed(floor, ada)
    whole = GroupChange(name="full", workers=(walt.actor.worker_id,), owners=(ada.id,))
    group = await whole_groups.create(floor.engine, ada, whole)

    with pytest.raises(WorkerGroupClosed):
        await deployed(floor, task, ada, actor=ben, where=OnGroups((group.id,)))
    await deployed(floor, task, ada, where=OnGroups((group.id,)))


async def test_the_same_key_is_the_same_deployment(floor, ada, dora, task):
    """Also when other users would be chosen by now, and whatever the default name says; another wish is a conflict."""
    await placed(floor, ada, dora)
    wish = Deployment(task=task, users=(ada.id, dora.id), most_users=1, idempotency_key="k")
    calls = [deploy(floor.engine, ada, floor.workspace, wish, default_name=lambda _, n=n: f"at {n}") for n in range(3)]

    runs = await asyncio.gather(*calls)

    assert len({run.id for run in runs}) == 1
    assert len(await listed(floor)) == 1
    with pytest.raises(KeyReused):
        await deployed(floor, task, ada, idempotency_key="k")


async def test_a_label_that_no_version_bears_is_refused(floor, ada, task):
    """Nothing is run in place of what was asked for."""
    await placed(floor, ada)

    with pytest.raises(LabelNotFound):
        await deployed(floor, task, ada, overrides=Overrides(label="PRODUCTION"))
    assert await listed(floor) == []


async def test_one_execution_is_stopped_alone(floor, ada, dora, task):
    """One that waits at once, with its item; one at work by an order; the other user's goes on."""
    walt, wanda = await placed(floor, ada, dora)
    run = await deployed(floor, task, ada, dora)
    [of_ada, of_dora] = await listed(floor, run)
    [at_work] = await walt.claim()

    assert await stops.stop(floor.engine, ada, floor.workspace, of_dora.id)
    assert await stops.stop(floor.engine, ada, floor.workspace, of_ada.id)
    assert await walt.beat(at_work) == ["terminate"]
    assert await wanda.claim() == []
    await walt.finish(at_work, ErrorCode.TERMINATED)

    assert [stages.stage_of(each) for each in await listed(floor, run)] == [Stage.STOPPED] * 2
    assert (await floor.run(run)).state == "unresolved"
    assert not await stops.stop(floor.engine, ada, floor.workspace, of_ada.id)


async def test_a_stopped_deployment_stays_listed(floor, ada, dora, task):
    """Also those of its executions that nobody had begun."""
    walt, _ = await placed(floor, ada, dora)
    run = await deployed(floor, task, ada, dora)
    [assignment] = await walt.claim()

    await actions.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    await walt.finish(assignment, ErrorCode.TERMINATED)

    assert [stages.stage_of(each) for each in await listed(floor, run)] == [Stage.STOPPED] * 2
    ended = await floor.run(run)
    assert (ended.state, ended.result) == ("unresolved", "stopped")


async def test_what_a_lost_worker_had_is_the_same_user_s_again(floor, ada, dora, task):
    """Lost before it began, the step run waits again; an item that is taken up again is its user's."""
    walt, wanda = await placed(floor, ada, dora)
    run = await deployed(floor, task, ada, dora)
    await walt.claim()
    [of_dora] = await wanda.claim()
    await wanda.finish(of_dora)

    await walt.restart()
    [again] = await walt.claim()
    await walt.begin(again)
    await walt.finish(again, ErrorCode.ROBOT_FAILED)
    assert (await floor.run(run)).state == "unresolved"
    [failed] = [item for item in await floor.items(run) if item.state == "failed"]
    await items.change(floor.engine, ada, floor.workspace, Operation.RETRY, [failed.id])
    await floor.run(run)

    assert [(each.user_name, stages.stage_of(each)) for each in await listed(floor, run)] == [
        ("ada", Stage.FAILED),
        ("dora", Stage.SUCCEEDED),
        ("ada", Stage.QUEUED),
    ]


async def test_what_is_not_given_has_its_default(floor, ada, task):
    """An input that the task does not take is refused; a task that declares none takes whatever comes."""
    await placed(floor, ada)
    undeclared = [await _payload(floor, task, ada, given) for given in (None, b'{"any": 1}')]
    await floor.engine.database.execute(
        """
        update package_version set robot = %(told)s
         where package_id = (select package_id from task where id = %(task)s)
        """,
        task=task,
        told={"tasks": [{"name": "Do", "interface": {"inputs": [{"name": "who", "default": "world"}, {"name": "n"}]}}]},
    )

    declared = [await _payload(floor, task, ada, given) for given in (None, b'{"n": 2}', b'{"who": null}', b"[1]")]
    with pytest.raises(InputUnknown, match="colour"):
        await deployed(floor, task, ada, payload=msgspec.Raw(b'{"colour": "red"}'))

    assert undeclared == [None, {"any": 1}]
    assert declared == [{"who": "world"}, {"who": "world", "n": 2}, {"who": None}, [1]]


async def _payload(floor, task, user, given):
    run = await deployed(floor, task, user, payload=None if given is None else msgspec.Raw(given))
    stored = await floor.engine.database.value("select payload::text from work_item where run_id = %(run)s", run=run.id)
    return msgspec.json.decode(stored)


async def test_who_may_name_whom(floor, ada, ben, cleo, task):
    """Ben, who operates, deploys for nobody else; an outsider finds nothing and sees nothing."""
    await placed(floor, ada)
    run = await deployed(floor, task, ada)

    with pytest.raises(Forbidden):
        await deployed(floor, task, ada, actor=ben)
    assert len(await listed(floor, actor=ben)) == 1
    assert await listed(floor, actor=cleo) == []
    basic = msgspec.structs.replace(ben, grants={floor.workspace: frozenset()})
    assert await listed(floor, actor=basic) == []
    own = msgspec.structs.replace(ada, grants={floor.workspace: frozenset({Permission.START_RUNS})})
    assert [each.run_id for each in await listed(floor, actor=own)] == [run.id]


async def test_a_default_worker_goes_with_the_worker(floor, ada, dora, task):
    """It survives names, and is none when the worker is unlinked."""
    [walt] = await placed(floor, ada)
    await worker_verbs.rename(floor.engine, ada, floor.workspace, walt.actor.worker_id, "other")
    await deployed(floor, task, ada)

    await worker_verbs.delete(floor.engine, ada, floor.workspace, walt.actor.worker_id)

    with pytest.raises(DefaultWorkerMissing):
        await deployed(floor, task, ada)
    assert deploying.MOST_USERS > 1
