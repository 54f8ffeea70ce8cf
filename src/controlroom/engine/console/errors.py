"""What can go wrong with console output."""

from typing import ClassVar

from controlroom.errors import Conflict, Invalid


class ConsoleGap(Conflict):
    """The batch does not begin where the last one ended; `have` says which line comes next."""

    code: ClassVar[str] = "CONSOLE_GAP"

    def __init__(self, have: int) -> None:
        super().__init__(f"line {have} comes next", have=have)


class Overtaken(Conflict):
    """The worker no longer has this attempt: another has taken its place, or it has ended."""

    code: ClassVar[str] = "SUPERSEDED"

    def __init__(self) -> None:
        super().__init__("this attempt is no longer the worker's")


class BatchInvalid(Invalid):
    """The batch is not what it says it is, or too large."""

    code: ClassVar[str] = "CONSOLE_BATCH_INVALID"

    def __init__(self, reason: str) -> None:
        super().__init__(f"a batch of console lines {reason}")
