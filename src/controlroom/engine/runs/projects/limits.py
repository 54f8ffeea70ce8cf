"""How long a run of a project may take. Pure."""

from typing import Final

LONGEST_SECONDS: Final = 86_400
"""A day: whatever a job says, or does not say."""


def limit_of(seconds: float | None) -> float:
    """The time limit of a run whose job, or start, has said one; None: it has said none."""
    return float(LONGEST_SECONDS) if seconds is None else min(seconds, float(LONGEST_SECONDS))


def passed(seconds: float | None) -> str:
    """What is told of a run that took longer."""
    if seconds is not None and seconds <= LONGEST_SECONDS:
        return f"The run took longer than {seconds:,.0f} seconds, the limit of its job."
    return f"The run took longer than {LONGEST_SECONDS:,} seconds, the limit of any run of a project."
