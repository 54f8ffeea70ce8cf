"""What a server knows of answers that it could not give: requests without a key are repeated when those are lost.

Only one request of an attempt is at work at a time, so that a repetition waits until it is known whether the first
one's answer could be written. See `runs/outputs.py` for what becomes of that.
"""

import asyncio
import hashlib
import time
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from msgspec import Raw, Struct

from controlroom.ids import StepRunId, WorkItemId

REPEATED_WITHIN: Final = timedelta(seconds=30)
"""The libraries' five tries, with their pauses, take less."""

_SECONDS: Final = REPEATED_WITHIN.total_seconds()


class _Lost(Struct, frozen=True):
    item: WorkItemId
    body: bytes
    at: float


class _Attempt:
    """What an attempt asks of this server."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.askers = 0
        self.lost: _Lost | None = None


class LostAnswers:
    """What one server knows of answers that it could not give."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._attempts: dict[tuple[StepRunId, int], _Attempt] = {}
        self._told: set[WorkItemId] = set()

    def turn(self, step_run: StepRunId, attempt: int, parent: WorkItemId, payload: Raw | None) -> "Turn":
        """An attempt's request for an output, to be entered once it is its turn."""
        key = (step_run, attempt)
        if key not in self._attempts:
            self._forget_old()
        body = hashlib.sha256(parent.bytes + bytes(payload or b"null")).digest()
        return Turn(self, key, self._attempts.setdefault(key, _Attempt()), body)

    @property
    def age(self) -> timedelta:
        """For how long this server has been there."""
        return timedelta(seconds=time.monotonic() - self._started)

    def may_be_older_ones(self, item: WorkItemId) -> bool:
        """Whether an output of before this server's start may be asked for again: nobody has been told it yet."""
        return item not in self._told

    def tell(self, item: WorkItemId) -> None:
        """Remember that an output was made here, or is given again: the next equal one is another."""
        self._told.add(item)

    def leave(self, key: tuple[StepRunId, int], attempt: _Attempt) -> None:
        """Nothing is kept of attempts that have lost no answer."""
        if attempt.askers == 0 and attempt.lost is None:
            self._attempts.pop(key, None)

    def _forget_old(self) -> None:
        if self.age > REPEATED_WITHIN:
            self._told.clear()
        oldest = time.monotonic() - _SECONDS
        for key, attempt in list(self._attempts.items()):
            if attempt.askers == 0 and attempt.lost is not None and attempt.lost.at < oldest:
                del self._attempts[key]


class Turn:
    """One request for an output, from when it is at work until its answer is written or lost."""

    def __init__(self, answers: LostAnswers, key: tuple[StepRunId, int], attempt: _Attempt, body: bytes) -> None:
        self._answers = answers
        self._key = key
        self._attempt = attempt
        self._body = body
        self.item: WorkItemId | None = None
        """What the answer tells."""

    async def __aenter__(self) -> Self:
        """Wait until no other request of the attempt is at work."""
        self._attempt.askers += 1
        try:
            await self._attempt.lock.acquire()
        except BaseException:
            self._attempt.askers -= 1
            self._answers.leave(self._key, self._attempt)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failed: BaseException | None, _: TracebackType | None
    ) -> None:
        """Without an item to tell, the turn is over; else it goes on until `end`."""
        if self.item is None or failed is not None:
            self.end(was_told=True)

    @property
    def lost(self) -> WorkItemId | None:
        """The output of this body whose answer this server could not write, if that was the attempt's last."""
        lost = self._attempt.lost
        is_meant = lost is not None and lost.body == self._body and time.monotonic() - lost.at <= _SECONDS
        return lost.item if lost is not None and is_meant else None

    def end(self, *, was_told: bool) -> None:
        """The answer is written, or cannot be."""
        if self.item is not None:
            self._attempt.lost = None if was_told else _Lost(self.item, self._body, time.monotonic())
        self._attempt.askers -= 1
        self._attempt.lock.release()
        self._answers.leave(self._key, self._attempt)
