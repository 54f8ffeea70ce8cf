"""`up --servers 2` and `server --processes 2`: several processes at one address are one server."""

import http.client
import json
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom import tls
from controlroom.cli.errors import Misused
from controlroom.host.up import database_connections_each
from controlroom.postgres.cluster import CONNECTIONS
from controlroom.protocol import (
    Assignments,
    Claim,
    Finish,
    Heartbeat,
    Held,
    Link,
    Linked,
    OpenSession,
    Orders,
    SandboxKind,
    Session,
)
from controlroom.settings import Settings
from rooms import PROGRAM, Room, clean_environment, room, until

LONG_POLL = 20.0
"""Seconds: an answer that comes long before was woken, and did not look by itself."""
WOKEN = 4.0
"""Less than the five seconds after which a held request looks by itself."""


class Line:
    """A kept connection to one of the processes."""

    def __init__(self, url: str, authorization: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self.call("GET", "/healthz")  # it is open now, and stays

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def ask(self, path: str, body: object, answer: type) -> Any:
        """What the worker protocol answers."""
        status, content = self.call("POST", f"/worker/v1{path}", msgspec.json.encode(body))
        assert status == 200, content
        return msgspec.json.decode(content, type=answer)

    @property
    def port(self) -> int:
        return self._connection.sock.getsockname()[1]

    def close(self) -> None:
        self._connection.close()


def servers(here: psutil.Process) -> dict[int, psutil.Process]:
    """The processes of the server by their numbers."""
    found = {}
    for each in here.children():
        with suppress(psutil.NoSuchProcess):
            if (words := each.cmdline())[-2:-1] == ["server"]:
                found[int(words[-1])] = each
    return found


def server_of(here: Room, line: Line) -> int:
    """The number of the process that serves a connection."""
    [found] = [
        number
        for number, process in servers(here.process).items()
        if any(each.raddr and each.raddr.port == line.port for each in process.net_connections())
    ]
    return found


def lines(here: Room, authorization: str) -> tuple[Line, Line]:
    """A connection to the first process, and one to the second."""
    found: dict[int, Line] = {}
    for _ in range(20):
        line = Line(here.url, authorization)
        if found.setdefault(server_of(here, line), line) is not line:
            line.close()
        if len(found) == 2:
            return found[1], found[2]
    raise AssertionError(f"all of them went to {list(found)}")


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Do something in a thread while the block runs; the block gets how to wait for what it comes to."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(work).result


@pytest.fixture(scope="module")
def here() -> Iterator[Room]:
    with room("--servers", "2", "--no-worker") as running:
        yield running


@pytest.fixture(scope="module")
def process(here: Room, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A process whose robot nobody will run."""
    robot = tmp_path_factory.mktemp("robot")
    (robot / "robot.yaml").write_text("tasks: {go: {command: [python3, go.py]}}\nartifactsDir: output\n")
    (robot / "go.py").write_text("")
    here.cli("push", robot, "--name", "robot")
    return here.json("process", "create", "P", "--step", "s=robot:go")["id"]


@pytest.fixture(scope="module")
def walt(here: Room) -> tuple[str, Session]:
    """A worker: its authorization and its session."""
    token = here.post("/workers/link-tokens", {"expires_at": "2100-01-01T00:00:00Z"})["link_token"]
    linked = Line(here.url, "").ask("/link", Link(link_token=token, name="walt", slots=2), Linked)
    authorization = f"Bearer {linked.token}"
    opening = OpenSession(slots=2, version="test", platform="linux", sandbox=SandboxKind.OFF)
    return authorization, Line(here.url, authorization).ask("/sessions", opening, Session)


def base(here: Room) -> str:
    return f"/api/v1/workspaces/{here.facts['workspace_id']}"


def test_the_room_is_ready_when_all_of_them_are(here):
    """As many processes as asked for listen, each with its number, and the start is told once."""
    assert sorted(servers(here.process)) == [1, 2]
    assert here.log.count("The room is ready") == 1
    for line in lines(here, ""):
        assert line.call("GET", "/readyz") == (200, line.call("GET", "/readyz")[1])
        line.close()


def test_work_that_starts_at_one_wakes_who_waits_at_the_other(here, process, walt):
    """A worker's long poll, its orders, and the line that its robot has begun go from one process to the other."""
    authorization, session = walt
    key = f"RC-WSKEY {here.facts['api_key']}"
    first, _ = lines(here, authorization)
    _, second = lines(here, key)

    waiting = Claim(session=session.session, free=1, wait_seconds=LONG_POLL)
    with meanwhile(lambda: first.ask("/claims", waiting, Assignments)) as claimed:
        wait_until_held(here)
        status, content = second.call("POST", f"{base(here)}/processes/{process}/process-runs", b"")
        assert status == 200, content
        began = time.monotonic()
        [work] = claimed().assignments
        assert time.monotonic() - began < WOKEN
    run, attempt = json.loads(content)["id"], f"/step-runs/{work.step_run_id}/attempts/{work.attempt}"

    said = b"a line\nand one beg"
    path = f"/worker/v1{attempt}/console?first=0&count=1&at={time.time()}&unfinished=11"
    assert first.call("POST", path, said)[0] == 200
    console = f"{base(here)}/step-runs/{work.step_run_id}/console-messages?unfinished=true"
    until(lambda: b"and one beg" in second.call("GET", console)[1], "the line is seen", seconds=WOKEN)

    beat = Heartbeat(session.session, (Held(work.step_run_id, work.attempt),), hold_seconds=LONG_POLL)
    with meanwhile(lambda: first.ask("/heartbeats", beat, Orders)) as told:
        wait_until_held(here)
        stop = json.dumps({"terminate_ongoing_activity_runs": True, "set_remaining_work_items_as_done": False}).encode()
        status, content = second.call("POST", f"{base(here)}/process-runs/{run}/stop", stop)
        assert status == 200, content
        began = time.monotonic()
        assert told().orders
        assert time.monotonic() - began < WOKEN
    first.ask(f"{attempt}/finish", Finish(exit_code=1, console_lines=1), dict)


def wait_until_held(here: Room) -> None:
    """Wait until one request is held, besides the one that asks."""
    until(lambda: metric(here, "controlroom_requests_in_flight") >= 2, "a request is held")


def test_who_is_known_to_one_is_known_to_the_other(here):
    """Sessions, their end, and signed keys are the room's, not a process'."""
    first, second = lines(here, "")
    who = json.dumps(here.facts["admin"]).encode()
    status, content = first.call("POST", "/api/v1/login", who)
    assert status == 200, content
    token = json.loads(content)["token"]
    first.close()
    second.close()

    first, second = lines(here, f"Bearer {token}")
    for line in (first, second):
        assert line.call("GET", "/api/v1/workspaces")[0] == 200
    assert second.call("POST", "/api/v1/logout", b"")[0] == 200
    until(lambda: first.call("GET", "/api/v1/workspaces")[0] == 401, "the session has ended")


def test_figures_are_those_of_both(here):
    """Whichever process is asked for `/metrics` answers for all of them."""
    first, second = lines(here, f"RC-WSKEY {here.facts['api_key']}")
    before = metric(here, "controlroom_requests_total")
    for line in (first, second, second):
        line.call("GET", f"{base(here)}/workers")

    assert metric(here, "controlroom_requests_total") - before >= 3
    pids = {f'pid="{process.pid}"' for process in servers(here.process).values()}
    memory = [line for line in figures(here).splitlines() if line.startswith("process_resident_memory_bytes{")]
    assert {one.partition("{")[2].partition("}")[0] for one in memory} == pids


def figures(here: Room) -> str:
    with urllib.request.urlopen(f"{here.url}/metrics", timeout=60) as answer:
        return answer.read().decode()


def metric(here: Room, name: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in figures(here).splitlines() if line.startswith(name))


def test_each_says_in_the_log_which_it_is(here):
    """Their lines go to one place; each has the number of its process."""
    told = [json.loads(line) for line in here.log.splitlines() if line.startswith("{")]
    assert {line["process"] for line in told if line["event"] == "request"} == {1, 2}


def test_one_that_dies_is_started_again_and_the_other_serves_meanwhile(here):
    """Also when it led the loops; it comes back under its number, and the other was asked all the time."""
    leading = [json.loads(line)["process"] for line in here.log.splitlines() if '"event":"leading"' in line][-1]
    killed, other = servers(here.process)[leading], servers(here.process)[3 - leading]

    killed.kill()

    answers = [here.get("/workers") for _ in range(10)]  # connections of their own
    assert len(answers) == 10
    until(lambda: servers(here.process).get(leading, killed).pid != killed.pid, "it is started again")
    until(lambda: f"server {leading} runs again" in here.log, "it serves again")
    assert servers(here.process)[3 - leading].pid == other.pid
    until(lambda: here.log.count('"event":"leading"') >= 2, "there is a leader again")
    assert lines(here, "")


def test_who_is_asked_to_end_answers_first(here, walt):
    """SIGTERM of the parent lets each process answer what it holds, and leaves nobody behind; this room ends here."""
    authorization, session = walt
    held = Claim(session=session.session, free=1, wait_seconds=LONG_POLL)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(line.ask, "/claims", held, Assignments) for line in lines(here, authorization)]
        until(lambda: metric(here, "controlroom_requests_in_flight") >= 3, "both hold a request")

        assert here.stop(signal.SIGTERM) == 0

        assert [each.result().assignments for each in waiting] == [(), ()]
    assert not here.orphans()


def test_servers_of_a_shared_database_end_with_their_parent(new_server, tmp_path):
    """`server --processes 2` with a database of its own choice: one ready file, and kill -9 leaves no process."""
    parent = new_server("--processes", "2")
    facts = json.loads((tmp_path / "ready.json").read_text())
    children = list(servers(parent).values())
    assert len(children) == 2
    assert facts["pid"] == parent.pid
    with urllib.request.urlopen(f"{facts['url']}/readyz", timeout=60) as answer:
        assert answer.status == 200

    parent.kill()

    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


@pytest.fixture
async def new_server(new_database, tmp_path):
    """Starts a server with a database of the session's, and waits until it is ready."""
    dsn = await new_database()
    started = []

    def start(*options: str) -> psutil.Process:
        words = ["server", "--data", tmp_path / "data", "--port", 0, "--ready-file", tmp_path / "ready.json", *options]
        with (tmp_path / "log").open("ab") as log:
            environment = clean_environment(CONTROLROOM_DATABASE_URL=dsn)
            started.append(psutil.Popen([*PROGRAM, *map(str, words)], stdout=log, stderr=log, env=environment))
        ready = tmp_path / "ready.json"
        until(lambda: ready.exists() or started[-1].poll() is not None, "the server is ready")
        assert ready.exists(), (tmp_path / "log").read_text()
        return started[-1]

    yield start
    for each in started:
        if each.is_running():
            each.kill()
        each.wait(60)


@given(servers=st.integers(2, 32), wished=st.integers(1, 500))
def test_the_private_database_has_room_for_all(servers, wished):
    """Pools, and who listens beside each, leave connections for others; nobody gets more than was wished."""
    each = database_connections_each(Settings(servers=servers, database_connections=wished))

    assert servers * (each + 1) <= CONNECTIONS - 40
    assert 1 <= each <= wished


def test_more_servers_than_it_has_room_for_are_refused():
    """With the number that it has room for."""
    with pytest.raises(Misused, match="32 servers, not for 33"):
        database_connections_each(Settings(servers=33))
    shared = Settings(servers=33, database_connections=16, database_url="postgresql://elsewhere")
    assert database_connections_each(shared) == 16


@pytest.mark.parametrize("count", [0, -1, 65])
def test_a_number_that_makes_no_sense_is_refused(count):
    """Nobody means none, or a thousand."""
    with pytest.raises(ValueError, match="servers: from 1 to 64"):
        Settings(servers=count)


def test_several_make_one_certificate(tmp_path: Path):
    """Processes that start side by side have the same authority, which clients are told to trust."""
    made = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        chain, _ = tls.certificate(tmp_path / "tls", ["localhost"])
        made.append(chain.read_bytes())

    threads = [threading.Thread(target=make) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(made) == 4
    assert len(set(made)) == 1
