"""Automations of queues in this grammar's words (§2.23.2): how they are written, and how they are told."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from controlroom.dialects.automation360.answers import Shape, moment, moment_or_none
from controlroom.engine.queues.model import ListedConsumer, Window
from controlroom.errors import Invalid

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_PRIORITIES: Final = {"PRIORITY_LOW": -10, "PRIORITY_MEDIUM": 0, "PRIORITY_HIGH": 10}
_WORDS: Final = {number: word for word, number in _PRIORITIES.items()}
_LATEST: Final = {"", "LATEST", "ANY", "PRODUCTION"}
_KEPT: Final = (
    *("rdpEnabled", "runElevated", "handleUnexpectedPopups", "hideBotAgentUi", "defaultDevices", "botInput"),
    "fileName",
)
"""Keys that are kept as they came, and told again."""


class IntervalBody(Shape, frozen=True):
    """Hours of a day."""

    start_time: str
    end_time: str


class ScheduleBody(Shape, frozen=True):
    """Hours of some days."""

    days_of_week: tuple[str, ...] = ()
    intervals: tuple[IntervalBody, ...] = ()


class AutomationBody(Shape, frozen=True, kw_only=True):
    """An automation as it is made, or changed: what is left out stays."""

    name: str | UnsetType = UNSET
    automation_name: str = ""
    description: str | UnsetType = UNSET
    file_id: int | UnsetType = UNSET
    queue_id: int | UnsetType = UNSET
    pool_id: int | UnsetType = UNSET
    run_as_user_ids: tuple[int, ...] | UnsetType = UNSET
    zone_id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    priority: str | UnsetType = UNSET
    bot_label: str | UnsetType = UNSET
    schedules: tuple[ScheduleBody, ...] | UnsetType = UNSET
    version: int | UnsetType = UNSET
    file_name: Any = None
    bot_version: str | UnsetType = UNSET
    rdp_enabled: Any = None
    run_elevated: Any = None
    handle_unexpected_popups: Any = None
    hide_bot_agent_ui: Any = None
    default_devices: Any = None
    bot_input: Any = None


class Interval(Shape, frozen=True):
    """Hours of a day."""

    id: int
    start_time: str
    end_time: str
    ordinal: int
    tenant_uuid: str


class Schedule(Shape, frozen=True):
    """Hours of some days."""

    id: int
    ordinal: int
    days_of_week: list[str]
    intervals: list[Interval]
    tenant_uuid: str


class Automation(Shape, frozen=True, kw_only=True):
    """An automation; `fileId` is text, because clients put it into a path as it is."""

    id: int
    name: str
    description: str
    file_id: str
    file_name: str
    queue_id: int
    queue_name: str
    pool_id: int
    run_as_user_ids: list[int]
    zone_id: str
    status: str
    priority: str
    bot_label: str
    bot_version: str
    bot_input: Any
    rdp_enabled: bool
    run_elevated: bool
    handle_unexpected_popups: bool
    hide_bot_agent_ui: bool
    default_devices: Any
    schedules: list[Schedule]
    work_items_processed: int
    average_processing_time: float
    total_paused_time_in_sec: int
    started_on: str | None
    started_by: int
    owner: int
    resiliency: dict[str, dict[str, str]]
    created_by: int
    created_on: str
    updated_by: int
    updated_on: str
    tenant_id: int
    tenant_uuid: str
    version: int


def version_of(word: str) -> int | None:
    """The version of the bot that is pinned; none of them says the latest."""
    text = word.strip().upper()
    if text in _LATEST:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 - of 32 bits
        raise Invalid("botVersion is the number of a version", code="INVALID_BODY")
    return int(text) or None


def notes_of(data: AutomationBody, before: Raw) -> Raw:
    """What is kept as it came: what was kept before, and what is given now."""
    given = {
        name: value
        for name, value in zip(_KEPT, (getattr(data, _FIELDS[name]) for name in _KEPT), strict=True)
        if value is not None
    }
    return Raw(msgspec.json.encode(msgspec.json.decode(before, type=dict[str, Any]) | given))


_FIELDS: Final[Mapping[str, str]] = {field.encode_name: field.name for field in msgspec.structs.fields(AutomationBody)}


def windows_of(schedules: Sequence[ScheduleBody]) -> list[Window]:
    """When it works, as the engine says it."""
    windows = []
    for schedule in schedules:
        days = tuple(_day(day) for day in schedule.days_of_week) or tuple(range(7))
        intervals = schedule.intervals or (IntervalBody("00:00:00", "23:59:59"),)
        windows += [Window(days, _time(each.start_time), _time(each.end_time)) for each in intervals]
    return windows


def _day(word: str) -> int:
    if word.strip().upper() not in _DAYS:
        raise Invalid(f"{word[:100]!r} is no day of the week", code="INVALID_BODY")
    return _DAYS.index(word.strip().upper())


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError as wrong:
        raise Invalid(f"{text[:100]!r} is no time of day, as 08:30:00", code="INVALID_BODY") from wrong


def priority_of(word: str) -> int:
    """How urgent it is, by word or number."""
    text = word.strip().upper()
    if text in _PRIORITIES:
        return _PRIORITIES[text]
    if text.lstrip("-").isdecimal() and text.isascii() and len(text) <= 7:  # noqa: PLR2004 - a million at most
        return int(text)
    raise Invalid(f"priority is one of {', '.join(_PRIORITIES)}", code="INVALID_BODY")


def is_paused(status: str) -> bool:
    """Whether a status says that it rests."""
    match status.strip().upper():
        case "ACTIVE" | "":
            return False
        case "PAUSE" | "PAUSED":
            return True
        case _:
            raise Invalid("status is ACTIVE or PAUSE", code="INVALID_BODY")


def show(consumer: ListedConsumer, tenant: str) -> Automation:
    """An automation as lists have it."""
    notes = msgspec.json.decode(consumer.notes, type=dict[str, Any])
    return Automation(
        id=consumer.number,
        name=consumer.name,
        description=consumer.description,
        file_id=str(consumer.task_number),
        file_name=consumer.task_name,
        queue_id=consumer.queue_number,
        queue_name=consumer.queue_name,
        pool_id=consumer.group_number or 0,
        run_as_user_ids=consumer.run_as_numbers,
        zone_id=consumer.zone,
        status="PAUSE" if consumer.is_paused else "ACTIVE",
        priority=next(
            (word for word, number in _PRIORITIES.items() if number == consumer.priority), str(consumer.priority)
        ),
        bot_label=consumer.label or "",
        bot_version="" if consumer.version_number is None else str(consumer.version_number),
        bot_input=notes.get("botInput", {}),
        rdp_enabled=bool(notes.get("rdpEnabled")),
        run_elevated=bool(notes.get("runElevated")),
        handle_unexpected_popups=bool(notes.get("handleUnexpectedPopups")),
        hide_bot_agent_ui=bool(notes.get("hideBotAgentUi")),
        default_devices=notes.get("defaultDevices", []),
        schedules=_schedules(consumer.windows, tenant),
        work_items_processed=consumer.runs_ended,
        average_processing_time=consumer.average_seconds,
        total_paused_time_in_sec=0,
        started_on=moment_or_none(consumer.resumed_at),
        started_by=consumer.resumed_by_number or 0,
        owner=consumer.created_by_number or 0,
        resiliency={"common": {}},
        created_by=consumer.created_by_number or 0,
        created_on=moment(consumer.created_at),
        updated_by=consumer.updated_by_number or 0,
        updated_on=moment(consumer.updated_at),
        tenant_id=consumer.tenant_number,
        tenant_uuid=tenant,
        version=consumer.revision,
    )


def _schedules(windows: Sequence[Window], tenant: str) -> list[Schedule]:
    """Windows of the same days are the hours of one schedule; ids are places."""
    by_days: dict[tuple[int, ...], list[Window]] = {}
    for window in windows:
        by_days.setdefault(window.days, []).append(window)
    return [
        Schedule(
            place,
            place,
            [_DAYS[day] for day in days],
            [
                Interval(number, each.begins.isoformat("seconds"), each.ends.isoformat("seconds"), number, tenant)
                for number, each in enumerate(of, 1)
            ],
            tenant,
        )
        for place, (days, of) in enumerate(by_days.items(), 1)
    ]
