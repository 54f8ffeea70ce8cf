"""In whose words a receiver is told. The engine knows that there are such grammars; dialects are them.

The composition root gives the fan-out and the deliverer a table of them; webhooks and callbacks name theirs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from controlroom.engine.deliveries.model import Occurrence


class Grammar(Protocol):
    """One dialect's messages."""

    def body(self, occurrence: Occurrence, message: UUID) -> bytes | None:
        """The message about an event; None if the dialect has no words for it."""
        ...

    def headers(self, body: bytes, *, message: UUID, secret: str, at: datetime) -> Mapping[str, str]:
        """What is sent beside the body, the signature above all."""
        ...


Grammars = Mapping[str, Grammar]
