"""What every receiver is told of an event, as columns and joins of the statements that find whom to tell."""

from typing import Final

OCCURRENCE: Final = """
    event.id as event_id, event.at, event.kind, event.organization_id, event.workspace_id, event.process_id,
    process.name as process_name, event.run_id, run.run_no as run_number, run.started_at as run_started_at,
    event.step_run_id, step.name as step_name,
    coalesce(event.data -> 'error' ->> 'code', case when event.kind = 'run.unresolved' then (
        select failed.error_code from step_run as failed
         where failed.run_id = event.run_id and failed.state = 'failed'
         order by failed.ended_at desc limit 1) end) as error_code,
    event.data"""
"""The columns of `Occurrence`, of an event joined with `WHAT_OF`."""

WHAT_OF: Final = """
      left join process on process.id = event.process_id
      left join run on run.id = event.run_id
      left join step_run on step_run.id = event.step_run_id
      left join step on step.id = step_run.step_id"""
