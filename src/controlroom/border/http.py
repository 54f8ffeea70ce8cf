"""HTTP as uvicorn speaks it, but for two things.

**An answer's head and its body leave together.** uvicorn writes the head by itself. A client that waits for an answer
is woken by it, finds no body, and sleeps again; libraries that open a connection for each request (most robots') pay
that every time, and so do we in system calls.

**Strangers cost little.** Heads are small and come in time, from everybody; so do bodies until the caller is known
(`arrivals`); the connections of strangers are counted (`strangers`). A known caller may take its time, but not stand
still. Deadlines are looked at about once a second for all connections, so that a request costs no timer.
"""

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from controlroom.border.answers import error_body
from controlroom.border.arrivals import EXTENSION, Arrival, BodyTooSlow
from controlroom.border.networks import place_of
from controlroom.border.strangers import Strangers
from controlroom.border.wire import Wire
from controlroom.errors import Unavailable

_MOST_HEADERS: Final = 128  # Why: a small header costs twenty times its size as an object; browsers send about 20
_MOST_PIPELINED: Final = 16  # A guess: no client of ours sends a request before the last one is answered

_QUIET_SECONDS: Final = 1.5
"""How long the rest of a refused request is waited for while nothing of it comes."""

_RESTING, _HEAD, _BODY, _LINGERING = range(4)
"""What a connection waits for: the next request, the rest of a head, the rest of a body, its end."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        strangers: Strangers | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._strangers = Strangers() if strangers is None else strangers
        self._limits = self._strangers.limits
        self._wire: Wire = None  # type: ignore[assignment]  # as uvicorn has its transport: set when the connection is
        self._address = ""
        self._is_proxied = False
        self._phase = _HEAD
        self.since = 0.0
        self._heard = 0.0
        self._head_bytes = 0
        self._chunk = 0
        self._silent = 0
        self._discarded = 0
        self._hurries = False
        self._linger_seconds = self._limits.stranger_body_seconds
        self._arrival: Arrival = None  # type: ignore[assignment]  # likewise: that of `cycle`
        self._stays = self._may_stay = True
        self._refusal: tuple[int, str, str] | None = None

    # ------------------------------------------------------------------------------------------------ what comes
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
        """Begin to serve it."""
        self._wire = Wire(transport, self.loop, self._lingers)
        super().connection_made(self._wire)  # type: ignore[arg-type]  # what uvicorn uses of one
        self.since = self._heard = self.loop.time()
        self._address = self.client[0] if self.client else ""
        self._is_proxied = self._strangers.origins.trusts(self._address)
        if not self._strangers.come(self, self._address):
            self._refuse(503, "CROWDED", "There are too many connections: try again in a moment.")

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._wire.is_lost = True
        self._strangers.gone(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something of a request."""
        self._heard = self.loop.time()
        self._chunk = len(data)
        if self._phase == _LINGERING:
            self._discard()
            return
        if self._phase == _RESTING:
            self._begin_head(self._chunk)
        elif self._phase == _HEAD:
            self._head_bytes += self._chunk
        else:
            self._silent += self._chunk
        super().data_received(data)
        if self._phase != _RESTING:
            self._look_at_rest()
        elif self.scope is not self.cycle.scope:  # behind the request that is whole, another has begun
            self._begin_head(1)

    def _look_at_rest(self) -> None:
        """What was received has not brought a request to its end."""
        if self._phase == _HEAD:
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(*_HEAD_TOO_LARGE)
        elif self._phase == _BODY:
            if self._stays and not self._arrival.is_known:
                self.keep_alive(stays=False)  # unless the rest comes, or the caller is known, before the answer
            if self._silent > HIGH_WATER_LIMIT:  # endless trailers and the like
                self._refuse(400, "INVALID_REQUEST", "This is no HTTP request.")
        if self.headers and len(self.headers) > _MOST_HEADERS:
            self._refuse(*_HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """A head is there: the app begins, while the body may still be on its way."""
        if self._head_bytes > self._limits.head_bytes and self._size_of_head() > self._limits.head_bytes:
            self._refusal = _HEAD_TOO_LARGE
            raise ValueError("the head is too large")  # as whatever is wrong with a head: `send_400_response`
        if len(self.headers) > _MOST_HEADERS or len(self.pipeline) >= _MOST_PIPELINED:
            self._refusal = _HEAD_TOO_LARGE
            raise ValueError("there are too many headers, or requests")
        super().on_headers_complete()
        cycle, scope, limits = self.cycle, self.scope, self._limits
        self.since = self._heard
        self._phase = _BODY
        self._silent = 0
        self._stays, self._may_stay = True, cycle.keep_alive
        self._arrival = arrival = Arrival(
            self,
            scope["headers"],  # type: ignore[arg-type]  # the list that it is
            cycle.receive,  # type: ignore[arg-type]  # uvicorn's messages are closed types
            limits.stranger_body_bytes,
            self._heard + limits.stranger_body_seconds,
        )
        cycle.receive = arrival.receive  # type: ignore[method-assign, assignment]  # likewise
        cycle.on_response = arrival.answered
        scope["extensions"] = {EXTENSION: arrival}  # type: ignore[dict-item]
        self.headers = []  # trailers are nobody's
        if self._is_proxied and self._strangers.is_stranger(self):
            self._strangers.count(self, place_of(self._strangers.origins.client_of(scope)))  # type: ignore[arg-type]

    def on_body(self, body: bytes) -> None:
        """Some of a body."""
        self._silent = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A whole request is there."""
        super().on_message_complete()
        if self._phase == _BODY:
            self._phase = _RESTING
            if not self._stays and self._arrival.failure is None:
                self.keep_alive(stays=True)

    # ------------------------------------------------------------------------------------------------ what leaves
    def answered(self, arrival: Arrival) -> None:
        """An answer is written; see `arrivals.Connection`."""
        if self._wire.has_failed:
            arrival.is_answered = False
        self.on_response_complete()
        if self._phase == _HEAD:
            self.since = self.loop.time()
        if not (arrival.is_known or (arrival.is_claimed and not self._wire.has_refused) or self._wire.is_lost):
            if self._phase == _RESTING:
                self.since = self.loop.time()
            self._strangers.count(self, place_of(self._address))

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        refusal, self._refusal = self._refusal, None
        self._refuse(*(refusal or (400, "INVALID_REQUEST", msg)))

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Say what is wrong, unless an answer is under way, and end the connection."""
        if not self.transport.is_closing() and not self._is_answering():
            body = error_body(code, message)
            head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
            again = b"retry-after: 1\r\n" if status == 503 else b""  # noqa: PLR2004 - Service Unavailable
            self.transport.write(STATUS_LINE[status] + head + again + b"\r\n" + body)
        self.transport.close()

    def _is_answering(self) -> bool:
        """Whether something of an answer has left, or leaves before anything that is written now should."""
        return self._is_at_work() and (self._phase == _HEAD or bool(self.pipeline) or self.cycle.response_started)

    def _is_at_work(self) -> bool:
        """Whether the app is asked for something."""
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    # ------------------------------------------------------------------------------------------------ an arrival's
    def caller_known(self) -> None:
        """See `arrivals.Connection`."""
        if not self._stays and self._arrival.failure is None:
            self.keep_alive(stays=True)
        self._strangers.known(self)

    def caller_claimed(self) -> None:
        """Likewise."""
        self._strangers.known(self)

    def keep_alive(self, *, stays: bool) -> None:
        """Likewise."""
        if not self.cycle.response_started:  # else it has been told already
            self._stays = stays
            self.cycle.keep_alive = stays and self._may_stay

    def wake(self) -> None:
        """Likewise."""
        self.cycle.message_event.set()

    def has_hung_up(self) -> bool:
        """Likewise."""
        return self._wire.has_hung_up()

    # ------------------------------------------------------------------------------------------------ a guest's
    @property
    def waits(self) -> bool:
        """See `strangers.Guest`."""
        return not self._is_at_work() or self._phase in {_BODY, _LINGERING}

    def look(self, now: float) -> None:
        """Likewise."""
        limits, is_stranger = self._limits, self._strangers.is_stranger(self)
        if self._wire.stands_still(now, limits.stall_seconds, forgives=not is_stranger):
            self._wire.abort()
        elif self._phase == _LINGERING:
            # Without an end of our half (TLS has none) the caller may not see that we wait for nothing
            if now - self._heard > _QUIET_SECONDS or now - self.since > self._linger_seconds:
                self._wire.abort()
        elif self._phase == _HEAD:
            if not self._is_at_work() and now - self.since > limits.head_seconds:
                self._end_head(408, "REQUEST_TOO_SLOW", "The request's head did not come in time.")
        elif self._phase == _BODY:
            self._look_at_body(now)

    def make_way(self) -> None:
        """Likewise."""
        self._hurries = True
        if self._phase == _BODY and not self.cycle.response_complete:
            self._arrival.fail(Unavailable("There are too many connections.", code="CROWDED"))
        elif self._phase == _HEAD:
            self._end_head(503, "CROWDED", "There are too many connections.")
        elif self._phase == _RESTING:
            self.transport.close()
        else:
            self._wire.abort()

    def shutdown(self) -> None:
        """The server ends."""
        self._may_stay = False
        super().shutdown()

    def _look_at_body(self, now: float) -> None:
        arrival = self._arrival
        if self.flow.read_paused:  # it is we who take our time
            self._heard = now
        elif (now - self._heard > self._limits.stall_seconds) if arrival.is_known else (now > arrival.until):
            if self.cycle.response_complete:
                self._wire.abort()
            elif arrival.failure is None:
                self._linger_seconds = _QUIET_SECONDS  # it has had its time
                arrival.fail(BodyTooSlow())

    def _end_head(self, status: int, code: str, message: str) -> None:
        if self._head_bytes:
            self._refuse(status, code, message)
        else:
            self.transport.close()

    def _begin_head(self, size: int) -> None:
        self._phase = _HEAD
        self._head_bytes = size
        self.since = self.loop.time()

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _lingers(self) -> bool:
        """Whether the connection stays half open, because the caller still sends; see `Wire`."""
        is_sending = self._phase == _BODY or (self._phase == _HEAD and self._head_bytes > 0)
        if not is_sending or self._hurries or self._wire.is_lost:
            return False
        self._phase = _LINGERING
        self.since = self.loop.time()
        self.flow.resume_reading()
        return True

    def _discard(self) -> None:
        self._discarded += self._chunk
        if self._discarded > max(self._limits.request_bytes, self._limits.git_hook_bytes):
            self._wire.abort()


_HEAD_TOO_LARGE: Final = (431, "HEAD_TOO_LARGE", "The request's head is larger than this server takes.")
