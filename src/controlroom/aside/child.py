"""A process of the pool: reads calls from its socket, does one after the other, and ends when the socket does.

It is started without the server's environment and files: of a room it knows only what it is handed. What it may take of
the processor is kept by the system (`ITIMER_PROF`), so that it ends even if the server is gone.
"""

import contextlib
import importlib
import os
import resource
import signal
import socket
import traceback
from pathlib import Path
from typing import Final

import msgspec

from controlroom.aside.wire import (
    LENGTH,
    Bug,
    Call,
    Done,
    Refused,
    Reply,
    TooMuch,
    encode,
    read_call,
    readers,
    reply_of,
    sendable,
)
from controlroom.errors import ControlRoomError

_MEMORY: Final = 2 << 30
"""Address space. Why: a mail of 40 MB is taken apart in some 300 MB; libraries map as much without using it."""
_GROWN_KIB: Final = 256 << 10
"""A process that has held so much makes room for a fresh one."""
_NICE: Final = 10
"""The server and its robots come first."""


def main() -> None:
    """Serve the socket that is our standard input."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with socket.socket(fileno=os.dup(0)) as line, line.makefile("rb") as incoming:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what is called may not speak to the server but by returning
        while len(head := incoming.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            frame = incoming.read(length)
            if len(frame) < length:
                return
            answer = reply_of(_answer(frame))
            with contextlib.suppress(ConnectionError):  # nobody waits for it any more
                line.sendall(LENGTH.pack(len(answer)) + answer)


def _answer(frame: bytes) -> Reply:
    try:
        call: Call = read_call(frame)
        function = getattr(importlib.import_module(call.module), call.function)
        read = readers(function)
        signal.setitimer(signal.ITIMER_PROF, call.seconds)
        args = [reader(value) for reader, value in zip(read.values(), call.args, strict=False)]
        kwargs = {name: read[name](value) for name, value in call.kwargs.items()}
        value = msgspec.Raw(encode(function(*args, **kwargs)))
    except ControlRoomError as refused:
        kind = next(each for each in type(refused).__mro__ if each.__base__ is ControlRoomError)
        return Refused(kind.__name__, refused.code, sendable(refused.message), sendable(refused.fields))
    except (MemoryError, RecursionError):
        return TooMuch()
    except Exception:  # noqa: BLE001 - the edge of a call: the pool raises it
        return Bug(traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Done(value, is_last=_most_held_kib() > _GROWN_KIB)


def _most_held_kib() -> int:
    """The most memory that this program has held. Not `ru_maxrss`: that begins with what its server held."""
    with Path("/proc/self/status").open(encoding="ascii", errors="replace") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
