"""Statistics (our own management API): how much ended and how long it took, why it failed, and what waits.

A period is from `since` to `until`: the last day if neither is said. A time without a zone is UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Accepted, Shape, shown_as
from controlroom.dialects.robocorp.routing import OfProcess, get, post
from controlroom.engine.queues import store as queue_store
from controlroom.engine.statistics import keeping, queues, store
from controlroom.engine.statistics.model import (
    Depth,
    FailureGroup,
    FailureHour,
    Figure,
    Key,
    Noun,
    Period,
    QueueHour,
    Usual,
)
from controlroom.ids import QueueId
from controlroom.moments import check_moment

_DAY: Final = timedelta(days=1)
_MOST_GROUPS: Final = 1000


class FigureAnswer(Shape, frozen=True, kw_only=True):
    """What ended and agrees in what was asked `by`; the rest is null. Durations are milliseconds."""

    hour: datetime | None
    workspace_id: UUID | None
    process_id: UUID | None
    process_name: str | None
    step_id: UUID | None
    step_name: str | None
    task_id: UUID | None
    task_name: str | None
    package_name: str | None
    worker_id: UUID | None
    worker_name: str | None
    user_id: UUID | None
    user_name: str | None
    result: str | None
    cause: str | None
    count: int
    milliseconds: int
    longest: int
    longest_id: UUID | None
    """The run or step run that took so long."""
    latest_at: datetime
    latest_id: UUID | None


class Figures(Shape, frozen=True):
    """Figures of a period, the oldest hour first; at most 10,000."""

    since: datetime
    until: datetime
    figures: list[FigureAnswer]


class FailureGroupAnswer(Shape, frozen=True, kw_only=True):
    """Failures that differ in nothing but numbers, ids, paths, quoted texts and times."""

    fingerprint: str
    workspace_id: UUID
    noun: Noun
    process_id: UUID | None
    process_name: str | None
    type: str
    code: str
    pattern: str
    message: str
    count: int
    recent: int
    """Of the period; `count` is of all that is kept."""
    first_at: datetime
    last_at: datetime
    last_id: UUID


class FailureGroups(Shape, frozen=True):
    """Groups of failures, the latest first."""

    groups: list[FailureGroupAnswer]


class FailureHourAnswer(Shape, frozen=True):
    """Failures in an hour."""

    hour: datetime
    count: int


class FailureHours(Shape, frozen=True):
    """Failures of a group by the hour; hours without any are left out."""

    hours: list[FailureHourAnswer]


class DepthAnswer(Shape, frozen=True, kw_only=True):
    """What waits in a queue now."""

    workspace_id: UUID
    queue_id: UUID
    name: str
    process_id: UUID | None
    step_id: UUID | None
    waiting: int
    oldest_at: datetime | None


class Depths(Shape, frozen=True):
    """Queues in which something waits, the deepest first."""

    queues: list[DepthAnswer]


class QueueHourAnswer(Shape, frozen=True, kw_only=True):
    """What went through a queue in an hour."""

    hour: datetime
    depth: int
    deepest: int
    arrived: int
    gone: int


class QueueHours(Shape, frozen=True):
    """What went through a queue by the hour; hours in which nothing did are left out."""

    hours: list[QueueHourAnswer]


class UsualAnswer(Shape, frozen=True, kw_only=True):
    """The median of the last twenty that succeeded: of a process, or of one of its steps."""

    process_id: UUID
    step_id: UUID | None
    count: int
    median_milliseconds: int


class UsualDurations(Shape, frozen=True):
    """How long runs and step runs usually take."""

    durations: list[UsualAnswer]


@get("/figures", needs=Permission.READ_RUNS)
async def get_figures(
    request: Asking,
    noun: Query[Noun] = Noun.STEP_RUN,
    by: Query[list[Key] | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
    process_id: OfProcess = None,
) -> Figures:
    """Count what ended in a period, told apart `by` hour, day, process, step, task, worker, user, result or cause."""
    period = await _period(request, since, until)
    rows = await store.figures(*request.reading, noun, period, by or (), process=process_id)
    return Figures(period.since, period.until, [_show(row) for row in rows])


@get("/figures", above_workspaces=True, needs=Permission.READ_RUNS)
async def get_organization_figures(
    request: Asking,
    noun: Query[Noun] = Noun.STEP_RUN,
    by: Query[list[Key] | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> Figures:
    """Likewise, of all workspaces in which you may read runs."""
    period = await _period(request, since, until)
    rows = await store.figures(*request.reading, noun, period, by or ())
    return Figures(period.since, period.until, [_show(row) for row in rows])


@post("/figures/rebuild")
async def rebuild_figures(request: Asking) -> Accepted:
    """Have all figures of the room made anew of what is kept, aside, while the old ones are read."""
    await keeping.begin_anew(*request.acting)
    return Accepted(accepted=True)


class Rebuild(Shape, frozen=True):
    """Whether figures are being made anew."""

    under_way: bool


@get("/figures/rebuild", needs=Permission.READ_RUNS)
async def get_rebuild(request: Asking) -> Rebuild:
    """Tell whether the figures are being made anew."""
    return Rebuild(await keeping.is_made_anew(request.db))


@get("/failure-groups", needs=Permission.READ_RUNS)
async def list_failure_groups(
    request: Asking,
    noun: Query[Noun | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
    process_id: OfProcess = None,
) -> FailureGroups:
    """List groups of failures of a period, the latest first; at most 1,000."""
    period = await _period(request, since, until)
    rows = await store.failure_groups(*request.reading, period, noun=noun, process=process_id, limit=_MOST_GROUPS)
    return FailureGroups([_show_group(row) for row in rows])


@get("/failure-groups", above_workspaces=True, needs=Permission.READ_RUNS)
async def list_organization_failure_groups(
    request: Asking,
    noun: Query[Noun | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> FailureGroups:
    """Likewise, of all workspaces in which you may read runs."""
    period = await _period(request, since, until)
    rows = await store.failure_groups(*request.reading, period, noun=noun, limit=_MOST_GROUPS)
    return FailureGroups([_show_group(row) for row in rows])


@get("/failure-groups/{fingerprint:str}/hours", needs=Permission.READ_RUNS)
async def get_failure_hours(
    request: Asking,
    fingerprint: Path[str],
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> FailureHours:
    """Count the failures of a group by the hour."""
    period = await _period(request, since, until)
    rows = await store.failure_hours(*request.reading, fingerprint, period)
    return FailureHours([_show_failure_hour(row) for row in rows])


@get("/queue-depths", needs=Permission.READ_WORK_ITEMS)
async def list_queue_depths(request: Asking) -> Depths:
    """List the queues in which something waits, also the input queues of steps, the deepest first."""
    return Depths([_show_depth(row) for row in await queues.depths(*request.reading)])


@get("/queue-depths", above_workspaces=True, needs=Permission.READ_WORK_ITEMS)
async def list_organization_queue_depths(request: Asking) -> Depths:
    """Likewise, of all workspaces in which you may read work items."""
    return Depths([_show_depth(row) for row in await queues.depths(*request.reading)])


@get("/queues/{queue_id:uuid}/hours", needs=Permission.READ_WORK_ITEMS)
async def get_queue_hours(
    request: Asking,
    queue_id: Path[QueueId],
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> QueueHours:
    """Tell by the hour how many items waited in a queue, came and went."""
    await queue_store.get(*request.reading, queue_id)
    rows = await queues.hours(*request.reading, queue_id, await _period(request, since, until))
    return QueueHours([_show_hour(row) for row in rows])


@get("/usual-durations", needs=Permission.READ_RUNS)
async def list_usual_durations(request: Asking, process_id: OfProcess = None) -> UsualDurations:
    """Tell how long runs of processes, and step runs of their steps, usually take."""
    return UsualDurations([_show_usual(row) for row in await store.usual(*request.reading, process_id)])


async def _period(request: Asking, since: datetime | None, until: datetime | None) -> Period:
    end = _utc(until) if until is not None else await store.now(request.db)
    return Period(_utc(since) if since is not None else end - _DAY, end).checked()


def _utc(moment: datetime) -> datetime:
    return check_moment(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


_show = shown_as(FigureAnswer, Figure)
_show_group = shown_as(FailureGroupAnswer, FailureGroup)
_show_failure_hour = shown_as(FailureHourAnswer, FailureHour)
_show_depth = shown_as(DepthAnswer, Depth)
_show_hour = shown_as(QueueHourAnswer, QueueHour)
_show_usual = shown_as(UsualAnswer, Usual)
