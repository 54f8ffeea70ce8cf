"""A request as it arrives: what may come of its body, and until when, before its caller is known.

Whoever finds out who calls says so (`known`), and no limit for strangers holds any more. Who carries a signature of
ours whose worth only the statements can tell (a robot's token) is `claimed`: not counted as a stranger, and held to the
same small body. A door that must read more before it can know (a signed push) asks for it by `allow`.

Nothing happens where the server under us keeps no arrivals, as in tests of one app.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from controlroom.errors import Invalid

EXTENSION: Final = "controlroom.arrival"
"""Where a request's scope has its arrival."""

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

_NO_HEADERS: Final[Headers] = []


class BodyTooLarge(Invalid):
    """The body is larger than is taken of a caller who is not known."""

    code = "REQUEST_TOO_LARGE"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than the {most} bytes that are taken of a caller who is not known.")


class BodyTooSlow(Invalid):
    """The body has not come in time."""

    code = "REQUEST_TOO_SLOW"

    def __init__(self) -> None:
        super().__init__("The body did not come in time.")


class Connection(Protocol):
    """What an arrival tells its connection."""

    def caller_known(self) -> None:
        """It is no stranger's, and goes on after the answer."""

    def caller_claimed(self) -> None:
        """It may be no stranger's."""

    def keep_alive(self, *, stays: bool) -> None:
        """Whether it goes on after the answer of the request that arrives."""

    def answered(self, arrival: "Arrival") -> None:
        """A request's answer is written."""

    def wake(self) -> None:
        """Whoever waits for more of the body shall look again."""

    def has_hung_up(self) -> bool:
        """Whether the caller has closed its side, also when nobody has noticed yet."""


class Arrival:
    """One request's arrival."""

    __slots__ = (
        "_connection",
        "_headers",
        "_receive",
        "_taken",
        "failure",
        "is_answered",
        "is_claimed",
        "is_known",
        "most",
        "until",
    )

    def __init__(
        self,
        connection: Connection,
        headers: Headers,
        receive: Callable[[], Awaitable[Message]],
        most: int,
        until: float,
    ) -> None:
        self._connection = connection
        self._headers = headers
        self._receive = receive
        self._taken = 0
        self.most = most
        """Bytes of a body that a stranger may send."""
        self.until = until
        """When (by the loop's clock) a stranger's body must be there."""
        self.is_known = False
        self.is_claimed = False
        self.is_answered = False
        """Whether all of its answer could be written: else nobody has read it."""
        self.failure: Exception | None = None

    async def receive(self) -> Message:
        """What an app awaits for more of the body; raises what has gone wrong with its arrival."""
        # Before it is asked for (Expect: 100-continue), let alone read.
        if not self.is_known and (announced_length(self._headers) or 0) > self.most:
            raise BodyTooLarge(self.most)
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        if self.failure is not None and message["more_body"]:
            raise self.failure
        if not self.is_known:
            self._taken += len(message["body"])
            if self._taken > self.most:
                raise BodyTooLarge(self.most)
        return message

    def answered(self) -> None:
        """Its answer is written."""
        self.is_answered = True
        self._receive = _nothing  # Why: with what is behind it, it would be garbage that only the collector finds
        self._headers = _NO_HEADERS
        self._connection.answered(self)

    def has_hung_up(self) -> bool:
        """Whether the caller has gone."""
        return self._connection.has_hung_up()

    def fail(self, failure: Exception) -> None:
        """Nothing more of the body is waited for."""
        self.failure = failure
        self._connection.keep_alive(stays=False)
        self._connection.wake()

    def know(self) -> None:
        """The caller is known."""
        if not self.is_known:
            self.is_known = True
            self._connection.caller_known()

    def claim(self) -> None:
        """The caller may be known."""
        self.is_claimed = True
        self._connection.caller_claimed()


def known(scope: Any, who: str) -> None:
    """The caller of a request is known: from here on it is no stranger's. `who` stands in the log."""
    scope["state"]["who"] = who
    if (arrival := _of(scope)) is not None:
        arrival.know()


def claimed(scope: Any, who: str) -> None:
    """The caller has shown something that was theirs once; what it is worth is found out later."""
    scope["state"]["who"] = who
    if (arrival := _of(scope)) is not None:
        arrival.claim()


def allow(scope: Any, *, most: int, seconds: float, now: float) -> None:
    """A caller who is not known yet may send so much, in so many seconds from `now` (the loop's clock)."""
    if (arrival := _of(scope)) is not None:
        arrival.most, arrival.until = most, now + seconds


def brings_much(scope: Any) -> bool:
    """Whether the head announces more of a body than is taken of a stranger, or does not say how much."""
    arrival = _of(scope)
    if arrival is None or arrival.is_known:
        return False
    announced = announced_length(scope["headers"])
    return announced is None or announced > arrival.most


def announced_length(headers: Headers) -> int | None:
    """How long a body will be, by its head; None when it comes in chunks, however many."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value)  # the parser has refused anything but digits
    return length


def has_hung_up(scope: Any) -> bool:
    """Whether a request's caller has gone already. To be asked before the answer is sent: who has read it may go."""
    arrival = _of(scope)
    return arrival is not None and arrival.has_hung_up()


def is_answered(scope: Any) -> bool:
    """Whether all of a request's answer, which has been sent, could be written to its connection."""
    arrival = _of(scope)
    return arrival is None or arrival.is_answered


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _of(scope: Any) -> Arrival | None:
    extensions = scope.get("extensions")
    found: Arrival | None = extensions.get(EXTENSION) if extensions else None
    return found
