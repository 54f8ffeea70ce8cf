"""Tasks of people: items of a step that waits for somebody, held until a form is filled in.

The dispatcher sets them aside as they come; whoever submits one writes what they have filled in into its payload,
completes it, and hands that on to the next step, or puts it out of the run, in one transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import Placed, happened
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, by, scope_of, scoped, within
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import OLDEST_FIRST, Asked, Field, Kind, Listing, behind, equal
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.forms import AnswerWrong, Form, filled
from controlroom.engine.processes.listings import ASKS_PEOPLE
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemState
from controlroom.errors import Conflict, NotFound
from controlroom.ids import ProcessId, RunId, StepId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

_SYSTEM: Final = By("system")
_STEP: Final = "join step on step.id = work_item.step_id"
_PROCESS: Final = f"{_STEP} join process on process.id = step.process_id"
_RUN: Final = "join run on run.id = work_item.run_id"


class HumanTask(Struct, frozen=True, kw_only=True):
    """Something that a person is to do, or has done."""

    id: WorkItemId
    """Of the item."""
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_number: int
    process_name: str
    run_id: RunId
    run_number: int
    run_no: int
    step_id: StepId
    step_number: int
    step_name: str
    form: Form
    state: ItemState
    payload: Raw | None
    created_at: datetime
    state_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody."""
        return self.state in {ItemState.HELD, ItemState.PENDING}


class AskedOf(Struct, frozen=True, kw_only=True):
    """A process that asks people: by a step that waits for them, or by the form that starts it."""

    id: ProcessId
    number: int
    name: str
    is_enabled: bool


class HumanTaskNotFound(NotFound):
    """There is no such task of a person."""

    code: ClassVar[str] = "HUMAN_TASK_NOT_FOUND"

    def __init__(self, task: object) -> None:
        super().__init__(f"there is no human task {task}", human_task=str(task))


class HumanTaskOver(Conflict):
    """Somebody has submitted it, or its run was stopped."""

    code: ClassVar[str] = "HUMAN_TASK_OVER"

    def __init__(self, task: WorkItemId) -> None:
        super().__init__(f"the human task {task} does not wait for anybody any more", human_task=str(task))


_TASKS: Final = Listing(
    noun="human tasks",
    table="work_item",
    columns="""work_item.id, work_item.number, work_item.workspace_id, process.id as process_id,
           process.number as process_number, process.name as process_name, run.id as run_id, run.number as run_number,
           run.run_no, step.id as step_id, step.number as step_number, step.name as step_name, step.form,
           work_item.state, work_item.payload, work_item.created_at, work_item.state_at""",
    joins=f"{_PROCESS} {_RUN}",
    tenant="work_item.workspace_id",
    always="""work_item.run_id is not null
         and exists (select from step where step.id = work_item.step_id and step.form is not null)""",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="work_item_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True, index="work_item_number"),
        Field("run_id", Kind.ID, is_nullable=True, index="work_item_of_run"),
    ),
)
"""Of one run, or one of them."""

OPEN_TASKS: Final = Listing(
    noun="human tasks",
    table="work_item",
    columns=_TASKS.columns,
    joins=_TASKS.joins,
    tenant="work_item.workspace_id",
    always=f"work_item.state = 'held' and {_TASKS.always}",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="work_item_held"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("process_number", Kind.INTEGER, column="process.number", join=_PROCESS),
        Field("run_number", Kind.INTEGER, column="run.number", join=_RUN),
        Field("step_name", Kind.TEXT, column="step.name", is_sortable=True, join=_STEP),
        Field("process_id", Kind.ID, column="process.id", join=_PROCESS),
        Field("process_name", Kind.TEXT, column="process.name", is_sortable=True, join=_PROCESS),
        Field("title", Kind.TEXT, column="coalesce(step.form ->> 'title', '')", join=_STEP),
        Field("state_at", Kind.INSTANT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Those that wait for somebody."""


# ---------------------------------------------------------------------------------------------------- reading
async def list_open(db: Statements, scope: Scope, *, after: WorkItemId | None = None, limit: int) -> list[HumanTask]:
    """The tasks that wait for somebody, oldest first."""
    asked = Asked(sort=OLDEST_FIRST, start=behind(after), length=limit)
    return await pages.rows(db, HumanTask, OPEN_TASKS, within(scope), asked)


async def of_run(db: Statements, scope: Scope, run: RunId, *, limit: int) -> list[HumanTask]:
    """The tasks of people of one run, open or over, oldest first."""
    asked = Asked(filter=equal(run_id=run), sort=OLDEST_FIRST, length=limit)
    return await pages.rows(db, HumanTask, _TASKS, within(scope), asked)


async def asked_of(db: Statements, scope: Scope, *, limit: int) -> list[AskedOf]:
    """The processes that ask people, by name."""
    return await db.all(
        AskedOf,
        f"""
        select process.id, process.number, process.name, process.is_enabled from process
         where process.workspace_id = {SEEN} and process.deleted_at is null and process.implicit_task_id is null
           and {ASKS_PEOPLE}
         order by process.name collate "C", process.id limit %(limit)s
        """,
        limit=limit,
        **scope.params,
    )


async def waiting_in(db: Statements, scope: Scope, run_ids: Sequence[RunId]) -> dict[RunId, int]:
    """How many tasks of people wait in each of some runs that are seen; those in which none does are left out."""
    found = await db.all(
        _Waiting,
        f"""
        select work_item.run_id, count(*) as waiting
          from work_item join step on step.id = work_item.step_id
         where work_item.workspace_id = {SEEN} and work_item.run_id = any(%(runs)s::uuid[])
           and work_item.state = 'held' and step.form is not null
         group by work_item.run_id
        """,
        runs=list(run_ids),
        **scope.params,
    )
    return {each.run_id: each.waiting for each in found}


class _Waiting(Struct, frozen=True):
    run_id: RunId
    waiting: int


async def get(db: Statements, scope: Scope, task: WorkItemId) -> HumanTask:
    """One task, open or over. Raises HumanTaskNotFound."""
    return await _get(db, scope, task, id=task)


async def numbered(db: Statements, scope: Scope, number: int) -> HumanTask:
    """Likewise, by its number."""
    return await _get(db, scope, number, number=number)


async def _get(db: Statements, scope: Scope, named: object, **values: object) -> HumanTask:
    for found in await pages.rows(db, HumanTask, _TASKS, within(scope), Asked(filter=equal(**values), length=1)):
        return found
    raise HumanTaskNotFound(named)


# ---------------------------------------------------------------------------------------------------- opening
async def open_in(engine: Engine, tx: ScopedTx, place: Placed, run: RunId, steps: Sequence[StepId]) -> None:
    """Set aside what waits in steps of a locked run that ask people."""
    opened = await tx.all(
        WorkItemId,
        """
        update work_item set state = 'held', state_at = clock_now()
         where run_id = %(run)s and step_id = any(%(steps)s::uuid[]) and state = 'pending'
        returning id
        """,
        run=run,
        steps=list(steps),
    )
    told = [happened(place, "human_task.opened", item, run_id=run, work_item_id=item) for item in opened]
    await append(tx, _SYSTEM, *told)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))


# ---------------------------------------------------------------------------------------------------- submitting
async def submit(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    task: WorkItemId,
    answers: Mapping[str, Any],
    *,
    button: str | None = None,
) -> HumanTask:
    """Do a person's task: what they have filled in becomes its payload, and the input of the next step.

    The button goes along as `button`, where one was named. Raises HumanTaskNotFound, HumanTaskOver, AnswerWrong, and
    what a payload may be refused for.
    """
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    found = await get(engine.database, scope, task)
    if button is not None and button not in found.form.buttons:
        raise AnswerWrong(f"the form has no button {button!r}", button=button)
    payload = Raw(msgspec.json.encode(filled(found.form, found.payload, answers) | _pressed(button)))
    await check_payload(engine, payload)
    async with scoped(engine.database, scope) as tx:
        item = next(iter(await work_items.lock(tx, scope, [task])), None)
        if item is None or item.state is not ItemState.HELD or item.run_id is None:
            raise HumanTaskOver(task)
        await work_items.set_payload(tx, task, payload)
        await work_items.set_state(tx, [task], ItemState.DONE)
        await _hand_on(tx, scope, found, payload)
        await work_items.leave_wakes(tx, [item.run_id])
        event = happened(
            scope, "human_task.submitted", task, process_id=found.process_id, run_id=item.run_id, work_item_id=task
        )
        await append(tx, by(actor), event)
        run = item.run_id
        tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
        tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, run))
    return await get(engine.database, scope, task)


def _pressed(button: str | None) -> dict[str, Any]:
    return {} if button is None else {"button": button}


async def _hand_on(tx: ScopedTx, scope: Scope, task: HumanTask, payload: Raw) -> None:
    """Put what was filled in into the next step's queue, or after the last step out of the run."""
    steps = await processes.list_steps(tx, scope, task.process_id)
    places = [step.position for step in steps if step.id == task.step_id]
    following = next((step for step in steps if places and step.position > places[0]), None)
    await tx.execute(
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload,
                               parent_id)
        select %(id)s, work_item.workspace_id, work_item.process_id, %(queue)s, %(step)s, work_item.run_id,
               case when %(step)s::uuid is null then 'new' else 'pending' end, work_item.priority, %(payload)s,
               work_item.id
          from work_item where id = %(task)s
        """,
        id=uuid7(),
        queue=None if following is None else following.queue_id,
        step=None if following is None else following.id,
        payload=payload,
        task=task.id,
    )
