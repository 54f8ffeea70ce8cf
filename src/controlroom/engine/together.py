"""Calls of the same kind that come at once are done as one statement.

    answer = await together.done(key, asked, alone=…, as_one=…)

Who comes while nobody is at work goes at once, with those who are there already: nobody waits so that others may come.
While it is at work, those that come wait, and then go together: one statement, one commit, one wait for the disk. Of a
statement that writes a few rows most is what it costs to begin and to end, so that many callers cost little more than
one. What is at work for long (its row is locked by somebody) is not waited for.

What happens when it goes wrong: who got no answer by going together (its row was locked, another's row was refused)
does its own after all, and hears of its own failure. Whose database went away is told that, as if it had been alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar, cast

from controlroom.errors import Invalid
from controlroom.postgres.errors import Collision, ConstraintViolation, LockTimeout

Q = TypeVar("Q")
A = TypeVar("A")

MOST: Final = 32
"""Calls that go together. Why so few: they hold the locks of all of their rows until the last is written."""

PATIENCE: Final = 0.1
"""Seconds after which those who wait go, whatever is still at work: a lock that it waits for is none of theirs."""

_ALONE: Final = object()
_FIRST: Final = object()
"""What a caller hears in place of an answer: to go alone; to go alone while others wait."""


class Together(Generic[Q, A]):
    """What callers of one kind ask for, by what may go together."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[tuple[Q, asyncio.Future[object]]]] = {}
        """Of whatever is at work; an empty line if nobody has come since."""
        self._at_work: set[asyncio.Task[None]] = set()

    async def done(
        self,
        key: Hashable,
        asked: Q,
        *,
        alone: Callable[[], Awaitable[A]],
        as_one: Callable[[Sequence[Q]], Awaitable[Sequence[A | None]]],
    ) -> A:
        """The answer; `as_one` gives those of several in their order, None to who must go alone."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = deque()
            # Why a turn of the loop: requests that came at once are all read before any of them is answered.
            asyncio.get_running_loop().call_soon(self._next, key, as_one)
        answer = await self._turn(key, asked, waiting, as_one)
        if answer is _ALONE:
            return await alone()
        if answer is not _FIRST:
            return cast("A", answer)
        try:
            return await alone()
        finally:
            self._next(key, as_one)

    async def _turn(
        self,
        key: Hashable,
        asked: Q,
        waiting: "deque[tuple[Q, asyncio.Future[object]]]",
        as_one: Callable[[Sequence[Q]], Awaitable[Sequence[A | None]]],
    ) -> object:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        waiting.append((asked, future))
        impatience = loop.call_later(PATIENCE, self._tired, key, future, as_one)
        try:
            return await future
        except asyncio.CancelledError:
            is_told = future.done() and not future.cancelled() and future.exception() is None
            if is_told and future.result() is _FIRST:  # the others wait for us
                self._next(key, as_one)
            raise
        finally:
            impatience.cancel()

    def _tired(
        self,
        key: Hashable,
        future: asyncio.Future[object],
        as_one: Callable[[Sequence[Q]], Awaitable[Sequence[A | None]]],
    ) -> None:
        """Somebody has waited for long: unless it is at work by now, it goes, with all who wait behind it."""
        if any(waiting is future for _, waiting in self._waiting.get(key, ())):
            self._next(key, as_one)

    def _next(self, key: Hashable, as_one: Callable[[Sequence[Q]], Awaitable[Sequence[A | None]]]) -> None:
        """Somebody's work has ended: those who have come meanwhile go."""
        waiting = self._waiting.get(key, deque())  # none, if somebody was tired and has been done before
        going: list[tuple[Q, asyncio.Future[object]]] = []
        while waiting and len(going) < MOST:
            one = waiting.popleft()
            if not one[1].done():  # else its caller has gone
                going.append(one)
        if not going:
            self._waiting.pop(key, None)
        elif len(going) == 1:
            going[0][1].set_result(_FIRST)
        else:
            task = asyncio.create_task(self._go(key, going, as_one))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def _go(
        self,
        key: Hashable,
        going: Sequence[tuple[Q, asyncio.Future[object]]],
        as_one: Callable[[Sequence[Q]], Awaitable[Sequence[A | None]]],
    ) -> None:
        answers: Sequence[object] = [None] * len(going)
        failure: BaseException | None = None
        try:
            answers = await as_one([asked for asked, _ in going])
        except _OF_ONE:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever asked hears of it
            failure = error
        finally:
            self._next(key, as_one)
        for (_, future), answer in zip(going, answers, strict=True):
            if future.done():
                continue
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(_ALONE if answer is None else answer)


_OF_ONE: Final = (ConstraintViolation, Collision, LockTimeout, Invalid)
"""What a statement fails with for the sake of one of its rows."""
