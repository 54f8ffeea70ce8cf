"""What a receiver is told of an event, as columns and joins of the statements that find whom to tell; and outputs."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.messages import Grammars, Occurrence, Outputs

OCCURRENCE: Final = """
    event.id as event_id, event.at, event.kind,
    organization.id as organization_id, organization.number as organization_number,
    workspace.id as workspace_id, workspace.number as workspace_number, workspace.name as workspace_name,
    event.process_id, process.number as process_number, process.name as process_name,
    event.run_id, run.number as run_number, run.run_no, run.started_by as run_started_by,
    run.started_at as run_started_at, run.parameters ->> 'cause' as run_cause,
    project_run.tool_version, target.number as target_number, target.name as target_name,
    event.step_run_id, step_run.number as step_run_number, step_run.started_at as step_run_started_at,
    step.name as step_name,
    runner.number as run_as_number,
    worker.id as worker_id, worker.number as worker_number, worker.name as worker_name,
    event.work_item_id, work_item.number as work_item_number,
    coalesce(event.data -> 'error' ->> 'code', failed.error_code) as error_code,
    coalesce(event.data -> 'error' ->> 'message', failed.error_message) as error_message,
    event.data"""
"""The columns of `Occurrence`, of an event joined with `WHAT_OF`; whom it is told is the asking statement's own."""

WHAT_OF: Final = """
      join workspace on workspace.id = event.workspace_id
      join organization on organization.id = event.organization_id
      left join process on process.id = event.process_id
      left join run on run.id = event.run_id
      left join project_run on project_run.run_id = event.run_id
      left join target on target.id = project_run.target_id
      left join step_run on step_run.id = event.step_run_id
      left join step on step.id = step_run.step_id
      left join app_user as runner on runner.id = step_run.run_as
      left join worker
             on worker.id = case event.actor_kind when 'worker' then event.actor_id else step_run.worker_id end
      left join work_item on work_item.id = event.work_item_id
      left join lateral (
            select error_code, error_message from step_run as last
             where event.kind = 'run.unresolved' and last.run_id = event.run_id and last.state = 'failed'
             order by last.ended_at desc
             limit 1) as failed on true"""

MOST_OUTPUTS: Final = 100
MOST_OUTPUT_BYTES: Final = 1024 * 1024

Told = TypeVar("Told", bound=Occurrence)


class _Found(Struct, frozen=True):
    event_id: int
    values: Raw
    is_whole: bool


async def with_outputs(tx: ScopedTx, found: Sequence[Told], asked_of: Sequence[str], grammars: Grammars) -> list[Told]:
    """The occurrences, with outputs those of which a grammar (each one's is named beside it) says them.

    Nothing is read where none does. Else one statement reads up to `MOST_OUTPUTS` items of each, and passes by all
    items of its run.
    """
    wanting = {
        each.event_id: each
        for each, name in zip(found, asked_of, strict=True)
        if (grammar := grammars.get(name)) is not None and each.kind in grammar.wants_outputs
    }
    if not wanting:
        return list(found)
    read = await tx.all(
        _Found,
        """
        select asked.event_id, made.values, made.is_whole
          from unnest(%(events)s::bigint[], %(runs)s::uuid[], %(step_runs)s::uuid[])
               as asked (event_id, run_id, step_run_id)
         cross join lateral (
               select coalesce(jsonb_object_agg(pair.key, pair.value order by counted.id)
                                   filter (where pair.key is not null), '{}') as values,
                      coalesce(bool_and(counted.is_told), true) as is_whole
                 from (select id, payload,
                              row_number() over by_id <= %(most)s
                              and sum(octet_length(payload::text)) over by_id <= %(bytes)s as is_told
                         from (select id, payload from work_item
                                where work_item.run_id = asked.run_id
                                  and work_item.state not in ('draft', 'invalid', 'deleted')
                                  and jsonb_typeof(payload) = 'object'
                                  and case when asked.step_run_id is null then queue_id is null
                                           else created_by_step_run = asked.step_run_id end
                                order by id
                                limit %(most)s + 1) as output
                       window by_id as (order by id)) as counted
                 left join lateral jsonb_each(case when counted.is_told then counted.payload else '{}' end) as pair
                        on true) as made
        """,
        events=list(wanting),
        runs=[each.run_id for each in wanting.values()],
        step_runs=[each.step_run_id for each in wanting.values()],
        most=MOST_OUTPUTS,
        bytes=MOST_OUTPUT_BYTES,
    )
    outputs = {each.event_id: Outputs(each.values, each.is_whole) for each in read}
    return [
        msgspec.structs.replace(each, outputs=outputs.get(each.event_id)) if each.event_id in wanting else each
        for each in found
    ]
