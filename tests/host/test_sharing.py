"""Several processes at one socket: each gets its part, and one that hangs keeps nobody waiting."""

import asyncio
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.host.sharing import AWAY, Acceptor, Counts, Share, courtesy

COUNTS = st.integers(0, AWAY)
CALLERS = 60
NEARLY = 8
"""Why not one: who looks sees what the others said last, and all of them take connections at the same time."""


@given(mine=COUNTS, others=st.lists(COUNTS, min_size=1, max_size=8))
def test_only_who_has_more_than_another_is_polite(mine, others):
    """So that somebody takes a connection at once, and the wait is never long."""
    assert (courtesy(mine, others) > 0) == (mine > min(others))
    assert courtesy(mine, others) <= 0.02


@given(mine=COUNTS)
def test_who_is_alone_waits_for_nobody(mine):
    """Without others there is no courtesy."""
    assert courtesy(mine, []) == 0


def test_counts_are_seen_by_every_process():
    """They lie in memory that is mapped by its descriptor; who is not there yet is away."""
    counts = Counts.make(3)
    child = os.fork()
    if child == 0:
        Counts(counts.descriptor, 3).say(2, 7)
        os._exit(0)
    os.waitpid(child, 0)

    assert counts.others(1) == [7, AWAY]


def test_who_leaves_is_waited_for_by_nobody():
    """A process that ends takes no connection any more, however few it had."""
    counts = Counts.make(2)
    ends, stays = Share(counts, 1), Share(counts, 2)
    ends.publish()
    stays.count(lambda: 5)
    assert stays.courtesy() > 0

    ends.leave()

    assert stays.courtesy() == 0


class Process:
    """What takes connections as one of several processes does."""

    def __init__(self, counts: Counts, number: int, listening: socket.socket, *, hangs: bool = False) -> None:
        self.taken: list[socket.socket] = []
        self.share = Share(counts, number)
        self.share.count(lambda: len(self.taken))
        self.share.publish()
        self._listening = listening.dup()  # as each process has its own
        self.acceptor = None if hangs else Acceptor(self._listening, self.share, self._take)

    def _take(self, connection: socket.socket, _address) -> None:
        self.taken.append(connection)

    def close(self) -> None:
        if self.acceptor is not None:
            self.acceptor.close()
        self._listening.close()
        for each in self.taken:
            each.close()


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0), backlog=2 * CALLERS) as made:
        yield made


async def called(listening: socket.socket, processes: list[Process], calls: int) -> list[int]:
    """How many connections each process has when so many callers have come at once."""
    loop = asyncio.get_running_loop()
    before = sum(len(each.taken) for each in processes)
    callers = [socket.socket() for _ in range(calls)]
    for each in callers:
        each.settimeout(0)
    await asyncio.gather(*(loop.sock_connect(each, listening.getsockname()) for each in callers))
    async with asyncio.timeout(30):
        while sum(len(each.taken) for each in processes) < calls + before:
            await asyncio.sleep(0)
    found = [len(each.taken) for each in processes]
    for each in (*processes, *callers):
        each.close()
    return found


async def test_a_crowd_is_divided(listening):
    """Of sixty callers that come at once, and stay, each of three processes gets twenty."""
    counts = Counts.make(3)
    processes = [Process(counts, number, listening) for number in (1, 2, 3)]

    found = await called(listening, processes, CALLERS)

    assert max(found) - min(found) <= NEARLY, found


async def test_who_comes_late_is_given_what_comes(listening):
    """A process that was started again gets connections until it has as many as the others."""
    counts = Counts.make(2)
    old, new = Process(counts, 1, listening), Process(counts, 2, listening)
    old.taken = [socket.socket() for _ in range(40)]

    found = await called(listening, [old, new], 50)

    assert abs(found[0] - found[1]) <= NEARLY, found


async def test_a_process_that_hangs_keeps_nobody_waiting(listening):
    """It seems to be the least busy for ever; the other serves all the same."""
    counts = Counts.make(2)
    processes = [Process(counts, 1, listening), Process(counts, 2, listening, hangs=True)]

    assert await called(listening, processes, CALLERS) == [CALLERS, 0]
