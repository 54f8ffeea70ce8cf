"""Schedules near the first and the last years that there are: refused where there is no room to count, else right."""

from datetime import UTC, datetime, time

import pytest

from controlroom.engine.schedules.model import (
    Cron,
    Daily,
    Interval,
    LastDay,
    Monthly,
    Once,
    RRule,
    Timing,
    Weekday,
    Weekly,
)
from controlroom.engine.schedules.rules import check, occurrences
from controlroom.errors import Invalid

ENDS_OF_TIME = (datetime(1, 1, 1), datetime(2, 6, 1), datetime(9998, 1, 1), datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001
NOW = datetime(2026, 11, 29, tzinfo=UTC)
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9899, 12, 31, 23, 59, tzinfo=UTC)
FAR_ZONES = ("UTC", "Pacific/Honolulu", "Pacific/Kiritimati", "Europe/Oslo", "Africa/Monrovia")


@pytest.mark.parametrize("at", ENDS_OF_TIME)
@pytest.mark.parametrize("zone", FAR_ZONES)
def test_the_ends_of_the_calendar_are_refused(at, zone):
    """Whatever names them: a start, an end, one time, the start or the end of a recurrence."""
    day = f"{at:%Y}".zfill(4) + f"{at:%m%d}"
    moment = at.replace(tzinfo=UTC)
    for timing in (
        Timing(rule=Cron("0 9 * * *"), zone=zone, starts_at=moment),
        Timing(rule=Cron("0 9 * * *"), zone=zone, starts_at=NOW, ends_at=moment),
        Timing(rule=Once(at), zone=zone, starts_at=NOW),
        Timing(rule=RRule("FREQ=DAILY", at), zone=zone, starts_at=NOW),
        Timing(rule=RRule(f"FREQ=DAILY;UNTIL={day}", datetime(2026, 1, 1)), zone=zone, starts_at=NOW),  # noqa: DTZ001
        Timing(rule=RRule(f"FREQ=DAILY;UNTIL={day}T235959", datetime(2026, 1, 1)), zone=zone, starts_at=NOW),  # noqa: DTZ001
        Timing(rule=RRule(f"FREQ=DAILY;UNTIL={day}T000000Z", datetime(2026, 1, 1)), zone=zone, starts_at=NOW),  # noqa: DTZ001
    ):
        with pytest.raises(Invalid):
            check(timing)


@pytest.mark.parametrize("zone", FAR_ZONES)
@pytest.mark.parametrize("start", [FIRST, LAST])
@pytest.mark.parametrize(
    "rule",
    [
        Cron("0 9 * * *"),
        Interval(86400),
        Daily((time(9),), 1000),
        Weekly((Weekday.MONDAY,), (time(9),), 520),
        Monthly(LastDay(), (time(9),), 120),
        Once(LAST.replace(tzinfo=None)),
        RRule("FREQ=YEARLY;COUNT=10", LAST.replace(tzinfo=None)),
    ],
)
def test_up_to_the_ends_of_the_calendar_all_rules_work(rule, start, zone):
    """The first and the last moments that are taken leave every rule room to be counted in every zone."""
    timing = Timing(rule=rule, zone=zone, starts_at=start)

    check(timing)
    found = occurrences(timing, start, 5)

    assert all(start <= moment.astimezone(UTC) for moment in found)
    assert occurrences(timing, datetime(9999, 12, 31, tzinfo=UTC), 5) == []
