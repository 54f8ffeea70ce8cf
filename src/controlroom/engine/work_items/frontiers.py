"""How far claims have come in each queue of a run: where the next item is looked for first.

Why: while anybody holds an old snapshot (a backup, a long report), PostgreSQL keeps the index entries of all that was
claimed meanwhile, and a claim that looks from the most urgent item on walks over every one of them.

A frontier is a hint of one process and never the truth. What it hides (an item that is more urgent, one that came back)
is found by the next look at the whole queue: when nothing lies beyond, and every second in any case.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from msgspec import Struct

from controlroom.ids import RunId, StepId, WorkItemId
from controlroom.postgres.database import Database

_WHOLE_EVERY: Final = 1.0
"""Seconds for which a more urgent item may be passed over."""

_WHOLE_SHARE: Final = 20.0
"""A look at the whole queue is not repeated before this many times its own duration: it may be what is slow."""

_REMEMBERED: Final = 4096


class Frontier(Struct, frozen=True):
    """The place of the item that was claimed last, in the order of claims."""

    priority: int
    due: datetime
    item: WorkItemId


class _Known(Struct):
    frontier: Frontier
    whole_again_at: float


class Frontiers:
    """The frontiers of one process, of the queues that were worked on last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[RunId, StepId], _Known] = OrderedDict()

    def of(self, run: RunId, step: StepId) -> Frontier | None:
        """Where to look first; None: look at the whole queue."""
        known = self._known.get((run, step))
        return None if known is None or known.whole_again_at <= self._clock() else known.frontier

    def reached(self, run: RunId, step: StepId, frontier: Frontier, *, whole_seconds: float | None) -> None:
        """Remember what a look has found; `whole_seconds`: how long it took, if it was one at the whole queue."""
        known = self._known.get((run, step))
        if whole_seconds is not None or known is None:
            rest = max(_WHOLE_EVERY, _WHOLE_SHARE * (whole_seconds or 0.0))
            self._known[run, step] = _Known(frontier, self._clock() + rest)
            self._known.move_to_end((run, step))
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            known.frontier = frontier

    def forget(self, run: RunId, step: StepId) -> None:
        """There is nothing left to claim."""
        self._known.pop((run, step), None)


_of_database: WeakKeyDictionary[Database, Frontiers] = WeakKeyDictionary()


def frontiers_of(database: Database) -> Frontiers:
    """The frontiers that this process remembers of a database."""
    known = _of_database.get(database)
    if known is None:
        known = _of_database[database] = Frontiers()
    return known
