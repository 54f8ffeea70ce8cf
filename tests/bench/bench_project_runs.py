"""The dbt Cloud list of runs over five million: first pages, and pages behind 100,000 rows, filtered and sorted.

CONTROLROOM_BENCH_PROJECT_RUNS (5,000,000) makes it shorter. Runs are put straight into the tables, with their indexes
dropped meanwhile: of 50 jobs in one project, one in ten of them failed, over 90 days. Everything that is measured goes
over HTTP, by one caller on a kept connection.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.api import Caller
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

ROWS = int(os.environ.get("CONTROLROOM_BENCH_PROJECT_RUNS", "5000000"))
JOBS = 50
CALLS = 60
FAR = 100_000


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder, room("--no-worker", CONTROLROOM_LIMITS_RUN_DAYS="0") as here:
        (Path(folder) / "dbt_project.yml").write_text("name: shop\n")
        ids = json.loads(here.cli("dbt", "push", folder, "--name", "shop", "--json").stdout)
        words = ("dbt", "tokens", "create", "bench", "--permission", "account_admin", "--json")
        caller = Caller(here.url, f"Token {json.loads(here.cli(*words).stdout)['token']}")
        account = f"/api/v2/accounts/{ids['account_id']}"
        jobs = [_job(caller, account, ids, number) for number in range(JOBS)]
        middle = asyncio.run(_filled(here, ids["workspace_id"]))
        for what, query in _searches(ids, jobs, middle):
            yield _listed(caller, f"{account}/runs/", what, query)


def _job(caller: Caller, account: str, ids: dict[str, Any], number: int) -> int:
    body = {
        "name": f"Job {number}",
        "project_id": ids["project_id"],
        "environment_id": ids["environment_id"],
        "execute_steps": ["dbt build"],
    }
    made: int = json.loads(caller.call("POST", f"{account}/jobs/", json.dumps(body).encode()))["data"]["id"]
    return made


def _searches(ids: dict[str, Any], jobs: list[int], middle: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What clients ask."""
    newest = {"order_by": "-id"}
    yield "first page, as it comes", {}
    yield "newest first", newest
    yield "by end, newest first", {"order_by": "-finished_at"}
    yield "with job and trigger", newest | {"include_related": "job,trigger"}
    yield "`status=20`, newest first", newest | {"status": 20}
    yield (
        "`status__in=[10,20]`, the last end",
        {"status__in": "[10, 20]", "order_by": "-finished_at", "limit": 1},
    )
    yield "of a job, newest first", newest | {"job_definition_id": jobs[0]}
    yield "of a job, its failures", newest | {"job_definition_id": jobs[10], "status": 20}
    yield "of an environment", newest | {"environment_id": ids["environment_id"]}
    yield "`id__gt` in the middle", {"id__gt": middle["number"]}
    yield "`finished_at__range` of an hour", {"finished_at__range": middle["hour"], "order_by": "finished_at"}
    yield "`created_at__range` of an hour", {"created_at__range": middle["hour"]}
    yield f"behind {FAR:,}", {"offset": FAR}
    yield f"newest first, behind {FAR:,}", newest | {"offset": FAR}
    yield f"by end, behind {FAR:,}", {"order_by": "finished_at", "offset": FAR}
    yield f"`status=20`, behind {FAR:,}", {"status": 20, "offset": FAR}


def _listed(caller: Caller, path: str, what: str, query: dict[str, Any]) -> Figure:
    address = f"{path}?{urlencode(query)}"
    for _ in range(3):
        caller.call("GET", address, None)
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        caller.call("GET", address, None)
        took.append(time.perf_counter() - began)
    words = milliseconds(percentile(took, 0.5), percentile(took, 0.99))
    return Figure(f"dbt runs among {ROWS:,}: {what}, p50 / p99", words)


async def _filled(here: Room, workspace: str) -> dict[str, str]:
    """Put so many runs with a step run each into the tables; a number in their middle, and an hour there."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    tables = ("run", "step_run", "project_run")
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where tablename = any($1) and indexname not like '%_pkey'",
        list(tables),
    )
    # what the loops of the room look for is small, and stays
    dropped = [each for each in indexes if "number_key" not in each["indexname"] and "state =" not in each["indexdef"]]
    for index in dropped:
        await connection.execute(f'drop index "{index["indexname"]}"')
    await connection.execute("set session_replication_role = replica")  # neither keys nor counters: they are right
    await connection.execute("set maintenance_work_mem = '1GB'")
    for first in range(0, ROWS, 250_000):
        await _insert(connection, workspace, first, min(first + 250_000, ROWS))
    for index in dropped:
        await connection.execute(index["indexdef"])
    await connection.execute("set session_replication_role = origin")
    for table in tables:
        await connection.execute(f"vacuum analyze {table}")
    number, at = await connection.fetchrow(
        "select run_number, ended_at from project_run order by run_number offset $1 limit 1", ROWS // 2
    )
    hour = await connection.fetchval("select $1::timestamptz + interval '1 hour'", at)
    await connection.close()
    return {"number": str(number), "hour": json.dumps([at.isoformat(), hour.isoformat()])}


async def _insert(connection: Any, workspace: str, first: int, end: int) -> None:
    """Rows from `first` on: older ones first, as they would have come."""
    await connection.execute(
        """
        with jobs as (
            select array_agg(job.process_id order by job.process_id) as processes,
                   array_agg(step.id order by job.process_id) as steps, min(job.target_id::text)::uuid as target
              from job join step on step.process_id = job.process_id
             where job.workspace_id = $1
        ), made as materialized (
            select n, uuidv7(make_interval(secs => age)) as run_id, uuidv7(make_interval(secs => age)) as id,
                   nextval('number') as number, clock_timestamp() + make_interval(secs => age) as at,
                   jobs.processes[1 + n % cardinality(jobs.processes)] as process,
                   jobs.steps[1 + n % cardinality(jobs.steps)] as step, jobs.target, n % 10 = 0 as failed
              from generate_series($2::int, $3::int - 1) n
             cross join jobs
             cross join lateral (select -7776000.0 * (1 - n / $4::float8) as age) as of_it
        ), runs as (
            insert into run (id, number, workspace_id, process_id, run_no, state, result, started_by, created_at,
                             started_at, ended_at, parameters)
            select run_id, number, $1, process, n, case when failed then 'unresolved' else 'completed' end,
                   case when failed then 'failed' else 'succeeded' end, 'api', at, at + interval '2 s',
                   at + interval '30 s', jsonb_build_object('cause', 'Nightly')
              from made
        ), projects as (
            insert into project_run (run_id, run_number, workspace_id, process_id, target_id, kind, stage, work,
                                     tool_version, created_at, dequeued_at, began_at, ended_at)
            select run_id, number, $1, process, target, 'other', case when failed then 'failed' else 'succeeded' end,
                   '{"commands": [{"name": "dbt build", "words": ["dbt", "build"]}], "connection_name": "shop",
                     "threads": 4}', '1.11', at, at + interval '1 s', at + interval '2 s', at + interval '30 s'
              from made
        )
        insert into step_run (id, workspace_id, run_id, step_id, state, state_at, result, error_code, error_message,
                              attempt, created_at, started_at, began_at, ended_at)
        select id, $1, run_id, step, case when failed then 'failed' else 'completed' end, at + interval '30 s',
               case when failed then 'failed' else 'succeeded' end, case when failed then 'ROBOT_FAILED' end,
               case when failed then 'a test failed' else '' end, 1, at, at + interval '2 s', at + interval '3 s',
               at + interval '30 s'
          from made
        """,
        workspace,
        first,
        end,
        ROWS,
    )


if __name__ == "__main__":
    show(main())
