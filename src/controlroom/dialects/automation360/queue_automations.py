"""WLM automations (§2.23): consumers of a queue, each item of which is a run of a bot.

A bot runs for its run-as users in turn, one item each at a time, on the devices of its pool. The first automation of a
queue takes the queue to the bot's folder. What is kept and has no effect: `rdpEnabled`, `runElevated`,
`handleUnexpectedPopups`, `hideBotAgentUi`, `defaultDevices`, `botInput` (the item is the bot's input).
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from controlroom.dialects.automation360.answers import Shape, moment, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import As, Columns, Listed, Sought, Words, listed
from controlroom.dialects.automation360.queues import MANAGE, at, numbered, reach
from controlroom.dialects.automation360.routing import delete, get, post, put
from controlroom.engine.access import scope
from controlroom.engine.access.model import Actor
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import OLDEST_FIRST, Asked, equal
from controlroom.engine.nouns import Ways
from controlroom.engine.processes.model import ANYWHERE, Group, Placement
from controlroom.engine.queues import actions, rights
from controlroom.engine.queues.errors import ConsumerNotFound
from controlroom.engine.queues.listings import CONSUMERS
from controlroom.engine.queues.model import Consumer, ConsumerChange, ConsumerDefinition, ListedConsumer, Window
from controlroom.engine.queues.rights import Reached, Right
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.engine.runs.deployments import Runnable, to_run
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import UserId, WorkspaceId

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


_COLUMNS = Columns(
    CONSUMERS,
    {
        "id": "number",
        "name": "name",
        "automationName": "name",
        "description": "description",
        "queueId": As("queue_number", sort=""),
        "queueName": "queue_name",
        "fileId": As("task_number", sort=""),
        "fileName": As("task_name", sort=""),
        "status": Words({"ACTIVE": equal(is_paused=False), "PAUSE": equal(is_paused=True)}, sort="is_paused"),
        "priority": "priority",
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": As("created_by", sort=""),
        "updatedBy": As("updated_by", sort=""),
    },
    order=OLDEST_FIRST,
)


# ---------------------------------------------------------------------------------------------------- routes
@post("/v3/wlm/automations", pair=MANAGE, number_codes=True)
async def create_automation(request: Asking, data: Body[AutomationBody]) -> Automation:
    """Let a bot work on the items of a queue."""
    if data.file_id is UNSET or data.queue_id is UNSET or not data.file_id or not data.queue_id:
        raise Invalid("`fileId` and `queueId` are needed", code="INVALID_BODY")
    bot = await _bot(request, data.file_id)
    change = await _change(request, data, Raw(b"{}"))
    name = data.name or data.automation_name
    if not name or not isinstance(name, str):
        raise Invalid("`name` is missing", code="INVALID_BODY")
    given = {key: value for key, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    users = given.get("run_as", ())
    wanted = ConsumerDefinition(
        **given | {"task": bot.task, "name": name, "batch": 1, "max_runs": max(1, len(users)) if users else _ALONE}
    )

    async def add(reached: Reached) -> Consumer:
        return await actions.add_consumer(
            request.engine,
            _also(reached, bot.actor, bot.workspace),
            reached.workspace,
            reached.queue,
            wanted,
            task_in=bot.workspace,
        )

    return await _told(request, await at(request, data.queue_id, Right.MANAGE, add))


@post("/v3/wlm/automations/list", number_codes=True)
async def list_automations(request: Asking, data: Sought = None) -> Listed[Automation]:
    """List the automations of the queues that the caller sees."""
    seen = await rights.visible(request.db, request.actor)
    only = seen.filter("queue_id", "workspace_id")
    tenant = str(request.actor.organization_id)
    return await listed(
        request,
        data,
        _COLUMNS,
        ListedConsumer,
        lambda row: _show(row, tenant),
        within=scope.within(seen.places),
        only=only,
    )


@get("/v3/wlm/automations/{automation:str}", number_codes=True)
async def get_automation(request: Asking, automation: Id) -> Automation:
    """Get an automation."""
    return _show(await _found(request, automation), str(request.actor.organization_id))


@put("/v3/wlm/automations/{automation:str}", pair=MANAGE, number_codes=True)
async def update_automation(request: Asking, automation: Id, data: Body[AutomationBody]) -> Automation:
    """Change an automation, pause it or let it go on; with `version`, only if nobody has changed it since."""
    found = await _found(request, automation)
    if data.queue_id is not UNSET and data.queue_id not in {0, found.queue_number}:
        raise Invalid("an automation stays with its queue", code="INVALID_BODY")
    reached = await reach(request, found.queue_number, Right.MANAGE)
    change, asking = await _change(request, data, found.notes), request.actor
    if data.file_id is not UNSET and data.file_id and data.file_id != found.task_number:
        bot = await _bot(request, data.file_id)
        asking = bot.actor
        if bot.workspace != reached.workspace:
            raise Invalid("the bot lies in another folder than the queue", code="QUEUE_ELSEWHERE")
        change = msgspec.structs.replace(change, task=bot.task)
    if change.run_as is not UNSET:
        change = msgspec.structs.replace(change, max_runs=len(change.run_as) or _ALONE)
    revision = None if data.version is UNSET else data.version
    changed = await actions.change_consumer(
        request.engine,
        _also(reached, asking, reached.workspace),
        reached.workspace,
        reached.queue,
        found.id,
        change,
        revision=revision,
    )
    return await _told(request, changed)


@delete("/v3/wlm/automations/{automation:str}", pair=MANAGE, number_codes=True)
async def delete_automation(request: Asking, automation: Id) -> None:
    """Delete an automation; what it has begun goes on."""
    found = await _found(request, automation)
    reached = await reach(request, found.queue_number, Right.MANAGE)
    await actions.remove_consumer(request.engine, reached.actor, reached.workspace, reached.queue, found.id)


_ALONE: Final = 1
"""Runs at once where no users are named."""


# ---------------------------------------------------------------------------------------------------- finding
async def _found(request: Asking, automation: str) -> ListedConsumer:
    seen = await rights.visible(request.db, request.actor)
    only = seen.filter("queue_id", "workspace_id")
    number = equal(number=int(numbered(automation)[:18]))
    asked = Asked(filter=type(number)((*number.of, only)), length=1)
    found = await pages.rows(request.db, ListedConsumer, CONSUMERS, scope.within(seen.places), asked)
    if not found:
        raise ConsumerNotFound(automation)
    return found[0]


async def _told(request: Asking, consumer: Consumer) -> Automation:
    within = scope.within(Of(request.actor.organization_id, (consumer.workspace_id,)))
    asked = Asked(filter=equal(id=consumer.id), length=1)
    [row] = await pages.rows(request.db, ListedConsumer, CONSUMERS, within, asked)
    return _show(row, str(request.actor.organization_id))


async def _bot(request: Asking, number: int) -> Runnable:
    """The bot, if the caller may run it, by a permission or by a right of a role in its folder."""
    return await to_run(request.engine, request.actor, number)


def _also(reached: Reached, actor: Actor, workspace: WorkspaceId) -> Actor:
    """Who may manage the queue, with what they may do where the bot lies."""
    both = reached.actor.permissions_in(workspace) | actor.permissions_in(workspace)
    return msgspec.structs.replace(reached.actor, grants=reached.actor.grants | {workspace: both})


# ---------------------------------------------------------------------------------------------------- reading
async def _change(request: Asking, data: AutomationBody, notes: Raw) -> ConsumerChange:
    """What is given, in the engine's words; what is the queue's and the bot's own is for the caller."""
    nowhere = Of(request.actor.organization_id, tuple(request.actor.grants))
    placement: Placement | UnsetType = UNSET
    if data.pool_id is not UNSET:
        placement = ANYWHERE
        if data.pool_id:
            group = await resolve(request.db, nowhere, WORKER_GROUP, str(data.pool_id), Ways.NUMBER)
            placement = Placement(places=(Group(group),))
    users: tuple[UserId, ...] | UnsetType = UNSET
    if data.run_as_user_ids is not UNSET:
        named = [Reference(USER, str(each), Ways.NUMBER) for each in dict.fromkeys(data.run_as_user_ids)]
        users = tuple(await resolve_all(request.db, nowhere, named))
    return ConsumerChange(
        placement=placement,
        run_as=users,
        windows=UNSET if data.schedules is UNSET else tuple(_windows(data.schedules)),
        zone=data.zone_id or UNSET,
        priority=UNSET if data.priority is UNSET else _priority(data.priority),
        is_paused=UNSET if data.status is UNSET else _is_paused(data.status),
        name=data.name or data.automation_name or UNSET,
        description=data.description,
        label=UNSET if data.bot_label is UNSET else data.bot_label or None,
        version=UNSET if data.bot_version is UNSET else _version(data.bot_version),
        notes=_notes(data, notes),
    )


def _version(word: str) -> int | None:
    """The version of the bot that is pinned; none of them says the latest."""
    text = word.strip().upper()
    if text in _LATEST:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 - of 32 bits
        raise Invalid("botVersion is the number of a version", code="INVALID_BODY")
    return int(text) or None


def _notes(data: AutomationBody, before: Raw) -> Raw:
    given = {
        name: value
        for name, value in zip(_KEPT, (getattr(data, _FIELDS[name]) for name in _KEPT), strict=True)
        if value is not None
    }
    return Raw(msgspec.json.encode(msgspec.json.decode(before, type=dict[str, Any]) | given))


_FIELDS: Final[Mapping[str, str]] = {field.encode_name: field.name for field in msgspec.structs.fields(AutomationBody)}


def _windows(schedules: Sequence[ScheduleBody]) -> list[Window]:
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


def _priority(word: str) -> int:
    text = word.strip().upper()
    if text in _PRIORITIES:
        return _PRIORITIES[text]
    if text.lstrip("-").isdecimal() and text.isascii() and len(text) <= 7:  # noqa: PLR2004 - a million at most
        return int(text)
    raise Invalid(f"priority is one of {', '.join(_PRIORITIES)}", code="INVALID_BODY")


def _is_paused(status: str) -> bool:
    match status.strip().upper():
        case "ACTIVE" | "":
            return False
        case "PAUSE" | "PAUSED":
            return True
        case _:
            raise Invalid("status is ACTIVE or PAUSE", code="INVALID_BODY")


# ---------------------------------------------------------------------------------------------------- showing
def _show(consumer: ListedConsumer, tenant: str) -> Automation:
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
