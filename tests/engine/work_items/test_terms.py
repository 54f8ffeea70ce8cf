"""Priority, due time, deadline and reference of items; schemas of queues; one operation on many items."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.aside.pool import TooCostly
from controlroom.engine.access.scope import Room
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.model import RunState, StopRequest, WithItems, WithPayloads
from controlroom.engine.runs.reruns import preview as preview_rerun
from controlroom.engine.runs.reruns import rerun
from controlroom.engine.work_items import actions, bulk
from controlroom.engine.work_items.bulk import ItemFilter, Preview
from controlroom.engine.work_items.deadlines import fail_overdue
from controlroom.engine.work_items.errors import WorkItemStateConflict
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.operations import Operation
from controlroom.engine.work_items.schema_rules import check_schema
from controlroom.engine.work_items.schemas import PayloadRefused
from controlroom.engine.work_items.terms import Terms, TermsChange
from controlroom.errors import Conflict, Invalid, NotFound

BAD = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))
SCHEMA = Raw(b'{"type": "object", "properties": {"lines": {"type": "array", "items": {"type": "integer"}}}}')
GOOD, WRONG = Raw(b'{"lines": [1, 2]}'), Raw(b'{"lines": [1, "two"]}')


async def give_schema(floor, process, position: int, schema: Raw | None = SCHEMA) -> None:
    await floor.engine.database.execute(
        """
        update queue set schema = %(schema)s
         where id = (select queue_id from step where process_id = %(process)s and position = %(position)s)
        """,
        process=process,
        position=position,
        schema=schema,
    )


def hence(**of) -> datetime:
    return datetime.now(UTC) + timedelta(**of)


# ---------------------------------------------------------------------------------------------------- terms
async def test_a_reference_is_unique_in_its_queue(floor, ada):
    """A second item of the same reference is a conflict until the first is deleted; another queue may have it."""
    process, other = await floor.process({}), await floor.process({})

    async def create(where):
        return await actions.create(floor.engine, ada, floor.workspace, where, None, terms=Terms(reference="INV-1"))

    first = await create(process)
    await create(other)
    with pytest.raises(Conflict) as taken:
        await create(process)
    assert taken.value.code == "REFERENCE_TAKEN"
    await actions.change(floor.engine, ada, floor.workspace, Operation.DELETE, [first.id])
    second = await create(process)
    third = await actions.create(floor.engine, ada, floor.workspace, process, None)
    with pytest.raises(Conflict):
        await actions.set_terms(floor.engine, ada, floor.workspace, third.id, TermsChange(reference="INV-1"))
    assert second.reference == "INV-1"


async def test_terms_are_changed_and_checked(floor, ada, cleo):
    """What is set is changed, the rest stays; terms that cannot be are refused, and outsiders find no item."""
    process = await floor.process({})
    due = hence(hours=1)
    item = await actions.create(floor.engine, ada, floor.workspace, process, None, terms=Terms(priority=3, due=due))

    changed = await actions.set_terms(
        floor.engine, ada, floor.workspace, item.id, TermsChange(deadline=due + timedelta(hours=1), reference="a")
    )

    assert (changed.priority, changed.due, changed.reference) == (3, due, "a")
    for wrong in (TermsChange(deadline=due), TermsChange(priority=10**9), TermsChange(reference="")):
        with pytest.raises(Invalid):
            await actions.set_terms(floor.engine, ada, floor.workspace, item.id, wrong)
    with pytest.raises(NotFound):
        await actions.set_terms(floor.engine, cleo, floor.workspace, item.id, TermsChange(priority=1))


async def test_a_postponed_item_waits(floor, ada, later):
    """An item of a run is handed out when it is due, and not before."""
    process = await floor.process({})
    item = await actions.create(floor.engine, ada, floor.workspace, process, None, terms=Terms(due=hence(hours=1)))
    run = await floor.start(process, WithItems((item.id,)))
    walt = await floor.worker()
    assert await walt.claim() == []

    await later(minutes=61)
    await floor.run(run)
    assert [assignment.work_item_id for assignment in await walt.claim()] == [item.id]


async def test_items_past_their_deadline_fail(floor, ada, later):
    """Whether in a run or waiting for one: failed with DEADLINE_EXCEEDED; a retry gives another chance."""
    process = await floor.process({})
    terms = Terms(deadline=hence(minutes=10))
    started = await actions.create(floor.engine, ada, floor.workspace, process, None, terms=terms)
    waiting = await actions.create(floor.engine, ada, floor.workspace, process, None, terms=terms)
    run = await floor.start(process, WithItems((started.id,)))
    assert await fail_overdue(floor.engine, Room()) == 0

    await later(minutes=11)
    walt = await floor.worker()
    assert await walt.claim() == []
    assert await fail_overdue(floor.engine, Room()) == 2

    for item in (started, waiting):
        failed = await floor.item(item.id)
        assert (failed.state, failed.exception_code) == (ItemState.FAILED, "DEADLINE_EXCEEDED")
        assert failed.exception_type is ExceptionType.ORCHESTRATOR
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    await actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [started.id, waiting.id])
    assert await fail_overdue(floor.engine, Room()) == 0
    assert [(await floor.item(item.id)).state for item in (started, waiting)] == [ItemState.PENDING, ItemState.NEW]


# ---------------------------------------------------------------------------------------------------- schemas
async def test_a_payload_that_does_not_fit_is_refused_with_its_path(floor, ada):
    """Created, edited and started items must fit the schema of the input queue; nothing is written if they do not."""
    process = await floor.process({})
    await give_schema(floor, process, 0)
    item = await actions.create(floor.engine, ada, floor.workspace, process, GOOD)

    with pytest.raises(PayloadRefused) as refused:
        await actions.create(floor.engine, ada, floor.workspace, process, WRONG)
    assert refused.value.fields["path"] == "/lines/1"
    with pytest.raises(PayloadRefused):
        await actions.set_payload(floor.engine, ada, floor.workspace, item.id, WRONG)
    with pytest.raises(PayloadRefused) as refused:
        await floor.start(process, payloads({"lines": []}, {"lines": 5}))
    assert (refused.value.fields["index"], refused.value.fields["path"]) == (1, "/lines")


async def test_outputs_that_do_not_fit_are_shown_as_invalid(floor, ada):
    """The robot goes on; the output is `invalid` with the reason, keeps the run open, and can be mended and retried."""
    process = await floor.process({}, {})
    await give_schema(floor, process, 1)
    run = await floor.start(process)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    parent = assignment.work_item_id
    good = await outputs.output(floor.engine, robot, parent, GOOD)
    wrong = await outputs.output(floor.engine, robot, parent, WRONG)
    mended = await outputs.output(floor.engine, robot, parent, WRONG)
    await held_items.set_payload(floor.engine, robot, mended, GOOD)
    await held_items.set_payload(floor.engine, robot, parent, WRONG)  # its own input is its own business
    await held_items.release(floor.engine, robot, parent, Done())

    assert [(await floor.item(item)).state for item in (good, wrong, mended)] == ["pending", "invalid", "pending"]
    with pytest.raises(PayloadRefused):
        await held_items.set_payload(floor.engine, robot, good, WRONG)
    await walt.finish(assignment)
    await floor.run(run)
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    exception = (await floor.item(wrong)).exception
    assert (exception.code, "/lines/1" in exception.message) == ("PAYLOAD_REFUSED", True)

    with pytest.raises(WorkItemStateConflict):
        await actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [wrong])
    await actions.set_payload(floor.engine, ada, floor.workspace, wrong, GOOD)
    await actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [wrong])
    assert (await floor.run(run)).state is RunState.IN_PROGRESS


async def test_an_output_that_was_refused_may_be_declared_done(floor, ada):
    """Nothing is mended: it is done without an exception, and its run complete."""
    process = await floor.process({}, {})
    await give_schema(floor, process, 1)
    run = await floor.start(process)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    wrong = await outputs.output(floor.engine, robot, assignment.work_item_id, WRONG)
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.UNRESOLVED

    await actions.change(floor.engine, ada, floor.workspace, Operation.COMPLETE, [wrong])
    done = await floor.item(wrong)
    assert (done.state, done.exception) == (ItemState.DONE, None)
    assert (await floor.run(run)).state is RunState.COMPLETED


@pytest.mark.parametrize(
    "schema", [b"5", b'{"type": 5}', b'{"$ref": "http://127.0.0.1/s"}', b'{"$ref": "file:///etc/passwd"}']
)
def test_a_schema_is_a_schema_and_fetches_nothing(schema):
    """What is none, or refers to another document, cannot be a queue's schema."""
    with pytest.raises(Invalid):
        check_schema(schema)


BRANCHES = Raw(
    b'{"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"items": {"$ref": "#/$defs/n"}, "type": "array"},'
    b' {"items": {"$ref": "#/$defs/n"}, "type": "array"}, {"type": "integer"}]}}}'
)
"""Each level of a payload is looked at twice as often as the one above."""
DEEP = Raw(b"[" * 40 + b'"x"' + b"]" * 40)


async def test_a_payload_that_takes_too_long_to_check_is_refused(floor, ada):
    """Where it is created, edited and started; the server goes on, and no transaction waits for it."""
    process = await floor.process({})
    await give_schema(floor, process, 0, BRANCHES)
    item = await actions.create(floor.engine, ada, floor.workspace, process, Raw(b"[[1, 2], []]"))

    with pytest.raises(PayloadRefused) as refused:
        await actions.create(floor.engine, ada, floor.workspace, process, Raw(b'[1, ["x"]]'))
    assert refused.value.fields["path"] == ""
    for asked in (
        lambda: actions.create(floor.engine, ada, floor.workspace, process, DEEP),
        lambda: actions.set_payload(floor.engine, ada, floor.workspace, item.id, DEEP),
        lambda: floor.start(process, WithPayloads(Raw(b"[1,%b]" % bytes(DEEP)), 2)),
    ):
        asking = asyncio.create_task(asked())
        while not asking.done():
            assert (
                await floor.engine.database.value(
                    """
                select count(*) from pg_stat_activity
                 where datname = current_database()
                   and state = 'idle in transaction' and clock_timestamp() - state_change > interval '1 second'
                """
                )
                == 0
            )
            await asyncio.wait({asking}, timeout=0.1)
        assert isinstance(asking.exception(), TooCostly)


async def test_an_output_that_takes_too_long_to_check_is_kept_as_invalid(floor):
    """What a robot has found is not lost."""
    process = await floor.process({}, {})
    await give_schema(floor, process, 1, BRANCHES)
    await floor.start(process)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    parent = assignment.work_item_id
    good = await outputs.output(floor.engine, robot, parent, Raw(b"[1]"))
    deep = await outputs.output(floor.engine, robot, parent, DEEP)
    mended = await outputs.output(floor.engine, robot, parent, DEEP)
    await held_items.set_payload(floor.engine, robot, mended, Raw(b"[[2]]"))
    await held_items.release(floor.engine, robot, parent, Done())

    assert [(await floor.item(item)).state for item in (good, deep, mended)] == ["pending", "invalid", "pending"]
    with pytest.raises(PayloadRefused):
        await held_items.set_payload(floor.engine, robot, good, DEEP)


# ---------------------------------------------------------------------------------------------------- many at once
async def failed_items(floor, process, count: int) -> None:
    """A run of which all items fail."""
    run = await floor.start(process, payloads(*range(count)))
    await runs.stop(floor.engine, floor.ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    await floor.run(run)


async def test_an_operation_by_filter_touches_what_its_preview_says(floor, ada):
    """The preview counts, the operation does it to as many, and a second one finds none left."""
    process, other = await floor.process({}), await floor.process({})
    await failed_items(floor, process, 5)
    await failed_items(floor, other, 2)
    for _ in range(3):
        await actions.create(floor.engine, ada, floor.workspace, process, None)
    which = ItemFilter(process=process, exception_codes=("RUN_STOPPED",))

    async def preview(operation, of=which):
        return await bulk.preview(floor.engine, ada, floor.workspace, operation, of)

    assert await preview(Operation.MARK_DONE) == Preview(5, 5)
    assert await preview(Operation.HOLD) == Preview(5, 0)
    assert await preview(Operation.MARK_DONE, ItemFilter(process=process)) == Preview(8, 5)
    assert len(await bulk.apply(floor.engine, ada, floor.workspace, Operation.MARK_DONE, which)) == 5
    assert await bulk.apply(floor.engine, ada, floor.workspace, Operation.MARK_DONE, which) == []
    assert await preview(Operation.MARK_DONE, ItemFilter(process=other)) == Preview(2, 2)


async def test_many_items_are_done_in_batches(floor, ada):
    """Thousands are touched by one call, each once, however they fail again meanwhile."""
    process = await floor.process({})
    await failed_items(floor, process, 2500)
    retried = await bulk.apply(floor.engine, ada, floor.workspace, Operation.RETRY, ItemFilter(process=process))
    assert len(set(retried)) == len(retried) == 2500


async def test_a_filter_is_of_one_workspace_and_never_empty(floor, ada, cleo):
    """Outsiders touch nothing; without any condition nothing is done."""
    process = await floor.process({})
    await failed_items(floor, process, 1)
    [theirs] = cleo.grants
    which = ItemFilter(process=process)
    assert await bulk.apply(floor.engine, cleo, theirs, Operation.DELETE, which) == []
    with pytest.raises(NotFound):
        await bulk.apply(floor.engine, cleo, floor.workspace, Operation.DELETE, which)
    with pytest.raises(Invalid):
        await bulk.apply(floor.engine, ada, floor.workspace, Operation.DELETE, ItemFilter())


async def test_items_are_run_again(floor, ada):
    """A new run has a copy of each input that has ended and that the filter finds; the old items stay as they are."""
    process = await floor.process({}, {})
    await failed_items(floor, process, 3)
    await actions.create(floor.engine, ada, floor.workspace, process, None)
    which = ItemFilter(process=process)
    assert await preview_rerun(floor.engine, ada, floor.workspace, process, which) == Preview(4, 3)

    run = await rerun(floor.engine, ada, floor.workspace, process, which)

    assert [bytes((await floor.item(item.id)).payload) for item in await floor.items(run)] == [b"0", b"1", b"2"]
    assert await rerun(floor.engine, ada, floor.workspace, process, ItemFilter(reference="none")) is None
