"""How far a step run is, told by a thread of its own: who works never waits for it."""

from __future__ import annotations

import atexit
import logging
import math
import os
import threading
from typing import Any, Union

from controlroom_robot import _place
from controlroom_robot._errors import RoomError
from controlroom_robot._local import Local
from controlroom_robot._room import Room

LOGGER = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two that are told: the last one counts."""
_LAST = 3.0
"""Seconds for which the end of the robot waits until the last one is told."""
LONGEST = 200

Number = Union[int, float]


def progress(done: Number, total: Number | None = None, message: str = "") -> None:
    """Say how far this step run is; the room's console shows a bar of it, its API a field.

        for number, row in enumerate(rows, start=1):
            progress(number, len(rows), row.customer)

    It may be called as often as one likes and costs nothing: it is told at most once a second, the last one counts, and
    a room that cannot be reached does not matter.
    """
    for number in (done, total):
        if number is not None and not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{number} is no progress: numbers are 0 and more")
    _teller.tell({"done": done, "total": total, "message": message[:LONGEST]})


class _Teller:
    def __init__(self) -> None:
        self._waiting: dict[str, Any] | None = None
        self._something = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner = 0

    def tell(self, told: dict[str, Any]) -> None:
        self._waiting = told
        if self._owner != os.getpid():  # at first, and in a child, which has no threads
            self._owner, self._something, self._end = os.getpid(), threading.Event(), threading.Event()
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()
            atexit.register(self._close)
        self._something.set()

    def _run(self) -> None:
        # A connection of its own, that a call in hand does not keep waiting; what is lost is followed by another
        place = Room(tries=1) if _place.is_in_room() else Local()
        while True:
            self._something.wait()
            self._something.clear()
            told, self._waiting = self._waiting, None
            if told is not None:
                try:
                    place.progress(told)
                except RoomError as refused:
                    LOGGER.debug("progress is not told: %s", refused)
            if self._end.is_set() and self._waiting is None:
                return
            self._end.wait(EVERY)

    def _close(self) -> None:
        if self._owner == os.getpid() and self._thread is not None:
            self._end.set()
            self._something.set()
            self._thread.join(_LAST)


_teller = _Teller()
