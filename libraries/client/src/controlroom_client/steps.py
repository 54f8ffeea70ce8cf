"""What a call does, told once as steps; and who takes them: a thread that waits, or a task of asyncio.

A `Steps` is a generator that yields what is to be done next and is sent what came of it. It neither waits nor blocks,
so that one description serves both clients.
"""

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

T = TypeVar("T")


class Do(NamedTuple):
    """Do something that blocks."""

    call: Callable[[], Any]
    abort: Callable[[], None] = lambda: None
    """Makes the call fail soon, for who waits no longer."""


class Pause(NamedTuple):
    """Let some time go by."""

    seconds: float


class Give(NamedTuple):
    """Hand something to whoever iterates."""

    value: Any


Step: TypeAlias = Do | Pause | Give
Steps: TypeAlias = Generator[Step, Any, T]


class Ended(NamedTuple):
    """There are no more steps."""

    value: Any


class Wait(Protocol):
    """How an asyncio client does what blocks."""

    def __call__(self, step: Do | Pause) -> Awaitable[Any]:
        """What came of it."""


def onwards(steps: Steps[Any]) -> Give | Ended:
    """Take steps, in this thread, until something is given or all is done."""
    answer: Any = None
    failure: Exception | None = None
    while True:
        try:
            step = steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as ended:
            return Ended(ended.value)
        answer = failure = None
        match step:
            case Give():
                return step
            case Pause(seconds):
                time.sleep(seconds)
            case Do(call):
                try:
                    answer = call()
                except Exception as error:  # noqa: BLE001 - the steps know what to make of it
                    failure = error


async def onwards_async(steps: Steps[Any], wait: Wait) -> Give | Ended:
    """Likewise, in a task."""
    answer: Any = None
    failure: Exception | None = None
    while True:
        try:
            step = steps.send(answer) if failure is None else steps.throw(failure)
        except StopIteration as ended:
            return Ended(ended.value)
        answer = failure = None
        if isinstance(step, Give):
            return step
        try:
            answer = await wait(step)
        except Exception as error:  # noqa: BLE001 - likewise
            failure = error
