"""Finds out whether the database takes writes, before somebody's request does.

What it does: writes a few pages every ten seconds; the readiness of this server tells what became of the last try.
Who else may do it: every server does, each its own row.
When it dies half-way: the statement is undone.
What it costs: 32 KiB of writing every ten seconds, which autovacuum gives back.
"""

from typing import Final

from controlroom.engine.engine import Engine
from controlroom.errors import Unavailable
from controlroom.ids import uuid7
from controlroom.postgres import probe

EVERY: Final = 10.0


class WriteProbe:
    """The probe of one server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._server = uuid7()
        self._failure: Unavailable | None = None

    async def tick(self) -> int:
        """Try once. Nothing worth a log line is done; a failure is raised, and logged by the loop."""
        try:
            await probe.write(self._engine.database, self._server)
        except Unavailable as failure:
            self._failure = failure
            raise
        self._failure = None
        return 0

    async def check(self) -> None:
        """Raise what the last try raised."""
        if self._failure is not None:
            raise self._failure
