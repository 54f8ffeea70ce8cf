"""Control Room's API over five million step runs: the list of activities, deploys and log-ins.

CONTROLROOM_BENCH_ACTIVITIES (5,000,000) makes it shorter. Runs and step runs are put straight into the tables, with
their indexes dropped meanwhile: of 200 bots, as 40 users, on 20 devices, one in ten of them failed, over 90 days.
Everything that is measured goes over HTTP, by one caller on a kept connection; deploys and log-ins also by eight.
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Caller, Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

ROWS = int(os.environ.get("CONTROLROOM_BENCH_ACTIVITIES", "5000000"))
CALLS = 60
DEPLOYS = 400
LOG_INS = 20
LIST = "/v3/activity/list"


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        workspace = Workspace(here)
        workspace.process(robots.plain_script(Path(name), "bot", ""))
        told = asyncio.run(_filled(here, workspace.id))
        caller = _caller(here)
        for figure, bodies in _searches(told):
            yield _listed(caller, figure, bodies)
        yield from _deploys(here, told)
        yield from _log_ins(here)


def _caller(here: Room) -> Caller:
    """Somebody who is logged in."""
    stranger = Caller(here.url, "")
    answer = json.loads(stranger.call("POST", "/v2/authentication", json.dumps(here.facts["admin"]).encode()))
    return Caller(here.url, f"Bearer {answer['token']}")


def _searches(told: dict[str, Any]) -> Iterator[tuple[str, list[bytes]]]:
    """What clients ask: the figure, and bodies that are sent in turn."""

    def is_(field: str, value: object, operator: str = "eq") -> dict[str, Any]:
        return {"operator": operator, "field": field, "value": str(value)}

    def body(filter_: Any = None, sort: str = "startDateTime", length: int = 100, offset: int = 0) -> bytes:
        order = [{"field": sort, "direction": "desc"}, {"field": "id", "direction": "desc"}]
        asked = {"filter": filter_, "sort": order if sort else None, "page": {"offset": offset, "length": length}}
        return json.dumps(asked).encode()

    runs, some = told["runs"], [told["runs"][n : n + 50] for n in range(0, len(told["runs"]) - 50, 50)]
    yield "by `deploymentId`", [body(is_("deploymentId", run), "") for run in runs]
    several = [{"operator": "or", "operands": [is_("deploymentId", run) for run in each]} for each in some]
    yield "by any of 50 `deploymentId`s", [body(each, "") for each in several]
    yield "newest by start", [body()]
    yield "newest by end", [body(sort="endDateTime")]
    yield "newest by creation", [body(sort="createdOn")]
    yield '`status ne "ANY"`, 100 behind 1,000', [body(is_("status", "ANY", "ne"), offset=1000)]
    yield "`startDateTime ge` a day ago", [body(is_("startDateTime", told["day"], "ge"))]
    yield "`status eq RUN_FAILED`", [body(is_("status", "RUN_FAILED"))]
    yield "`status eq RUNNING`, of which there are none", [body(is_("status", "RUNNING"))]
    yield "by `fileId`", [body(is_("fileId", bot)) for bot in told["bots"]]
    yield "by `userId`", [body(is_("userId", user)) for user in told["users"]]
    yield "by `deviceId`", [body(is_("deviceId", device)) for device in told["devices"]]
    yield "by `automationName`", [body(is_("automationName", each), "") for each in told["names"]]


def _listed(caller: Caller, figure: str, bodies: list[bytes]) -> Figure:
    for each in bodies[:3]:
        caller.call("POST", LIST, each)
    took = []
    for number in range(CALLS):
        began = time.perf_counter()
        caller.call("POST", LIST, bodies[number % len(bodies)])
        took.append(time.perf_counter() - began)
    words = milliseconds(percentile(took, 0.5), percentile(took, 0.99))
    return Figure(f"activities among {ROWS:,}: {figure}, p50 / p99", words)


def _deploys(here: Room, told: dict[str, Any]) -> Iterator[Figure]:
    body = json.dumps({"fileId": told["bot"], "runAsUserIds": [told["admin"]], "botInput": {"n": 5}}).encode()
    for callers in (1, 8):
        rate, took = _rate(here, callers, DEPLOYS, "/v3/automations/deploy", body, is_known=True)
        yield Figure(
            f"deploys per second, {callers} at once",
            f"{rate:,.0f} (p50 / p99 {milliseconds(percentile(took, 0.5), percentile(took, 0.99))})",
            beside=f"beside {ROWS:,} step runs",
        )


def _log_ins(here: Room) -> Iterator[Figure]:
    admin = here.facts["admin"]
    workspace = Workspace(here).by_admin()
    [user] = [each for each in workspace.get("/users")["data"] if each["username"] == admin["username"]]
    key = workspace.post(f"/users/{user['id']}/keys", {"name": "bench", "days": None})["value"]
    by_key, by_password = {"username": admin["username"], "apiKey": key}, admin | {"multipleLogin": True}
    for what, callers, calls, body in (
        ("key", 1, LOG_INS * 5, by_key),
        ("key", 8, LOG_INS * 5, by_key),
        ("password", 1, LOG_INS, by_password),
    ):
        written = json.dumps(body).encode()
        rate, took = _rate(here, callers, calls, "/v2/authentication", written, is_known=False)
        words = milliseconds(percentile(took, 0.5), percentile(took, 0.99))
        yield Figure(f"log-ins by {what} per second, {callers} at once", f"{rate:,.0f} (p50 / p99 {words})")


def _rate(here: Room, callers: int, calls: int, path: str, body: bytes, *, is_known: bool) -> tuple[float, list[float]]:
    """Calls per second of several callers together, and how long each took."""
    everybody = [Caller(here.url, "") for _ in range(callers)]
    if is_known:
        token = _caller(here).authorization
        everybody = [Caller(here.url, token) for _ in range(callers)]
    took: list[float] = []

    def work(caller: Caller) -> None:
        for _ in range(calls // callers):
            began = time.perf_counter()
            caller.call("POST", path, body)
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=work, args=(each,)) for each in everybody]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / (time.perf_counter() - began), took


async def _filled(here: Room, workspace: str) -> dict[str, Any]:
    """Put so many runs with a step run each into the tables; what there is to ask for."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    params = await _furnished(connection, workspace)
    tables = ("run", "step_run")
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where tablename = any($1) and indexname not like '%_pkey'",
        list(tables),
    )
    # what the loops of the room look for is small, and stays
    dropped = [each for each in indexes if "number" not in each["indexname"] and "state =" not in each["indexdef"]]
    for index in dropped:
        await connection.execute(f'drop index "{index["indexname"]}"')
    await connection.execute("set session_replication_role = replica")  # neither keys nor counters: they are right
    await connection.execute("set maintenance_work_mem = '1GB'")
    for first in range(0, ROWS, 250_000):
        await _insert(connection, workspace, params, first, min(first + 250_000, ROWS))
    for index in dropped:
        await connection.execute(index["indexdef"])
    await connection.execute("set session_replication_role = origin")
    for table in tables:
        await connection.execute(f"vacuum analyze {table}")
    told = {
        "runs": [str(row["id"]) for row in await connection.fetch("select id from run order by id desc limit 2600")],
        "names": await connection.fetchval(
            "select array_agg(parameters ->> 'name') from (select parameters from run order by id desc limit 60) as r"
        ),
        "day": (await connection.fetchval("select (now() - interval '1 day')::timestamptz(3)")).isoformat(),
        "bots": await connection.fetchval("select array_agg(number) from task where name <> 'Work'"),
        "bot": await connection.fetchval("select number from task where name = 'Work'"),
        "users": await connection.fetchval("select array_agg(number) from app_user"),
        "devices": await connection.fetchval("select array_agg(number) from worker"),
        "admin": await connection.fetchval("select number from app_user order by id limit 1"),
    }
    await connection.close()
    return told


async def _furnished(connection: Any, workspace: str) -> dict[str, Any]:
    """Bots with their processes, users and devices."""
    await connection.execute(
        "insert into app_user (id, organization_id, username) "
        "select uuidv7(), (select id from organization), 'user ' || n from generate_series(1, 39) n"
    )
    await connection.execute(
        "insert into worker (id, organization_id, serves_all, name, lookup) select uuidv7(), (select id from "
        "organization), true, 'device ' || n, n::text::bytea from generate_series(1, 20) n"
    )
    await connection.execute(
        "update app_user set default_worker_id = (select id from worker order by id limit 1) "
        "where id = (select id from app_user order by id limit 1)"
    )
    package = await connection.fetchval("select id from package where workspace_id = $1", workspace)
    for n in range(200):
        task, process, queue, step = [await connection.fetchval("select uuidv7()") for _ in range(4)]
        await connection.execute("insert into task (id, package_id, name) values ($1, $2, $3)", task, package, f"b{n}")
        await connection.execute(
            "insert into process (id, workspace_id, name, implicit_task_id) values ($1, $2, $3, $4)",
            process,
            workspace,
            f"b{n}",
            task,
        )
        await connection.execute("insert into queue (id, workspace_id, name) values ($1, $2, 'in')", queue, workspace)
        await connection.execute(
            "insert into step (id, workspace_id, process_id, position, name, task_id, queue_id) "
            "values ($1, $2, $3, 0, 's', $4, $5)",
            step,
            workspace,
            process,
            task,
            queue,
        )
    return {
        "processes": await connection.fetchval(
            "select array_agg(process.id order by process.id) from process where implicit_task_id is not null"
        ),
        "steps": await connection.fetchval(
            "select array_agg(step.id order by step.process_id) from step join process on process.id = process_id "
            "where implicit_task_id is not null"
        ),
        "users": await connection.fetchval("select array_agg(id order by id) from app_user"),
        "devices": await connection.fetchval("select array_agg(id order by id) from worker"),
    }


async def _insert(connection: Any, workspace: str, params: dict[str, Any], first: int, end: int) -> None:
    """Rows from `first` on: older ones first, as they would have come."""
    await connection.execute(
        """
        with made as materialized (
            select n, uuidv7(make_interval(secs => age)) as run_id, uuidv7(make_interval(secs => age)) as id,
                   clock_timestamp() + make_interval(secs => age) as at,
                   1 + n % cardinality($2::uuid[]) as bot, 1 + n % cardinality($4::uuid[]) as runner,
                   1 + (n / 7) % cardinality($5::uuid[]) as device, n % 10 = 0 as failed
              from generate_series($6::int, $7::int - 1) n
             cross join lateral (select -7776000.0 * (1 - n / $8::float8) as age) as of_it
        ), runs as (
            insert into run (id, workspace_id, process_id, run_no, state, result, started_by, started_by_id, created_at,
                             started_at, ended_at, parameters)
            select run_id, $1, ($2::uuid[])[bot], n, case when failed then 'unresolved' else 'completed' end,
                   case when failed then 'failed' else 'succeeded' end, 'user', ($4::uuid[])[runner], at,
                   at + interval '2 s', at + interval '30 s', jsonb_build_object('name', 'b.' || n)
              from made
        )
        insert into step_run (id, workspace_id, run_id, step_id, state, state_at, result, error_code, error_message,
                              attempt, worker_id, created_at, started_at, began_at, ended_at, run_as, is_single,
                              is_alone)
        select id, $1, run_id, ($3::uuid[])[bot], case when failed then 'failed' else 'completed' end,
               at + interval '30 s', case when failed then 'failed' else 'succeeded' end,
               case when failed then 'ROBOT_FAILED' end, case when failed then 'it broke at line 7' else '' end, 1,
               ($5::uuid[])[device], at, at + interval '2 s', at + interval '3 s', at + interval '30 s',
               ($4::uuid[])[runner], true, true
          from made
        """,
        workspace,
        params["processes"],
        params["steps"],
        params["users"],
        params["devices"],
        first,
        end,
        ROWS,
    )


if __name__ == "__main__":
    show(main())
