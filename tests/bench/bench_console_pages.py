"""Every page of the console over five million work items, and every part that asks again: time, statements, bytes.

CONTROLROOM_BENCH_ITEMS (5,000,000) makes the room smaller; CONTROLROOM_BENCH_KEEP names a folder in which it is kept
and found again, CONTROLROOM_BENCH_CALLS (100) says how often each address is asked, CONTROLROOM_BENCH_ONLY (a regular
expression) leaves out those whose name it does not find. A page is asked of the server in this process, without a
network between: its time is what the server takes until the last byte is written, with the wait for the database in it.
"""

import asyncio
import contextvars
import gc
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

import asyncpg
import psutil
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.crowded import Crowded, crowded
from tests.bench.figures import Figure, milliseconds, note, percentile, show

import console_pages
from controlroom.host.serving import collect_seldom
from controlroom.postgres.database import _Runner

ITEMS: Final = int(os.environ.get("CONTROLROOM_BENCH_ITEMS", "5000000"))
CALLS: Final = int(os.environ.get("CONTROLROOM_BENCH_CALLS", "100"))
KEEP: Final = os.environ.get("CONTROLROOM_BENCH_KEEP", "")
ONLY: Final = re.compile(os.environ.get("CONTROLROOM_BENCH_ONLY", ""))
TELL: Final = float(os.environ.get("CONTROLROOM_BENCH_TELL", "0"))
"""Milliseconds of the database's processor from which a statement is shown; 0: none is."""
_clocks: list[Callable[[], float]] = []
_PAGE, _PART, _MOST = 0.100, 0.030, 12
_LIVE: Final = re.compile(rb'<[a-z]+[^>]* id="([a-z_-]+)"[^>]* data-live="[^>]*>')
"""What asks again; that which asks elsewhere (`data-from`) is no part of the page."""
_asked: contextvars.ContextVar[list[tuple[float, str]] | None] = contextvars.ContextVar("asked", default=None)


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        collect_seldom()  # this process is the server: its loop and its memory are as a server's
        loop = uvloop.new_event_loop()
        figures = _figures(Path(KEEP or name))
        while (figure := loop.run_until_complete(anext(figures, None))) is not None:
            yield figure
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _figures(folder: Path) -> AsyncIterator[Figure]:
    _count_statements()
    async with crowded(folder, items=ITEMS) as room:
        browser = Browser(room)
        await browser.log_in()
        ids = await _ids(room)
        gc.freeze()
        for what, path in _addresses(ids):
            if ONLY.search(what):
                async for figure in _page(browser, what, path):
                    yield figure


async def _page(browser: "Browser", what: str, path: str) -> AsyncIterator[Figure]:
    while (first := await browser.get(path)).status in {302, 303, 307}:  # to the number of what was named by its id
        path = "/" + next(value for name, value in first.headers if name == b"location").decode()
    if first.status != 200:
        note(f"{what}, {path}: answers {first.status}")
        return
    yield await _measured(browser, what, path, _PAGE)
    drawn = (await browser.get(path, is_packed=False)).body
    parts = [found[1].decode() for found in _LIVE.finditer(drawn) if b"data-from=" not in found[0]]
    # Each once, although several of one page come in one request
    for part in [*parts, *([",".join(parts)] if len(parts) > 1 else [])]:
        joined = f"{path}{'&' if '?' in path else '?'}part={part}"
        yield await _measured(browser, f"{what}, its {part}", joined, _PART)


async def _measured(browser: "Browser", what: str, path: str, goal: float) -> Figure:
    for _ in range(7):  # as often as PostgreSQL plans anew
        await browser.get(path)
    found = [await browser.get(path) for _ in range(CALLS)]
    times = [each.seconds for each in found]
    in_database = percentile([sum(took for took, _ in each.statements) for each in found], 0.5)
    most = max(len(each.statements) for each in found)
    own = percentile([each.processor for each in found], 0.5)
    worked = [each.processor + each.in_database for each in found]
    p50, p99 = percentile(worked, 0.5), percentile(worked, 0.99)
    over = [p99 > goal and "SLOW", most > _MOST and "MANY"]
    if TELL:
        _tell(found)
    return Figure(
        f"{what}, p50 / p99",
        milliseconds(p50, p99),
        f"≤ {goal * 1000:.0f} ms, ≤ {_MOST} statements",
        f"{len(found[-1].body) / 1000:.1f} KB, {most} statements; {milliseconds(own)} of it our own; by the clock "
        f"{milliseconds(percentile(times, 0.5), percentile(times, 0.99))}, {milliseconds(in_database)} of it waiting "
        + " ".join(each for each in over if each),
    )


def _tell(found: Sequence["Answer"]) -> None:
    """Which statements took long."""
    of: dict[str, list[float]] = {}
    for each in found:
        for took, text in each.statements:
            of.setdefault(" ".join(text.split())[:110], []).append(took)
    for text, took in sorted(of.items(), key=lambda one: -percentile(one[1], 0.5)):
        if (middle := percentile(took, 0.5)) * 1000 >= TELL:
            note(f"    {milliseconds(middle, percentile(took, 0.99))}: {text}")


class Answer:
    """What one request cost."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.seconds = 0.0
        self.processor = 0.0
        self.in_database = 0.0
        self.statements: list[tuple[float, str]] = []


class Processors:
    """What a cluster's processes that answer to connections have had of the processors, exact to a microsecond."""

    def __init__(self, cluster: Path) -> None:
        postmaster = psutil.Process(int((cluster / "postmaster.pid").read_text().split()[0]))
        self._postmaster = postmaster
        self._known: list[Path] = []
        self._looked = 0.0

    def seconds(self) -> float:
        """In all."""
        if time.monotonic() - self._looked > 1:
            self._looked = time.monotonic()
            self._known = [each for each in map(_of_connection, self._postmaster.children()) if each is not None]
        total = 0
        for each in self._known:
            with suppress(OSError):  # it has ended
                total += int(each.read_text().split()[0])
        return total / 1e9


def _of_connection(process: psutil.Process) -> Path | None:
    with suppress(psutil.NoSuchProcess):
        if "[local]" in " ".join(process.cmdline()):
            return Path(f"/proc/{process.pid}/schedstat")
    return None


class Browser:
    """Somebody who is logged in, and reads; the server is called as a function."""

    def __init__(self, room: Crowded) -> None:
        self._room = room
        self._cookie = b""
        _clocks[:] = [Processors(room.folder / "postgres" / "cluster").seconds]
        self._database = Processors(room.folder / "postgres" / "cluster")

    async def log_in(self) -> None:
        """By the form."""
        body = urlencode({"username": self._room.username, "password": self._room.password, "to": "/"}).encode()
        answer = await self._call("POST", "/login", body)
        cookies = [value.partition(b";")[0] for name, value in answer.headers if name.lower() == b"set-cookie"]
        self._cookie = b"; ".join(cookies)
        assert answer.status in {200, 303}, answer.body[:500]

    async def get(self, path: str, *, is_packed: bool = True) -> Answer:
        """A page below the workspace, or at a whole path that begins with two slashes."""
        return await self._call("GET", path[1:] if path.startswith("//") else f"/w/default{path}", is_packed=is_packed)

    async def listen(self, topics: str, heard: list[int]) -> None:
        """Keep a stream of nudges open, and count in `heard` what comes."""

        async def send(message: dict[str, Any]) -> None:
            heard[0] += message.get("body", b"").count(b"event: nudge")

        gone = asyncio.Event()
        given = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if given:
                return given.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        await self._room.asgi(
            self._scope("GET", f"/w/default/events?topics={topics}", b"", is_packed=False), receive, send
        )

    def _scope(self, method: str, path: str, body: bytes, *, is_packed: bool) -> dict[str, Any]:
        where = path.partition("?")
        headers = [
            (b"host", b"127.0.0.1:8170"),
            (b"origin", b"http://127.0.0.1:8170"),
            (b"accept", b"text/html"),
            (b"cookie", self._cookie),
            *([(b"accept-encoding", b"br")] if is_packed else []),
            *([(b"content-type", b"application/x-www-form-urlencoded")] if body else []),
            (b"content-length", str(len(body)).encode()),
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(where[0]),
            "raw_path": where[0].encode(),
            "query_string": where[2].encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8170),
            "state": {},
        }

    async def _call(self, method: str, path: str, body: bytes = b"", *, is_packed: bool = True) -> Answer:
        answer = Answer()
        scope = self._scope(method, path, body, is_packed=is_packed)
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            nonlocal body
            if body is None:
                await gone.wait()
                return {"type": "http.disconnect"}
            given, body = body, None
            return {"type": "http.request", "body": given, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        token, before = _asked.set(answer.statements), self._database.seconds()
        began, processor = time.perf_counter(), time.process_time()
        await self._room.asgi(scope, receive, send)
        answer.seconds, answer.processor = time.perf_counter() - began, time.process_time() - processor
        answer.in_database = self._database.seconds() - before
        _asked.reset(token)
        return answer


def _count_statements() -> None:
    """Have each statement noted for the request that asks it."""
    for name in ("value", "execute"):
        _note(name, lambda args: args[0])
    _note("_fetch", lambda args: args[1])


def _note(name: str, told: Any) -> None:
    asks = getattr(_Runner, name)

    async def ask(self: Any, *args: Any, **named: Any) -> Any:
        if (found := _asked.get()) is None:
            return await asks(self, *args, **named)
        began, worked = time.perf_counter(), _clocks[0]() if TELL else 0
        try:
            return await asks(self, *args, **named)
        finally:
            took = _clocks[0]() - worked if TELL else time.perf_counter() - began
            text = told(args)
            found.append((took, text if isinstance(text, str) else text.text))

    setattr(_Runner, name, ask)


_NAMED: Final = {
    "invoices": "select id from process where name = 'Supplier invoices'",
    "ledger": "select id from process where name = 'Ledger entries'",
    "process": "select id from process where name = 'Ledger entries'",
    "flown": "select number from run where process_id = $invoices and ended_at is not null order by id desc limit 1",
    "run": "select number from run where process_id = $ledger and ended_at is not null order by id desc limit 1",
    "open": "select number from run where ended_at is null order by id desc limit 1",
    "schedule": "select id from schedule order by id limit 1",
    "worker": "select id from worker where state = 'busy' order by id limit 1",
    "group": "select number from worker_group order by id limit 1",
    "queue": "select id from queue where name = 'standing-1'",
    "webhook": "select id from webhook order by id limit 1",
    "delivery": "select id from delivery where state = 'failed' order by id desc limit 1",
    "key": "select id from credential where name = 'key-1'",
    "user": "select 'person-1'",
    "user_group": "select 'Accounting'",
    "failure": "select failure from work_item where state = 'failed' group by 1 order by count(*) desc limit 1",
    "item": "select number from work_item where state = 'failed' order by id desc limit 1",
    "reference": "select reference from work_item where reference is not null order by id desc limit 1",
    "step": "select id from step where process_id = $ledger and position = 0",
    "step_run": "select number from step_run where run_id = (select id from run where number = $flown) limit 1",
    "table": """select artifact.id from artifact join step_run on step_run.id = step_run_id
                 where run_id = (select id from run where number = $flown) limit 1""",
}
"""What addresses name: of each noun one that has much to show."""


async def _ids(room: Crowded) -> dict[str, str]:
    connection = await asyncpg.connect(room.dsn)
    ids = {"workspace": "default"}
    for name, sql in _NAMED.items():
        asked = re.sub(r"\$([a-z]+)", lambda known: f"'{ids[known[1]]}'", sql)
        ids[name] = str(await connection.fetchval(asked))
    await connection.close()
    return ids | {"json": ids["table"]}


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "0"


def _addresses(ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The pages of the walk, and what people make of the two largest lists."""
    for name, path in console_pages.PAGES.items():
        yield name, path.format_map(_Known(ids))
    of_big = f"process={ids['invoices']}"
    of_all = f"process={ids['ledger']}"
    payload = quote("$.order_of_thousand = 7")
    never = quote("$.nothing = 7")
    for name, query in {
        "failed of a process of a million": of_big,
        "all of a process of a million": f"tab=all&{of_big}",
        "done of a process of four million": f"tab=done&{of_all}",
        "failed of a process of four million": of_all,
        "all of a step of two million": f"tab=all&step={ids['step']}",
        "failed of a step of two million, since a day": f"step={ids['step']}&since=24h",
        "all of a run": f"tab=all&run={ids['flown']}",
        "done": "tab=done",
        "pending": "tab=waiting",
        "held": "tab=held",
        "all": "tab=all",
        "all, since an hour": "tab=all&since=1h",
        "all, since 30 days": "tab=all&since=30d",
        "failed, since a day": "since=24h",
        "failed, one code": "code=TIMEOUT",
        "all, one code": "tab=all&code=TIMEOUT",
        "failed, business": "type=business",
        "one reference": f"tab=all&reference={ids['reference']}",
        "a reference that is not there": "tab=all&reference=nobody",
        "two attempts and more": "tab=all&attempts=2",
        "payload at a path, one in a thousand": f"tab=all&payload={payload}",
        "payload at a path, none": f"tab=all&payload={never}",
        "payload at a path, failed of a process": f"payload={payload}&{of_big}",
        "a text that none has": "tab=all&q=nothing-of-this-kind",
        "a text that failures have": "q=SELECTOR",
        "of a worker": f"tab=all&worker={ids['worker']}",
        "code and process and since": f"code=TIMEOUT&{of_all}&since=7d",
        "a queue": f"tab=all&queue={ids['queue']}",
    }.items():
        yield f"items: {name}", f"/items?{query}"
    for name, query in {
        "all": "",
        "unresolved": "tab=unresolved",
        "running": "tab=running",
        "completed": "tab=completed",
        "of a process of 180,000": of_all,
        "unresolved of a process": f"tab=unresolved&{of_all}",
        "by schedule, 30 days": "trigger=schedule&since=30d",
        "a name": "q=ledger",
        "a name that none has": "q=nothing-of-this-kind",
        "by creation": "sort=created_at",
    }.items():
        yield f"runs: {name}", f"/runs?{query}"
    yield "run under way", f"/runs/{ids['open']}"
    yield "search: a reference", f"/search?q={ids['reference']}"
    yield "search: nothing has it", "/search?q=nothing-of-this-kind"
    yield "search: an error", "/search?q=SELECTOR"
    for where in ("payloads", "consoles"):
        yield f"search in {where}: nothing has it", f"/search?q=nothing-of-this-kind&in={where}&since=400d"


if __name__ == "__main__":
    show(main())
