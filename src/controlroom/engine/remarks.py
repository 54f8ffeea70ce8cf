"""Remarks: short texts that are worth showing while somebody looks, and that nobody keeps.

What a robot has begun to print but not ended is one. A remark lives in the memory of each server process, told to the
others by NOTIFY: it costs no row, a newer one takes its place, and after `LIFE_SECONDS` without one it is forgotten. It
is never the truth: a server that was away a moment shows none until the next one comes.
"""

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.postgres.notify import Listener, Notifier

LIFE_SECONDS: Final = 30.0
"""Why: three times as long as those who make remarks may take to repeat one that still holds."""
_CHANNEL: Final = "controlroom_remarks"
_MOST: Final = 20_000
"""Remarks that one process keeps: more than there are robots at once; 100 MB if each were as long as it may be."""


class _Remark(Struct, frozen=True):
    text: str
    until: float


class Remarks:
    """The remarks of one server process."""

    def __init__(self, notifier: Notifier, listener: Listener, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._notifier = notifier
        self._clock = clock
        self._kept: dict[UUID, _Remark] = {}
        self._stop = listener.on(_CHANNEL, self._heard)

    def make(self, about: UUID, text: str) -> None:
        """Say this about a row, here and on every other server, in place of what was said before; "" takes it back."""
        if not text and about not in self._kept:
            return
        self._keep(about, text)
        self._notifier.notify(_CHANNEL, f"{about}:{text}")

    def about(self, row: UUID) -> str | None:
        """What was said last about a row, unless it was taken back or is old."""
        remark = self._kept.get(row)
        if remark is None or remark.until < self._clock():
            return None
        return remark.text

    def close(self) -> None:
        """Hear no more."""
        self._stop()

    def _keep(self, about: UUID, text: str) -> None:
        self._kept.pop(about, None)  # so that the dictionary's order is that of the last remark
        if text:
            self._kept[about] = _Remark(text, self._clock() + LIFE_SECONDS)
        while self._kept:
            oldest, remark = next(iter(self._kept.items()))
            if remark.until >= self._clock() and len(self._kept) <= _MOST:
                break
            del self._kept[oldest]

    def _heard(self, payload: str | None) -> None:
        if payload is None:  # some may have been missed: they come again
            return
        about, _, text = payload.partition(":")
        self._keep(UUID(about), text)
