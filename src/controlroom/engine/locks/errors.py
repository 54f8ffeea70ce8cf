"""What can go wrong with locks."""

from typing import ClassVar

from controlroom.errors import Conflict, Invalid, NotFound


class LockInvalid(Invalid):
    """No lock can be so."""

    code: ClassVar[str] = "LOCK_INVALID"


class LockNotFound(NotFound):
    """Nobody has declared a lock of this name. Those of an organization are declared before they are used."""

    code: ClassVar[str] = "LOCK_NOT_FOUND"

    def __init__(self, name: str, of: str) -> None:
        super().__init__(f"the {of} has no lock {name}", name=name)


class LockInUse(Conflict):
    """A lock that runs hold or wait for stays."""

    code: ClassVar[str] = "LOCK_IN_USE"

    def __init__(self, name: str) -> None:
        super().__init__(f"runs hold the lock {name}, or wait for it", name=name)
