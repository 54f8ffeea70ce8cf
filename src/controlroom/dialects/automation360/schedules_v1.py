"""Automations API v1, the older scheduler (§2.4): flat bodies over the same rows as v2. It ends on 31 January 2028."""

from datetime import date
from typing import Any, Final

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import asdict

from controlroom.border.lenient import LEFT_OUT, NOTHING
from controlroom.dialects.automation360.answers import moment, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.deploy import CallbackInfo, Unattended, usage_of
from controlroom.dialects.automation360.executions import priority_word
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, post, put
from controlroom.dialects.automation360.schedule_times import Times, TimesTold, told
from controlroom.dialects.automation360.schedule_words import (
    COLUMNS,
    STATUS,
    Plan,
    Status,
    asides_of,
    inputs_told,
    path_told,
    schedule_numbered,
    shown_anew,
    usage,
    wanted,
)
from controlroom.engine.schedules import actions
from controlroom.engine.schedules.listings import ListedSchedule
from controlroom.errors import Invalid

_BASE: Final = "/v1/schedule/automations"
_SUPERSEDED: Final = Superseded("/v2/schedule/automations", date(2028, 1, 31))


class ScheduleV1(Times, frozen=True, kw_only=True):
    """A schedule with what it starts. `deviceIds`, `rdpEnabled` and `runElevated` have no effect."""

    name: str = ""
    file_id: int
    file_name: str = ""
    status: Status = Status.DRAFT
    description: str = ""
    run_as_user_ids: tuple[int, ...] = ()
    pool_ids: tuple[int, ...] = ()
    override_default_device: bool | None = None
    num_of_run_as_users_to_use: int = 0
    workspace_name: str = ""
    misfire_schedule_config: bool = False
    automation_priority: str = ""
    bot_label: str = ""
    bot_input: Any = None
    callback_info: CallbackInfo | None = None
    device_ids: Raw = LEFT_OUT
    rdp_enabled: Raw = LEFT_OUT
    run_elevated: Raw = LEFT_OUT


class ScheduleV1Told(TimesTold, frozen=True, kw_only=True):
    """A schedule. Its pools come as `poolId`, as they always did."""

    id: int
    name: str
    file_id: int
    file_name: str
    file_path: str
    status: Status
    description: str
    device_ids: list[int]
    rdp_enabled: bool
    run_as_user_ids: list[int]
    pool_id: list[int]
    override_default_device: bool
    num_of_run_as_users_to_use: int
    workspace_name: str
    misfire_schedule_config: bool
    run_elevated: bool
    automation_priority: str
    bot_label: str
    bot_input: dict[str, Any]
    zoned_next_run_date_time: str | None
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_id: int
    tenant_uuid: str
    callback_info: CallbackInfo | UnsetType = UNSET


@post(
    _BASE,
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "addschedule"),
    deprecated=_SUPERSEDED,
)
async def create_schedule_v1(request: Asking, data: Body[ScheduleV1]) -> ScheduleV1Told:
    """Plan a bot."""
    asked = await wanted(request, _plan_of(data))
    made = await actions.create(request.engine, asked.actor, asked.workspace, asked.definition)
    return _show(request, await shown_anew(request, asked.workspace, made.id))


@put(
    f"{_BASE}/{{schedule:str}}",
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "updateschedule"),
    deprecated=_SUPERSEDED,
)
async def update_schedule_v1(request: Asking, schedule: Id, data: Body[ScheduleV1]) -> ScheduleV1Told:
    """Plan it otherwise."""
    located = await schedule_numbered(request, schedule)
    asked = await wanted(request, _plan_of(data))
    workspace = located.scope.workspace
    if asked.workspace != workspace:
        raise Invalid("a schedule stays in the folder of its bot's workspace", code="SCHEDULE_INVALID")
    await actions.update(request.engine, asked.actor, workspace, located.id, asked.change())
    return _show(request, await shown_anew(request, workspace, located.id))


@delete(
    f"{_BASE}/{{schedule:str}}",
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "deleteschedule"),
    deprecated=_SUPERSEDED,
)
async def delete_schedule_v1(request: Asking, schedule: Id) -> None:
    """Delete a schedule; runs that it started go on."""
    located = await schedule_numbered(request, schedule)
    await actions.delete(request.engine, request.actor, located.scope.workspace, located.id)


@post(
    f"{_BASE}/list",
    needs=Permission.READ_SCHEDULES,
    pair=Pair("taskscheduling", "view"),
    deprecated=_SUPERSEDED,
)
async def list_schedules_v1(request: Asking, data: Sought = None) -> Listed[ScheduleV1Told]:
    """Search schedules, whichever version or grammar they were made by."""
    columns = COLUMNS.telling(tenantUuid=str(request.actor.organization_id))
    return await listed(request, data, columns, ListedSchedule, lambda schedule: _show(request, schedule))


def _plan_of(data: ScheduleV1) -> Plan:
    unattended = Unattended(
        run_as_user_ids=data.run_as_user_ids,
        device_usage_type=usage_of(data.pool_ids, is_overridden=bool(data.override_default_device)),
        pool_ids=data.pool_ids,
        num_of_run_as_users_to_use=data.num_of_run_as_users_to_use,
    )
    kept = {"deviceIds": data.device_ids, "rdpEnabled": data.rdp_enabled, "runElevated": data.run_elevated}
    return Plan(
        number=data.file_id,
        times=data,
        unattended=unattended,
        label=data.bot_label,
        callback=data.callback_info,
        inputs=data.bot_input,
        name=data.name,
        description=data.description,
        status=data.status,
        catches_up=data.misfire_schedule_config,
        priority=data.automation_priority,
        asides={name: value for name, value in kept.items() if value != NOTHING},
    )


def _show(request: Asking, schedule: ListedSchedule) -> ScheduleV1Told:
    asides, start = asides_of(schedule), schedule.start
    devices = asides.get("deviceIds")
    return ScheduleV1Told(
        **asdict(told(schedule.timing)),
        id=schedule.number,
        name=schedule.name,
        file_id=schedule.work_number,
        file_name=schedule.work_name,
        file_path=path_told(schedule),
        status=STATUS[schedule.standing],
        description=schedule.description,
        device_ids=devices if isinstance(devices, list) else [],
        rdp_enabled=bool(asides.get("rdpEnabled", False)),
        run_as_user_ids=schedule.user_numbers,
        pool_id=schedule.group_numbers,
        override_default_device=usage(schedule) == "RUN_ON_POOL_DEVICES",
        num_of_run_as_users_to_use=0 if start is None else start.most_users,
        workspace_name="public",
        misfire_schedule_config=schedule.missed.value == "run_once",
        run_elevated=bool(asides.get("runElevated", False)),
        automation_priority=priority_word(schedule.priority),
        bot_label="" if start is None else start.label or "",
        bot_input=inputs_told(schedule),
        zoned_next_run_date_time=moment_or_none(schedule.next_due),
        created_by="" if schedule.maker_number is None else str(schedule.maker_number),
        created_on=moment(schedule.created_at),
        updated_by="" if schedule.editor_number is None else str(schedule.editor_number),
        updated_on=moment(schedule.updated_at),
        tenant_id=schedule.tenant_number,
        tenant_uuid=str(request.actor.organization_id),
        callback_info=UNSET if start is None or start.callback is None else CallbackInfo(start.callback.url),
    )
