"""Schedules of processes (our own management API): `/schedules`, what became of them, and a preview."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from msgspec import UNSET, Meta, Raw, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.bodies import given
from controlroom.dialects.robocorp.answers import (
    Deleted,
    Identified,
    Named,
    OwnBody,
    Reference,
    Shape,
    shown_as,
    shown_with,
)
from controlroom.dialects.robocorp.process_runs import CallbackRequest, callback_of
from controlroom.dialects.robocorp.routing import OfProcess as OfOneProcess
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.schedule_rules import RuleBody, rule_of, show_rule
from controlroom.engine.runs.deployments import Anywhere, OnDefault, OnDefaultOr, OnGroups, Where
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions, by_hand, model, store
from controlroom.engine.schedules.definitions import (
    Schedule,
    ScheduleChange,
    ScheduleDefinition,
    Standing,
    Starts,
    StoredTaskStart,
    TaskStart,
)
from controlroom.engine.schedules.local_times import zone_named
from controlroom.engine.schedules.previews import Preview
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, ScheduleId, TaskId, UserId, WorkerGroupId

T = TypeVar("T")

_PREVIEWED = 10
_MOST_PREVIEWED = 100
_LONGEST_SECONDS = 1e9  # far beyond what a schedule may ask for, and what a timedelta holds


class DefaultInputBody(OwnBody, frozen=True, tag="default"):
    """The process's default work item, else an empty one."""


class PayloadInputBody(OwnBody, frozen=True, tag="payload"):
    """One work item with this payload."""

    payload: Raw


class WaitingInputBody(OwnBody, frozen=True, tag="waiting_items"):
    """The work items that wait in the input queue; if none does, no run is started."""


InputBody = DefaultInputBody | PayloadInputBody | WaitingInputBody


class TaskBody(OwnBody, frozen=True, kw_only=True):
    """A bare task, to be started: for each of the `users` (else once), in the version that has the `label` then.

    On the user's default worker (`on_default`), on one of the `groups`, or on that one before these; with neither, on
    whichever worker is free. Of more users than `most_users` those for whom the least waits; 0 for all of them.
    """

    id: TaskId
    users: tuple[UserId, ...] = ()
    most_users: Annotated[int, Meta(ge=0, le=1000)] = 0
    groups: tuple[WorkerGroupId, ...] = ()
    on_default: bool = True
    label: str | None = None
    run_name: str = ""
    callback: CallbackRequest | None = None


class CreateSchedule(OwnBody, frozen=True, kw_only=True):
    """A new schedule, of a process or of a task. Without `starts_at` it starts now."""

    name: str
    process: Reference | None = None
    task: TaskBody | None = None
    description: str = ""
    owner: Reference | None = None
    rule: RuleBody
    time_zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enabled: bool = True
    missed: model.Missed = model.Missed.SKIP
    grace_seconds: float = model.Policies().grace.total_seconds()
    overlap: model.Overlap = model.Overlap.ALLOW
    skip_after_seconds: float | None = None
    cancel_after_seconds: float | None = None
    input: InputBody = DefaultInputBody()
    priority: int = 0


class UpdateSchedule(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    process: Reference | UnsetType = UNSET
    task: TaskBody | UnsetType = UNSET
    description: str | UnsetType = UNSET
    owner: Reference | UnsetType = UNSET
    rule: RuleBody | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    missed: model.Missed | UnsetType = UNSET
    grace_seconds: float | UnsetType = UNSET
    overlap: model.Overlap | UnsetType = UNSET
    skip_after_seconds: float | UnsetType | None = UNSET
    cancel_after_seconds: float | UnsetType | None = UNSET
    input: InputBody | UnsetType = UNSET
    priority: int | UnsetType = UNSET


class PreviewRequest(OwnBody, frozen=True, kw_only=True):
    """A timing that is only tried."""

    rule: RuleBody
    time_zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    count: int = _PREVIEWED


class PreviewAnswer(Shape, frozen=True):
    """When it would be due, by the clock of its zone."""

    occurrences: list[datetime]
    remarks: list[str]
    """What it does that its author surely did not mean."""


class TaskAnswer(Shape, frozen=True, kw_only=True):
    """How a schedule starts its task."""

    id: TaskId
    users: tuple[UserId, ...]
    most_users: int
    groups: tuple[WorkerGroupId, ...]
    on_default: bool
    label: str | None
    run_name: str
    has_callback: bool


class ScheduleAnswer(Shape, frozen=True, kw_only=True):
    """A schedule, with the next times at which it is due."""

    id: ScheduleId
    name: str
    description: str
    owner: Identified | None
    process: Named
    task: TaskAnswer | None
    """None: it starts the process, as its steps say."""
    rule: RuleBody
    time_zone: str
    starts_at: datetime
    ends_at: datetime | None
    enabled: bool
    standing: Standing
    missed: model.Missed
    grace_seconds: float
    overlap: model.Overlap
    skip_after_seconds: float | None
    cancel_after_seconds: float | None
    input: InputBody
    priority: int
    next_occurrence: datetime | None
    created_at: datetime


class OccurrenceAnswer(Shape, frozen=True, kw_only=True):
    """What became of a time at which a schedule was due."""

    due: datetime
    state: model.OccurrenceState
    process_run: Identified | None
    reason: str
    decided_at: datetime
    started_by: Identified | None
    """Who has started it by hand; null: its time had come."""


@get("/schedules", needs=Permission.READ_SCHEDULES)
async def list_schedules(request: Asking, paging: Pages, process_id: OfOneProcess = None) -> Page[ScheduleAnswer]:
    """List schedules, oldest first."""
    rows = await store.list_schedules(
        *request.reading, process=process_id, **paging.after(ScheduleId), most_bytes=paging.most
    )
    return paging.page(rows, _show, size=store.size_of)


@post("/schedules")
async def create_schedule(request: Asking, data: Body[CreateSchedule]) -> ScheduleAnswer:
    """Create a schedule of a process."""
    return _show(await actions.create(*request.acting, _definition_of(data)))


@get("/schedules/{schedule_id:uuid}", needs=Permission.READ_SCHEDULES)
async def get_schedule(request: Asking, schedule_id: Path[ScheduleId]) -> ScheduleAnswer:
    """Get a schedule."""
    return _show(await store.get(*request.reading, schedule_id))


@update("/schedules/{schedule_id:uuid}", needs=Permission.WRITE_SCHEDULES)
async def update_schedule(request: Asking, schedule_id: Path[ScheduleId], data: Body[UpdateSchedule]) -> ScheduleAnswer:
    """Change a schedule."""
    zone = data.time_zone
    if zone is UNSET:
        zone = (await store.get(*request.reading, schedule_id)).zone
    return _show(await actions.update(*request.acting, schedule_id, _change_of(data, zone)))


@delete("/schedules/{schedule_id:uuid}")
async def delete_schedule(request: Asking, schedule_id: Path[ScheduleId]) -> Deleted:
    """Delete a schedule; runs that it started go on."""
    return await Deleted.after(schedule_id, actions.delete(*request.acting, schedule_id))


@post("/schedules/preview", needs=Permission.READ_SCHEDULES)
async def preview_schedule(request: Asking, data: Body[PreviewRequest]) -> PreviewAnswer:
    """Tell when a schedule would be due, without making it."""
    if not 1 <= data.count <= _MOST_PREVIEWED:
        raise Invalid(f"count is from 1 to {_MOST_PREVIEWED}", code="INVALID_BODY")
    timing = model.Timing(
        rule=rule_of(data.rule, data.time_zone),
        zone=data.time_zone,
        starts_at=_moment(data.starts_at, data.time_zone) or await store.now(request.db),
        ends_at=_moment(data.ends_at, data.time_zone),
    )
    return _preview(await actions.preview(request.engine, request.workspace, timing, count=data.count), timing.zone)


@get("/schedules/{schedule_id:uuid}/preview", needs=Permission.READ_SCHEDULES)
async def preview_existing_schedule(request: Asking, schedule_id: Path[ScheduleId]) -> PreviewAnswer:
    """Tell the next ten times at which a schedule is due, were it enabled."""
    schedule = await store.get(*request.reading, schedule_id)
    return _preview(
        await actions.preview(request.engine, request.workspace, schedule.timing, count=_PREVIEWED), schedule.zone
    )


@post("/schedules/{schedule_id:uuid}/run")
async def run_schedule(request: Asking, schedule_id: Path[ScheduleId]) -> OccurrenceAnswer:
    """Start now what a schedule starts, with its own input; its rule for overlaps holds, and its next time stays."""
    return _show_occurrence(await by_hand.fire_now(*request.acting, schedule_id))


@get("/schedules/{schedule_id:uuid}/occurrences", needs=Permission.READ_SCHEDULES)
async def list_schedule_occurrences(
    request: Asking, paging: Pages, schedule_id: Path[ScheduleId]
) -> Page[OccurrenceAnswer]:
    """List what became of the times at which a schedule was due, the latest first."""
    await store.get(*request.reading, schedule_id)
    rows = await store.list_occurrences(*request.reading, schedule_id, **paging.before(datetime.fromisoformat))
    return paging.page(rows, _show_occurrence, lambda occurrence: occurrence.due.isoformat())


def _moment(at: datetime | None, zone: str) -> datetime | None:
    """A moment, if it is one; without an offset it is meant by the clock of the zone."""
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=zone_named(zone)).astimezone(UTC)


def _duration(count: float) -> timedelta:
    if not 0 <= count <= _LONGEST_SECONDS:
        raise Invalid("a duration is a number of seconds from 0 on", code="INVALID_BODY")
    return timedelta(seconds=count)


_durations: Mapping[str, Any] = {
    name: (f"{name}_seconds", _duration) for name in ("grace", "skip_after", "cancel_after")
}
_policies_of = shown_as(model.Policies, CreateSchedule, **_durations)
_definition_of = shown_as(
    ScheduleDefinition,
    CreateSchedule,
    starts=lambda body: _starts_of(body.process, body.task),
    owner=lambda body: None if body.owner is None else UserId(body.owner.id),
    rule=lambda body: rule_of(body.rule, body.time_zone),
    starts_at=lambda body: _moment(body.starts_at, body.time_zone),
    ends_at=lambda body: _moment(body.ends_at, body.time_zone),
    policies=_policies_of,
)
_change = shown_with(
    ("starts", "owner_id", "rule", "starts_at", "ends_at"),
    ScheduleChange,
    UpdateSchedule,
    **_durations,
)


def _change_of(body: UpdateSchedule, zone: str) -> ScheduleChange:
    is_same_work = body.process is UNSET and body.task is UNSET
    return _change(
        body,
        starts=UNSET if is_same_work else _starts_of(_said(body.process), _said(body.task)),
        owner_id=given(body.owner, lambda owner: UserId(owner.id)),
        rule=UNSET if body.rule is UNSET else rule_of(body.rule, zone),
        starts_at=given(body.starts_at, lambda at: _moment(at, zone)),
        ends_at=given(body.ends_at, lambda at: _moment(at, zone)),
    )


def _where(task: TaskBody) -> Where:
    if not task.groups:
        return OnDefault() if task.on_default and task.users else Anywhere()
    return OnDefaultOr(task.groups) if task.on_default else OnGroups(task.groups)


def _said(value: T | UnsetType) -> T | None:
    return None if value is UNSET else value


def _starts_of(process: Reference | None, task: TaskBody | None) -> Starts:
    match process, task:
        case Reference(), None:
            return OfProcess(ProcessId(process.id))
        case None, TaskBody():
            return TaskStart(
                task=task.id,
                users=task.users,
                most_users=task.most_users,
                where=_where(task),
                label=task.label,
                name=task.run_name,
                callback=None if task.callback is None else callback_of(task.callback),
            )
        case _:
            raise Invalid("a schedule starts either a process or a task", code="INVALID_BODY")


_show_task = shown_as(
    TaskAnswer,
    StoredTaskStart,
    id="task",
    run_name="name",
    groups=lambda start: start.where.groups if isinstance(start.where, OnDefaultOr | OnGroups) else (),
    on_default=lambda start: isinstance(start.where, OnDefault | OnDefaultOr),
    has_callback=lambda start: start.callback is not None,
)
_show = shown_as(
    ScheduleAnswer,
    Schedule,
    rule=lambda schedule: show_rule(schedule.rule),
    owner=lambda schedule: None if schedule.owner_id is None else Identified(schedule.owner_id),
    task=lambda schedule: None if schedule.start is None else _show_task(schedule.start),
    next_occurrence="next_due",
)
_show_occurrence = shown_as(
    OccurrenceAnswer,
    model.Occurrence,
    started_by=lambda became: None if became.fired_by is None else Identified(became.fired_by),
)


def _preview(found: Preview, zone: str) -> PreviewAnswer:
    return PreviewAnswer([moment.astimezone(zone_named(zone)) for moment in found.occurrences], found.remarks)
