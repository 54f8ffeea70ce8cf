"""The engine's laws about runs, step runs and items (DESIGN §4), each by its promise."""

import asyncio
import secrets
from datetime import timedelta

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import robot_verbs
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.dispatch import runs_left_behind
from controlroom.engine.runs.errors import ProcessDisabled, RunNotEnded, RunNotFound, Superseded
from controlroom.engine.runs.model import (
    DefaultInput,
    Result,
    RunState,
    StepRunState,
    StopRequest,
    WithItems,
    WithWaiting,
)
from controlroom.engine.runs.robot_verbs import Done, Failed
from controlroom.engine.work_items import actions as item_actions
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.errors import NotHolding, WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RunId, StepRunId, WorkItemId, uuid7
from controlroom.maintenance import dispatcher, rescuer
from controlroom.protocol import ErrorCode, Order

BUSINESS = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))
APPLICATION = Failed(ItemException(ExceptionType.APPLICATION, "NET", "timeout"))


async def expire_leases(floor) -> None:
    """The workers have been silent for too long."""
    await floor.engine.database.execute(
        "update step_run set lease_until = clock_now() - interval '1 second' where lease_until is not null"
    )
    await rescuer.rescue(floor.engine)


# ---------------------------------------------------------------------------------------------------- law 1: runs
async def test_a_run_without_input_has_one_empty_item_and_completes(floor):
    """A start without data makes one empty item and one step run; the run completes when it is done."""
    process = await floor.process({})
    walt = await floor.worker()

    run = await floor.start(process)
    assert (run.state, await floor.states(run)) == (RunState.NEW, ["pending"])

    assignment, robot = await walt.take()
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    assert await robot_verbs.payload(floor.engine, robot, assignment.work_item_id) is None
    await walt.finish(assignment)

    ended = await floor.run(run)
    assert (ended.state, ended.result, await floor.states(run)) == (RunState.COMPLETED, Result.SUCCEEDED, ["done"])


async def test_a_run_with_failed_items_is_unresolved_until_they_are_resolved(floor, ada):
    """Failed items leave a run unresolved; retried with success or marked done, they complete it."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    await floor.drain(robot, await robot_verbs.reserve(floor.engine, robot))
    await walt.finish(assignment)
    unresolved = await floor.run(run)
    assert (unresolved.state, unresolved.result) == (RunState.UNRESOLVED, Result.FAILED)

    [failed] = [item for item in await floor.items(run) if item.state is ItemState.FAILED]
    await item_actions.retry(floor.engine, ada, floor.workspace, [failed.id])
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    again, robot = await walt.take()
    assert again.work_item_id == failed.id
    await robot_verbs.release(floor.engine, robot, failed.id, APPLICATION)
    await walt.finish(again)
    assert (await floor.run(run)).state is RunState.UNRESOLVED

    await item_actions.mark_done(floor.engine, ada, floor.workspace, [failed.id])
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_disabled_or_unknown_process_starts_nothing(floor, ada, cleo):
    """A disabled process is a conflict, an unknown or another's one is not found; nothing is written."""
    process = await floor.process({})
    await floor.engine.database.execute("update process set is_enabled = false where id = %(id)s", id=process)

    with pytest.raises(ProcessDisabled):
        await floor.start(process)
    with pytest.raises(NotFound):
        await runs.start(floor.engine, ada, floor.workspace, uuid7(), DefaultInput())
    with pytest.raises(NotFound):
        await runs.start(floor.engine, cleo, floor.workspace, process, DefaultInput())
    assert await run_store.list_runs(floor.engine.database, floor.workspace, limit=10) == []


async def test_waiting_items_are_started_or_nothing_is(floor, ada):
    """With waiting items a run takes them all; without, none is started and no row is left."""
    process = await floor.process({})
    db = floor.engine.database
    assert await runs.start(floor.engine, ada, floor.workspace, process, WithWaiting()) is None
    assert await run_store.list_runs(db, floor.workspace, limit=10) == []

    made = [await item_actions.create(floor.engine, ada, floor.workspace, process, Raw(b"1")) for _ in range(3)]
    assert {item.state for item in made} == {ItemState.NEW}
    run = await floor.start(process, WithItems((made[1].id,)))
    assert [item.id for item in await floor.items(run)] == [made[1].id]

    with pytest.raises(WorkItemStateConflict):
        await floor.start(process, WithItems((made[0].id, made[1].id)))
    with pytest.raises(WorkItemNotFound):
        await floor.start(process, WithItems((made[0].id, WorkItemId(uuid7()))))
    rest = await floor.start(process, WithWaiting())
    assert [item.id for item in await floor.items(rest)] == [made[0].id, made[2].id]


# ---------------------------------------------------------------------------------------------------- law 3: step runs
async def test_step_runs_are_as_many_as_items_and_capacity(floor):
    """A run gets a step run for each pending item, and never more than `max_parallel` at once."""
    process = await floor.process({"max_parallel": 3})
    walt = await floor.worker()

    few = await floor.start(process, payloads(1, 2))
    many = await floor.start(process, payloads(*range(10)))

    assert len(await walt.claim(free=100)) == 5
    assert len(await run_store.list_step_runs(floor.engine.database, floor.workspace, few.id, limit=100)) == 2
    await floor.run(many)
    assert len(await run_store.list_step_runs(floor.engine.database, floor.workspace, many.id, limit=100)) == 3


async def test_a_step_run_without_items_is_withdrawn_and_never_started(floor):
    """If the items were done by others, the claim withdraws the step run."""
    process = await floor.process({"max_parallel": 2})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)

    assert await walt.claim() == []
    await walt.finish(assignment)

    assert (await floor.run(run)).state is RunState.COMPLETED
    [only] = await run_store.list_step_runs(floor.engine.database, floor.workspace, run.id, limit=10)
    assert only.id == assignment.step_run_id


async def test_a_step_run_reserves_only_items_of_its_own_run(floor):
    """Two runs of one process never work on each other's items."""
    process = await floor.process({})
    walt = await floor.worker()
    first = await floor.start(process, payloads(1))
    second = await floor.start(process, payloads(2, 3))

    assignment, robot = await walt.take()

    assert assignment.run_id == first.id
    assert len(await floor.drain(robot, assignment.work_item_id)) == 1
    assert await floor.states(second) == ["pending", "pending"]


async def test_one_item_per_step_run(floor):
    """Such a step gets a step run for each item, and each reserves no second one."""
    process = await floor.process({"max_parallel": 5, "one_item_per_step_run": True})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2, 3))

    for assignment in await walt.claim(free=10):
        robot = read_step_run_token(floor.engine.keys, assignment.token)
        assert len(await floor.drain(robot, assignment.work_item_id)) == 1
        await walt.finish(assignment)

    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_step_may_wait_for_the_previous_ones(floor):
    """`starts_after_previous` keeps a step's items waiting until the steps before have nothing in hand."""
    process = await floor.process({"max_parallel": 1}, {"starts_after_previous": True})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1, 2))
    first, robot = await walt.take()
    await robot_verbs.output(floor.engine, robot, first.work_item_id, Raw(b'"report"'))
    await robot_verbs.release(floor.engine, robot, first.work_item_id, Done())

    await floor.run(run)
    assert await wanda.claim() == []

    await floor.drain(robot, await robot_verbs.reserve(floor.engine, robot))
    await walt.finish(first)
    await floor.run(run)
    second, robot = await wanda.take()
    await floor.drain(robot, second.work_item_id)
    await wanda.finish(second)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_placement_decides_who_may_run(floor):
    """A step run for a named worker or group is claimed by nobody else."""
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    process = await floor.process({"placement": {"type": "workers", "workers": [str(wanda.actor.worker_id)]}})
    await floor.start(process)

    assert await walt.claim() == []
    assert len(await wanda.claim()) == 1


# ---------------------------------------------------------------------------------------------------- law 4: reserve
async def test_reserve_gives_each_item_to_one_step_run(floor):
    """Many step runs asking at once never get the same item, and get all of them."""
    process = await floor.process({"max_parallel": 8})
    workers = [await floor.worker(f"worker {n}") for n in range(8)]
    run = await floor.start(process, payloads(*range(100)))
    taken = [await worker.take() for worker in workers]

    done = await asyncio.gather(*(floor.drain(robot, one.work_item_id) for one, robot in taken))

    everything = [item for items in done for item in items]
    assert len(everything) == len(set(everything)) == 100
    assert set(await floor.states(run)) == {"done"}


async def test_asking_again_returns_the_item_in_hand(floor):
    """Reserve is idempotent, also when the same step run asks several times at once."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2, 3))
    assignment, robot = await walt.take()
    assert await robot_verbs.reserve(floor.engine, robot) == assignment.work_item_id
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, Done())

    answers = await asyncio.gather(*(robot_verbs.reserve(floor.engine, robot) for _ in range(8)))

    assert len(set(answers)) == 1


async def test_the_same_release_twice_is_fine_and_a_conflicting_one_is_not(floor):
    """At most one release of an attempt counts."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    item = assignment.work_item_id

    await robot_verbs.release(floor.engine, robot, item, Done())
    await robot_verbs.release(floor.engine, robot, item, Done())
    with pytest.raises(NotHolding):
        await robot_verbs.release(floor.engine, robot, item, BUSINESS)
    assert (await floor.item(item)).state is ItemState.DONE

    item = await robot_verbs.reserve(floor.engine, robot)
    await robot_verbs.release(floor.engine, robot, item, BUSINESS)
    await robot_verbs.release(floor.engine, robot, item, BUSINESS)
    with pytest.raises(NotHolding):
        await robot_verbs.release(floor.engine, robot, item, Done())
    with pytest.raises(NotHolding):
        await robot_verbs.release(floor.engine, robot, WorkItemId(uuid7()), Done())


async def test_an_item_is_never_handed_twice_to_one_step_run(floor):
    """A retried item waits for another step run, even if the same one asks for it."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=3)})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    assignment, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, APPLICATION)

    assert await robot_verbs.reserve(floor.engine, robot) is None
    await walt.finish(assignment)
    await floor.run(run)
    again, _ = await walt.take()
    assert again.work_item_id == assignment.work_item_id
    assert again.step_run_id != assignment.step_run_id


async def test_the_most_urgent_due_item_comes_first(floor, ada):
    """Priority decides, then the due time, then age; what is not due waits."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads("a", "b", "c", "d"))
    a, b, c, d = [item.id for item in await floor.items(run)]
    db = floor.engine.database
    await db.execute("update work_item set priority = 5 where id = %(id)s", id=c)
    await db.execute(
        "update work_item set due = clock_now() + interval '1 hour', is_postponed = true where id = %(id)s", id=a
    )

    assignment, robot = await walt.take()

    assert await floor.drain(robot, assignment.work_item_id) == [c, b, d]
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    await db.execute("update work_item set due = clock_now() where id = %(id)s", id=a)
    await floor.run(run)
    assert (await walt.take())[0].work_item_id == a


async def test_a_clock_that_is_put_back_halts_nothing(floor):
    """Items that nobody has postponed are due at once, whatever the clock said when they were made."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    await floor.engine.database.execute("update work_item set due = due + interval '2 hours'")

    assignment, robot = await walt.take()

    assert len(await floor.drain(robot, assignment.work_item_id)) == 2
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED


# ---------------------------------------------------------------------------------------------------- law 5: outputs
async def test_outputs_are_drafts_until_the_parent_is_released(floor):
    """The next step sees an output when its parent is done or failed, not before; the last step's are the run's."""
    process = await floor.process({}, {})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1))
    first, robot = await walt.take()
    output = await robot_verbs.output(floor.engine, robot, first.work_item_id, Raw(b'{"n": 1}'))
    await floor.run(run)
    assert await wanda.claim() == []

    await robot_verbs.set_payload(floor.engine, robot, output, Raw(b'{"n": 2}'))
    await robot_verbs.release(floor.engine, robot, first.work_item_id, Done())
    await robot_verbs.set_payload(floor.engine, robot, output, Raw(b'{"n": 3}'))
    await floor.run(run)
    second, next_robot = await wanda.take()
    assert second.work_item_id == output
    assert bytes(await robot_verbs.payload(floor.engine, next_robot, output)) == b'{"n": 3}'
    with pytest.raises(WorkItemStateConflict):
        await robot_verbs.set_payload(floor.engine, robot, output, Raw(b"4"))

    await robot_verbs.output(floor.engine, next_robot, output, Raw(b'"final"'))
    await wanda.finish(second)
    await walt.finish(first)
    assert (await floor.run(run)).state is RunState.COMPLETED
    [final] = await work_items.list_outputs(floor.engine.database, floor.workspace, run.id, limit=10)
    assert bytes(final.payload) == b'"final"'
    assert await floor.states(run) == ["done", "done"]


async def test_a_report_after_the_last_release_is_published_at_once(floor):
    """A robot may gather all items, release them, and put out one report with the last item as its parent."""
    process = await floor.process({}, {})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1, 2))
    first, robot = await walt.take()
    last = (await floor.drain(robot, first.work_item_id))[-1]

    report = await robot_verbs.output(floor.engine, robot, last, Raw(b'"all"'))

    await floor.run(run)
    assert (await wanda.take())[0].work_item_id == report


async def test_outputs_of_a_lost_attempt_are_discarded(floor):
    """When the platform loses an attempt, what it put out for the item in hand never appears."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=2)}, {})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    assignment, robot = await walt.take()
    await walt.begin(assignment)
    await robot_verbs.output(floor.engine, robot, assignment.work_item_id, Raw(b"1"))

    await expire_leases(floor)
    await floor.run(run)

    again, robot = await walt.take()
    assert again.work_item_id == assignment.work_item_id
    await robot_verbs.output(floor.engine, robot, again.work_item_id, Raw(b"2"))
    await walt.finish(again)
    await floor.run(run)
    assert [bytes(i.payload or b"") for i in await all_items(floor, run)] == [b"1", b"2"]


async def all_items(floor, run):
    """The items of a run with their payloads."""
    return [await floor.item(item.id) for item in await floor.items(run)]


# ---------------------------------------------------------------------------------------------------- law 6: death
@pytest.mark.parametrize(
    ("error", "state", "kind"),
    [
        (None, ItemState.DONE, None),
        (ErrorCode.ROBOT_FAILED, ItemState.FAILED, ExceptionType.APPLICATION),
        (ErrorCode.TIMEOUT, ItemState.FAILED, ExceptionType.APPLICATION),
        (ErrorCode.ENVIRONMENT_FAILED, ItemState.FAILED, ExceptionType.ORCHESTRATOR),
        (ErrorCode.TERMINATED, ItemState.FAILED, ExceptionType.ORCHESTRATOR),
    ],
)
async def test_the_room_releases_what_a_robot_did_not(floor, error, state, kind):
    """At its end a step run's item is done if it succeeded, else failed with whose fault it was."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()

    await walt.finish(assignment, error)
    await walt.finish(assignment, error)  # the answer was lost

    [item] = await floor.items(run)
    assert (item.state, item.exception_type) == (state, kind)


async def test_a_worker_lost_before_the_robot_began_costs_nothing(floor):
    """Such a step run is given to another worker, as the next attempt; the old one's token is dead."""
    process = await floor.process({})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process)
    assignment, robot = await walt.take()

    await expire_leases(floor)

    again, _ = await wanda.take()
    assert (again.step_run_id, again.attempt) == (assignment.step_run_id, assignment.attempt + 1)
    assert again.work_item_id == assignment.work_item_id
    with pytest.raises(AttemptOver):
        await robot_verbs.release(floor.engine, robot, assignment.work_item_id, Done())
    with pytest.raises(AttemptOver):
        await robot_verbs.reserve(floor.engine, robot)
    with pytest.raises(Superseded):
        await walt.finish(assignment)
    assert await walt.beat(assignment) == [Order.ABANDON]
    await wanda.finish(again)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_worker_lost_after_the_robot_began_fails_the_step_run(floor):
    """Robot code is never run twice unless its policy says so."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    await walt.begin(assignment)

    await expire_leases(floor)

    lost = await run_store.get_step_run(floor.engine.database, floor.workspace, assignment.step_run_id)
    assert (lost.state, lost.error_code, lost.result) == (StepRunState.FAILED, ErrorCode.WORKER_LOST, Result.LOST)
    [item] = await floor.items(run)
    assert (item.state, item.exception_type) == (ItemState.FAILED, ExceptionType.ORCHESTRATOR)
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    with pytest.raises(AttemptOver):
        await robot_verbs.payload(floor.engine, robot, item.id)
    with pytest.raises(Superseded):
        await walt.finish(assignment)


async def test_a_restarted_worker_gives_back_at_once_what_it_held(floor):
    """A new session of a worker ends what its killed predecessor had in hand, without waiting for the lease."""
    process = await floor.process({"max_parallel": 2})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2))
    waiting, begun = await walt.claim(free=2)
    await walt.begin(begun)

    await walt.restart()

    db = floor.engine.database
    assert (
        await run_store.get_step_run(db, floor.workspace, waiting.step_run_id)
    ).state is StepRunState.AWAITING_WORKER
    assert (await run_store.get_step_run(db, floor.workspace, begun.step_run_id)).state is StepRunState.FAILED


async def test_a_lost_claim_answer_comes_again(floor):
    """A step run that the worker does not know of is handed over again, as the same attempt."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    [first] = await walt.claim()

    [again] = await walt.claim(knows=False)

    assert (again.step_run_id, again.attempt) == (first.step_run_id, first.attempt)
    assert await walt.claim() == []


async def test_heartbeats_keep_leases(floor):
    """A step run whose worker is heard is not rescued."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    [assignment] = await walt.claim()
    await floor.engine.database.execute(
        "update step_run set lease_until = clock_now() - interval '1 second' where lease_until is not null"
    )

    assert await walt.beat(assignment) == [Order.CONTINUE]
    await rescuer.rescue(floor.engine)

    assert await walt.beat(assignment) == [Order.CONTINUE]


# ---------------------------------------------------------------------------------------------------- law 7: retries
async def test_application_errors_are_retried_by_policy_and_business_errors_never(floor):
    """The policy's attempts and delay hold; history remembers each attempt."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=2, delay_seconds=60, jitter=0)})
    walt = await floor.worker()
    run = await floor.start(process, payloads("app", "biz"))
    app, biz = [item.id for item in await floor.items(run)]
    assignment, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, app, APPLICATION)
    assert await robot_verbs.reserve(floor.engine, robot) == biz
    await robot_verbs.release(floor.engine, robot, biz, BUSINESS)
    await walt.finish(assignment)

    retried = await floor.item(app)
    assert retried.state is ItemState.PENDING
    assert timedelta(seconds=55) < retried.due - retried.state_at <= timedelta(seconds=61)
    assert (await floor.item(biz)).exception == BUSINESS.exception
    await floor.engine.database.execute("update work_item set due = clock_now() where id = %(id)s", id=app)
    await floor.run(run)
    again, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, app, APPLICATION)
    await walt.finish(again)
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    history = await work_items.history(floor.engine.database, floor.workspace, app)
    assert [one.outcome.value for one in history] == ["retried", "failed"]


# ---------------------------------------------------------------------------------------------------- law 8: stop
@pytest.mark.parametrize(("remaining_done", "left"), [(True, "done"), (False, "failed")])
async def test_a_gentle_stop_lets_the_item_in_hand_finish(floor, ada, remaining_done, left):
    """What waits is settled as asked, the robot finishes what it has and gets no more."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2, 3))
    assignment, robot = await walt.take()

    request = StopRequest(terminate=False, remaining_done=remaining_done, reason="enough")
    assert await runs.stop(floor.engine, ada, floor.workspace, run.id, request)

    assert (await floor.run(run)).state is RunState.STOPPING
    assert await walt.beat(assignment) == [Order.CONTINUE]
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, Done())
    assert await robot_verbs.reserve(floor.engine, robot) is None
    await walt.finish(assignment)
    ended = await floor.run(run)
    assert ended.result is Result.STOPPED
    assert ended.state is (RunState.COMPLETED if remaining_done else RunState.UNRESOLVED)
    assert await floor.states(run) == ["done", left, left]
    assert not await runs.stop(floor.engine, ada, floor.workspace, run.id, request)


async def test_a_terminating_stop_orders_robots_to_end(floor, ada):
    """The worker is told to terminate; the item in hand fails as the platform's doing, and is not retried."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=5)})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    [assignment] = await walt.claim()

    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    assert await walt.beat(assignment) == [Order.TERMINATE]
    await walt.finish(assignment, ErrorCode.TERMINATED)

    ended = await floor.run(run)
    assert (ended.state, ended.result) == (RunState.UNRESOLVED, Result.STOPPED)
    assert (await floor.items(run))[0].exception_type is ExceptionType.ORCHESTRATOR


async def test_stopping_a_run_that_nobody_works_on_ends_it_at_once(floor, ada):
    """Step runs that wait are withdrawn."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)

    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=False, remaining_done=True))

    assert (await floor.run(run)).state is RunState.COMPLETED
    assert await walt.claim() == []


# ---------------------------------------------------------------------------------------------------- bad input
async def test_only_ended_runs_are_deleted(floor, ada, cleo):
    """A run in progress is a conflict, another's run is not found; a deleted one leaves no rows."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()
    with pytest.raises(RunNotEnded):
        await runs.delete(floor.engine, ada, floor.workspace, run.id)
    await walt.finish(assignment)
    await floor.run(run)
    with pytest.raises(NotFound):
        await runs.delete(floor.engine, cleo, floor.workspace, run.id)

    await runs.delete(floor.engine, ada, floor.workspace, run.id)

    with pytest.raises(RunNotFound):
        await runs.delete(floor.engine, ada, floor.workspace, run.id)
    assert await floor.items(run) == []


async def test_batches_change_all_or_nothing(floor, ada):
    """One unknown item, or one in another state, and nothing is changed."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    failed, waiting = [item.id for item in await floor.items(run)]

    with pytest.raises(WorkItemStateConflict):
        await item_actions.retry(floor.engine, ada, floor.workspace, [failed, waiting])
    with pytest.raises(WorkItemNotFound):
        await item_actions.mark_done(floor.engine, ada, floor.workspace, [failed, WorkItemId(uuid7())])

    assert await floor.states(run) == ["failed", "pending"]


async def test_a_retry_survives_the_server_that_took_it(floor, ada):
    """The wake-up of an ended run is in the commit of the retry: whoever polls next finds it, once."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.UNRESOLVED

    await item_actions.retry(floor.engine, ada, floor.workspace, [assignment.work_item_id])
    assert run.id in await runs_left_behind(floor.engine.database, limit=1000)
    await dispatcher.poll(floor.engine)

    again = await run_store.get(floor.engine.database, floor.workspace, run.id)
    assert again.state is RunState.IN_PROGRESS
    assert run.id not in await runs_left_behind(floor.engine.database, limit=1000)


async def test_a_robot_touches_only_its_own_items(floor, ada):
    """Items of the same run that it has never held are not found for it, to read or to write."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    [other] = [item.id for item in await floor.items(run) if item.id != assignment.work_item_id]

    for verb in (
        robot_verbs.payload(floor.engine, robot, other),
        robot_verbs.set_payload(floor.engine, robot, other, Raw(b"0")),
        robot_verbs.files(floor.engine, robot, other),
        robot_verbs.promise_file(floor.engine, robot, other, "a.txt", 1),
    ):
        with pytest.raises(WorkItemNotFound):
            await verb
    with pytest.raises(NotHolding):
        await robot_verbs.output(floor.engine, robot, other, None)


async def test_payloads_over_the_limit_are_refused(floor, ada):
    """A payload that is too large changes nothing."""
    process = await floor.process({})
    text = Raw(b'"' + secrets.token_hex(floor.engine.limits.payload_bytes // 2 + 1).encode() + b'"')

    with pytest.raises(Invalid):
        await item_actions.create(floor.engine, ada, floor.workspace, process, text)
    with pytest.raises(NotFound):
        await runs.stop(
            floor.engine, ada, floor.workspace, RunId(uuid7()), StopRequest(terminate=True, remaining_done=True)
        )
    assert await run_store.get_step_run(floor.engine.database, floor.workspace, StepRunId(uuid7())) is None
