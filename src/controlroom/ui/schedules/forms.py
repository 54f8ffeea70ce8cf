"""The form of a schedule: what is shown, and what was typed, read into what the engine is asked for. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.model import (
    Cron,
    Daily,
    DayOfMonth,
    GivenPayload,
    Interval,
    LastDay,
    Missed,
    Monthly,
    NthWeekday,
    Once,
    Overlap,
    Policies,
    RRule,
    Rule,
    ScheduledInput,
    UsualInput,
    WaitingItems,
    Weekday,
    Weekly,
)
from controlroom.errors import Invalid
from controlroom.ui import durations
from controlroom.ui.asking import Fields
from controlroom.ui.local_times import read_local, read_moment
from controlroom.ui.processes.forms import payload_of, pretty
from controlroom.ui.rendering import zone_of

KINDS: Final = {
    "days": "On days of the week",
    "monthly": "On a day of the month",
    "interval": "Every so often",
    "once": "Once",
    "cron": "By a cron expression",
    "rrule": "By a recurrence rule",
}
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTHS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
DAYS_OF_MONTH: Final = [
    ("last", "the last day"),
    *((str(n), f"the {n}.") for n in range(1, 32)),
    *((f"{nth}:{day}", f"the {said} {_WEEKDAYS[day]}") for nth, said in _NTHS.items() for day in range(7)),
]
OVERLAPS: Final = [
    ("allow", "Start all the same"),
    ("queue", "Wait in line"),
    ("skip", "Skip it"),
]
MISSEDS: Final = [("skip", "Skip what was missed"), ("run_once", "One run makes up for it")]
INPUTS: Final = [
    ("default", "As usual: the process's default input"),
    ("waiting_items", "What waits in the input queue"),
    ("payload", "This payload"),
]
_MOST_TIMES: Final = 100


class ScheduleForm(Struct, frozen=True, kw_only=True):
    """A schedule as it stands in the form: texts, as they were typed."""

    name: str = ""
    description: str = ""
    process: str = ""
    """The number of the process; of a schedule of a task, which keeps it, nothing."""
    kind: str = "days"
    """Of `KINDS`, or `keep` for a rule that says more than the form does."""
    days: tuple[str, ...] = ("0", "1", "2", "3", "4")
    times: str = "07:30"
    day_of_month: str = "last"
    month_times: str = "16:00"
    interval: str = "15 m"
    once: str = ""
    cron: str = "30 7 * * 1-5"
    rrule: str = "FREQ=WEEKLY;BYDAY=MO"
    rrule_start: str = ""
    zone: str = "UTC"
    begins: str = ""
    ends: str = ""
    is_enabled: bool = True
    overlap: str = "allow"
    skip_after: str = ""
    missed: str = "skip"
    grace: str = "5 m"
    cancel_after: str = ""
    inputs: str = "default"
    payload: str = ""
    priority: str = "0"


_TEXTS: Final = tuple(name for name in ScheduleForm.__struct_fields__ if name not in {"days", "is_enabled"})


# ---------------------------------------------------------------------------------------------------- shown
def form_of(schedule: Schedule, process: int | None) -> ScheduleForm:
    """A schedule as its form shows it."""
    inputs = schedule.inputs
    return ScheduleForm(
        name=schedule.name,
        description=schedule.description,
        process="" if process is None else str(process),
        **_rule(schedule.rule),
        zone=schedule.zone,
        begins=_local(schedule.starts_at, schedule.zone),
        ends="" if schedule.ends_at is None else _local(schedule.ends_at, schedule.zone),
        is_enabled=schedule.is_enabled,
        overlap=schedule.overlap.value,
        skip_after=durations.written(schedule.skip_after),
        missed=schedule.missed.value,
        grace=durations.written(schedule.grace),
        cancel_after=durations.written(schedule.cancel_after),
        inputs={UsualInput: "default", WaitingItems: "waiting_items"}.get(type(inputs), "payload"),
        payload=pretty(inputs.payload) if isinstance(inputs, GivenPayload) else "",
        priority=str(schedule.priority),
    )


def _rule(rule: Rule) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind
    match rule:
        case Daily(times, 1, None):
            return {"kind": "days", "days": tuple("0123456"), "times": _times(times)}
        case Weekly(days, times, 1, None):
            return {"kind": "days", "days": tuple(str(int(day)) for day in days), "times": _times(times)}
        case Monthly(on, times, 1, None, ()):
            return {"kind": "monthly", "day_of_month": _on(on), "month_times": _times(times)}
        case Interval(seconds):
            return {"kind": "interval", "interval": durations.written(timedelta(seconds=seconds))}
        case Once(at, None):
            return {"kind": "once", "once": f"{at:%Y-%m-%dT%H:%M}" if not at.second else at.isoformat()}
        case Cron(expression):
            return {"kind": "cron", "cron": expression}
        case RRule(text, start):
            return {"kind": "rrule", "rrule": text, "rrule_start": start.isoformat(timespec="minutes")}
        case _:
            return {"kind": "keep"}


def _times(times: tuple[time, ...]) -> str:
    return ", ".join(f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}" for at in times)


def _on(on: DayOfMonth | LastDay | NthWeekday) -> str:
    match on:
        case DayOfMonth(day):
            return str(day)
        case LastDay():
            return "last"
        case NthWeekday(nth, weekday):
            return f"{nth}:{int(weekday)}"


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(zone_of(zone) or UTC).strftime("%Y-%m-%dT%H:%M:%S")


def sent(fields: Fields) -> ScheduleForm:
    """What was typed, whether it can be or not."""
    return ScheduleForm(
        **{name: fields.text(name) for name in _TEXTS},
        days=tuple(fields.texts("day")),
        is_enabled=fields.has("is_enabled"),
    )


# ---------------------------------------------------------------------------------------------------- understood
class Understood(Struct, frozen=True, kw_only=True):
    """What a form asks for; or what is wrong with it, by field."""

    rule: Rule | None
    zone: str
    begins: datetime | None
    ends: datetime | None
    policies: Policies
    wrong: dict[str, str]


def understood(form: ScheduleForm, before: Schedule | None = None) -> Understood:
    """Read it: a rule that the form does not show stays as it was."""
    wrong: dict[str, str] = {}
    if not form.name:
        wrong["name"] = "It needs a name."
    zone = zone_of(form.zone)
    if zone is None:
        wrong["zone"] = "There is no time zone of this name: Europe/Oslo, UTC."
    rule = before.rule if form.kind == "keep" and before is not None else _read_rule(form, wrong)
    return Understood(
        rule=rule,
        zone=form.zone,
        begins=_moment(form.begins, "begins", zone, wrong, None if before is None else before.starts_at),
        ends=_moment(form.ends, "ends", zone, wrong, None if before is None else before.ends_at),
        policies=_policies(form, wrong),
        wrong=wrong,
    )


def _read_rule(form: ScheduleForm, wrong: dict[str, str]) -> Rule | None:  # noqa: PLR0911 - likewise
    match form.kind:
        case "days":
            days = sorted({int(day) for day in form.days if day in set("0123456")})
            if not days:
                wrong["days"] = "Choose a day at least."
            times = _read_times(form.times, "times", wrong)
            return Daily(times) if len(days) == len(DAYS) else Weekly(tuple(Weekday(day) for day in days), times)
        case "monthly":
            times = _read_times(form.month_times, "month_times", wrong)
            return Monthly(_read_on(form.day_of_month, wrong), times)
        case "interval":
            every = _duration(form.interval, "interval", wrong)
            if every is None or every < timedelta(seconds=1):
                wrong.setdefault("interval", "At least a second.")
                return None
            return Interval(int(every.total_seconds()))
        case "once":
            at = _read_local(form.once, "once", wrong)
            return None if at is None else Once(at)
        case "cron":
            return Cron(form.cron)
        case "rrule":
            start = _read_local(form.rrule_start, "rrule_start", wrong)
            return None if start is None else RRule(form.rrule, start)
        case _:
            wrong["kind"] = "There is no such kind of rule."
            return None


def _read_times(text: str, field: str, wrong: dict[str, str]) -> tuple[time, ...]:
    found = []
    for each in text.replace(",", " ").split()[:_MOST_TIMES]:
        try:
            found.append(time.fromisoformat(each if ":" in each and each.index(":") > 1 else f"0{each}"))
        except ValueError:
            wrong[field] = f"{each[:20]} is no time of the day: 07:30, 16:00."
    if not found:
        wrong.setdefault(field, "At least one time of the day: 07:30.")
    return tuple(dict.fromkeys(found))


def _read_on(text: str, wrong: dict[str, str]) -> DayOfMonth | LastDay | NthWeekday:
    if text in dict(DAYS_OF_MONTH) and text != "last":
        nth, _, day = text.partition(":")
        return NthWeekday(int(nth), Weekday(int(day))) if day else DayOfMonth(int(nth))
    if text != "last":
        wrong["day_of_month"] = "There is no such day."
    return LastDay()


def _read_local(text: str, field: str, wrong: dict[str, str]) -> datetime | None:
    try:
        return read_local(text)
    except Invalid as refused:
        wrong[field] = f"{refused.message}."
        return None


def _moment(
    text: str, field: str, zone: ZoneInfo | None, wrong: dict[str, str], before: datetime | None
) -> datetime | None:
    if not text or zone is None:
        return None
    try:
        return read_moment(text, zone, before)
    except Invalid as refused:
        wrong[field] = f"{refused.message}."
        return None


def _policies(form: ScheduleForm, wrong: dict[str, str]) -> Policies:
    overlap = Overlap(form.overlap) if form.overlap in {each.value for each in Overlap} else Overlap.ALLOW
    missed = Missed(form.missed) if form.missed in {each.value for each in Missed} else Missed.SKIP
    skip_after = _duration(form.skip_after, "skip_after", wrong)
    if skip_after is not None and overlap is not Overlap.QUEUE:
        wrong["skip_after"] = "Only what waits in line is given up."
    grace = _duration(form.grace, "grace", wrong)
    priority = form.priority or "0"
    if not priority.removeprefix("-").isdecimal() or not priority.isascii() or len(priority) > 8:  # noqa: PLR2004
        wrong["priority"], priority = "This is a whole number.", "0"
    return Policies(
        missed=missed,
        grace=timedelta() if grace is None else grace,
        overlap=overlap,
        skip_after=skip_after,
        cancel_after=_duration(form.cancel_after, "cancel_after", wrong),
        inputs=_inputs(form, wrong),
        priority=int(priority),
    )


def _inputs(form: ScheduleForm, wrong: dict[str, str]) -> ScheduledInput:
    match form.inputs:
        case "waiting_items":
            return WaitingItems()
        case "payload":
            payload = payload_of(form.payload or "null")
            if payload is None:
                wrong["payload"] = "This is no JSON."
                return UsualInput()
            return GivenPayload(payload)
        case _:
            return UsualInput()


def _duration(text: str, field: str, wrong: dict[str, str]) -> timedelta | None:
    try:
        return durations.read(text)
    except ValueError as no:
        wrong[field] = f"{str(no)[0].upper()}{str(no)[1:]}."
        return None
