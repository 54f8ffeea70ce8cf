"""Cron as Debian's cron takes it."""

from datetime import UTC, datetime

import pytest

from controlroom.engine.schedules import cron
from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.model import Cron, Timing
from controlroom.engine.schedules.rules import occurrences

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def due(expression: str, count: int, after: datetime = MONDAY) -> list[datetime]:
    return occurrences(Timing(rule=Cron(expression), zone="UTC", starts_at=after), after, count)


def days(expression: str) -> str:
    """The days of the week on which it is due."""
    names = "MonTueWedThuFriSatSun"
    found = sorted({moment.weekday() for moment in due(expression, 7) if moment < datetime(2026, 3, 9, tzinfo=UTC)})
    return " ".join(names[3 * day : 3 * day + 3] for day in found)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("fri-sun", "Fri Sat Sun"),
        ("sat-sun", "Sat Sun"),
        ("FRI-Sun", "Fri Sat Sun"),
        ("fri-mon", "Mon Fri Sat Sun"),
        ("sun-tue", "Mon Tue Sun"),
        ("5-7", "Fri Sat Sun"),
        ("5-0", "Fri Sat Sun"),
        ("5-1", "Mon Fri Sat Sun"),
        ("7-2", "Mon Tue Sun"),
        ("0-7", "Mon Tue Wed Thu Fri Sat Sun"),
        ("7", "Sun"),
        ("mon-7", "Mon Tue Wed Thu Fri Sat Sun"),
        ("1-sun", "Mon Tue Wed Thu Fri Sat Sun"),
        ("sat-sun,wed", "Wed Sat Sun"),
        ("fri-mon/2", "Fri Sun"),
        ("mon-fri/2", "Mon Wed Fri"),
        ("*", "Mon Tue Wed Thu Fri Sat Sun"),
    ],
)
def test_days_of_the_week(field, found):
    """Names and numbers, Sunday at either end, and ranges over it."""
    assert days(f"0 9 * * {field}") == found


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("@hourly", ["03-02 01:00", "03-02 02:00"]),
        ("@daily", ["03-03 00:00", "03-04 00:00"]),
        ("@Midnight", ["03-03 00:00", "03-04 00:00"]),
        ("@weekly", ["03-08 00:00", "03-15 00:00"]),
        ("@monthly", ["04-01 00:00", "05-01 00:00"]),
        ("@yearly", ["01-01 00:00", "01-01 00:00"]),
        ("@annually", ["01-01 00:00", "01-01 00:00"]),
        ("0 22-2 * * *", ["03-02 01:00", "03-02 02:00", "03-02 22:00", "03-02 23:00", "03-03 00:00"]),
        ("50-10/20 9 * * *", ["03-02 09:10", "03-02 09:50", "03-03 09:10"]),
        ("0 0 1 nov-feb *", ["11-01 00:00", "12-01 00:00", "01-01 00:00", "02-01 00:00"]),
        ("0 0 1 JAN,jul *", ["07-01 00:00", "01-01 00:00"]),
        ("0 0 30-2 * *", ["03-30 00:00", "03-31 00:00", "04-01 00:00", "04-02 00:00", "04-30 00:00"]),
        (" 00  009 * * * ", ["03-02 09:00", "03-03 09:00"]),
        ("5/15 9 * * *", ["03-02 09:05", "03-02 09:20", "03-02 09:35", "03-02 09:50"]),
        ("0 0 L * *", ["03-31 00:00", "04-30 00:00"]),
        ("0 0 * * fri#2", ["03-13 00:00", "04-10 00:00"]),
        ("30 0 9 * * *", ["03-02 09:00", "03-03 09:00"]),
    ],
)
def test_times(expression, times):
    """Names of whole expressions, of months, ranges over the end of the field, and what other crons take."""
    assert [f"{moment:%m-%d %H:%M}" for moment in due(expression, len(times))] == times


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("@reboot", "when a machine starts"),
        ("@every 5m", "by name there are @yearly"),
        ("@", "by name there are"),
        ("0~30 * * * *", "by chance"),
        ("* * * *", "five fields"),
        ("0 9 * * 1-5 /usr/bin/true --now", "five fields"),
        ("", "five fields"),
        ("0 9 * * friday", "no cron expression"),
        ("0 9 * january *", "no cron expression"),
        ("61 * * * *", "no cron expression"),
        ("0 9 * * 8-9", "no cron expression"),
        ("22-70 * * * *", "no cron expression"),
        ("*/0 * * * *", "no cron expression"),
        ("22-2/0 * * * *", "no cron expression"),
        ("1,,2 * * * *", "no cron expression"),
        ("0 0 0 * *", "no cron expression"),
        ("0 0 32 2 *", "no cron expression"),
        ("0 0 * 13 *", "no cron expression"),
        ("0 0 31 2 *", "never due"),
        ("0 0 0 31 4,6 *", "never due"),
        ("* " * 100_000, "500 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_words(expression, words):
    """They say what is taken."""
    with pytest.raises(RuleInvalid, match=words):
        due(expression, 1)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/90 * * * *", "minute 0 alone"),
        ("*/60 * * * *", "minute 0 alone"),
        ("0 */24 * * *", "hour 0 alone"),
        ("0 0 */31 * *", "day 1 alone"),
        ("5/90 * * * *", "minute 5 alone"),
        ("*/25 * * * *", "after 50 comes 0"),
        ("0 */5 * * *", "after 20 comes 0"),
        ("0 0 */2 * *", "after day 31"),
        ("0 22-2 * * *", "over the end of the day"),
        ("0 0 13 * fri", "not only where they meet"),
        ("* 9 * * *", "every minute"),
        ("0 0 29 2 *", "leap years"),
        ("0 0 31 * *", "without a day 31"),
        ("*/5 * * * * *", "first is seconds"),
    ],
)
def test_what_surely_surprises_is_told(expression, words):
    """In one sentence each."""
    assert due(expression, 1)
    [told] = [remark for remark in cron.surprises(expression) if words in remark]
    assert told.endswith(".")


@pytest.mark.parametrize(
    "expression",
    [
        "*/15 * * * *",
        "0 7 * * mon-fri",
        "0 9 * * fri-sun",
        "@daily",
        "0 */6 * * *",
        "* * * * *",
        "0 0 L * *",
        "0 0 1 * *",
    ],
)
def test_what_is_meant_is_not_remarked_on(expression):
    """The usual is told nothing about."""
    assert cron.surprises(expression) == []


def test_ten_leap_days_are_ten():
    """Also over the year 2100, which has none."""
    found = due("0 9 29 2 *", 20, NEW_YEAR)
    assert [moment.year for moment in found[:10]] == list(range(2028, 2065, 4))
    assert [moment.year for moment in found[17:]] == [2096, 2104, 2108]
