"""Zygotes: one interpreter an environment that has imported what spares need, and bears them by forking.

A spare that is forked costs a few milliseconds where one that starts by itself costs what the robot's start costs; so
a rush of short robots is served with less work than the same commands typed by hand. Each spare has a sandbox of its
own all the same: it is forked into new namespaces, as a user of its own, with a file system in which nothing is seen
of the zygote or of its siblings (`zygote_main.py`; decision 7). A zygote runs no robot's code.

Only `spares` uses this module. When a zygote ends, whatever it has borne ends with it; when the worker dies,
all of it does.
"""

import asyncio
import marshal
import os
import shutil
import signal
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from msgspec import Struct

from controlroom.errors import Unavailable
from controlroom.worker import launch, variables
from controlroom.worker.environments.cache import Lease
from controlroom.worker.launch import Command, Running
from controlroom.worker.places import Place, Places
from controlroom.worker.processes import ProcessTree
from controlroom.worker.sandbox import TMPFS_BYTES, Sandbox

log = structlog.get_logger(__name__)

DBT_MODULE = "_controlroom_dbt"
"""By this name a zygote imports what makes it ready for dbt."""
_START_SECONDS = 30.0
_BIRTH_SECONDS = 10.0
_MESSAGE_BYTES = 65536
_KILLED = -signal.SIGKILL
"""Of a spare whose init ended without a word: nothing but a kill from outside ends it so."""
_CREDENTIALS = struct.Struct("3i")


class Programs(Struct, frozen=True):
    """The programs of spares, copied to where robots of any user can be shown them."""

    spare: Path
    zygote: Path
    dbt: Path

    @property
    def shown(self) -> tuple[Path, ...]:
        """What a zygote must be able to read."""
        return self.spare, self.zygote, self.dbt

    @classmethod
    def copy_to(cls, folder: Path) -> "Programs":
        """Copy them into a folder."""
        programs = cls(folder / "spare.py", folder / "zygote.py", folder / f"{DBT_MODULE}.py")
        for name, copy in (
            ("spare_main.py", programs.spare),
            ("zygote_main.py", programs.zygote),
            ("dbt/warm_main.py", programs.dbt),
        ):
            shutil.copyfile(Path(__file__).parent / name, copy)
            os.chmod(copy, 0o644)  # noqa: PTH101 - they hold nothing of ours
        return programs


class NotBorn(Unavailable):
    """A zygote could not bear a spare; why is in the message."""

    code = "NOT_BORN"


class Zygote:
    """One running zygote."""

    def __init__(self, sandbox: Sandbox, places: Places, lease: Lease, place: Place, nest: Path) -> None:
        """See `start`."""
        self._sandbox = sandbox
        self._places = places
        self._lease = lease
        self._place = place
        self._nest = nest
        self._offspring: set[ProcessTree] = set()
        self._patience = _START_SECONDS
        self.memory_bytes = 0
        """What it holds, once it is ready."""

    @classmethod
    async def start(
        cls,
        sandbox: Sandbox,
        places: Places,
        lease: Lease,
        programs: Programs,
        *,
        interpreter: str,
        preload: Sequence[str],
        workspace: str,
        when_ready: Callable[[], None],
        network: bool = True,
        patience: float = _START_SECONDS,
    ) -> "Zygote":
        """Start a zygote in a place of its own, whose lease it takes over. Raises OSError and Unavailable.

        `when_ready` is called when it is known whether it can bear spares, after `patience` seconds at last.
        """
        try:
            zygote = cls(sandbox, places, lease, places.make(workspace, network=network), places.make_nest())
        except BaseException:
            lease.release()
            raise
        zygote._patience = patience
        try:
            zygote._begin(programs, interpreter, preload)
        except BaseException:
            await zygote._give_back()
            raise
        zygote._ready.add_done_callback(lambda _: when_ready())
        return zygote

    def _begin(self, programs: Programs, interpreter: str, preload: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)  # noqa: FBT003 - a method of the standard library
        # Why pipes: what an interpreter finds out about its stdout shall be what it would find out in the spare
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
        passed = [theirs.fileno(), *(reading for reading, _ in pipes)]
        words = [interpreter, str(programs.spare), "zygote", *map(str, passed), *preload]
        place, environment = self._place, self._lease.environment
        command = Command(
            argv=tuple(words),
            variables=variables.of_place(place, environment, variables.of_machine()),
            working_folder=place.inside(place.robot),
        )
        try:
            self._tree = launch.start_tree(
                self._sandbox,
                command,
                place=place,
                environment=environment,
                shown=programs.shown,
                passed=passed,
                output=(pipes[0][1], pipes[1][1]),
                nest=self._nest,
            )
        except BaseException:
            self._control.close()
            raise
        finally:
            theirs.close()
            for end in (end for pipe in pipes for end in pipe):
                os.close(end)
        self._ready = asyncio.create_task(self._listen())

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return not self._tree.has_ended

    @property
    def is_childless(self) -> bool:
        """Whether nothing that it has borne runs any more."""
        return not self._offspring

    @property
    def is_ready(self) -> bool:
        """Whether it has imported everything and can bear spares."""
        return self._ready.done() and self._ready.result()

    @property
    def has_failed(self) -> bool:
        """Whether it is known that it will never bear any."""
        return self._ready.done() and not self._ready.result()

    async def bear(self, place: Place) -> tuple[Running, socket.socket]:
        """A spare in this place, and the line to it. Raises NotBorn: then nothing is left of it but the place."""
        line, their_line = socket.socketpair()
        cord, their_cord = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cord.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        stdout, stderr = launch.output_pipes(place)
        for ours in (line, cord):
            ours.setblocking(False)  # noqa: FBT003 - likewise
        try:
            given = [their_line.fileno(), stdout.writing_end, stderr.writing_end, their_cord.fileno()]
            socket.send_fds(self._control, [self._order(place)], given)
            their_line.close()
            their_cord.close()
            stdout.robot_has_it()
            stderr.robot_has_it()
            async with asyncio.timeout(_BIRTH_SECONDS):
                tree = await _attend(cord, place, zygote_uid=self._place.user.uid if self._place.user else None)
        except BaseException as error:
            for end in (line, their_line, cord, their_cord):
                end.close()
            stdout.close()
            stderr.close()
            if isinstance(error, OSError):  # a timeout is one, too
                raise NotBorn(f"The zygote did not bear: {error!r}") from error
            raise
        self._offspring.add(tree)
        tree.when_ended(lambda: self._offspring.discard(tree))
        return Running(tree, stdout, stderr), line

    async def discard(self) -> None:
        """End it, and with it whatever it has borne."""
        self._ready.cancel()
        await asyncio.wait({self._ready})  # only then nobody watches the socket, and its number may be another's
        self._control.close()
        await self._tree.kill()
        await self._give_back()
        log.debug("zygote given back", interpreter=self._lease.environment.python)

    async def _give_back(self) -> None:
        self._lease.release()
        await self._places.clear(self._place)
        self._places.leave_nest(self._nest)

    def _order(self, place: Place) -> bytes:
        nest = self._sandbox.nest_seen
        readable = launch.readable(self._lease.environment, variables.of_machine())
        order = {
            "uid": place.user.uid if place.user else None,
            "work": str(nest / place.work.relative_to(self._nest)),
            "seen": str(place.seen),
            "nest": str(nest),
            "files": {"passwd": place.accounts, "group": place.groups},
            "shown": [str(path) for path in self._sandbox.shown_in_memory(readable)],
            "temporary_bytes": TMPFS_BYTES,
            "network": place.network,
        }
        return marshal.dumps(order, 2)

    @property
    def nest(self) -> Path:
        """Where the places of its offspring must be."""
        return self._nest

    async def _listen(self) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                word = await asyncio.get_running_loop().sock_recv(self._control, _MESSAGE_BYTES)
        except OSError as error:
            word = repr(error).encode()
        if word != b"ready":
            log.info("no zygote", interpreter=self._lease.environment.python, reason=word.decode(errors="replace"))
            return False
        self.memory_bytes = self._tree.memory_bytes()
        log.debug("zygote ready", interpreter=self._lease.environment.python, memory=self.memory_bytes)
        return True


async def _attend(cord: socket.socket, place: Place, *, zygote_uid: int | None) -> ProcessTree:
    """Answer what is asked at a birth; the tree below the new namespace's first process. Raises OSError."""
    if place.user is not None:
        asker = await _asked(cord, b"map", uid=zygote_uid)
        for name in ("gid_map", "uid_map"):
            with open(f"/proc/{asker}/{name}", "w", encoding="ascii") as user_map:  # noqa: ASYNC230, PTH123 - in memory
                user_map.write(f"{place.user.uid} {place.user.uid} 1")
        cord.send(b"yes")
    first = await _asked(cord, b"born", uid=place.user.uid if place.user else None)
    if place.limits.memory is not None:
        place.limits.memory.add(first)  # the spare itself is yet to be started
    tree = ProcessTree(first, layers=1, reap=lambda: _last_word(cord))
    cord.send(b"yes")
    return tree


async def _asked(cord: socket.socket, question: bytes, *, uid: int | None) -> int:
    """Wait for this question; the process that asks, which the kernel vouches for (as for its user)."""
    loop = asyncio.get_running_loop()
    space = socket.CMSG_SPACE(_CREDENTIALS.size)
    while True:
        try:
            said, attached, _, _ = cord.recvmsg(_MESSAGE_BYTES, space)
            break
        except BlockingIOError:
            can_read = asyncio.Event()
            loop.add_reader(cord, can_read.set)
            try:
                await can_read.wait()
            finally:
                loop.remove_reader(cord)
    credentials = [data for _, kind, data in attached if kind == socket.SCM_CREDENTIALS]
    if said != question or not credentials:
        raise OSError(said.decode(errors="replace") or "it has died")
    pid, asking_uid, _ = _CREDENTIALS.unpack(credentials[0])
    if uid is not None and asking_uid != uid:
        raise OSError(f"{question.decode()} was asked by user {asking_uid}")
    return int(pid)


def _last_word(cord: socket.socket) -> int:
    """The exit code that came over the cord; that of a kill if none came."""
    code: int = _KILLED
    with cord, suppress(OSError):  # nothing said, or killed before it read our last word
        while said := cord.recv(_MESSAGE_BYTES):
            if said.isdigit():
                code = int(said)
            else:
                log.warning("a spare was born dead", reason=said.decode(errors="replace"))
    return code
