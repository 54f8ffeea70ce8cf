"""When the loops of this process have ticked last, for whoever looks at the room's health."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

Observe = Callable[[str, float, bool], None]


class Tick(Struct, frozen=True):
    """The last tick of a loop."""

    loop: str
    at: datetime
    seconds: float
    went_well: bool
    failures: int
    """How many in a row have failed; 0 after one that went well."""


class Ticks:
    """Told of each tick; knows the last of each loop."""

    def __init__(self, also: Observe) -> None:
        self._also = also
        self._last: dict[str, Tick] = {}

    def observe(self, loop: str, seconds: float, went_well: bool) -> None:  # noqa: FBT001 - as loops report
        """Note a tick."""
        before = self._last.get(loop)
        failures = 0 if went_well else 1 + (before.failures if before else 0)
        self._last[loop] = Tick(loop, datetime.now(UTC), seconds, went_well, failures)
        self._also(loop, seconds, went_well)

    @property
    def last(self) -> list[Tick]:
        """The last tick of each loop, by name."""
        return sorted(self._last.values(), key=lambda tick: tick.loop)
