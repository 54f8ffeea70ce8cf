"""What v1 and v2 of the scheduler say alike: the states, what is started, and the one list that both tell."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.columns import NOT_TOLD, Columns, alike
from controlroom.dialects.automation360.deploy import (
    CallbackInfo,
    Headless,
    Unattended,
    bot_of,
    callback_of,
    deployment_of,
    headless_of,
    inputs_of,
    priority_of,
)
from controlroom.dialects.automation360.ids import find
from controlroom.dialects.automation360.messages import GRAMMAR
from controlroom.dialects.automation360.paths import PATHS, path_of, path_read, task_numbered
from controlroom.dialects.automation360.schedule_times import RULES, Times, timing_of
from controlroom.dialects.automation360.values import is_value, plain, values_of
from controlroom.engine.access.model import Actor
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of
from controlroom.engine.lists.model import AnyOf, Compare, Operator, equal
from controlroom.engine.lists.words import PATH, with_asides
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import Located
from controlroom.engine.runs.deployments import Deployment, NotRunnable, OnDefaultOr, OnGroups, Runnable
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import store
from controlroom.engine.schedules.definitions import ScheduleChange, ScheduleDefinition, Standing, Starts, TaskStart
from controlroom.engine.schedules.listings import ListedSchedule, StartsWhat, with_paths
from controlroom.engine.schedules.model import GivenPayload, Missed, Policies, ScheduledInput, UsualInput
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ScheduleId, WorkspaceId


class Status(StrEnum):
    """How a schedule stands."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    INACTIVE = "INACTIVE"
    COMPLETED = "COMPLETED"
    DELETED = "DELETED"
    ACTIVE_WITH_ERROR = "ACTIVE_WITH_ERROR"
    INACTIVE_WITH_ERROR = "INACTIVE_WITH_ERROR"


STATUS: Final[Mapping[Standing, Status]] = {
    Standing.DRAFT: Status.DRAFT,
    Standing.ACTIVE: Status.ACTIVE,
    Standing.INACTIVE: Status.INACTIVE,
    Standing.COMPLETED: Status.COMPLETED,
    Standing.FAULTY: Status.ACTIVE_WITH_ERROR,
}
"""As it is told. PAUSED, DELETED and INACTIVE_WITH_ERROR are nobody's."""

_ENABLED: Final = frozenset({Status.ACTIVE, Status.ACTIVE_WITH_ERROR})


class Plan(Struct, frozen=True, kw_only=True):
    """A schedule as a request asks for it, whichever version it has been written for."""

    number: int
    """Of a bot, or of a process."""
    times: Times
    unattended: Unattended
    headless: Headless | None = None
    label: str = ""
    callback: CallbackInfo | None = None
    inputs: Any = None
    name: str = ""
    description: str = ""
    owner: int | None = None
    status: Status = Status.DRAFT
    catches_up: bool = False
    priority: str = ""
    asides: dict[str, Any] = {}


class Wanted(Struct, frozen=True):
    """Likewise, found: where, what and of whom."""

    workspace: WorkspaceId
    actor: Actor
    """Who asks, as they may run what is started."""
    definition: ScheduleDefinition

    def change(self) -> ScheduleChange:
        """A schedule that is there already becomes this one; its owner stays where none is named."""
        wanted, policies = self.definition, self.definition.policies
        return ScheduleChange(
            starts=wanted.starts,
            name=wanted.name,
            description=wanted.description,
            owner_id=msgspec.UNSET if wanted.owner is None else wanted.owner,
            rule=wanted.rule,
            zone=wanted.zone,
            starts_at=msgspec.UNSET if wanted.starts_at is None else wanted.starts_at,
            ends_at=wanted.ends_at,
            is_enabled=wanted.is_enabled,
            is_draft=wanted.is_draft,
            missed=policies.missed,
            inputs=policies.inputs,
            priority=policies.priority,
            asides=wanted.asides,
        )


async def wanted(request: Asking, plan: Plan) -> Wanted:
    """Find what a request names. Raises Invalid, and NotFound for a bot, a process, a user or a pool."""
    if plan.status is Status.DELETED:
        raise Invalid("a schedule is deleted by DELETE, not by its status", code="SCHEDULE_INVALID")
    place = await _found(request, plan.number)
    scope = Of(request.actor.organization_id, (place.workspace,))
    owner = None if plan.owner is None else (await find(request, USER, plan.owner, scope)).id
    name = plan.name or place.name
    starts: Starts
    match place.what:
        case OfProcess():
            starts = place.what
        case bot:
            starts = await _task(request, bot, plan, name)
    timing = timing_of(plan.times, await store.now(request.db))
    definition = ScheduleDefinition(
        starts=starts,
        name=name,
        description=plan.description,
        owner=owner,
        rule=timing.rule,
        zone=timing.zone,
        starts_at=timing.starts_at,
        ends_at=timing.ends_at,
        is_enabled=plan.status in _ENABLED,
        is_draft=plan.status is Status.DRAFT,
        policies=Policies(
            missed=Missed.RUN_ONCE if plan.catches_up else Missed.SKIP,
            inputs=_inputs(plan.inputs),
            priority=priority_of(plan.priority),
        ),
        asides={GRAMMAR: Raw(msgspec.json.encode(plan.asides))},
    )
    return Wanted(place.workspace, place.actor, definition)


async def _task(request: Asking, bot: Runnable, plan: Plan, name: str) -> TaskStart:
    """How a bot is started. A draft may name nobody yet."""
    if plan.headless is not None:
        deployment = await headless_of(request, bot, plan.headless)
    elif plan.unattended.run_as_user_ids or plan.status in _ENABLED:
        deployment = await deployment_of(request, bot, plan.unattended)
    else:
        deployment = Deployment(task=bot.task, users=())
    return TaskStart(
        task=bot.task,
        users=deployment.users,
        most_users=deployment.most_users,
        where=deployment.where,
        copies=deployment.copies,
        label=plan.label or None,
        name=name,
        callback=callback_of(plan.callback),
    )


class _Place(Struct, frozen=True):
    """Where the thing is that shall be started, what it is called, and who asks."""

    workspace: WorkspaceId
    name: str
    actor: Actor
    what: Runnable | OfProcess


async def _found(request: Asking, number: int) -> _Place:
    """The bot of a number, if the caller may run it, else the process. Raises NotFound, Forbidden."""
    try:
        bot = await bot_of(request, number)
    except (NotFound, NotRunnable) as none:
        try:
            located = await find(request, PROCESS, number)
        except NotFound:
            raise none from None
        process = await processes.get(request.db, located.scope, located.id)
        return _Place(process.workspace_id, process.name, request.actor, OfProcess(process.id))
    task = await task_numbered(request, number, Of(request.actor.organization_id, (bot.workspace,)))
    return _Place(bot.workspace, task.name, bot.actor, bot)


def _inputs(given: Any) -> ScheduledInput:
    """Named Values, or one Value that is a dictionary, as the payload of each run's item."""
    if not given:
        return UsualInput()
    if is_value(given):
        return GivenPayload(Raw(msgspec.json.encode(plain(given))))
    payload = inputs_of(given)
    return UsualInput() if payload is None else GivenPayload(payload)


# ---------------------------------------------------------------------------------------------------- as it is told
class TaskType(StrEnum):
    """What is started."""

    TASK_BOT = "TASK_BOT"
    API_TASK = "API_TASK"
    PROCESS_TASK = "PROCESS_TASK"


_TYPES: Final[Mapping[StartsWhat, TaskType]] = {
    StartsWhat.PROCESS: TaskType.PROCESS_TASK,
    StartsWhat.TASK: TaskType.TASK_BOT,
    StartsWhat.TASK_ANYWHERE: TaskType.API_TASK,
}


def task_type(schedule: ListedSchedule) -> TaskType:
    """What a schedule starts, in this grammar's words."""
    return _TYPES[schedule.work]


def usage(schedule: ListedSchedule) -> str:
    """On which devices its task is run, in the words of v4."""
    match None if schedule.start is None else schedule.start.where:
        case OnDefaultOr():
            return "PREFER_DEFAULT_DEVICE"
        case OnGroups():
            return "RUN_ON_POOL_DEVICES"
        case _:
            return "RUN_ONLY_ON_DEFAULT_DEVICE"


def inputs_told(schedule: ListedSchedule) -> dict[str, Any]:
    """The input that a schedule gives, as named Values."""
    match schedule.inputs:
        case GivenPayload(payload):
            found = msgspec.json.decode(payload)
            return values_of(found) if isinstance(found, dict) else {}
        case _:
            return {}


def callback_told(schedule: ListedSchedule) -> CallbackInfo | None:
    """Whom it tells; the headers stay sealed."""
    if schedule.start is None or schedule.start.callback is None:
        return None
    return CallbackInfo(schedule.start.callback.url)


def asides_of(schedule: ListedSchedule) -> dict[str, Any]:
    """What only this grammar knows of it."""
    kept = schedule.asides.get(GRAMMAR)
    found = None if kept is None else msgspec.json.decode(kept)
    return found if isinstance(found, dict) else {}


def path_told(schedule: ListedSchedule) -> str:
    """The repository's path of what is started."""
    return path_of(schedule.workspace_name, *schedule.folders, schedule.package_name, schedule.work_name)


_PRIORITIES: Final = Words(
    {
        "PRIORITY_HIGH": Compare("priority", Operator.GT, 0),
        "PRIORITY_MEDIUM": Compare("priority", Operator.EQ, 0),
        "PRIORITY_LOW": Compare("priority", Operator.LT, 0),
    },
    sort="priority",
)


def _day(value: Any) -> str:
    """A day that is asked for, or that of a moment."""
    return str(value)[: len("2026-01-31")]


LISTED: Final = with_asides(with_paths(PATHS), GRAMMAR, rdp_enabled="rdpEnabled", run_elevated="runElevated")
COLUMNS: Final = Columns(
    LISTED,
    {
        "id": "number",
        "name": "name",
        "activityName": "name",
        "automationName": "name",
        "description": "description",
        "status": Words({word: equal(standing=standing) for standing, word in STATUS.items()}, sort="standing"),
        "taskType": Words({word: equal(work=work) for work, word in _TYPES.items()}, sort="work"),
        "activityPriority": _PRIORITIES,
        "automationPriority": _PRIORITIES,
        "scheduleType": Words(
            {word: AnyOf(tuple(equal(rule=kind) for kind in kinds)) for word, kinds in RULES.items()}
        ),
        "timeZone": "zone",
        "startDate": As("first_day", read=_day),
        "endDate": As("last_day", read=_day),
        "startTime": "time_of_day",
        "repeatEnabled": "is_repeated",
        "filePath": As(PATH, read=path_read),
        "botLabel": As("label", sort=""),
        "numOfRunAsUsersToUse": As("most_users", sort=""),
        "misfireScheduleConfig": As("catches_up", sort=""),
        "overrideDefaultDevice": As("is_on_groups_alone", sort=""),
        "rdpEnabled": As("rdp_enabled", sort=""),
        "runElevated": As("run_elevated", sort=""),
        "tenantId": As("tenant_number", sort=""),
        "workspaceName": alike("public"),
        "teamIdentifierType": NOT_TOLD,
        "teamIdentifierId": NOT_TOLD,
        "zonedNextRunDateTime": "next_due",
        "fileId": "work_number",
        "fileName": "work_name",
        "ownedBy": "owner_number",
        "createdBy": "maker_number",
        "createdOn": "created_at",
        "updatedBy": "editor_number",
        "updatedOn": "updated_at",
    },
)
"""The list of both versions."""


async def schedule_numbered(request: Asking, number: str | int) -> Located[ScheduleId]:
    """The schedule of a number. Raises ScheduleNotFound."""
    return await find(request, store.SCHEDULE, number)


async def shown_anew(request: Asking, workspace: WorkspaceId, schedule: ScheduleId) -> ListedSchedule:
    """A schedule that was just written, as lists show it."""
    return await store.get_listed(request.db, Of(request.actor.organization_id, (workspace,)), schedule)
