"""What may take long with a caller's input is done aside: the event loop goes on, and what does not end is killed.

A function of ours that takes and returns data (what msgspec can hold: numbers, texts, bytes, times, paths, lists,
structs) is called by

    robot = await engine.aside.call(Bounds("the package", seconds=20, asker=workspace), read_robot_from_zip, path)

It is found by its name at the top of its module, and its annotations say what goes over. Failures of the kinds that the
domain knows come back with their kind, code and fields. Input that takes more than its bounds is refused (`TooCostly`).
Whoever calls bounds the size first, sends a batch as one call, and keeps in the loop what is provably cheap: a call
takes about a quarter of a millisecond, the first after a rest about 60 (docs/decisions/0014).
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, assert_never
from uuid import UUID

import structlog
from msgspec import Struct

from controlroom import errors
from controlroom.aside.process import Ended, Process
from controlroom.aside.turns import Turns
from controlroom.aside.wire import Bug, Done, Refused, Reply, TooMuch, call_of, readers
from controlroom.errors import ControlRoomError, Invalid

_PROCESSES: Final = 2
_MOST_WAITING: Final = 256
_LONGEST_WAIT: Final = 30.0
_IDLE_SECONDS: Final = 60.0
_PATIENCE: Final = 5
"""On the clock a call may take so many times its seconds, and some more: other programs want the processor, too."""
_MORE_PATIENCE: Final = 5.0

_KINDS: Final[dict[str, type[ControlRoomError]]] = {
    kind.__name__: kind
    for kind in (errors.NotFound, errors.Conflict, errors.Forbidden, errors.Invalid, errors.Unavailable)
}

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)


class Bounds(Struct, frozen=True):
    """What a call may take, and for whom it is."""

    what: str
    """What is read, as the subject of the sentence by which it is refused."""
    seconds: float = 2.0
    """Of computing."""
    asker: UUID | None = None
    """The workspace or user that it is done for: askers take turns."""


class TooCostly(Invalid):
    """Reading what the caller sent takes more time or memory than it may."""

    code = "TOO_COSTLY"

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(
            f"{bounds.what} cannot be taken: reading it takes more than {bounds.seconds:g} s of computing, or too much "
            "memory. Make it smaller or simpler."
        )


class Aside:
    """The pool. Processes are started at the first use, and end when they have rested for a minute."""

    def __init__(self, *, processes: int = _PROCESSES, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._turns = Turns(processes, _MOST_WAITING)
        self._idle_seconds = idle_seconds
        self._resting: list[Process] = []
        self._is_closed = False
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def resting(self) -> list[int]:
        """The ids of the processes that wait for a call."""
        return [each.pid for each in self._resting]

    async def call(self, bounds: Bounds, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns.

        Raises what the function raises of the domain's kinds; TooCostly; Unavailable `BUSY`. If it is cancelled, the
        function is killed.
        """
        call = call_of(function, bounds.seconds, args, kwargs)
        await self._turns.take(bounds.asker, seconds=_LONGEST_WAIT)
        try:
            reply = await self._ask(call, bounds)
        finally:
            self._turns.give()
        match reply:
            case Done(value):
                result: R = readers(function)["return"](value)
                return result
            case Refused(kind, code, message, fields):
                raise _KINDS[kind](message, code=code, **fields)
            case TooMuch():
                raise _told(bounds, "out of memory")
            case Bug(traceback):
                raise RuntimeError(f"a call aside failed:\n{traceback}")
            case _:
                assert_never(reply)

    async def close(self) -> None:
        """End the processes that rest, and those under way when their calls end or are cancelled."""
        self._is_closed = True
        resting, self._resting = self._resting, []
        await asyncio.gather(*(each.end() for each in resting), *self._ending)

    async def _ask(self, frame: bytes, bounds: Bounds) -> Reply:
        process = self._woken() or await Process.start()
        is_good = False
        try:
            reply = await process.ask(frame, seconds=bounds.seconds * _PATIENCE + _MORE_PATIENCE)
            is_good = not (isinstance(reply, TooMuch) or (isinstance(reply, Done) and reply.is_last))
        except (Ended, TimeoutError) as why:
            if process.has_given_up:
                raise RuntimeError("a process of the pool has broken down; it says why itself") from None
            raise _told(bounds, type(why).__name__) from None
        finally:
            if is_good and not self._is_closed:
                self._rest(process)
            else:
                self._end(process)
        return reply

    def _woken(self) -> Process | None:
        while self._resting:
            process = self._resting.pop()
            if process.is_alive:
                process.stop_resting()
                return process
            self._end(process)
        return None

    def _rest(self, process: Process) -> None:
        process.rest(self._idle_seconds, self._end_resting)
        self._resting.append(process)

    def _end_resting(self, process: Process) -> None:
        self._resting.remove(process)
        self._end(process)

    def _end(self, process: Process) -> None:
        ending = asyncio.get_running_loop().create_task(process.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _told(bounds: Bounds, why: str) -> TooCostly:
    log.warning("too costly", what=bounds.what, asker=str(bounds.asker), seconds=bounds.seconds, why=why)
    return TooCostly(bounds)
