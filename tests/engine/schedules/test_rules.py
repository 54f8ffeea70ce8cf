"""When schedules are due: right at both clock changes, in every zone; and what becomes of what is due."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from controlroom.engine.schedules.errors import RuleInvalid, ZoneInvalid
from controlroom.engine.schedules.local_times import moment_of
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
    Timing,
    Weekday,
    Weekly,
)
from controlroom.engine.schedules.previews import preview
from controlroom.engine.schedules.rules import (
    AT_ONCE,
    Go,
    Miss,
    Notice,
    Skip,
    Start,
    Wait,
    at_overlap,
    check,
    check_policies,
    next_due,
    occurrences,
    occurrences_until,
    plan,
)
from controlroom.errors import Invalid

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo"),
    *("Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Asia/Tehran", "Atlantic/Azores", "Antarctica/Troll"),
)
"""With changes by an hour, by half an hour, by two, at midnight, by a whole day, and with none."""

NEW_YEAR = datetime(2026, 1, 1, 9)  # noqa: DTZ001 - a local time

zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
locals_ = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
several_times = st.lists(times, min_size=1, max_size=4).map(tuple)
weekdays = st.sampled_from(Weekday)
every = st.integers(1, 5)
again = st.none() | st.builds(Again, minutes=st.integers(7, 1440), until=st.none())
calendars = st.one_of(
    st.builds(Daily, times=several_times, every=every, again=again),
    st.builds(Weekly, days=st.lists(weekdays, min_size=1).map(tuple), times=several_times, every=every, again=again),
    st.builds(
        Monthly,
        on=st.one_of(
            st.builds(DayOfMonth, st.integers(1, 31)),
            st.just(LastDay()),
            st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, 5, -1]), weekdays),
        ),
        times=several_times,
        every=every,
        again=again,
        months=st.lists(st.integers(1, 12), max_size=3).map(tuple),
    ),
)
rules = st.one_of(
    calendars,
    st.builds(Interval, st.integers(60, 10_000_000)),
    st.builds(Once, locals_, again),
    st.builds(lambda at: Cron(f"{at.minute} {at.hour} * * *"), times),
    st.builds(lambda minutes: Cron(f"*/{minutes} * * * *"), st.integers(1, 59)),
    st.builds(lambda at, n: RRule(f"FREQ=DAILY;INTERVAL={n}", at), locals_, every),
    st.builds(lambda at, n: RRule(f"FREQ=MONTHLY;BYDAY=-1FR;COUNT={n}", at), locals_, every),
)
timings = st.builds(Timing, rule=rules, zone=zones, starts_at=moments)


def utc(*of: int) -> datetime:
    return datetime(*of, tzinfo=UTC)


def due(rule, zone: str, after: datetime, count: int = 3) -> list[datetime]:
    return occurrences(Timing(rule=rule, zone=zone, starts_at=after), after, count)


# ---------------------------------------------------------------------------------------------------- local times
@given(locals_, zones)
def test_a_local_time_comes_once_at_its_first_moment_or_right_after_a_jump(local, zone):
    """What exists comes when the clock first shows it; what is jumped over, at the first moment behind the jump."""
    there = ZoneInfo(zone)
    moment = moment_of(local, there)
    shown = moment.astimezone(there).replace(tzinfo=None)

    if shown == local:
        assert moment.astimezone(there).fold == 0
    else:
        assert shown > local
        just_before = (moment - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
        assert just_before < local


@given(locals_, locals_, zones)
def test_a_later_local_time_never_comes_earlier(one, other, zone):
    """The order of local times is the order of their moments."""
    there = ZoneInfo(zone)
    first, second = sorted([one, other])
    assert moment_of(first, there) <= moment_of(second, there)


@given(
    st.one_of(
        st.builds(lambda at: Daily((at,)), times), st.builds(lambda at: Cron(f"{at.minute} {at.hour} * * *"), times)
    ),
    zones,
    moments,
)
def test_what_is_due_daily_comes_once_on_each_day(rule, zone, after):
    """A rule with one local time a day fires once a day, also on the days of 23 and of 25 hours."""
    assume(zone != "Pacific/Apia")  # which once had no such day at all
    found = due(rule, zone, after, 400)

    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in found]

    assert len(found) == 400
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@given(st.integers(1, 59), zones, moments)
def test_wildcards_go_by_real_time(minutes, zone, after):
    """`*/n * * * *` leaves no hour out when the clock goes back, and waits for none when it goes forward."""
    found = due(Cron(f"*/{minutes} * * * *"), zone, after, 200)

    assert all(later - earlier <= timedelta(hours=1) for earlier, later in pairwise(found))


@pytest.mark.parametrize(
    "rule",
    [
        Daily((time(2, 30),)),
        Cron("30 2 * * *"),
        RRule("FREQ=DAILY", datetime(2026, 1, 1, 2, 30)),  # noqa: DTZ001 - local times have no zone
    ],
)
def test_both_clock_changes_in_berlin(rule):
    """02:30 comes at 03:00 summer time on the day that has no 02:30, and once on the day that has two."""
    assert due(rule, "Europe/Berlin", utc(2026, 3, 28, 12), 2) == [utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)]
    assert due(rule, "Europe/Berlin", utc(2026, 10, 24, 12), 2) == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]


# ---------------------------------------------------------------------------------------------------- all rules
@given(timings, moments, st.integers(0, 12))
def test_occurrences_rise_strictly_after_the_moment_and_within_the_bounds(timing, after, count):
    """Nothing is due twice, before the start, or at the moment itself."""
    found = occurrences(timing, after, count)

    assert len(found) <= count
    assert all(earlier < later for earlier, later in pairwise([after, *found]))
    assert all(moment >= timing.starts_at for moment in found)


@given(timings, moments)
def test_occurrences_do_not_depend_on_from_where_one_looks(timing, after):
    """Going from each occurrence to the next gives the same as asking for all of them."""
    found = occurrences(timing, after, 5)

    stepped, at = [], after
    while len(stepped) < 5 and (at := next_due(timing, at)) is not None:
        stepped.append(at)

    assert stepped == found


@given(timings, moments, st.integers(1, 4))
def test_nothing_is_due_after_the_end(timing, after, count):
    """The end itself is the last moment that may be due."""
    found = occurrences(timing, after, count + 1)
    assume(len(found) == count + 1)
    ending = Timing(rule=timing.rule, zone=timing.zone, starts_at=timing.starts_at, ends_at=found[count - 1])

    assert occurrences(ending, after, 100) == found[:count]


@given(moments, st.integers(1, 10_000), moments)
def test_intervals_count_from_the_start(start, seconds, after):
    """Each occurrence of an interval lies a whole number of intervals behind the start."""
    timing = Timing(rule=Interval(seconds), zone="Europe/Berlin", starts_at=start)
    assert all((moment - start) % timedelta(seconds=seconds) == timedelta() for moment in occurrences(timing, after, 3))


def test_days_of_the_month():
    """A day by number leaves out months without it; the last day is in each; weekdays count from either end."""
    after = utc(2026, 1, 30)
    noon = (time(12),)

    def days(on) -> list[date]:
        return [moment.date() for moment in due(Monthly(on, noon), "UTC", after)]

    assert days(DayOfMonth(31)) == [date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31)]
    assert days(LastDay()) == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert days(NthWeekday(2, Weekday.TUESDAY)) == [date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 14)]
    assert days(NthWeekday(-1, Weekday.FRIDAY)) == [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 27)]
    assert days(NthWeekday(5, Weekday.SUNDAY)) == [date(2026, 3, 29), date(2026, 5, 31), date(2026, 8, 30)]


def test_what_is_due_again_is_so_until_its_last_time_of_the_same_day():
    """Every twenty minutes from nine to ten, ten included; without a last time until midnight; once a plan is over."""
    after, until_ten = utc(2026, 1, 30), Again(20, time(10))
    nine = (time(9),)

    def at(rule, count: int) -> list[tuple[int, int, int]]:
        return [(moment.day, moment.hour, moment.minute) for moment in due(rule, "UTC", after, count)]

    assert at(Daily(nine, again=until_ten), 5) == [(30, 9, 0), (30, 9, 20), (30, 9, 40), (30, 10, 0), (31, 9, 0)]
    assert at(Daily(nine, again=Again(8 * 60)), 3) == [(30, 9, 0), (30, 17, 0), (31, 9, 0)]
    assert at(Once(datetime(2026, 1, 31, 9), Again(60, time(10, 30))), 9) == [(31, 9, 0), (31, 10, 0)]  # noqa: DTZ001


def test_only_the_named_months_count():
    """The last Friday of March and October; a day that none of them has is never due."""
    after = utc(2026, 1, 30)
    rule = Monthly(NthWeekday(-1, Weekday.FRIDAY), (time(12),), months=(3, 10))
    assert [moment.date() for moment in due(rule, "UTC", after)] == [
        *(date(2026, 3, 27), date(2026, 10, 30), date(2027, 3, 26)),
    ]
    assert due(Monthly(DayOfMonth(30), (time(12),), months=(2,)), "UTC", after) == []


def test_every_second_week_counts_from_the_week_of_the_start():
    """Weeks begin on Monday; the week of the start is the first."""
    wednesday = utc(2026, 4, 1, 12)
    rule = Weekly((Weekday.MONDAY, Weekday.FRIDAY), (time(9),), every=2)
    assert [moment.date().day for moment in due(rule, "UTC", wednesday, 4)] == [3, 13, 17, 27]


def test_a_rule_with_a_count_ends():
    """COUNT counts from the rule's own start, whenever one looks."""
    rule = RRule("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", datetime(2026, 3, 2, 9))  # noqa: DTZ001
    assert [moment.day for moment in due(rule, "UTC", utc(2026, 3, 3), 10)] == [4, 9]


def test_until_may_be_a_moment_or_a_day():
    """UNTIL in UTC is turned to the zone's time; a day is meant with all its hours."""
    start = datetime(2026, 3, 1, 1)  # noqa: DTZ001
    assert len(due(RRule("FREQ=DAILY;UNTIL=20260303T000000Z", start), "Europe/Berlin", utc(2026, 2, 1), 9)) == 3
    assert len(due(RRule("FREQ=DAILY;UNTIL=20260303", start), "Europe/Berlin", utc(2026, 2, 1), 9)) == 3


@pytest.mark.parametrize(
    "rule",
    [
        Cron("* * *"),
        Cron("61 * * * *"),
        Interval(0),
        Daily(()),
        Daily((time(1),), every=0),
        Daily((time(1, tzinfo=UTC),)),
        Weekly((), (time(1),)),
        Monthly(DayOfMonth(32), (time(1),)),
        Monthly(NthWeekday(0, Weekday.MONDAY), (time(1),)),
        Monthly(LastDay(), (time(1),), months=(13,)),
        Daily((time(9),), again=Again(0)),
        Daily((time(9),), again=Again(1441)),
        Daily((time(9),), again=Again(5, time(8))),
        Once(utc(2026, 1, 1)),
        *(
            RRule(text, datetime(2026, 1, 1))  # noqa: DTZ001
            for text in (
                *("", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;FREQ=DAILY"),
                *(
                    "DTSTART:20260101",
                    "FREQ=DAILY;COUNT=2;UNTIL=20270101",
                    "FREQ=DAILY;UNTIL=20279999",
                    "FREQ=DAILY\nEXDATE:1",
                ),
                *("FREQ=MONTHLY;BYDAY=XX", "FREQ=DAILY;BYHOUR=x", "FREQ=DAILY;COUNT=99999999999999999999"),
            )
        ),
        RRule("FREQ=DAILY", datetime(1, 1, 1)),  # noqa: DTZ001
    ],
)
def test_rules_that_cannot_be_are_refused(rule):
    """What can be no rule is refused in words, and takes no time."""
    with pytest.raises(RuleInvalid):
        check(Timing(rule=rule, zone="UTC", starts_at=utc(2026, 1, 1)))


@pytest.mark.parametrize(
    "rule",
    [
        Monthly(DayOfMonth(29), (time(9),), every=12),
        *(RRule(f"FREQ={each};BYMONTH=2;BYMONTHDAY=29", NEW_YEAR) for each in ("DAILY", "MONTHLY", "YEARLY")),
        RRule("FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=29;COUNT=20", NEW_YEAR),
    ],
)
def test_twenty_leap_days_are_twenty(rule):
    """Though each is four years ahead, and one of them eight."""
    found = occurrences(Timing(rule=rule, zone="UTC", starts_at=utc(2024, 2, 1)), utc(2026, 1, 1), 20)
    assert [moment.year for moment in found] == [*range(2028, 2097, 4), 2104, 2108]


@pytest.mark.parametrize(
    "frequency", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "DAILY;INTERVAL=2", "MONTHLY;INTERVAL=2"]
)
@pytest.mark.parametrize("part", ["BYMONTH=2;BYMONTHDAY=30", "BYYEARDAY=60;BYMONTH=12", "BYMONTHDAY=31;BYMONTH=4,6"])
def test_an_impossible_recurrence_is_never_due(frequency, part):
    """And that is known soon, not after a walk to the year 9999."""
    assert due(RRule(f"FREQ={frequency};{part}", NEW_YEAR), "UTC", utc(2026, 1, 1)) == []


@pytest.mark.parametrize("frequency", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("interval", [6900, 10_000])
@pytest.mark.parametrize("more", ["", ";COUNT=3", ";UNTIL=21000101", ";BYMONTH=2;BYMONTHDAY=29", ";BYMONTHDAY=-1"])
def test_the_longest_intervals_are_counted_to_the_end_of_time(frequency, interval, more):
    """Years of which the next lies behind all calendars: what is due before is due."""
    found = due(RRule(f"FREQ={frequency};INTERVAL={interval}{more}", NEW_YEAR), "UTC", utc(2026, 1, 1), 3)

    assert found == sorted(found)
    if frequency == "YEARLY":
        assert {moment.year for moment in found} <= {2026, 2026 + interval}
    if not more:
        assert found[:1] == [NEW_YEAR.replace(tzinfo=UTC)]


_PARTS = ["BYMONTH=2,7", "BYMONTHDAY=13,31", "BYMONTHDAY=-1", "BYDAY=MO,FR", "BYHOUR=8,20", "BYYEARDAY=1,-1"]


@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    st.lists(st.sampled_from(_PARTS), max_size=3, unique_by=lambda part: part.partition("=")[0]),
    locals_,
)
def test_a_rule_by_days_has_the_times_that_dateutil_finds(frequency, parts, start):
    """It is walked by years, which must not change what it means."""
    text = ";".join([f"FREQ={frequency}", *parts])
    horizon = start + timedelta(days=40 * 366)
    wanted = list(islice(rrulestr(text, dtstart=start).replace(until=horizon), 30)) if _is_possible(parts) else []

    found = due(RRule(text, start), "UTC", start.replace(tzinfo=UTC) - timedelta(seconds=1), 30)

    assert [moment.replace(tzinfo=None) for moment in found][: len(wanted)] == wanted


def _is_possible(parts: list[str]) -> bool:
    return not {"BYYEARDAY=1,-1"} & set(parts) or not {"BYMONTH=2,7", "BYMONTHDAY=13,31"} & set(parts)


def test_a_recurrence_is_due_at_most_so_many_times_a_day():
    """More is what cron and intervals are for."""
    every = ",".join(map(str, range(60)))
    with pytest.raises(RuleInvalid, match="times a day"):
        due(RRule(f"FREQ=DAILY;BYHOUR=1;BYMINUTE={every};BYSECOND={every}", NEW_YEAR), "UTC", utc(2026, 1, 1))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Cron("*/90 * * * *"), "minute 0 alone"),
        (Monthly(DayOfMonth(31), (time(9),)), "without a day 31"),
        (Monthly(NthWeekday(5, Weekday.MONDAY), (time(9),)), "fifth"),
        (RRule("FREQ=MONTHLY;BYMONTHDAY=31", NEW_YEAR), "BYMONTHDAY=-1"),
        (Interval(86400), "real time"),
        (Once(datetime(2020, 1, 1)), "never due"),  # noqa: DTZ001 - a local time
        (Daily((time(9),)), None),
        (Monthly(LastDay(), (time(9),)), None),
    ],
)
def test_a_preview_tells_what_surprises(rule, words):
    """With the times, in a sentence."""
    found = preview(Timing(rule=rule, zone="Europe/Berlin", starts_at=utc(2026, 1, 1)), utc(2026, 1, 1), 10)
    assert len(found.occurrences) == (0 if words == "never due" else 10)
    assert [str(words) in remark for remark in found.remarks] == ([True] if words else [])


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_zones_that_are_none_are_refused(zone):
    """Only names of the zone database are zones."""
    with pytest.raises(ZoneInvalid):
        check(Timing(rule=Interval(60), zone=zone, starts_at=utc(2026, 1, 1)))


def test_a_rule_without_a_day_is_never_due():
    """A 30 February never comes, and the search for it ends."""
    rule = RRule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", datetime(2026, 1, 1))  # noqa: DTZ001
    assert due(rule, "UTC", utc(2026, 1, 1)) == []
    assert due(Monthly(DayOfMonth(30), (time(1),), every=12), "UTC", utc(2026, 2, 1)) == []


# ---------------------------------------------------------------------------------------------------- plans
HOURLY = Timing(rule=Interval(3600), zone="UTC", starts_at=utc(2026, 1, 1))


def test_what_is_punctual_is_started():
    """Within the grace nothing was missed, and the schedule moves on to the next occurrence."""
    planned = plan(HOURLY, Policies(), utc(2026, 1, 1, 5), utc(2026, 1, 1, 5, 4))
    assert planned.verdicts == (Start(utc(2026, 1, 1, 5)),)
    assert planned.next_due == utc(2026, 1, 1, 6)


def test_what_was_missed_is_skipped_or_made_up_for_once():
    """All that was missed is one verdict; one run makes up for it unless another is due anyway."""
    first, now = utc(2026, 1, 1, 5), utc(2026, 1, 1, 9, 30)
    skipping = plan(HOURLY, Policies(), first, now)
    once = plan(HOURLY, Policies(missed=Missed.RUN_ONCE), first, now)
    anyway = plan(HOURLY, Policies(missed=Missed.RUN_ONCE), first, utc(2026, 1, 1, 9, 1))

    assert skipping.verdicts == (Miss(first, now - Policies().grace),)
    assert once.verdicts == (Start(first),)
    assert [type(verdict) for verdict in anyway.verdicts] == [Miss, Start]
    assert skipping.next_due == once.next_due == anyway.next_due == utc(2026, 1, 1, 10)


def test_many_occurrences_are_decided_in_parts():
    """However many are due within the grace: a hundred at once, and the schedule stays due for the rest."""
    timing = Timing(rule=Interval(1), zone="UTC", starts_at=utc(2026, 1, 1))
    planned = plan(timing, Policies(), utc(2026, 1, 1), utc(2026, 1, 1, 0, 4))
    assert len(planned.verdicts) == AT_ONCE
    assert planned.next_due == utc(2026, 1, 1, 0, 1, 40)


@given(timings, moments, st.timedeltas(timedelta(), timedelta(days=3)), st.sampled_from(Missed))
def test_a_plan_decides_all_up_to_now_and_nothing_twice(timing, after, passed, missed):
    """The next due time lies behind now (or the part is full), and verdicts rise strictly up to now."""
    first = next_due(timing, after)
    assume(first is not None)
    now = first + passed
    planned = plan(timing, Policies(missed=missed), first, now)

    dues = [verdict.due for verdict in planned.verdicts]
    assert dues[0] == first
    assert all(earlier < later for earlier, later in pairwise(dues))
    assert dues[-1] <= now
    assert planned.next_due is None or planned.next_due > (dues[-1] if len(dues) >= AT_ONCE else now)


@pytest.mark.parametrize(
    ("overlap", "busy", "free"), [(Overlap.ALLOW, Go, Go), (Overlap.SKIP, Skip, Go), (Overlap.QUEUE, Wait, Go)]
)
def test_overlap(overlap, busy, free):
    """While a run is under way the overlap rule decides; else every occurrence starts."""
    assert isinstance(at_overlap(overlap, is_busy=True), busy)
    assert isinstance(at_overlap(overlap, is_busy=False), free)


def test_policies_have_bounds():
    """Negative or endless durations, and a wait of what never waits, are refused."""
    for wrong in (
        Policies(grace=timedelta(seconds=-1)),
        Policies(cancel_after=timedelta(days=400)),
        Policies(skip_after=timedelta(minutes=1)),
    ):
        with pytest.raises(Invalid):
            check_policies(wrong)


# ------------------------------------------------------------------------------------------ a room that was busy
def test_what_was_seen_in_time_is_started_however_late():
    """A room that was there, but busy, has missed nothing: neither the first occurrence nor those after it."""
    first, now = utc(2026, 1, 1, 5), utc(2026, 1, 1, 9, 30)

    planned = plan(HOURLY, Policies(), first, now, Notice(utc(2026, 1, 1, 5, 0), since=utc(2026, 1, 1, 4)))

    assert planned.verdicts == tuple(Start(utc(2026, 1, 1, hour)) for hour in range(5, 10))
    assert planned.next_due == utc(2026, 1, 1, 10)


def test_what_was_seen_before_the_room_went_away_is_started():
    """The room was gone between notice and decision: what fell due meanwhile was missed, what was seen was not."""
    first, now = utc(2026, 1, 1, 5), utc(2026, 1, 1, 9, 30)

    planned = plan(HOURLY, Policies(), first, now, Notice(utc(2026, 1, 1, 5, 1), since=utc(2026, 1, 1, 8, 30)))

    assert planned.verdicts == (
        Start(first),
        Miss(utc(2026, 1, 1, 6), utc(2026, 1, 1, 8, 25)),
        Start(utc(2026, 1, 1, 9)),
    )


def test_what_was_seen_late_was_missed():
    """The grace is between the time and the first look at it, whatever happened after that."""
    first, now = utc(2026, 1, 1, 5), utc(2026, 1, 1, 5, 40)

    late = plan(HOURLY, Policies(), first, now, Notice(utc(2026, 1, 1, 5, 6), since=utc(2026, 1, 1, 5, 6)))
    punctual = plan(HOURLY, Policies(), first, now, Notice(utc(2026, 1, 1, 5, 5), since=utc(2026, 1, 1, 5, 5)))

    assert late.verdicts == (Miss(first, utc(2026, 1, 1, 5, 1)),)
    assert punctual.verdicts == (Start(first),)


def test_times_of_a_period_are_those_within_it():
    """Found no further than its end, however rarely the rule is due, and the first so many."""
    timing = Timing(rule=Cron("0 * * * *"), zone="UTC", starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    until = begins + timedelta(hours=3)
    assert occurrences_until(timing, begins, until, 9) == [begins + timedelta(hours=n) for n in (1, 2)]
    assert occurrences_until(timing, begins, until, 1) == [begins + timedelta(hours=1)]
