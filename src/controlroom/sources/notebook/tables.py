"""Loaded tables of any of the sources as three: runs, failures and waits; and how much could run at once.

Each source says in SQL how its tables are read so. What was not loaded counts as empty, and a column that is not there
as null, so that a load of some resources can be looked at, too. Moments are in UTC, and say so nowhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

KNOWN: Final = {"robocorp": "process_runs", "automation360": "executions", "dbt_cloud": "runs"}
"""By which table a dataset of a source is known."""

_NEEDED: Final[Mapping[str, Mapping[str, str]]] = {
    "robocorp": {
        "process_runs": "id text, state text, created_at timestamp, started_at timestamp, ended_at timestamp, "
        "process_id text, process_name text",
        "step_runs": "id text, process_run_id text, state text, error_code text, error_message text, "
        "started_at timestamp, ended_at timestamp, step_name text",
        "work_items": "id text, state text, created_at timestamp, state_updated_at timestamp, process_id text, "
        "step_id text, step_run_id text, exception_code text, exception_type text, exception_message text, "
        "due_at timestamp",
        "processes": "id text, name text",
        "process_steps": "id text, name text",
        "workers": "id text, name text, state text, slots bigint",
    },
    "automation360": {
        "executions": "id text, status text, created_on timestamp, start_date_time timestamp, "
        "end_date_time timestamp, file_name text, automation_name text, error_code text, message text",
        "work_items": "id bigint, status text, created_on timestamp, start_time timestamp, end_time timestamp, "
        "queue_id bigint, error text",
        "queues": "id bigint, name text",
        "robots": "id bigint, host_name text, status text, max_count bigint",
    },
    "dbt_cloud": {
        "runs": "id bigint, status bigint, created_at timestamp, started_at timestamp, finished_at timestamp, "
        "job_definition_id bigint, status_message text",
        "jobs": "id bigint, name text",
        "run_steps": "run_id bigint, name text, status bigint, finished_at timestamp",
        "account": "run_slots bigint",
    },
}
"""What is read of each source."""

_AS: Final[Mapping[str, Mapping[str, str]]] = {
    "robocorp": {
        "runs": """
            select coalesce(process_runs.process_name, processes.name, 'A process') as process,
                   created_at as asked_at, started_at as began_at, ended_at,
                   case process_runs.state when 'completed' then 'completed' when 'unresolved' then 'failed'
                        else 'open' end as outcome
              from process_runs left join processes on processes.id = process_runs.process_id""",
        "failures": """
            select coalesce(exception_code, nullif(split_part(exception_message, chr(10), 1), ''),
                            exception_type || ' exception', 'unspecified') as cause,
                   coalesce(processes.name, 'A process') as process, state_updated_at as failed_at
              from work_items left join processes on processes.id = work_items.process_id
             where state = 'failed'
            union all
            select coalesce(error_code, nullif(split_part(error_message, chr(10), 1), ''), 'unspecified'),
                   coalesce(process_runs.process_name, 'A process'), step_runs.ended_at
              from step_runs left join process_runs on process_runs.id = step_runs.process_run_id
             where step_runs.state = 'failed'
               and not exists (select 1 from work_items
                                where work_items.step_run_id = step_runs.id and work_items.state = 'failed')""",
        "waits": """
            select coalesce(processes.name || ' · ', '') || coalesce(process_steps.name, step_runs.step_name, 'input')
                       as queue,
                   started_at as began_at,
                   greatest(date_diff('millisecond', greatest(created_at, coalesce(due_at, created_at)),
                                      started_at) / 1000.0, 0) as seconds
              from work_items join step_runs on step_runs.id = work_items.step_run_id
              left join processes on processes.id = work_items.process_id
              left join process_steps on process_steps.id = work_items.step_id
             where started_at is not null""",
        "work": "select started_at as began_at, ended_at from step_runs where started_at is not null",
        "capacity": "select sum(coalesce(slots, 1))::bigint as capacity from workers where state <> 'offline'",
    },
    "automation360": {
        "runs": """
            select coalesce(nullif(file_name, ''), automation_name, 'A bot') as process, created_on as asked_at,
                   case when status in ('QUEUED', 'PENDING_EXECUTION') then null else start_date_time end as began_at,
                   end_date_time as ended_at,
                   case when status = 'COMPLETED' then 'completed' when status = 'RUN_ABORTED' then 'stopped'
                        when status in ('RUN_FAILED', 'RUN_TIMED_OUT', 'DEPLOY_FAILED') then 'failed' else 'open'
                        end as outcome
              from executions""",
        "failures": """
            select coalesce(nullif(error_code, ''), nullif(split_part(message, chr(10), 1), ''), status) as cause,
                   coalesce(nullif(file_name, ''), automation_name, 'A bot') as process, end_date_time as failed_at
              from executions where status in ('RUN_FAILED', 'RUN_TIMED_OUT', 'DEPLOY_FAILED')
            union all
            select coalesce(nullif(split_part(error, chr(10), 1), ''), 'work item ' || status),
                   coalesce(queues.name, 'A queue'), end_time
              from work_items left join queues on queues.id = work_items.queue_id
             where work_items.status in ('FAILED', 'DATA_ERROR', 'UNSUCCESSFUL')""",
        "waits": """
            select coalesce(queues.name, 'A queue') as queue, start_time as began_at,
                   greatest(date_diff('millisecond', created_on, start_time) / 1000.0, 0) as seconds
              from work_items left join queues on queues.id = work_items.queue_id
             where start_time is not null""",
        "work": """
            select start_date_time as began_at, end_date_time as ended_at from executions
             where start_date_time is not null and status not in ('QUEUED', 'PENDING_EXECUTION')""",
        "capacity": """
            select sum(greatest(coalesce(max_count, 1), 1))::bigint as capacity from robots
             where status = 'CONNECTED'""",
    },
    "dbt_cloud": {
        "runs": """
            select coalesce(jobs.name, 'Job ' || job_definition_id) as process, created_at as asked_at,
                   started_at as began_at, finished_at as ended_at,
                   case status when 10 then 'completed' when 20 then 'failed' when 30 then 'stopped' else 'open' end
                       as outcome
              from runs left join jobs on jobs.id = runs.job_definition_id""",
        "failures": """
            select coalesce((select regexp_extract(run_steps.name, '`(.*)`', 1) || ' failed' from run_steps
                              where run_steps.run_id = runs.id and run_steps.status = 20
                              order by finished_at limit 1),
                            nullif(split_part(status_message, chr(10), 1), ''), 'unspecified') as cause,
                   coalesce(jobs.name, 'Job ' || job_definition_id) as process, runs.finished_at as failed_at
              from runs left join jobs on jobs.id = runs.job_definition_id
             where runs.status = 20""",
        "waits": """
            select coalesce(jobs.name, 'Job ' || job_definition_id) as queue, started_at as began_at,
                   greatest(date_diff('millisecond', created_at, started_at) / 1000.0, 0) as seconds
              from runs left join jobs on jobs.id = runs.job_definition_id
             where started_at is not null""",
        "work": "select started_at as began_at, finished_at as ended_at from runs where started_at is not null",
        "capacity": "select max(run_slots) as capacity from account",
    },
}
"""How it is read: the same three tables of each, the times at which something was at work, and what there is for it."""


class NothingLoaded(ValueError):  # noqa: N818 - a fact about a file
    """No dataset of a source stands in the file."""


@contextmanager
def opened(file: str | Path) -> Iterator[DuckDBPyConnection]:
    """A DuckDB file that was loaded into, to be read. Raises OSError and duckdb.Error for what cannot be read."""
    with Path(file).open("rb"):
        pass
    with duckdb.connect() as database:
        quoted = str(Path(file).absolute()).replace("'", "''")
        database.execute("set timezone = 'UTC'")
        database.execute(f"attach '{quoted}' as loaded (read_only)")
        yield database


def datasets(database: DuckDBPyConnection) -> dict[str, str]:
    """The datasets of an opened file that a source has loaded, each with the source. Raises NothingLoaded."""
    found = database.execute(
        "select schema_name, list(table_name) from duckdb_tables() where database_name = 'loaded' group by 1 order by 1"
    ).fetchall()
    known = {
        schema: source
        for schema, tables in found
        if "_dlt_loads" in tables
        for source, table in KNOWN.items()
        if table in tables
    }
    if not known:
        raise NothingLoaded("nothing of robocorp, automation360 or dbt_cloud stands in it")
    return known


def read(database: DuckDBPyConnection, dataset: str, source: str) -> None:
    """Make the tables `told_runs`, `told_failures`, `told_waits`, `told_work` and `told_capacity` of a dataset."""
    _needed(database, dataset, source)
    for name, query in _AS[source].items():
        database.execute(f"create or replace temp table told_{name} as {query}")


def _needed(database: DuckDBPyConnection, dataset: str, source: str) -> None:
    there: dict[str, set[str]] = {}
    for table, column in database.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'loaded' and schema_name = ?",
        [dataset],
    ).fetchall():
        there.setdefault(table, set()).add(column)
    schema = dataset.replace('"', '""')
    for table, columns in _NEEDED[source].items():
        wanted = [_typed(column, there.get(table, ())) for column in columns.split(", ")]
        of = f' from loaded."{schema}"."{table}"' if table in there else " where false"
        database.execute(f"create or replace temp view {table} as select {', '.join(wanted)}{of}")


def _typed(column: str, there: Sequence[str] | set[str]) -> str:
    name, kind = column.split(" ")
    return f"{name if name in there else 'null'}::{kind} as {name}"
