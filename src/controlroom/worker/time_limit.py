"""The time that a robot has."""

import time


class TimeLimit:
    """Counts down while the robot runs, and rests while it is paused."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._used = 0.0
        self._running_since: float | None = time.monotonic()

    @property
    def remaining(self) -> float | None:
        """Seconds that are left, never negative; None without a limit or while resting."""
        if self.seconds is None or self._running_since is None:
            return None
        return max(0.0, self.seconds - self._used - (time.monotonic() - self._running_since))

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self.remaining == 0.0

    def rest(self) -> None:
        """Stop counting."""
        if self._running_since is not None:
            self._used += time.monotonic() - self._running_since
            self._running_since = None

    def go_on(self) -> None:
        """Count again."""
        if self._running_since is None:
            self._running_since = time.monotonic()
