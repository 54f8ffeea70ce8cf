"""What tasks have said in their runs: the values of declared outputs, and of inputs that are marked, item by item.

Nothing is kept for this: the values stand in the payloads of items, those that were worked and those that came of them.
Whoever has them forgotten here takes nothing from the runs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import interfaces
from controlroom.engine.packages.places import FOLDERS
from controlroom.ids import RunId, StepRunId, TaskId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.robots.interfaces import ParameterType

MOST_FORGOTTEN: Final = 100_000
"""Items at once."""
_LONGEST: Final = 4000
"""Characters of a value that are told."""


class Speaking(Struct, frozen=True, kw_only=True):
    """A task that has values to tell, and their names."""

    task: TaskId
    number: int
    name: str
    path: list[str]
    """Names of its workspace, its folders and its package."""
    inputs: dict[str, ParameterType]
    outputs: dict[str, ParameterType]


class _Task(Struct, frozen=True, kw_only=True):
    id: TaskId
    number: int
    name: str
    path: list[str]


class Which(Struct, frozen=True, kw_only=True):
    """Of which items; None is no condition."""

    since: datetime | None = None
    until: datetime | None = None
    step_run: StepRunId | None = None
    item: WorkItemId | None = None


class Logged(Struct, frozen=True, kw_only=True):
    """An item that was worked to an end."""

    id: WorkItemId
    run_id: RunId
    workspace_id: WorkspaceId
    step_run_id: StepRunId
    step_run_number: int
    task_id: TaskId
    at: datetime


class Value(Struct, frozen=True):
    """A value of an item, as text."""

    item: WorkItemId
    name: str
    is_output: bool
    value: str | None


class Profile(Struct, frozen=True, kw_only=True):
    """What the values of one name are, all together; sums of those that are numbers."""

    name: str
    is_output: bool
    count: int
    missing: int
    distinct: int
    total: Decimal | None
    least: Decimal | None
    most: Decimal | None


async def speaking(
    db: Statements, scope: Scope, *, name: str | None = None, number: int | None = None, ending: str | None = None
) -> list[Speaking]:
    """The tasks of this name or number, or all, that have values to tell, by number; at most the first thousand.

    `ending` is a text that ends with the name, in any case.
    """
    tasks = await db.all(
        _Task,
        f"""
        select task.id, task.number, task.name,
               array_prepend(workspace.name, {FOLDERS}) || package.name as path
          from task join package on package.id = task.package_id join workspace on workspace.id = package.workspace_id
         where package.workspace_id in {EACH} and package.deleted_at is null
           and (%(name)s::text is null or task.name = %(name)s)
           and (%(number)s::bigint is null or task.number = %(number)s)
           and (%(ending)s::text is null or right(lower(%(ending)s), length(task.name)) = lower(task.name))
         order by task.number
         limit 1000
        """,
        name=name,
        number=number,
        ending=ending,
        **scope.each,
    )
    known = await interfaces.of_tasks(db, scope, [task.id for task in tasks])
    found = []
    for task in tasks:
        told = known.get(task.id)
        inputs = {each.name: each.type for each in told.interface.inputs if each.is_insight} if told else {}
        outputs = {each.name: each.type for each in told.interface.outputs} if told else {}
        if inputs or outputs:
            found.append(
                Speaking(
                    task=task.id, number=task.number, name=task.name, path=task.path, inputs=inputs, outputs=outputs
                )
            )
    return found


_LOGGED: Final = f"""
    from work_item as item
    join step_run on step_run.id = item.step_run_id
    join step on step.id = step_run.step_id
   where item.workspace_id in {EACH} and item.process_id in (
         select process_id from step as of_task where of_task.task_id = any(%(tasks)s::uuid[]))
     and step.task_id = any(%(tasks)s::uuid[]) and item.state in ('done', 'failed')
     and (%(since)s::timestamptz is null or item.state_at >= %(since)s)
     and (%(until)s::timestamptz is null or item.state_at < %(until)s)
     and (%(of_step_run)s::uuid is null or item.step_run_id = %(of_step_run)s)
     and (%(item)s::uuid is null or item.id = %(item)s)
     and not exists (select from forgotten_value where forgotten_value.work_item_id = item.id)"""


async def logged(
    db: Statements, scope: Scope, tasks: Collection[TaskId], which: Which, *, offset: int, limit: int
) -> tuple[list[Logged], int]:
    """Items of tasks that were worked, the newest first; and how many there are, counted up to 100,000."""
    given = _given(tasks, which) | scope.each
    rows = await db.all(
        Logged,
        f"""
        select item.id, item.run_id, item.workspace_id, step_run.id as step_run_id, step_run.number as step_run_number,
               step.task_id, item.state_at as at
        {_LOGGED}
         order by item.id desc
         offset %(offset)s limit %(limit)s
        """,
        offset=offset,
        limit=limit,
        **given,
    )
    total = await db.one(int, f"select count(*) from (select 1 {_LOGGED} limit {MOST_FORGOTTEN}) as counted", **given)
    return rows, total


def _given(tasks: Collection[TaskId], which: Which) -> dict[str, object]:
    return {
        "tasks": list(tasks),
        "since": which.since,
        "until": which.until,
        "of_step_run": which.step_run,
        "item": which.item,
    }


_VALUES: Final = f"""
    select item.id as item, each.key as name, false as is_output, each.value
      from work_item as item
     cross join lateral jsonb_each(case jsonb_typeof(item.payload) when 'object' then item.payload else '{{}}' end)
           as each
     where item.id = any(%(items)s::uuid[]) and item.workspace_id in {EACH} and each.key = any(%(inputs)s::text[])
     union all
    select output.parent_id, each.key, true, each.value
      from work_item as output
     cross join lateral jsonb_each(case jsonb_typeof(output.payload) when 'object' then output.payload else '{{}}' end)
           as each
     where output.run_id = any(%(runs)s::uuid[]) and output.parent_id = any(%(items)s::uuid[])
       and output.workspace_id in {EACH} and output.created_by_step_run is not null
       and output.state not in ('draft', 'deleted', 'invalid') and each.key = any(%(outputs)s::text[])"""


async def values_of(db: Statements, scope: Scope, items: Sequence[Logged], tasks: Sequence[Speaking]) -> list[Value]:
    """The values of some items, by the names that any of the tasks has; of several outputs of one item each."""
    return await db.all(
        Value,
        f"""
        select item, name, is_output, left(value #>> '{{}}', {_LONGEST}) as value from ({_VALUES}) as told
         order by item, is_output, name
        """,
        **_asked(items, tasks),
        **scope.each,
    )


def _asked(items: Sequence[Logged], tasks: Sequence[Speaking]) -> dict[str, object]:
    return {
        "items": [item.id for item in items],
        "runs": list({item.run_id for item in items}),
        "inputs": sorted({name for task in tasks for name in task.inputs}),
        "outputs": sorted({name for task in tasks for name in task.outputs}),
    }


async def profile(db: Statements, scope: Scope, task: Speaking, items: Sequence[Logged]) -> list[Profile]:
    """What the values of a task are, name by name, of some of its items."""
    return await db.all(
        Profile,
        f"""
        with named as (
            select name, false as is_output from unnest(%(inputs)s::text[]) as name
             union all
            select name, true from unnest(%(outputs)s::text[]) as name
        ), told as ({_VALUES})
        select named.name, named.is_output,
               count(told.value) filter (where jsonb_typeof(told.value) <> 'null') as count,
               cardinality(%(items)s::uuid[]) - count(distinct told.item)
                   filter (where jsonb_typeof(told.value) <> 'null') as missing,
               count(distinct told.value) filter (where jsonb_typeof(told.value) <> 'null') as distinct,
               sum(number) as total, min(number) as least, max(number) as most
          from named
          left join (select told.*, case jsonb_typeof(value) when 'number' then value::numeric end as number
                       from told) as told
                 on told.name = named.name and told.is_output = named.is_output
         group by named.name, named.is_output
         order by named.is_output, named.name
        """,
        **_asked(items, [task]),
        **scope.each,
    )


async def forget(engine: Engine, actor: Actor, tasks: Collection[TaskId], which: Which) -> int:
    """Have values not told any more; of how many items. The runs keep them. Raises Forbidden.

    Up to `MOST_FORGOTTEN` at once; who asks again goes on.
    """
    scope = scope_of(actor, Permission.READ_RUN_OUTPUTS)
    async with scoped(engine.database, scope) as tx:
        count = await _forget(tx, scope, tasks, which)
        if count:
            await record(engine, tx, actor, actor.organization_id, "insight.forgotten", tasks=list(tasks), count=count)
    return count


async def _forget(tx: ScopedTx, scope: Scope, tasks: Collection[TaskId], which: Which) -> int:
    return await tx.execute(
        f"""
        insert into forgotten_value (work_item_id, workspace_id)
        select item.id, item.workspace_id {_LOGGED} limit {MOST_FORGOTTEN}
            on conflict do nothing
        """,
        **_given(tasks, which),
        **scope.each,
    )
