"""The public keys by which anybody checks the tokens that the room signs (`/.well-known/jwks.json`, RFC 7517 §5)."""

import time
from typing import Any

import msgspec

from controlroom.border.answers import JSON, answer
from controlroom.engine.access.signing_keys import published
from controlroom.engine.engine import Engine

_GOOD_FOR = 5.0  # Why: whoever asks often costs the database nothing; a token of a newer key is checked a moment later


class PublishedKeys:
    """Answers with the keys of the room, as they were a few seconds ago at most."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = b""
        self._at = float("-inf")

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI signature
        """Tell the keys to anybody."""
        if time.monotonic() - self._at > _GOOD_FOR:
            self._body = msgspec.json.encode(await published(self._engine))
            self._at = time.monotonic()
        await answer(send, 200, self._body, JSON)
