"""The statements of `claims` for several step runs at once, each as it would be by itself.

Rows that somebody has locked just now are passed over: nobody waits for another's lock, and two such statements cannot
block each other. Who is left out asks by the statement of one.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.engine.access.scope import ITS_WORKSPACE, Robot
from controlroom.engine.together import MOST
from controlroom.engine.work_items.claims import BEYOND, R, columns
from controlroom.engine.work_items.frontiers import Frontier
from controlroom.engine.work_items.store import IS_DUE
from controlroom.ids import ProcessId, RunId, StepId, WorkItemId
from controlroom.postgres.database import Statements

_HELD: Final = f"""
              join step_run on step_run.id = given.step_run and step_run.attempt = given.attempt
              join work_item on work_item.id = given.item and (work_item.step_run_id = given.step_run) is true
             where step_run.state = 'in_progress' and work_item.state = 'in_progress'
               and step_run.workspace_id = {ITS_WORKSPACE} and work_item.workspace_id = {ITS_WORKSPACE}
               for no key update of work_item skip locked"""
"""Which of the items that are `given` their step runs hold now, by these attempts.

`is true` keeps PostgreSQL at the primary key, whatever it has counted: by the index of turns it would read all that a
step run has had.
"""


def of_robots(robots: Sequence[Robot]) -> dict[str, Any]:
    """What statements for several robots of one workspace are told of them."""
    return {
        "step_runs": [each.step_run for each in robots],
        "attempts": [each.attempt for each in robots],
        "workspace": robots[0].workspace,
        "organization": robots[0].organization,
    }


async def reserve(
    db: Statements,
    robots: Sequence[Robot],
    into: type[R],
    *,
    run: RunId,
    step: StepId,
    beyond: Frontier | None = None,
) -> list[R]:
    """Hand step runs of a run, none of them named twice, their next items.

    Each item says to whom it went. A step run is left out for which too little was left; what one of them
    has had before goes to none of them.
    """
    place = {} if beyond is None else {"priority": beyond.priority, "due": beyond.due, "beyond": beyond.item}
    return await db.all(
        into,
        f"""
        with asked as materialized (
            select step_run.id
              from unnest(%(step_runs)s::uuid[], %(attempts)s::int[]) as robot (step_run, attempt)
              join step_run on step_run.id = robot.step_run and step_run.attempt = robot.attempt
             where step_run.state = 'in_progress' and not step_run.is_single
               and step_run.workspace_id = {ITS_WORKSPACE}
               for no key update of step_run skip locked
        ), asking as materialized (
            select asked.id, coalesce(latest.turn, 0) + 1 as turn, row_number() over () as place
              from asked left join lateral (
                       select state, turn from work_item
                        where step_run_id = asked.id and turn is not null
                        order by turn desc
                        limit 1) as latest on true
             where latest.state is distinct from 'in_progress'
        ), picked as materialized (
            select id, row_number() over () as place
              from (select work_item.id
                      from work_item
                     where run_id = %(run)s and step_id = %(step)s
                       and state = 'pending' and {IS_DUE}
                       {"" if beyond is None else BEYOND}
                       and (deadline is null or deadline > clock_now())
                       and not exists (select from run where id = %(run)s and stop_at is not null)
                       and not tried_by && %(step_runs)s::uuid[]
                     order by priority desc, due, work_item.id
                     limit {MOST}                    -- told, so that it is planned for few
                       for update skip locked) as next
             limit (select count(*) from asking)     -- no further one is locked
        )
        update work_item
           set state = 'in_progress', state_at = clock_now(), step_run_id = asking.id, turn = asking.turn,
               reserved_at = clock_now(), attempt = attempt + 1
          from picked join asking on asking.place = picked.place
         where work_item.id = picked.id
        returning {columns(into)}
        """,
        run=run,
        step=step,
        **of_robots(robots),
        **place,
    )


class Finishing(Struct, frozen=True):
    """A release as done that goes together with others."""

    robot: Robot
    item: WorkItemId
    process: ProcessId
    run: RunId
    payload: Raw | UnsetType | None = UNSET


class Finished(Struct, frozen=True):
    """What `finish_held` tells of an item."""

    id: WorkItemId
    has_work_for_others: bool


async def finish(db: Statements, robots: Sequence[Robot], those: Sequence[Finishing]) -> list[Finished]:
    """Release items of one workspace as done, each by its robot, none named twice. All bring a payload, or none does.

    An item is left out that its step run does not hold.

    `any` keeps PostgreSQL at the drafts of these step runs: by the index of drafts it would read everybody's.
    """
    has_payload = those[0].payload is not UNSET
    return await db.all(
        Finished,
        f"""
        with mine as materialized (
            select work_item.id, given.step_run, given.process, given.run
                   {", given.payload" if has_payload else ""}
              from unnest(%(items)s::uuid[], %(step_runs)s::uuid[], %(attempts)s::int[], %(processes)s::uuid[],
                          %(runs)s::uuid[] {", %(payloads)s::jsonb[]" if has_payload else ""})
                   as given (item, step_run, attempt, process, run {", payload" if has_payload else ""}) {_HELD}
        ), released as (
            update work_item
               set state = 'done', state_at = clock_now(), {"payload = mine.payload," if has_payload else ""}
                   exception_type = null, exception_code = '', exception_message = ''
              from mine
             where work_item.id = mine.id
            returning work_item.id, attempt, reserved_at, mine.step_run, mine.process, mine.run
        ), remembered as (
            insert into work_item_attempt (work_item_id, attempt, step_run_id, reserved_at, outcome)
            select id, attempt, step_run, reserved_at, 'done' from released
        ), told as (
            insert into event (organization_id, workspace_id, kind, actor_kind, actor_id,
                               process_id, run_id, step_run_id, work_item_id)
            select %(organization)s, %(workspace)s, 'work_item.done', 'step_run', step_run, process, run, step_run, id
              from released
        ), published as (
            update work_item as output
               set state = case when output.fault is not null then 'invalid'
                                when output.step_id is null then 'new' else 'pending' end,
                   state_at = clock_now()
              from released
             where output.created_by_step_run = any(%(step_runs)s::uuid[])
               and output.created_by_step_run = released.step_run and output.parent_id = released.id
               and output.parent_attempt = released.attempt and output.state = 'draft'
            returning output.parent_id, output.state
        )
        select id, exists (select from published where parent_id = released.id and state = 'pending')
                   as has_work_for_others
          from released
        """,
        items=[each.item for each in those],
        processes=[each.process for each in those],
        runs=[each.run for each in those],
        **of_robots(robots),
        **({"payloads": [each.payload for each in those]} if has_payload else {}),
    )


class Saving(Struct, frozen=True):
    """A payload of an item in hand that is saved together with others."""

    robot: Robot
    item: WorkItemId
    payload: Raw | None


async def save(db: Statements, robots: Sequence[Robot], those: Sequence[Saving]) -> list[WorkItemId]:
    """Replace payloads of items of one workspace, each by its robot, none named twice; those that they hold."""
    return await db.all(
        WorkItemId,
        f"""
        with mine as materialized (
            select work_item.id, given.payload
              from unnest(%(items)s::uuid[], %(step_runs)s::uuid[], %(attempts)s::int[], %(payloads)s::jsonb[])
                   as given (item, step_run, attempt, payload) {_HELD}
        )
        update work_item set payload = mine.payload
          from mine
         where work_item.id = mine.id
        returning work_item.id
        """,
        items=[each.item for each in those],
        payloads=[each.payload for each in those],
        **of_robots(robots),
    )


class Asked(Struct, frozen=True):
    """An item whose payload is read together with others."""

    robot: Robot
    item: WorkItemId


class Told(Struct, frozen=True):
    """A payload of an item; None if it has none."""

    id: WorkItemId
    payload: Raw | None


async def payloads(db: Statements, robots: Sequence[Robot], those: Sequence[Asked]) -> list[Told]:
    """The payloads of items of one workspace that their robots have held or made."""
    return await db.all(
        Told,
        f"""
        select work_item.id, work_item.payload
          from unnest(%(items)s::uuid[], %(step_runs)s::uuid[], %(attempts)s::int[])
               as given (item, step_run, attempt)
          join step_run on step_run.id = given.step_run and step_run.attempt = given.attempt
          join work_item on work_item.id = given.item
                        and (work_item.step_run_id = given.step_run
                             or work_item.created_by_step_run = given.step_run) is true
         where step_run.state = 'in_progress'
           and step_run.workspace_id = {ITS_WORKSPACE} and work_item.workspace_id = {ITS_WORKSPACE}
        """,
        items=[each.item for each in those],
        **of_robots(robots),
    )
