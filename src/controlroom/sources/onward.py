"""Lists are read on while what came of them is loaded: a window hands its pages to the one that goes on behind it.

Only what the server said is handed on, in memory: where a load goes on from is committed with its rows as before, and
one that was killed asks for the same pages again.
"""

import contextlib
from collections.abc import Callable, Generator, Hashable, Iterator
from contextvars import ContextVar
from typing import Final, TypeAlias

from controlroom.sources.paging import Page

_Kept: TypeAlias = dict[Hashable, tuple[Generator[Page, None, None], Callable[[], None]]]
_kept: Final[ContextVar[_Kept | None]] = ContextVar("kept", default=None)


@contextlib.contextmanager
def reading_on() -> Iterator[None]:
    """The windows of one load hand their pages on within; what nobody goes on with is given up at the end."""
    kept: _Kept = {}
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        for pages, give_up in kept.values():
            give_up()
            pages.close()


def hand_on(place: Hashable, pages: Generator[Page, None, None], give_up: Callable[[], None]) -> None:
    """Leave the pages from this place on to the next window, if there is one that could take them."""
    if (kept := _kept.get()) is not None:
        kept[place] = pages, give_up


def taken_on(place: Hashable) -> Generator[Page, None, None] | None:
    """The pages from this place on, if the window before has left them."""
    found = (_kept.get() or {}).pop(place, None)
    return None if found is None else found[0]
