"""How many streams each user has open with this server: as many as people need, and no more.

The tabs of one browser share a stream for each workspace, so that somebody with more than `MOST` of them has as many
browsers, or a program. Each costs a look at the session every two seconds, and a place among the connections.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

MOST: Final = 20
"""Streams of one user, of one process of a server. Why: ten workspaces in two browsers, a guess."""


class Streams:
    """Whose streams are open."""

    def __init__(self) -> None:
        self._open = Counter[UUID | None]()

    @contextmanager
    def one(self, user: UUID | None) -> Iterator[bool]:
        """Whether a user may have another one, which is counted while the block runs."""
        if self._open[user] >= MOST:
            yield False
            return
        self._open[user] += 1
        try:
            yield True
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]
