"""How the processes of one server share what it listens at, evenly.

All of them wait at the same socket. Whoever looks first gets a connection, and connections last: of a hundred workers
that come at once, the process that woke first would serve ninety for a day. So each process says in memory that they
share how many connections it has, and one that has more than another leaves a new one to that for a moment. It takes it
all the same if nobody came: a process that hangs or is being started again keeps nobody waiting.
"""

import asyncio
import mmap
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

_BYTES: Final = 4
AWAY: Final = 2**31 - 1
"""The count of a process that serves nobody."""

_STEP: Final = 0.004
_LONGEST: Final = 0.02
"""Seconds. Why: an idle process takes a connection within one of its turns; a busy one's turn is rarely longer."""
_MOST_AT_ONCE: Final = 1024
_PAUSE: Final = 0.1

Take = Callable[[socket.socket, Any], None]


def courtesy(mine: int, others: Sequence[int]) -> float:
    """Seconds for which a connection is left to the others: none for who has no more than the least busy of them."""
    ahead = mine - min(others, default=mine)
    return min(_LONGEST, _STEP * ahead) if ahead > 0 else 0.0


class Counts:
    """How many connections each process has, in memory that is theirs together. Processes are numbered from 1."""

    def __init__(self, descriptor: int, processes: int) -> None:
        self.descriptor = descriptor
        self.processes = processes
        self._memory = mmap.mmap(descriptor, processes * _BYTES)
        self._counts = memoryview(self._memory).cast("i")

    @classmethod
    def make(cls, processes: int) -> Self:
        """New ones, of processes that are all away."""
        descriptor = os.memfd_create("controlroom-connections")
        os.ftruncate(descriptor, processes * _BYTES)
        made = cls(descriptor, processes)
        for number in range(1, processes + 1):
            made.say(number, AWAY)
        return made

    def say(self, number: int, count: int) -> None:
        """What one of them has."""
        self._counts[number - 1] = count

    def others(self, number: int) -> list[int]:
        """What the others have."""
        return [count for place, count in enumerate(self._counts, 1) if place != number]


class Share:
    """One process's part of what comes."""

    def __init__(self, counts: Counts, number: int) -> None:
        self._counts = counts
        self.number = number
        self._sources: list[Callable[[], int]] = []

    def count(self, connections: Callable[[], int]) -> None:
        """Have these counted as this process's own, too."""
        self._sources.append(connections)

    def publish(self) -> int:
        """Tell the others what this process has."""
        mine = sum(source() for source in self._sources)
        self._counts.say(self.number, mine)
        return mine

    def leave(self) -> None:
        """Tell them that it takes no more."""
        self._counts.say(self.number, AWAY)

    def courtesy(self) -> float:
        """See `courtesy`."""
        return courtesy(self.publish(), self._counts.others(self.number))


class Acceptor:
    """Takes connections from a socket at which other processes wait, too; one at each look.

    Courtesy that was in vain is followed by one connection without, then by two, four and so on until it helps again:
    of a crowd each process gets its part, and one that hangs costs the others next to nothing.
    """

    def __init__(self, listening: socket.socket, share: Share, take: Take) -> None:
        self._listening = listening
        self._share = share
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._at_once = 1
        self._left = 0
        """How many connections are taken before the next courtesy."""
        listening.settimeout(0)
        self._wait()

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listening)
        if self._later is not None:
            self._later.cancel()

    def _wait(self) -> None:
        self._loop.add_reader(self._listening, self._look)

    def _look(self) -> None:
        seconds = self._share.courtesy()
        if not seconds:
            self._at_once, self._left = 1, 0
        if not seconds or self._left:
            self._left = max(0, self._left - 1)
            self._accept()
        else:
            self._rest(seconds, self._look_again)

    def _look_again(self) -> None:
        self._wait()
        if self._accept():
            self._left, self._at_once = self._at_once, min(2 * self._at_once, _MOST_AT_ONCE)
        else:
            self._at_once = 1

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listening)
        self._later = self._loop.call_later(seconds, then)

    def _accept(self) -> bool:
        try:
            connection, address = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # another was first, or the caller has gone
            return False
        except OSError:  # out of files
            self._rest(_PAUSE, self._wait)
            return False
        connection.settimeout(0)
        self._take(connection, address)
        self._share.publish()
        return True
