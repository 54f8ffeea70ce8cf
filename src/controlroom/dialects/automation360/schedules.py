"""Automations API v2: the scheduler (§2.20). What v1 says of the same rows is in `schedules_v1`."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Raw, UnsetType, field
from msgspec.structs import asdict

from controlroom.border.lenient import LEFT_OUT, NOTHING
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.deploy import CallbackInfo, Headless, Unattended
from controlroom.dialects.automation360.errors import NotSupported
from controlroom.dialects.automation360.executions import priority_word
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, delete, post, put
from controlroom.dialects.automation360.schedule_times import DailyRecurrence, Times, TimesTold, told
from controlroom.dialects.automation360.schedule_words import (
    COLUMNS,
    STATUS,
    Plan,
    Status,
    TaskType,
    asides_of,
    callback_told,
    inputs_told,
    path_told,
    schedule_numbered,
    shown_anew,
    task_type,
    usage,
    wanted,
)
from controlroom.engine.access.nouns import USER
from controlroom.engine.schedules import actions
from controlroom.engine.schedules.definitions import ScheduleChange
from controlroom.engine.schedules.listings import ListedSchedule
from controlroom.errors import Invalid

_BASE: Final = "/v2/schedule/automations"
_VIEW: Final = Pair("taskscheduling", "view")
_KEPT: Final = ("runElevated", "hideBotAgentUi", "handleUnexpectedPopups")
"""What has no effect here and is told as it was said."""


class ScheduleAsked(Times, frozen=True, kw_only=True):
    """When, whose, and how it stands."""

    status: Status = Status.DRAFT
    description: str = ""
    misfire_schedule_config: bool = False
    owned_by: int | None = None
    schedule_resiliency: Raw = LEFT_OUT


class HeadlessAsked(Headless, frozen=True, kw_only=True):
    """For an API task; what does not get a device at once waits, whatever is said."""

    queue_on_slots_exhaustion: bool = True


class DeploymentAsked(Shape, frozen=True, kw_only=True):
    """What is started. The three requests come in any letter-case."""

    bot_id: int
    automation_name: str = ""
    description: str = ""
    bot_label: str = ""
    callback_info: CallbackInfo | None = None
    automation_priority: str = ""
    bot_input: Any = None
    run_elevated: Raw = LEFT_OUT
    hide_bot_agent_ui: Raw = LEFT_OUT
    handle_unexpected_popups: Raw = LEFT_OUT
    unattended_request: Unattended | None = None
    attended_request: Raw = LEFT_OUT
    headless_request: HeadlessAsked | None = None


class ScheduleRequest(Shape, frozen=True, kw_only=True):
    """A schedule, and what it starts."""

    schedule: ScheduleAsked
    deployment: DeploymentAsked


class SchedulerTold(TimesTold, frozen=True, kw_only=True):
    """When it is due, and how it stands."""

    status: Status
    description: str
    daily_twin: DailyRecurrence | UnsetType = field(name="DailyRecurrence", default=UNSET)
    """The name that the vendor's answers have (§2.20)."""
    zoned_next_run_date_time: str | None
    misfire_schedule_config: bool
    owned_by: int | None
    schedule_resiliency: Any


class UnattendedTold(Shape, frozen=True, kw_only=True):
    """As whom, on which devices."""

    run_as_user_ids: list[int]
    device_usage_type: str
    pool_ids: list[int]
    num_of_run_as_users_to_use: int


class DeploymentTold(Shape, frozen=True, kw_only=True):
    """What is started."""

    activity_name: str
    description: str
    file_id: str
    file_name: str
    file_path: str
    file_label: str
    file_input: dict[str, Any]
    run_elevated: bool
    hide_bot_agent_ui: bool
    handle_unexpected_popups: bool
    callback_info: CallbackInfo | None
    activity_priority: str
    unattended: UnattendedTold | UnsetType = field(name="UnattendedRequest", default=UNSET)
    headless_request: dict[str, Any] | UnsetType = UNSET


class ScheduleResponse(Shape, frozen=True, kw_only=True):
    """A schedule that was written."""

    id: int
    scheduler_response: SchedulerTold
    task_type: TaskType
    schedule_deployment_response: DeploymentTold
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str


class ScheduleItem(TimesTold, frozen=True, kw_only=True):
    """A row of the list."""

    id: int
    activity_name: str
    description: str
    task_type: TaskType
    activity_priority: str
    zoned_next_run_date_time: str | None
    file_id: int
    file_name: str
    file_path: str
    run_as_user_ids: list[int]
    pool_ids: list[int]
    team_identifier_type: str | None = None
    team_identifier_id: int | None = None
    status: Status
    owned_by: int | None
    created_by: int | None
    created_on: str
    updated_by: int | None
    updated_on: str


class ChangeOwner(Shape, frozen=True, kw_only=True):
    """To whom schedules go over; `taskType` is passed over."""

    schedule_ids: tuple[int, ...]
    user_id: int


@post(_BASE, needs=Permission.WRITE_SCHEDULES, pair=Pair("taskscheduling", "addschedule"))
async def create_schedule(request: Asking, data: Body[ScheduleRequest]) -> ScheduleResponse:
    """Plan a bot, an API task or a process."""
    asked = await wanted(request, _plan_of(data))
    made = await actions.create(request.engine, asked.actor, asked.workspace, asked.definition)
    return _show(await shown_anew(request, asked.workspace, made.id))


@put(f"{_BASE}/{{schedule:str}}", needs=Permission.WRITE_SCHEDULES, pair=Pair("taskscheduling", "updateschedule"))
async def update_schedule(request: Asking, schedule: Id, data: Body[ScheduleRequest]) -> ScheduleResponse:
    """Plan it otherwise; what is left out is as in a new one, but for the owner."""
    located = await schedule_numbered(request, schedule)
    asked = await wanted(request, _plan_of(data))
    workspace = located.scope.workspace
    if asked.workspace != workspace:
        raise Invalid("a schedule stays in the folder of its bot's workspace", code="SCHEDULE_INVALID")
    await actions.update(request.engine, asked.actor, workspace, located.id, asked.change())
    return _show(await shown_anew(request, workspace, located.id))


@delete(f"{_BASE}/{{schedule:str}}", needs=Permission.WRITE_SCHEDULES, pair=Pair("taskscheduling", "deleteschedule"))
async def delete_schedule(request: Asking, schedule: Id) -> None:
    """Delete a schedule; runs that it started go on."""
    located = await schedule_numbered(request, schedule)
    await actions.delete(request.engine, request.actor, located.scope.workspace, located.id)


@post(f"{_BASE}/list", needs=Permission.READ_SCHEDULES, pair=_VIEW)
async def list_schedules(request: Asking, data: Sought = None) -> Listed[ScheduleItem]:
    """Search schedules, whichever version or grammar they were made by."""
    return await listed(request, data, COLUMNS, ListedSchedule, _show_item)


@put(
    f"{_BASE}/changeOwner",
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "manageallmyfolderschedules"),
)
async def change_schedule_owner(request: Asking, data: Body[ChangeOwner]) -> None:
    """Give schedules to another user, who has a place in their workspaces: all of them, or none."""
    owner = await find(request, USER, data.user_id)
    await _change(request, data.schedule_ids, ScheduleChange(owner_id=owner.id))


@put(f"{_BASE}/activate", needs=Permission.WRITE_SCHEDULES, pair=Pair("taskscheduling", "updateschedule"))
async def activate_schedules(request: Asking, data: Body[list[int]]) -> None:
    """Let schedules start runs; in the body an array of their ids."""
    await _enable(request, data, is_enabled=True)


@put(f"{_BASE}/deactivate", needs=Permission.WRITE_SCHEDULES, pair=Pair("taskscheduling", "updateschedule"))
async def deactivate_schedules(request: Asking, data: Body[list[int]]) -> None:
    """Let schedules start no more runs, likewise."""
    await _enable(request, data, is_enabled=False)


@put(
    f"{_BASE}/activate/{{schedule:str}}",
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "updateschedule"),
)
async def activate_schedule(request: Asking, schedule: Id) -> None:
    """Let a schedule start runs."""
    await _enable(request, [schedule], is_enabled=True)


@put(
    f"{_BASE}/deactivate/{{schedule:str}}",
    needs=Permission.WRITE_SCHEDULES,
    pair=Pair("taskscheduling", "updateschedule"),
)
async def deactivate_schedule(request: Asking, schedule: Id) -> None:
    """Let a schedule start no more runs."""
    await _enable(request, [schedule], is_enabled=False)


async def _enable(request: Asking, numbers: Sequence[int | str], *, is_enabled: bool) -> None:
    await _change(request, numbers, ScheduleChange(is_enabled=is_enabled, is_draft=False))


async def _change(request: Asking, numbers: Sequence[int | str], change: ScheduleChange) -> None:
    """All of them, or none."""
    found = [await schedule_numbered(request, number) for number in numbers]
    named = [(one.scope.workspace, one.id) for one in found]
    await actions.update_all(request.engine, request.actor, named, change)


# ---------------------------------------------------------------------------------------------------- as it is asked
def _plan_of(data: ScheduleRequest) -> Plan:
    schedule, deployment = data.schedule, data.deployment
    if deployment.attended_request != NOTHING:
        raise NotSupported("there are no attended devices here: plan it unattended or headless")
    if deployment.unattended_request is not None and deployment.headless_request is not None:
        raise Invalid("a schedule is either unattended or headless", code="SCHEDULE_INVALID")
    return Plan(
        number=deployment.bot_id,
        times=schedule,
        unattended=deployment.unattended_request or Unattended(),
        headless=deployment.headless_request,
        label=deployment.bot_label,
        callback=deployment.callback_info,
        inputs=deployment.bot_input,
        name=deployment.automation_name,
        description=schedule.description or deployment.description,
        owner=schedule.owned_by,
        status=schedule.status,
        catches_up=schedule.misfire_schedule_config,
        priority=deployment.automation_priority,
        asides=_asides_of(data),
    )


def _asides_of(data: ScheduleRequest) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "runElevated": data.deployment.run_elevated,
        "hideBotAgentUi": data.deployment.hide_bot_agent_ui,
        "handleUnexpectedPopups": data.deployment.handle_unexpected_popups,
        "scheduleResiliency": data.schedule.schedule_resiliency,
    }
    if data.deployment.headless_request is not None:
        headless = data.deployment.headless_request
        kept["queueOnSlotsExhaustion"] = headless.queue_on_slots_exhaustion
    if data.schedule.description:
        kept["description"] = data.deployment.description
    return {name: value for name, value in kept.items() if value != NOTHING}


# ---------------------------------------------------------------------------------------------------- as it is told
def _show(schedule: ListedSchedule) -> ScheduleResponse:
    times, asides = told(schedule.timing), asides_of(schedule)
    return ScheduleResponse(
        id=schedule.number,
        scheduler_response=SchedulerTold(
            **asdict(times),
            daily_twin=times.daily_recurrence,
            status=STATUS[schedule.standing],
            description=schedule.description,
            zoned_next_run_date_time=moment_or_none(schedule.next_due),
            misfire_schedule_config=schedule.missed.value == "run_once",
            owned_by=schedule.owner_number,
            schedule_resiliency=asides.get("scheduleResiliency"),
        ),
        task_type=task_type(schedule),
        schedule_deployment_response=_show_deployment(schedule, asides),
        created_by="" if schedule.maker_number is None else str(schedule.maker_number),
        created_on=moment(schedule.created_at),
        updated_by="" if schedule.editor_number is None else str(schedule.editor_number),
        updated_on=moment(schedule.updated_at),
    )


def _show_deployment(schedule: ListedSchedule, asides: dict[str, Any]) -> DeploymentTold:
    is_headless = task_type(schedule) is TaskType.API_TASK
    unattended = UnattendedTold(
        run_as_user_ids=schedule.user_numbers,
        device_usage_type=usage(schedule),
        pool_ids=schedule.group_numbers,
        num_of_run_as_users_to_use=0 if schedule.start is None else schedule.start.most_users,
    )
    headless = {
        "numberOfExecutions": 1 if schedule.start is None else schedule.start.copies,
        "sharedRunAsUserId": next(iter(schedule.user_numbers), None),
        "queueOnSlotsExhaustion": asides.get("queueOnSlotsExhaustion", True),
    }
    return DeploymentTold(
        activity_name=schedule.name,
        description=str(asides.get("description", schedule.description)),
        file_id=str(schedule.work_number),
        file_name=schedule.work_name,
        file_path=path_told(schedule),
        file_label="" if schedule.start is None else schedule.start.label or "",
        file_input=inputs_told(schedule),
        run_elevated=bool(asides.get("runElevated", False)),
        hide_bot_agent_ui=bool(asides.get("hideBotAgentUi", False)),
        handle_unexpected_popups=bool(asides.get("handleUnexpectedPopups", False)),
        callback_info=callback_told(schedule),
        activity_priority=priority_word(schedule.priority),
        unattended=UNSET if is_headless else unattended,
        headless_request=headless if is_headless else UNSET,
    )


def _show_item(schedule: ListedSchedule) -> ScheduleItem:
    return ScheduleItem(
        **asdict(told(schedule.timing)),
        id=schedule.number,
        activity_name=schedule.name,
        description=schedule.description,
        task_type=task_type(schedule),
        activity_priority=priority_word(schedule.priority),
        zoned_next_run_date_time=moment_or_none(schedule.next_due),
        file_id=schedule.work_number,
        file_name=schedule.work_name,
        file_path=path_told(schedule),
        run_as_user_ids=schedule.user_numbers,
        pool_ids=schedule.group_numbers,
        status=STATUS[schedule.standing],
        owned_by=schedule.owner_number,
        created_by=schedule.maker_number,
        created_on=moment(schedule.created_at),
        updated_by=schedule.editor_number,
        updated_on=moment(schedule.updated_at),
    )
