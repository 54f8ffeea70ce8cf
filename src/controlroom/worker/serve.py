"""The worker itself: it links, opens a session, and keeps two loops until it is asked to stop.

The claim loop asks for work whenever a slot is free; the heartbeat loop keeps the leases and brings orders. Only this
process serves its folder (a lock) and its session (the server). When it dies, every robot dies with it, and the server
finds the leases run out within `LEASE_SECONDS`. When the server is silent for a lease, the worker ends its robots
itself: they may be somebody else's by then. Idle it costs a long poll and a heartbeat.
"""

import asyncio
import os
import platform
import resource
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from importlib.metadata import version
from uuid import UUID

import httpx2
import structlog

from controlroom.errors import Invalid
from controlroom.protocol import ABILITIES, Assignment, Claim, Heartbeat, Link, OpenSession, Session
from controlroom.tasks import cancelled
from controlroom.worker.code_reading import keep_reading
from controlroom.worker.codes import NOT_KNOWN
from controlroom.worker.folder import WorkerFolder, set_aside
from controlroom.worker.kept_tasks import keep_ready
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.packages import folder_name
from controlroom.worker.server import Refused, Server, Superseded
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.setup import bench
from controlroom.worker.step_run import StepRun
from controlroom.worker.workbench import Workbench

log = structlog.get_logger(__name__)

NOTHING_TO_DO = 75
"""Exit code of a worker that was to run once and found nothing in time (EX_TEMPFAIL)."""

_SETTLE_SECONDS = 0.5
"""Why: a step run that is over in a moment is not worth a heartbeat of its own."""
_REPORT_SECONDS = 10.0
_PRUNE_SECONDS = 600.0
_FILES = 65_536
_PROCESSES = 8_192


async def serve(settings: WorkerSettings, *, on_session: Callable[[], None] = lambda: None) -> int:
    """Work until SIGTERM or SIGINT, or with `once` until one step run is over; returns the exit code.

    The first signal stops the claiming, ends the robots after `stop_grace_seconds` and reports them; the second one
    ends everything at once. `on_session` is called whenever the server knows that the worker is ready.

    Raises FolderInUse, Unavailable (a required sandbox is missing) and Invalid (no credential).
    """
    _limit_resources()
    folder = WorkerFolder.open(settings.folder)
    try:
        async with Server(settings.url, authorities=settings.authorities) as server:
            await _authenticate(server, folder, settings)
            async with bench(settings, folder, server) as tools:
                return await Worker(tools).run(on_session)
    finally:
        folder.close()


async def _authenticate(server: Server, folder: WorkerFolder, settings: WorkerSettings) -> None:
    try:
        linked = folder.credential(server.url)
    except Invalid as damaged:
        if settings.link_token is None:
            raise
        log.warning("the worker's credential is damaged; it is linked anew", reason=damaged.message)
        set_aside(folder.path)
        linked = None
    if linked is None:
        if settings.link_token is None:
            raise _not_linked(folder, server.url)
        name = settings.name or socket.gethostname()
        link = Link(link_token=settings.link_token, name=name, slots=settings.slots, worker_id=settings.worker_id)
        linked = await server.link(link)
        folder.keep_credential(server.url, linked)
        log.info("worker linked", worker=linked.name)
    server.authenticate(linked.token)


def _not_linked(folder: WorkerFolder, url: str) -> Invalid:
    """Why a worker cannot begin without a link token."""
    if (other := folder.linked_elsewhere()) is None:
        return Invalid("This worker is not linked yet: give it a link token.", code="NOT_LINKED")
    return Invalid(
        f"The worker of {folder.path} is linked to the room at {other}, not to the one at {url}: give this one a "
        "folder of its own, or a link token, if it is to leave the other room.",
        code="NOT_LINKED",
    )


class Worker:
    """One worker process at work."""

    def __init__(self, tools: Workbench) -> None:
        self._tools = tools
        self._settings = tools.settings
        self._server = tools.server
        self._held: dict[UUID, Orders] = {}
        self._packages_in_use: dict[UUID, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._slot_free = asyncio.Event()
        self._stop = asyncio.Event()
        self._ran_one = False
        tools.health.when_changed = self._changed.set

    async def run(self, on_session: Callable[[], None] = lambda: None) -> int:
        """Serve sessions until asked to stop."""
        with _signals(self._stop):
            while not self._stop.is_set():
                session = await self._open_session()
                on_session()
                log.info(
                    "worker ready", worker=session.name, slots=self._settings.slots, sandbox=self._tools.sandbox.kind
                )
                await self._serve(session)
        return NOTHING_TO_DO if self._settings.once and not self._ran_one else 0

    async def _open_session(self) -> Session:
        sandbox = self._tools.sandbox
        opening = OpenSession(
            slots=1 if self._settings.once else self._settings.slots,
            version=version("controlroom"),
            platform=platform.platform(),
            sandbox=sandbox.kind,
            sandbox_note=sandbox.note,
            once=self._settings.once,
            mixes=self._settings.mix_workspaces,
            abilities=ABILITIES,
        )
        try:
            return await self._server.open_session(opening)
        except Refused as refusal:
            if refusal.status != HTTPStatus.UNAUTHORIZED:
                raise
            raise Invalid(
                f"The room at {self._server.url} does not know this worker: it was deleted there, or its folder is "
                "that of another room's worker. To link it anew, remove worker.json from it and give a link token.",
                code=NOT_KNOWN,
            ) from refusal

    async def _serve(self, session: Session) -> None:
        """Work in one session, until it is lost or the worker stops."""
        pruning = asyncio.create_task(self._prune())
        beating = asyncio.create_task(self._heartbeats(session))
        claiming = asyncio.create_task(self._claims(session))
        reading = asyncio.create_task(self._read_code())
        keeping = asyncio.create_task(self._keep_ready())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({beating, claiming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            lost = next((task.exception() for task in (beating, claiming) if task.done() and task.exception()), None)
            if lost is None:
                await cancelled(claiming)
                await self._drain()
                await self._server.close_session(session.session)
                self._stop.set()
                return
            log.warning("session lost", reason=str(lost))
            await self._end_all(EndReason.ABANDONED)
            if not isinstance(lost, Refused) or isinstance(lost, Superseded):
                raise lost
        finally:
            await cancelled(beating, claiming, stopping, pruning, reading, keeping)

    async def _prune(self) -> None:
        """Keep the caches below their limits."""
        while True:
            await asyncio.sleep(_PRUNE_SECONDS)
            await self._tools.packages.prune(set(self._packages_in_use.values()))
            await self._tools.environments.prune()

    async def _read_code(self) -> None:
        """Read code beside the robots; a worker that is here for one robot leaves that to the others."""
        if not self._settings.once:
            await keep_reading(self._tools)

    async def _keep_ready(self) -> None:
        """Keep ready what is allocated, likewise."""
        if not self._settings.once:
            await keep_ready(self._tools)

    async def _claims(self, session: Session) -> None:
        """Ask for work whenever a slot is free. Returns when one has been run, with `once`."""
        slots = 1 if self._settings.once else self._settings.slots
        deadline = _deadline(self._settings.once_wait_seconds if self._settings.once else None)
        while time.monotonic() < deadline:
            self._slot_free.clear()
            await self._tools.health.recovered(deadline)
            if self._tools.health.trouble:
                continue  # the deadline has come
            free = slots - len(self._held)
            if free <= 0:
                await self._slot_free.wait()
                continue
            wait = min(self._settings.claim_wait_seconds, deadline - time.monotonic())
            claim = Claim(session=session.session, free=free, wait_seconds=max(0.0, wait), running=tuple(self._held))
            for assignment in await self._server.claim(claim):
                self._begin(assignment)
            if self._settings.once and self._ran_one:
                await self._all_over()
                return

    def _begin(self, assignment: Assignment) -> None:
        """Run an assignment aside; one that we run already was only handed over again."""
        known = self._held.get(assignment.step_run_id)
        package = assignment.package  # of a project's it may not be known yet
        self._packages_in_use[assignment.step_run_id] = folder_name(package) if package.hash else ""
        if known is not None:
            if known.attempt == assignment.attempt:
                return
            known.end_by(EndReason.ABANDONED)
        self._ran_one = True
        orders = Orders(assignment)
        self._held[assignment.step_run_id] = orders
        self._changed.set()
        task = asyncio.create_task(self._run(assignment, orders))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, assignment: Assignment, orders: Orders) -> None:
        step_run = StepRun(self._tools, assignment, orders)
        try:
            await step_run.execute()
        except Refused as refusal:
            log.warning("step run refused by the server", step_run=str(assignment.step_run_id), reason=str(refusal))
        except Exception:
            log.exception("step run broke in the worker", step_run=str(assignment.step_run_id))
        finally:
            if step_run.given_back:
                self._ran_one = False
                if not self._stop.is_set():
                    self._tools.health.failed(step_run.given_back)
            if self._held.get(assignment.step_run_id) is orders:
                del self._held[assignment.step_run_id]
                del self._packages_in_use[assignment.step_run_id]
            self._tools.spares.robot_ended()
            self._slot_free.set()
        await step_run.clean_up()

    async def _heartbeats(self, session: Session) -> None:
        """Keep the leases and pass on orders."""
        heard = time.monotonic()
        while True:
            self._changed.clear()
            sent, told = time.monotonic(), tuple(orders.held for orders in self._held.values())
            trouble = self._tools.health.trouble
            beat = Heartbeat(
                session=session.session,
                held=told,
                hold_seconds=session.heartbeat_hold_seconds,
                free=0 if trouble else max(0, self._settings.slots - len(told)),
                trouble=trouble,
            )
            beating = asyncio.create_task(self._server.heartbeat_once(beat))
            settled = asyncio.create_task(self._settled(frozenset(told_one.step_run_id for told_one in told), trouble))
            try:
                await asyncio.wait({beating, settled}, return_when=asyncio.FIRST_COMPLETED)
                if not beating.done():
                    continue
                for order in beating.result().orders:
                    known = self._held.get(order.step_run_id)
                    if known is not None and known.attempt == order.attempt:
                        known.obey(order.order)
                heard = sent
                if time.monotonic() - sent < _SETTLE_SECONDS and told == tuple(o.held for o in self._held.values()):
                    await asyncio.sleep(_SETTLE_SECONDS)  # a server that does not hold heartbeats must not be flooded
            except httpx2.TransportError as error:
                log.warning(
                    "heartbeat not answered", reason=repr(error), silent_seconds=round(time.monotonic() - heard, 1)
                )
                if time.monotonic() - heard > session.lease_seconds:
                    await self._end_all(EndReason.ABANDONED)
                await asyncio.sleep(_SETTLE_SECONDS)
            finally:
                await cancelled(beating, settled)

    async def _settled(self, told: frozenset[UUID], trouble: str) -> None:
        """Returns when what we hold has changed for more than a moment: then the server must hear of it."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.sleep(_SETTLE_SECONDS)
            if not self._held.keys() <= told or self._tools.health.trouble != trouble:
                return

    async def _drain(self) -> None:
        """Let running robots end within the grace, then end them; their reports have some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, self._settings.stop_grace_seconds) if self._tasks else 0.001):
                await self._all_over()
        await self._end_all(EndReason.WORKER_STOPS)

    async def _end_all(self, reason: EndReason) -> None:
        """End every robot for a reason, and wait until that is done."""
        for orders in self._held.values():
            orders.end_by(reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.kill_grace_seconds + _REPORT_SECONDS):
                await self._all_over()
        await cancelled(*self._tasks)

    async def _all_over(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)


class _signals:  # noqa: N801 - used like a function
    """SIGTERM and SIGINT: the first sets the event, the second cancels the task that entered."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError, RuntimeError):  # another thread than the first has no signals
                asyncio.get_running_loop().add_signal_handler(number, self._received)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError, RuntimeError):
                asyncio.get_running_loop().remove_signal_handler(number)

    def _received(self) -> None:
        if not self._stop.is_set():
            log.info("worker stops")
            self._stop.set()
        elif self._task is not None:
            self._task.cancel()


def _deadline(seconds: float | None) -> float:
    return float("inf") if seconds is None else time.monotonic() + seconds


def _limit_resources() -> None:
    """What every robot inherits: no core files, enough descriptors; as root a bound on each robot user's processes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if os.geteuid() == 0:  # an ordinary user's limit would count that user's other processes too
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))
