"""The stream of nudges: which topics have changed, and nothing of what; a beat says that it lives.

    id: 812:815:              event: nudge              data: run-019a…,work_item
    id: 812:815:              event: beat               data: 2026-11-30T06:41:12+00:00
                              event: over               data: the session has ended
                              event: full               data: this user has as many streams as anybody may

It ends when its reader goes, when the server stops, and when who reads may not any more: they are looked up again every
`LOOK_EVERY` seconds.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Response
from litestar.types import Receive, Scope, Send

from controlroom.border.long_polls import Hold
from controlroom.engine.nudges.feed import Subscription
from controlroom.engine.nudges.model import Topic
from controlroom.engine.nudges.rules import audible
from controlroom.errors import Unauthenticated
from controlroom.ui.asking import Asking
from controlroom.ui.entrance import still_there
from controlroom.ui.live import streams

LOOK_EVERY: Final = 2.0
"""Seconds after which who reads is looked up again: well below the five in which a stream must end."""
BEAT_EVERY: Final = 4.0
"""Seconds of silence after which the stream beats. Why: pages say after ten that they are not live."""
_LONGEST: Final = 12 * 3600.0  # as a session lives
RETRY: Final = 1000
"""Milliseconds after which a browser asks again when the stream has ended."""
RETRY_WHEN_FULL: Final = 60_000
"""Likewise where there was no room for it, for whoever does not know what `full` says."""
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy that gathers would have pages say that they are not live
    (b"x-content-type-options", b"nosniff"),
]


class Nudges(Response[Any]):
    """The answer that goes on."""

    def __init__(self, request: Asking, topics: Sequence[Topic], after: str | None) -> None:
        self._request = request
        self._topics = topics
        self._after = after

    def to_asgi_response(self, *_: Any, **_of_the_framework: Any) -> "Nudges":  # type: ignore[override]
        """Itself: it is an ASGI app."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Send it until it ends; to who has `streams.MOST` already, only that it is so."""
        with self._request.streams.one(self._request.actor.id) as is_one:
            if is_one:
                await self._stream(send)
                return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _send(send, f"retry: {RETRY_WHEN_FULL}\nevent: full\ndata: {streams.MOST}\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, send: Send) -> None:
        request, actor = self._request, self._request.actor
        feed = request.feed
        async with (
            feed.subscribe(actor.organization_id, request.workspace, self._topics, after=self._after) as heard,
            request.holds.hold(request, heard.watch, _LONGEST) as held,
        ):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send(send, f"retry: {RETRY}\n{_beat(feed.here)}")
            await self._go_on(send, heard, held)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _go_on(self, send: Send, heard: Subscription, held: Hold) -> None:
        looked = beaten = time.monotonic()
        while True:
            told = await heard.next(LOOK_EVERY)
            if held.is_over:
                return
            now = time.monotonic()
            if now - looked >= LOOK_EVERY:
                looked = now
                if not await self._may_go_on():
                    await _send(send, "event: over\ndata: the session has ended\n\n")
                    return
            if told:
                await _send(send, f"id: {self._request.feed.here}\nevent: nudge\ndata: {','.join(told)}\n\n")
            if now - beaten >= BEAT_EVERY:
                beaten = now
                await _send(send, _beat(self._request.feed.here))

    async def _may_go_on(self) -> bool:
        """Whether the session lives, and its user may hear of each of these topics still."""
        request = self._request
        try:
            actor = await still_there(request.engine, request.scope)
        except Unauthenticated:
            return False
        return len(audible(actor, request.workspace, self._topics)) == len(self._topics)


def _beat(place: str) -> str:
    return f"id: {place}\nevent: beat\ndata: {datetime.now(UTC).isoformat()}\n\n"


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
