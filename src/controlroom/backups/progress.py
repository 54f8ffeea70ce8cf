"""What a backup and a restoring say while they work."""

import time
from typing import Final, Protocol

_EVERY: Final = 1.0


class Tell(Protocol):
    """Whoever is told."""

    def __call__(self, line: str, /) -> None:
        """A line that stays: something begins, or is known now."""

    def passing(self, line: str, /) -> None:
        """How far that is; the next such line may take its place."""


class Progress:
    """Counts, and says so once a second."""

    def __init__(self, tell: Tell, what: str) -> None:
        self._tell = tell
        self._what = what
        self._bytes = 0
        self._count = 0
        self._told = time.monotonic()

    def add(self, size: int) -> None:
        """One more, of so many bytes."""
        self._bytes += size
        self._count += 1
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._tell.passing(f"{self._what}: {self._count:,} ({self._bytes / 1e6:,.0f} MB)")
