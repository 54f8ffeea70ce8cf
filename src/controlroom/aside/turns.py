"""Who may go next, when more want to than there is room for: one call of each asker in turn."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable

from controlroom.errors import Unavailable


class Turns:
    """A semaphore that is fair between askers: who asks a thousand times waits longer, not the others."""

    def __init__(self, free: int, most_waiting: int) -> None:
        self._free = free
        self._most_waiting = most_waiting
        self._count = 0
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, asker: Hashable, *, seconds: float) -> None:
        """Wait for a turn, which is to be given back. Raises Unavailable when too many wait, or it takes too long."""
        if self._free:
            self._free -= 1
            return
        if self._count >= self._most_waiting:
            raise _busy()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(turn)
        self._count += 1
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as left:
            if turn.done() and not turn.cancelled():  # it was our turn in that moment
                self.give()
            if isinstance(left, TimeoutError):
                raise _busy() from None
            raise
        finally:
            self._count -= 1

    def give(self) -> None:
        """Give a turn back: the next asker has it."""
        while self._waiting:
            asker, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[asker] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _busy() -> Unavailable:
    return Unavailable("the server has too much to compute just now; try again in a moment", code="BUSY")
