"""Lists that are read whole once, and later by what is new or has changed.

*Since when*: a sweep remembers when it began, by the server's clock; the next one asks for what was made or changed
since, less a look-back for what was committed late. So whatever changes while a sweep goes on is told by the next one.
*Windows*: a sweep may be cut into loads of so many rows each; `resume` says where the next of them goes on, so that a
kill costs one window. *Newly asked*: where tables are wanted that earlier loads left out, or older rows, all is read
anew.

State is dlt's of the resource, and committed with the rows: `begun`, `since`, `covers`, `resume`, `more`.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from controlroom.sources.automation360.lists import Row
from controlroom.sources.rows import moment

State = dict[str, Any]
_TWO_CLOCKS: Final = dt.timedelta(minutes=10)
"""So far apart may be the clock of a server that gives a row its place, and the database's. A guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How a list is read again and again."""

    now: Callable[[], dt.datetime]
    """What time it is there."""
    look_back: dt.timedelta
    since: dt.datetime | None = None
    """What was made before is never read."""
    window: int | None = None
    full: bool = False

    def begin(self, state: State, asked_for: frozenset[str]) -> "Sweep":
        """The sweep that is to be gone on with, else a new one."""
        covers = frozenset(state.get("covers", ()))
        if self.full or asked_for - covers or self._reaches_further(state):
            state.clear()
            state["since"] = None if self.since is None else self.since.isoformat()
        state["covers"] = sorted(asked_for | covers)
        state.pop("more", None)
        at: State = state.pop("resume", None) or {"begun": self.now().isoformat(), "after": state.get("begun")}
        after = moment(at["after"])
        return Sweep(state, at, None if after is None else after - self.look_back, None if self.full else self.window)

    def _reaches_further(self, state: State) -> bool:
        before = moment(state.get("since"))
        return before is not None and (self.since is None or self.since < before)


class Sweep:
    """One reading of a list, or of several one after another."""

    def __init__(self, state: State, at: State, changed_since: dt.datetime | None, window: int | None) -> None:
        self._state = state
        self.at = at
        """Where it has come to."""
        self.changed_since = changed_since
        """None: all is read."""
        self._window = window
        self._count = 0

    def is_cut(self, rows: list[Row], **place: Any) -> bool:
        """Whether the load ends behind these rows, in a place of the list; the next one then goes on from there.

        It does so from rows that were made a little before the last one: the order of a list and the moments that it
        tells come from two clocks. No load ends where it has begun itself.
        """
        self._count += len(rows)
        if self._window is None or self._count < self._window:
            return False
        last, begun = moment(rows[-1]["createdOn"]), self.reached(**place)
        if last is None or (begun is not None and last - _TWO_CLOCKS <= begun):
            return False
        self._state["resume"] = {**self.at, **place, "created": (last - _TWO_CLOCKS).isoformat()}
        self._state["more"] = True
        return True

    def reached(self, **place: Any) -> dt.datetime | None:
        """When the first row was made that is still to be read of a place; None for any."""
        is_there = all(self.at.get(key, there) == there for key, there in place.items())
        return moment(self.at.get("created")) if is_there else None

    def end(self) -> None:
        """It has come to its end: the next one begins from when it began."""
        self._state["begun"] = self.at["begun"]

    def pages(self, pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
        """Pages, until there are no more or the load ends."""
        for page in pages:
            if page:
                yield page
            if page and self.is_cut(page):
                return
        self.end()
