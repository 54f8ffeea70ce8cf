"""What a schedule says, as people read it, and when the clocks of its zone change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.schedules.model import (
    Again,
    Cron,
    Daily,
    DayOfMonth,
    Interval,
    LastDay,
    Missed,
    Monthly,
    NthWeekday,
    Once,
    Overlap,
    Policies,
    RRule,
    Weekday,
    Weekly,
)
from controlroom.engine.schedules.sentences import clock_changes, policies_said, sentence

NOON, HALF = time(12), time(7, 30)
MONDAY, TUESDAY = datetime.fromisoformat("2026-01-05T09:00"), datetime.fromisoformat("2026-12-01T08:05")
WORKING = tuple(Weekday(day) for day in range(5))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Cron("30 7 * * 1-5"), "Every weekday at 07:30"),
        (Cron("0 12 * * *"), "Every day at 12:00"),
        (Cron("0 16 LW * *"), "The last weekday of every month at 16:00"),
        (Cron("0 * * * *"), "Every hour"),
        (Cron("*/15 * * * *"), "Every 15 minutes"),
        (Cron("0 9 * * MON#2"), "At 09:00 AM, only on the second Monday of the month"),
        (Interval(900), "Every 15 minutes"),
        (Interval(86400), "Every day"),
        (Interval(90), "Every 90 seconds"),
        (Daily((NOON, HALF)), "Every day at 07:30 and 12:00"),
        (Daily((HALF,), 3, Again(30, time(9))), "Every 3 days at 07:30 and every 30 minutes after until 09:00"),
        (Weekly(WORKING, (HALF,)), "Every weekday at 07:30"),
        (Weekly((Weekday.FRIDAY, Weekday.MONDAY), (HALF,)), "Every Monday and Friday at 07:30"),
        (Weekly((Weekday.MONDAY,), (HALF,), 2), "Every Monday of every 2nd week at 07:30"),
        (Monthly(DayOfMonth(23), (NOON,)), "The 23rd of every month at 12:00"),
        (Monthly(LastDay(), (NOON,), 3), "The last day of every 3rd month at 12:00"),
        (
            Monthly(NthWeekday(-1, Weekday.FRIDAY), (NOON,), 1, None, (12, 6)),
            "The last Friday of June and December at 12:00",
        ),
        (Once(TUESDAY), "Once on 1 December 2026 at 08:05"),
        (RRule("FREQ=DAILY;INTERVAL=2", MONDAY), "Every 2 days at 09:00, from 5 January 2026"),
        (RRule("FREQ=YEARLY;BYEASTER=0", MONDAY), "By the rule FREQ=YEARLY;BYEASTER=0"),
    ],
)
def test_a_rule_is_a_sentence(rule, said):
    """When first of all, then how often; the clock has 24 hours."""
    assert sentence(rule) == said


def test_what_happens_otherwise_is_said_only_where_it_is_not_plain():
    """An overlap that is let be, and what is missed and skipped, need no word."""
    assert policies_said(Policies()) == []
    waits = Policies(overlap=Overlap.QUEUE, skip_after=timedelta(hours=2), missed=Missed.RUN_ONCE)
    assert policies_said(waits) == [
        "If a run is under way, it waits in line, for 2 hours at most.",
        "If the room was down, one run makes up for it.",
    ]
    assert policies_said(Policies(overlap=Overlap.SKIP, cancel_after=timedelta(minutes=1))) == [
        "Skipped if a run is under way.",
        "Stopped if no robot has begun after 1 minute.",
    ]


def test_clocks_change_twice_a_year():
    """In Oslo on the last Sundays of March and October at 01:00 UTC, by an hour; in Tokyo never."""
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

    assert [(each.at, each.by) for each in clock_changes(ZoneInfo("Europe/Oslo"), *year)] == [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=1)),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=-1)),
    ]
    assert clock_changes(ZoneInfo("Asia/Tokyo"), *year) == []


@given(st.integers(1, 10**8))
def test_any_interval_has_a_sentence(seconds):
    """Of one unit, the largest that fits."""
    assert sentence(Interval(seconds)).startswith("Every ")
