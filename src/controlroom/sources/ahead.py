"""Answers of a list that are asked for before they are wanted."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, Self

from controlroom.sources.paging import Request

_AHEAD: Final = 2
_HELD: Final = 24 * 2**20
"""So much of a list that is read to its end lies ready at most, beside what is under way."""


class Ahead:
    """The answers of a list, each asked for before it is wanted.

    Where the beginning of an answer tells the next request, that one is sent while the rest still comes. While a page
    is worked on, the next one lies ready and the one after it is under way; no more than that is in memory. Of a list
    that is read `to_its_end`, as many lie ready as there is room for: it is asked for while nobody takes one.
    """

    def __init__(
        self,
        content: Callable[[Request, Callable[[bytes], None]], bytes],
        first: Request,
        glimpsed: Callable[[bytes], Request | None],
        *,
        to_its_end: bool = False,
    ) -> None:
        self._content = content
        self._glimpsed = glimpsed
        self._to_its_end = to_its_end
        self._known = [first]
        """The requests in their order, as far as they are known."""
        self._under_way: list[Future[bytes]] = []
        self._taken = 0
        self._changing = threading.RLock()  # an answer may be there as soon as it is asked for
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="page")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._known.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self) -> bytes:
        """The next answer, once it is there. Raises what fetching it raised."""
        with self._changing:
            self._ask()
            here = self._under_way[self._taken]
            self._taken += 1
            self._ask()
        try:
            return here.result()
        finally:
            self._under_way[self._taken - 1] = _TAKEN

    def comes(self, request: Request | None) -> None:
        """What the answer that was taken last has told of the next one, now that it is read."""
        with self._changing:
            if self._known[self._taken :][:1] != ([] if request is None else [request]):
                del self._known[self._taken :], self._under_way[self._taken :]
                self._known += [] if request is None else [request]
            self._ask()

    def _ask(self) -> None:
        while len(self._under_way) < len(self._known) and self._has_room():
            place = len(self._under_way)
            request = self._known[place]
            asked = self._pool.submit(self._content, request, partial(self._begun, request, place))
            self._under_way.append(asked)
            asked.add_done_callback(self._came)

    def _has_room(self) -> bool:
        waiting = self._under_way[self._taken :]
        if len(waiting) < _AHEAD or not self._to_its_end:
            return len(waiting) < _AHEAD
        come = [each for each in waiting if each.done()]
        if len(waiting) - len(come) >= _AHEAD or any(each.exception() for each in come):
            return False
        return sum(len(each.result()) for each in come) < _HELD

    def _came(self, asked: Future[bytes]) -> None:
        if not asked.cancelled():
            with self._changing:
                self._ask()

    def _begun(self, request: Request, place: int, beginning: bytes) -> None:
        next_ = self._glimpsed(beginning)
        with self._changing:
            if next_ is not None and len(self._known) == place + 1 and self._known[place] is request:
                self._known.append(next_)
                self._ask()


_TAKEN: Final[Future[bytes]] = Future()
"""In the place of an answer that nobody wants any more, so that it is not kept."""
