"""The form of a schedule: what is typed is understood, what is not shown stays."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from tests.engine.schedules.test_calendar import SCHEDULE

from controlroom.engine.schedules.model import (
    Again,
    Cron,
    Daily,
    DayOfMonth,
    GivenPayload,
    Interval,
    LastDay,
    Monthly,
    NthWeekday,
    Once,
    Overlap,
    RRule,
    WaitingItems,
    Weekday,
    Weekly,
)
from controlroom.ui.asking import Fields
from controlroom.ui.schedules.forms import ScheduleForm, form_of, sent, understood

HALF, NOON = time(7, 30), time(12, 0, 5)
MOMENT = datetime.fromisoformat("2027-01-31T07:30")


@pytest.mark.parametrize(
    "rule",
    [
        Cron("30 7 * * 1-5"),
        Interval(90),
        Daily((HALF, NOON)),
        Daily((HALF,), 3),
        Daily((HALF,), 1, Again(30)),
        Weekly((Weekday.MONDAY, Weekday.FRIDAY), (HALF,)),
        Weekly((Weekday.MONDAY,), (HALF,), 2),
        Monthly(DayOfMonth(31), (HALF,)),
        Monthly(LastDay(), (HALF,)),
        Monthly(NthWeekday(-1, Weekday.FRIDAY), (HALF,)),
        Monthly(LastDay(), (HALF,), 1, None, (6,)),
        Once(MOMENT),
        RRule("FREQ=DAILY", MOMENT),
    ],
)
def test_a_form_that_nobody_touched_changes_nothing(rule):
    """Whatever the rule is, also one that says more than the form; to the microsecond of its beginning."""
    before = replace(
        SCHEDULE,
        rule=rule,
        zone="Europe/Oslo",
        starts_at=datetime(2026, 10, 25, 0, 30, 1, 234567, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
        overlap=Overlap.QUEUE,
        skip_after=timedelta(hours=2),
        cancel_after=timedelta(minutes=5),
        inputs=GivenPayload(Raw(b'{"a":1}')),
        priority=-3,
    )

    asked = understood(form_of(before, 7), before)

    assert asked.wrong == {}
    assert (asked.rule, asked.zone, asked.begins, asked.ends) == (rule, before.zone, before.starts_at, before.ends_at)
    for name in ("missed", "grace", "overlap", "skip_after", "cancel_after", "priority"):
        assert getattr(asked.policies, name) == getattr(before, name), name
    assert isinstance(asked.policies.inputs, GivenPayload)


def test_what_is_typed_is_understood():
    """Days, times as people write them, and moments by the clock of the zone."""
    form = ScheduleForm(
        name="x",
        days=("0", "6"),
        times="7:30,12:00 16:00",
        zone="Asia/Tokyo",
        begins="2027-01-31T07:30",
        inputs="waiting_items",
    )
    asked = understood(form)
    assert asked.rule == Weekly((Weekday.MONDAY, Weekday.SUNDAY), (HALF, time(12), time(16)))
    assert asked.begins == datetime(2027, 1, 31, 7, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert asked.policies.inputs == WaitingItems()
    assert understood(replace(form, days=tuple("0123456"))).rule == Daily((HALF, time(12), time(16)))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"days": ()}, "days"),
        ({"times": "soon"}, "times"),
        ({"times": ""}, "times"),
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"begins": "soon"}, "begins"),
        ({"ends": "0001-01-01T00:00", "zone": "Asia/Tokyo"}, "ends"),
        ({"kind": "interval", "interval": "often"}, "interval"),
        ({"kind": "interval", "interval": ""}, "interval"),
        ({"kind": "monthly", "day_of_month": "40"}, "day_of_month"),
        ({"kind": "once", "once": "2027-01-31T07:30Z"}, "once"),
        ({"kind": "rrule"}, "rrule_start"),
        ({"kind": "nonsense"}, "kind"),
        ({"skip_after": "1 h"}, "skip_after"),
        ({"grace": "x"}, "grace"),
        ({"priority": "1.5"}, "priority"),
        ({"inputs": "payload", "payload": "{"}, "payload"),
    ],
)
def test_what_is_wrong_is_said_by_its_field(given, field):
    """And nothing else is."""
    assert set(understood(ScheduleForm(**({"name": "x"} | given))).wrong) == {field}


@given(st.dictionaries(st.sampled_from(ScheduleForm.__struct_fields__), st.text(max_size=30)))
def test_any_form_is_read(fields):
    """Whatever is posted: it is understood, or something is said about it."""
    assert isinstance(understood(sent(Fields(list(fields.items())))).wrong, dict)
