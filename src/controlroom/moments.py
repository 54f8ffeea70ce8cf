"""Which moments there are: those that every clock, calendar and time zone can still be moved by a while.

People write the year 9999 for "never" and the year 1 for "ever". Neither can be told in every zone, nor moved by a day;
what is meant is said by leaving the time out.
"""

from datetime import datetime
from typing import ClassVar, Final

from controlroom.errors import Invalid

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9899
"""Why not 9999: schedules look forty years ahead, and so does nobody else."""


class MomentOutOfRange(Invalid):
    """A time before the year 1900, or from the year 9900 on."""

    code: ClassVar[str] = "TIME_OUT_OF_RANGE"

    def __init__(self, at: datetime) -> None:
        super().__init__(
            f"the time {at.isoformat()} is not between the years {FIRST_YEAR} and {LAST_YEAR}; leave it out for never"
        )


def check_moment(at: datetime) -> datetime:
    """The moment, or local time; raises MomentOutOfRange."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise MomentOutOfRange(at)
    return at
