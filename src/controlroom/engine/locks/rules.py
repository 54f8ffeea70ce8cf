"""Who may have a lock, and what may be asked for. Pure.

Every claim has a place in the line of its lock: behind those that hold it, and behind older ones that wait for it. A
run takes all of its locks at once, when each has room for it at its place. So nobody holds anything while they wait,
and the oldest of a line waits for nobody but holders: no deadlock. A lock that somebody older waits for is kept for
them, even if they wait for another one, too: no run is overtaken by those that want less. Runs that share no name never
wait for each other.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.names import checked_name
from controlroom.engine.locks.errors import LockInvalid
from controlroom.engine.locks.model import LockName

MOST_LOCKS: Final = 20
"""Of one run. Why: each is a row that is locked, and nobody follows more names than that."""

MOST_HOLDERS: Final = 10_000


class Place(Struct, frozen=True):
    """Where a run stands in the line of one lock."""

    capacity: int
    in_front: int
    """Claims of others that are held, or wait and are older; perhaps counted no further than the capacity."""


def may_take(places: Iterable[Place]) -> bool:
    """Whether a run may have all of its locks now."""
    return all(place.in_front < place.capacity for place in places)


def wanted(*asked: Iterable[LockName]) -> tuple[LockName, ...]:
    """What is wanted by several together, each once, in one order. Raises Invalid `LOCK_INVALID`, `NAME_INVALID`."""
    together = tuple(sorted({checked(each) for names in asked for each in names}))
    if len(together) > MOST_LOCKS:
        raise LockInvalid(f"a run has at most {MOST_LOCKS} locks")
    return together


def checked(lock: LockName) -> LockName:
    """The lock, if its name is one. Raises Invalid `NAME_INVALID`."""
    checked_name(lock.name, what="lock's name")
    return lock


def checked_capacity(capacity: int) -> int:
    """How many may hold a lock at once, if it is a number of runs. Raises Invalid `LOCK_INVALID`."""
    if not 1 <= capacity <= MOST_HOLDERS:
        raise LockInvalid(f"a lock has 1 to {MOST_HOLDERS:,} holders")
    return capacity


def names_of(locks: Sequence[LockName]) -> list[str]:
    """How events and messages call them."""
    return [lock.name for lock in locks]
