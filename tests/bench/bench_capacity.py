"""What each verb costs: processor time of servers, database and worker, with one and with two server processes.

Simulated workers and robots call; what is measured is what the room's processes take for it, read from /proc, so that
it matters little what else the machine does. CONTROLROOM_BENCH_CAPACITY (400) is the number of calls of a verb.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import capacity, robots
from tests.bench.api import Caller, Workspace
from tests.bench.bench_schedules import started
from tests.bench.bench_work_items import private_dsn
from tests.bench.capacity import Cost, Load, cores
from tests.bench.figures import Figure, note, show
from tests.bench.processor import Meter, Used, of_tree
from tests.bench.simulated_worker import SimulatedWorker
from tests.rooms import Room, room

from controlroom.protocol import (
    Assignment,
    Claim,
    Finish,
    Heartbeat,
    Held,
    PhaseKind,
    PhaseReport,
    PhaseReports,
    PhaseState,
    SmallArtifact,
    SmallArtifacts,
)

CALLS = int(os.environ.get("CONTROLROOM_BENCH_CAPACITY", "400"))
CALLERS = 8
ROBOTS = 64
"""Step runs that work on items at once: enough that each of their verbs keeps the room busy for a while."""
PASSES = 3
ROUNDS = max(1, 2 * CALLS // ROBOTS // PASSES)
POLLS = 200
REST_SECONDS = 10.0
SETTLING_SECONDS = 0.3
"""In which the room does what a call has woken."""
RUNS = 40
PAYLOAD = {"order": 1, "customer": "ACME", "lines": 3}


def main() -> Iterator[Figure]:
    """The figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rooms = [(servers, stack.enter_context(room("--no-worker", "--servers", str(servers)))) for servers in (1, 2)]
        measuring = [(servers, Costs(here, folder / str(servers))) for servers, here in rooms]
        for _ in zip(*(costs.stages() for _, costs in measuring), strict=True):
            pass  # Why in turn: what else the machine does meanwhile is unfair to both alike
    measured = [(servers, costs.found()) for servers, costs in measuring]
    for servers, costs in measuring:
        server, database = costs.at_rest
        yield Figure(
            f"processor time of a room at rest, {_processes(servers)}",
            f"servers {server:.1%}, database {database:.1%} of a core",
        )
    note(f"milliseconds of processor by call\n\n{capacity.table(measured)}\n")
    note(f"cores that loads keep busy, by the costs with one process\n\n{capacity.loads(measured[0][1])}\n")
    load = Load()
    for servers, found in measured:
        average = cores(load, found)
        yield Figure(
            f"cores for {load.items:,} items a day, {load.workers:,} workers, {load.schedules:,} schedules, by what "
            f"verbs cost with {_processes(servers)}",
            f"servers {average.server:.2f}, database {average.database:.2f}; in the busiest hour "
            f"{average.server * load.peak:.2f} and {average.database * load.peak:.2f}",
        )
    yield Figure(
        "bytes of the database for an item that was worked off, and the output that was made of it",
        f"{costs.kept / 1000:.1f} KB in tables and indexes, {costs.written / 1000:.1f} KB written to its log",
    )
    yield _worker()


def _processes(servers: int) -> str:
    return f"{servers} server process{'es' if servers > 1 else ''}"


async def _written(here: Room) -> tuple[int, int]:
    """Bytes of the database, and of its log so far."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    found = await connection.fetchrow(
        "select pg_database_size(current_database()), (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"
    )
    await connection.close()
    return found[0], found[1]


class Costs:
    """The costs in one room."""

    def __init__(self, here: Room, folder: Path) -> None:
        self._here = here
        self._folder = folder
        self._workspace = Workspace(here)
        self._meter = Meter(here)
        self._totals: dict[str, tuple[float, float, int]] = {}
        self.at_rest = (0.0, 0.0)
        self.kept = self.written = 0.0
        """Bytes in tables and indexes, and in the database's log, for an item that was worked off, with its output."""

    def stages(self) -> Iterator[None]:
        """Measure all of them, with a pause between stages."""
        self._folder.mkdir()
        single = self._workspace.process(robots.plain_script(self._folder, "single", ""))
        self._meter.rest(REST_SECONDS)
        self.at_rest = self._meter.at_rest
        yield
        self._waiting()
        yield
        waiting = dict(self._totals)
        self._step_runs(single, calls=8 * CALLERS, name="first")
        self._reads(single, calls=8 * CALLERS)
        self._totals = waiting  # what is done once, by each connection, is done, and does not count
        for number in range(PASSES):
            yield
            self._step_runs(single, calls=CALLS // PASSES // CALLERS * CALLERS, name=f"pass {number}")
            yield
            self._reads(single, calls=CALLS // PASSES)
            yield
            self._items(f"items-{number}")
        yield
        self._schedules(single)

    def found(self) -> dict[str, Cost]:
        """What was found."""
        return {
            verb: Cost(max(server / calls, 0.0), max(database / calls, 0.0))
            for verb, (server, database, calls) in self._totals.items()
        }

    def _measured(self, verb: str, calls: int, work: Callable[[], object], *, each: int = 1) -> None:
        with self._meter.used() as used:
            work()
            time.sleep(SETTLING_SECONDS)
        self._add(verb, used, calls * each)

    def _add(self, verb: str, used: Used, calls: int) -> None:
        server, database, so_far = self._totals.get(verb, (0.0, 0.0, 0))
        self._totals[verb] = (server + used.server, database + used.database, so_far + calls)

    def _step_runs(self, process: str, *, calls: int, name: str) -> None:
        """Runs of one item each: started, claimed, reported and finished by workers that run nothing."""
        here, workspace = self._here, self._workspace
        start = f"{workspace.base}/processes/{process}/process-runs"
        owners = [Caller(here.url, workspace.authorization) for _ in range(CALLERS)]
        asked = methodcaller("call", "POST", start, _start_of(1))
        self._measured(capacity.START, calls, lambda: _share(owners, calls, asked))
        workers = [
            SimulatedWorker(here, workspace, f"{name} {number}", slots=2 * calls // CALLERS)
            for number in range(CALLERS)
        ]
        work: list[list[Assignment]] = [[] for _ in workers]

        def claim(index: int) -> None:
            for _ in range(calls // CALLERS):
                work[index] += workers[index].claim(1, wait=2, running=work[index])

        self._measured(capacity.CLAIM, calls, lambda: _at_once(claim))
        assert len({one.step_run_id for each in work for one in each}) == calls, list(map(len, work))
        self._reports(workers, work, calls=calls)

    def _reports(self, workers: Sequence[SimulatedWorker], work: Sequence[Sequence[Assignment]], *, calls: int) -> None:
        """What workers tell of the step runs that they have claimed."""
        callers = [Caller(self._here.url, f"Bearer {worker.token}") for worker in workers]

        def renew(index: int) -> None:
            held = tuple(Held(one.step_run_id, one.attempt) for one in work[index])
            beat_of_all = Heartbeat(workers[index].session, held, hold_seconds=0)
            callers[index].call("POST", "/worker/v1/heartbeats", msgspec.json.encode(beat_of_all))

        def report(verb: str, path: str, body: Callable[[Assignment], bytes], each: int = 1) -> None:
            _at_once(renew)

            def told(index: int) -> None:
                for one in work[index]:
                    place = f"/worker/v1/step-runs/{one.step_run_id}/attempts/{one.attempt}{path}"
                    callers[index].call("POST", place, body(one))

            self._measured(verb, calls, lambda: _at_once(told), each=each)

        def beat(index: int) -> None:
            held = Held(work[index][0].step_run_id, work[index][0].attempt)
            body = msgspec.json.encode(Heartbeat(workers[index].session, (held,), hold_seconds=0))
            for _ in range(calls // CALLERS):
                callers[index].call("POST", "/worker/v1/heartbeats", body)

        report(capacity.PHASES, "/phases", lambda _: _PHASES)
        self._measured(capacity.HEARTBEAT, calls, lambda: _at_once(beat))
        at = time.time()
        report(capacity.CONSOLE, f"/console?first=0&count=10&at={at}", lambda _: _LINE * 10)
        report(capacity.LONG_CONSOLE, f"/console?first=10&count=2000&at={at}", lambda _: _LINE * 2000, each=2000)
        report(capacity.ARTIFACTS, "/artifacts", _artifact)
        report(capacity.FINISH, "/finish", lambda _: msgspec.json.encode(Finish(exit_code=0, console_lines=2010)))

    def _items(self, name: str) -> None:
        """Robots that reserve, read, put out and release, all at the same verb at the same time."""
        here, workspace = self._here, self._workspace
        process = workspace.process(robots.plain_script(self._folder, name, ""), max_parallel=ROBOTS)
        start, count = f"{workspace.base}/processes/{process}/process-runs", ROBOTS * (ROUNDS + 2)
        brought: list[bytes] = []
        self._measured(capacity.BULK, count, lambda: brought.append(workspace.call("POST", start, _start_of(count))))
        run = json.loads(brought[0])["id"]
        others = CALLS  # what waits from before is claimed, too
        worker = SimulatedWorker(here, workspace, name, slots=ROBOTS + others)
        claimed: list[Assignment] = []
        while len(held := [one for one in claimed if str(one.run_id) == run]) < ROBOTS:
            claimed += worker.claim(ROBOTS - len(held), running=claimed)
        robots_at_work = [_Robot(here, workspace.id, process, run, one) for one in held]
        before = asyncio.run(_written(here))
        with worker.keep(*claimed), ThreadPoolExecutor(ROBOTS // 4) as threads:
            for _ in range(ROUNDS):
                for verb, call in (
                    (capacity.PAYLOAD, _Robot.read),
                    (capacity.OUTPUT, _Robot.put_out),
                    (capacity.RELEASE, _Robot.release),
                    (capacity.RESERVE, _Robot.reserve),
                ):
                    with self._meter.used() as used:
                        list(threads.map(call, robots_at_work))
                        time.sleep(0.05)  # the dispatcher looks every 30 ms at a run of which an item was released
                    self._add(verb, used, ROBOTS)
        data, log = asyncio.run(_written(here))
        self.kept, self.written = (data - before[0]) / ROUNDS / ROBOTS, (log - before[1]) / ROUNDS / ROBOTS
        for one in held:
            worker.finish(one)
        workspace.post(
            f"/process-runs/{run}/stop",
            {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True},
        )

    def _reads(self, process: str, *, calls: int) -> None:
        """What people and scripts ask for."""
        here, workspace = self._here, self._workspace
        owners = [Caller(here.url, workspace.authorization) for _ in range(CALLERS)]
        run = workspace.get(f"/process-runs?process_id={process}&limit=1")["data"][0]["id"]
        create = json.dumps({"process": {"id": process}, "payload": PAYLOAD}).encode()
        for verb, method, path, body in (
            (capacity.READ, "GET", f"/process-runs/{run}", None),
            (capacity.LIST, "GET", "/process-runs?limit=50", None),
            (capacity.CREATE, "POST", "/work-items", create),
        ):
            asked = partial(_share, owners, calls, methodcaller("call", method, workspace.base + path, body))
            self._measured(verb, calls, asked)

    def _schedules(self, process: str) -> None:
        """As many as calls, due in one second."""
        due = datetime.now(UTC) + timedelta(seconds=8)
        first = self._workspace.post(
            "/schedules",
            {
                "name": "at once",
                "process": {"id": process},
                "rule": {"type": "once", "at": due.replace(tzinfo=None).isoformat()},
                "time_zone": "UTC",
            },
        )["id"]
        self._measured(capacity.OCCURRENCE, CALLS, lambda: asyncio.run(started(self._here, first, due, CALLS)))

    def _waiting(self) -> None:
        """Workers for whom there is nothing to do."""
        here, workspace = self._here, self._workspace
        worker = SimulatedWorker(here, workspace, "waiting", slots=POLLS)
        worker.claim(1, wait=0)  # in one thread first: types are made ready for reading as they are met
        address = urlsplit(here.url)
        body = msgspec.json.encode(Claim(session=worker.session, free=1, wait_seconds=30.0))
        head = f"POST /worker/v1/claims HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {worker.token}\r\n"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        polls = [socket.create_connection((address.hostname, address.port)) for _ in range(POLLS)]
        for each in polls:
            each.sendall(request)
        time.sleep(2)
        with self._meter.used() as used:
            time.sleep(15)
        self._add(capacity.WAITING, used, round(used.seconds * POLLS))
        for each in polls:
            each.close()


class _Robot:
    """A step run that works off items as the vendors' libraries do."""

    def __init__(self, here: Room, workspace: str, process: str, run: str, work: Assignment) -> None:
        self._caller = Caller(here.url, f"Bearer {work.token}")
        self._item = str(work.work_item_id)
        self._data = f"/json-v1/workspaces/{workspace}/workitems/"
        self._outputs = f"/process-v1/workspaces/{workspace}/processes/{process}/work-items/"
        self._run = f"/process-v1/workspaces/{workspace}/processes/{process}/runs/{run}/robotRuns/{work.step_run_id}"

    def read(self) -> None:
        self._caller.call("GET", f"{self._data}{self._item}/data")

    def put_out(self) -> None:
        self._caller.call("POST", f"{self._outputs}{self._item}/output", json.dumps({"payload": PAYLOAD}).encode())

    def release(self) -> None:
        body = json.dumps({"workItemId": self._item, "state": "COMPLETED"}).encode()
        self._caller.call("POST", f"{self._run}/release-work-item", body)

    def reserve(self) -> None:
        found: dict[str, Any] = json.loads(self._caller.call("POST", f"{self._run}/reserve-next-work-item", b""))
        self._item = found["workItemId"]


def _worker() -> Figure:
    """What the worker takes for a robot that does nothing, the robot's own processes included."""
    with tempfile.TemporaryDirectory() as name, room("--slots", "2") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "no-op", robots.NO_OP_SCRIPT))
        robots.warm(workspace, process)
        worker: psutil.Process = here.child("worker")
        time.sleep(3)
        before = of_tree(worker)
        time.sleep(REST_SECONDS)
        idle = (of_tree(worker) - before) / REST_SECONDS
        began, before = time.monotonic(), of_tree(worker)
        for _ in range(RUNS // 4):
            for run in [workspace.start(process) for _ in range(4)]:
                workspace.ended(run)
        used = of_tree(worker) - before - idle * (time.monotonic() - began)
    return Figure(
        "processor time of a worker for a step run that does nothing, its Python included",
        f"{used / RUNS * 1000:.0f} ms; at rest {idle * 1000:.1f} ms a second",
    )


_LINE = b"2026-01-01 12:00:00 INFO order 4711 of ACME was booked\n"
_PHASES = msgspec.json.encode(
    PhaseReports(
        (
            PhaseReport(position=0, kind=PhaseKind.ENVIRONMENT, name="environment", state=PhaseState.SUCCEEDED),
            PhaseReport(position=1, kind=PhaseKind.TASK, name="Work", state=PhaseState.IN_PROGRESS),
        )
    )
)


def _artifact(work: Assignment) -> bytes:
    """One that no other step run has: contents are stored once."""
    content = work.step_run_id.bytes + os.urandom(10_224)
    return msgspec.msgpack.encode(SmallArtifacts((SmallArtifact("output.bin", content),)))


def _start_of(payloads: int) -> bytes:
    return json.dumps(
        {"type": "with_payloads", "payloads": [{**PAYLOAD, "order": n} for n in range(payloads)]}
    ).encode()


def _at_once(work: Callable[[int], None], callers: int = CALLERS) -> None:
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(work, range(callers)))


def _share(callers: Sequence[Caller], calls: int, call: Callable[[Caller], object]) -> None:
    """Make so many calls, each caller its part, all callers at once."""

    def part(index: int) -> None:
        for _ in range(index, calls, len(callers)):
            call(callers[index])

    _at_once(part, len(callers))


if __name__ == "__main__":
    show(main())
