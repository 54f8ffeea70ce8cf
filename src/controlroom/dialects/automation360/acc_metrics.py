"""The key figures of bots, made of the engine's statistics and of the step runs that they name."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.dialects.automation360.acc_shapes import (
    Counts,
    DurationEntry,
    Durations,
    EndedBot,
    FailedBot,
    FailedRun,
    FailureCount,
    LongestRun,
    LongestRunning,
    MostFailed,
    MostRunning,
    Overview,
    OverviewEntry,
    RunningBot,
)
from controlroom.dialects.automation360.acc_words import FAILED
from controlroom.dialects.automation360.answers import moment, moment_or_empty
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.executions import execution_id
from controlroom.dialects.automation360.ids import shown
from controlroom.dialects.automation360.paths import path_of
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    AllOf,
    Asked,
    Compare,
    Direction,
    Filter,
    Not,
    OneOf,
    Operator,
    Page,
    Skip,
    Sort,
    Unset,
)
from controlroom.engine.runs.model import Result, StepRunState
from controlroom.engine.runs.task_run_listings import TASK_RUNS, TaskRun
from controlroom.engine.schedules.listings import SCHEDULES
from controlroom.engine.statistics import store as statistics
from controlroom.engine.statistics.model import Extreme, Figure, Key, Noun, Period
from controlroom.ids import TaskId

_BY_THE_DAY: Final = timedelta(days=3)
"""From so long a time on, durations are told by the day."""
_AT_WORK: Final = Compare("state", Operator.EQ, StepRunState.IN_PROGRESS)
HAS_FAILED: Final = OneOf("result", tuple(FAILED))
HAS_COMPLETED: Final = Compare("result", Operator.EQ, Result.SUCCEEDED)
_LATEST_FIRST: Final = (Sort("started_at", Direction.DESCENDING), Sort("id", Direction.DESCENDING))


class Bot(Struct, frozen=True, kw_only=True):
    """What a bot did in some time."""

    task: TaskId
    number: int
    name: str
    path: str
    successful: int
    failed: int
    stopped: int
    milliseconds: int
    longest: Figure
    """Of its figures the one with the longest run."""
    failure: Figure | None
    """Of its figures the one with the latest failure."""

    @property
    def count(self) -> int:
        """How often it ran to an end."""
        return self.successful + self.failed + self.stopped


async def bots_of(request: Asking, period: Period) -> list[Bot]:
    """The bots that ran to an end."""
    figures = await statistics.figures(*request.reading, Noun.STEP_RUN, period, (Key.TASK, Key.RESULT))
    of_task: dict[TaskId, list[Figure]] = {}
    for figure in figures:
        if figure.task_id is not None:
            of_task.setdefault(figure.task_id, []).append(figure)
    return [_bot(task, of_it) for task, of_it in of_task.items()]


def _bot(task: TaskId, figures: Sequence[Figure]) -> Bot:
    failed = [figure for figure in figures if figure.result in FAILED]
    first = figures[0]
    return Bot(
        task=task,
        number=first.task_number or 0,
        name=first.task_name or "",
        path=path_of(first.workspace_name, *first.folders, first.package_name, first.task_name),
        successful=sum(figure.count for figure in figures if figure.result == Result.SUCCEEDED),
        failed=sum(figure.count for figure in failed),
        stopped=sum(figure.count for figure in figures if figure.result == Result.STOPPED),
        milliseconds=sum(figure.milliseconds for figure in figures),
        longest=max(figures, key=lambda figure: figure.longest),
        failure=max(failed, key=lambda figure: figure.latest_at) if failed else None,
    )


# ---------------------------------------------------------------------------------------------------- metrics
async def most_running(request: Asking, period: Period, size: int) -> list[MostRunning]:
    """The bots that ran most often, first."""
    bots = sorted(await bots_of(request, period), key=lambda bot: (-bot.count, bot.name, bot.number))
    return [
        MostRunning(
            id=str(bot.number),
            bot_id=str(bot.number),
            name=bot.name,
            path=bot.path,
            count=Counts(str(bot.successful), str(bot.failed)),
        )
        for bot in bots[:size]
    ]


async def longest_running(request: Asking, period: Period, size: int) -> list[LongestRunning]:
    """The bots with the longest runs, first."""
    bots = sorted(await bots_of(request, period), key=lambda bot: (-bot.longest.longest, bot.name, bot.number))[:size]
    named = await _named(request, (bot.longest.longest_id for bot in bots))
    return [
        LongestRunning(
            id=str(bot.number),
            bot_id=str(bot.number),
            name=bot.name,
            path=bot.path,
            longest_bot_run=_longest(bot, named.get(bot.longest.longest_id) if bot.longest.longest_id else None),
        )
        for bot in bots
    ]


def _longest(bot: Bot, run: Extreme | None) -> LongestRun:
    return LongestRun(
        id="" if run is None else execution_id(run.id, run.number),
        bot_id=str(bot.number),
        run_duration_millisec=str(bot.longest.longest),
        since="" if run is None else moment_or_empty(run.started_at),
        to="" if run is None else moment_or_empty(run.ended_at),
        average_run_duration_millisec=str(round(bot.milliseconds / bot.count)),
        device_id="0" if run is None else shown(run.worker_number) or "0",
        device_name="" if run is None else run.worker_name or "",
    )


async def most_failed(request: Asking, period: Period, size: int) -> list[MostFailed]:
    """The bots that failed most often, first."""
    failed = [bot for bot in await bots_of(request, period) if bot.failure is not None]
    failed = sorted(failed, key=lambda bot: (-bot.failed, bot.name, bot.number))[:size]
    named = await _named(request, (bot.failure.latest_id for bot in failed if bot.failure is not None))
    return [
        MostFailed(
            id=str(bot.number),
            bot_id=str(bot.number),
            name=bot.name,
            path=bot.path,
            failures=FailureCount(str(bot.failed), _reason(bot, named)),
        )
        for bot in failed
    ]


def _reason(bot: Bot, named: dict[UUID, Extreme]) -> str:
    run = None if bot.failure is None or bot.failure.latest_id is None else named.get(bot.failure.latest_id)
    return "" if run is None else run.error_message or run.error_code or ""


async def _named(request: Asking, ids: Iterable[UUID | None]) -> dict[UUID, Extreme]:
    return await statistics.extremes(*request.reading, [id_ for id_ in ids if id_ is not None])


# ---------------------------------------------------------------------------------------------------- overviews
async def overview(request: Asking, period: Period) -> Overview:
    """How many run now, how many of those that began in the time have ended how, and how many schedules go on."""
    figures = await statistics.figures(*request.reading, Noun.STEP_RUN, period, (Key.TASK, Key.RESULT))
    of_tasks = [figure for figure in figures if figure.task_id is not None]
    seen = within(request.seen)
    running = await pages.count(request.db, TASK_RUNS, seen, _AT_WORK)
    scheduled = await pages.count(request.db, SCHEDULES, seen, Not(Unset("next_due")))
    completed = sum(figure.count for figure in of_tasks if figure.result == Result.SUCCEEDED)
    failed = sum(figure.count for figure in of_tasks if figure.result in FAILED)
    return Overview(
        [
            OverviewEntry("RUNNING", str(running.rows)),
            OverviewEntry("COMPLETED", str(completed)),
            OverviewEntry("FAILED", str(failed)),
            OverviewEntry("SCHEDULED", str(scheduled.rows)),
        ]
    )


NO_BOTS: Final = Overview(
    [
        OverviewEntry("RUNNING", "0"),
        OverviewEntry("COMPLETED", "0"),
        OverviewEntry("FAILED", "0"),
        OverviewEntry("SCHEDULED", "0"),
    ]
)
"""Of a private workspace: nothing of it is ever run."""


async def durations(request: Asking, period: Period) -> Durations:
    """How long bots ran, by the hour, of more than three days by the day; times in which none began have zero."""
    by_day = period.until - period.since > _BY_THE_DAY
    key, step = (Key.DAY, timedelta(days=1)) if by_day else (Key.HOUR, timedelta(hours=1))
    figures = await statistics.figures(*request.reading, Noun.STEP_RUN, period, (key, Key.TASK))
    at: dict[datetime, int] = {}
    begin = period.since.replace(minute=0, second=0, microsecond=0)
    begin = begin.replace(hour=0) if by_day else begin
    while begin < period.until:
        at[begin] = 0
        begin += step
    for figure in figures:
        if figure.task_id is not None and figure.hour is not None:
            at[figure.hour] = at.get(figure.hour, 0) + figure.milliseconds
    entries = [DurationEntry(moment(time), value) for time, value in sorted(at.items())]
    return Durations(entries, "DAYS" if by_day else "HOURS")


# ---------------------------------------------------------------------------------------------------- runs
async def runs_page(request: Asking, which: Filter, *, offset: int = 0, length: int) -> Page[TaskRun]:
    """Runs of bots, the latest first."""
    asked = Asked(filter=which, sort=_LATEST_FIRST, start=Skip(offset), length=length, with_total=True)
    return await pages.page(request.db, TaskRun, TASK_RUNS, within(request.seen), asked)


def began_in(period: Period, *others: Filter) -> Filter:
    """The runs that began in a time, of which the others hold."""
    since = Compare("started_at", Operator.GE, period.since)
    return AllOf((since, Compare("started_at", Operator.LT, period.until), *others))


async def running(request: Asking, offset: int, length: int) -> tuple[list[RunningBot], int]:
    """The bots that run now, and how many there are."""
    found = await runs_page(request, _AT_WORK, offset=offset, length=length)
    rows = [
        RunningBot(
            id=execution_id(run.id, run.number),
            name=run.task_name or "",
            path=_path(run),
            user_name=run.user_name or run.starter_name or "",
            device_name=run.worker_name or "",
            start_date_time=moment_or_empty(run.started_at),
            bot_id=shown(run.task_number),
        )
        for run in found.rows
    ]
    return rows, len(rows) if found.total is None else found.total.rows


async def ended(request: Asking, period: Period, size: int) -> list[EndedBot]:
    """Runs that completed."""
    found = await runs_page(request, began_in(period, HAS_COMPLETED), length=size)
    return [EndedBot(**_ended(run)) for run in found.rows]


async def failed(request: Asking, period: Period, size: int) -> list[FailedBot]:
    """Runs that failed, with their reasons."""
    found = await runs_page(request, began_in(period, HAS_FAILED), length=size)
    return [FailedBot(**_ended(run), failure_reason=reason_of(run)) for run in found.rows]


async def failures(request: Asking, period: Period, bot: int | None, size: int) -> list[FailedRun]:
    """Runs that failed, of one bot if one is named."""
    of_bot = () if bot is None else (Compare("task_number", Operator.EQ, bot),)
    found = await runs_page(request, began_in(period, HAS_FAILED, *of_bot), length=size)
    return [
        FailedRun(
            id=execution_id(run.id, run.number),
            error_message=reason_of(run),
            since=moment_or_empty(run.started_at),
            to=moment_or_empty(run.ended_at),
        )
        for run in found.rows
    ]


def reason_of(run: TaskRun) -> str:
    """Why a run failed, in words."""
    return run.error_message or run.error_code or ""


def _path(run: TaskRun) -> str:
    return path_of(run.workspace_name, *run.folders, run.package_name, run.task_name)


def _ended(run: TaskRun) -> dict[str, str]:
    return {
        "bot_id": shown(run.task_number),
        "name": run.task_name or "",
        "path": _path(run),
        "start_date_time": moment_or_empty(run.started_at),
        "id": execution_id(run.id, run.number),
    }
