"""ACC Automations API v1 (§2.9): the key figures of bots, over the statistics of the engine.

A run of a bot belongs to the moment at which it began, and counts whoever started it. What somebody stopped has neither
completed nor failed. Bots of a private workspace are never run: their figures are empty.
"""

from typing import Final

from controlroom.border.asking import Path
from controlroom.dialects.automation360 import acc_metrics as metrics
from controlroom.dialects.automation360.acc_about import about_bot
from controlroom.dialects.automation360.acc_groups import GroupBy, grouped, rows_of
from controlroom.dialects.automation360.acc_shapes import (
    About,
    Durations,
    EndedBots,
    FailedBots,
    FailedRuns,
    Grouped,
    GroupRow,
    LongestRunningBots,
    MostFailedBots,
    MostRunningBots,
    Overview,
    RunningBot,
    TotalDuration,
)
from controlroom.dialects.automation360.acc_words import (
    LARGEST_SIZE,
    AboutBody,
    FailuresBody,
    GroupBody,
    PageBody,
    RangeBody,
    SizedBody,
    WorkSpaceType,
    period_of,
    size_of,
)
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import MOST
from controlroom.dialects.automation360.executions import Execution, show
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import Listed, PageTold, Search
from controlroom.dialects.automation360.routing import Pair, get, post

_BASE: Final = "/v1/acc/automation"
_READS: Final = Permission.READ_RUNS
_PAIR: Final = Pair("taskscheduling", "everyoneschedule")
_NONE: Final = PageTold(0, 0, 0)


# ---------------------------------------------------------------------------------------------------- overviews
@post(f"{_BASE}/overview", needs=_READS, pair=_PAIR)
async def overview(request: Asking, data: Body[RangeBody | None] = None) -> Overview:
    """Count the bots that run, have completed and failed, and the schedules that have a next start."""
    return await metrics.overview(request, await period_of(request, data))


@post(f"{_BASE}/overview/{{work_space_type:str}}", needs=_READS, pair=_PAIR)
async def overview_of_workspace(
    request: Asking, work_space_type: Path[WorkSpaceType], data: Body[RangeBody | None] = None
) -> Overview:
    """Likewise, of the public or the private workspace."""
    if work_space_type is WorkSpaceType.PRIVATE:
        return metrics.NO_BOTS
    return await metrics.overview(request, await period_of(request, data))


@post(f"{_BASE}/runduration", needs=_READS, pair=_PAIR)
async def run_durations(request: Asking, data: Body[RangeBody | None] = None) -> Durations:
    """Tell how long bots ran, by the hour or the day."""
    return await metrics.durations(request, await period_of(request, data))


@post(f"{_BASE}/runduration/total", needs=_READS, pair=_PAIR)
async def total_run_duration(request: Asking, data: Body[RangeBody | None] = None) -> TotalDuration:
    """Tell how long all bots ran together."""
    bots = await metrics.bots_of(request, await period_of(request, data))
    return TotalDuration(sum(bot.milliseconds for bot in bots))


# ---------------------------------------------------------------------------------------------------- bots
@post(f"{_BASE}/mostrunning", needs=_READS, pair=_PAIR)
async def most_running(request: Asking, data: Body[SizedBody | None] = None) -> MostRunningBots:
    """List the bots that ran most often."""
    return MostRunningBots(await metrics.most_running(request, await period_of(request, data), size_of(data)))


@post(f"{_BASE}/mostrunning/{{work_space_type:str}}", needs=_READS, pair=_PAIR)
async def most_running_of_workspace(
    request: Asking, work_space_type: Path[WorkSpaceType], data: Body[SizedBody | None] = None
) -> MostRunningBots:
    """Likewise, of the public or the private workspace."""
    period, size = await period_of(request, data), size_of(data)
    if work_space_type is WorkSpaceType.PRIVATE:
        return MostRunningBots([])
    return MostRunningBots(await metrics.most_running(request, period, size))


@post(f"{_BASE}/longestrunning", needs=_READS, pair=_PAIR)
async def longest_running(request: Asking, data: Body[SizedBody | None] = None) -> LongestRunningBots:
    """List the bots with the longest runs."""
    return LongestRunningBots(await metrics.longest_running(request, await period_of(request, data), size_of(data)))


@post(f"{_BASE}/mostfailed", needs=_READS, pair=_PAIR)
async def most_failed(request: Asking, data: Body[SizedBody | None] = None) -> MostFailedBots:
    """List the bots that failed most often."""
    return MostFailedBots(await metrics.most_failed(request, await period_of(request, data), size_of(data)))


# ---------------------------------------------------------------------------------------------------- runs
@post(f"{_BASE}/failures", needs=_READS, pair=_PAIR)
async def failures(request: Asking, data: Body[FailuresBody | None] = None) -> FailedRuns:
    """List runs that failed, of one bot if one is named, the latest first."""
    bot = None if data is None else data.bot_id
    period, size = await period_of(request, data), size_of(data)
    return FailedRuns(await metrics.failures(request, period, bot, size))


@post(f"{_BASE}/botexecution/list", needs=_READS, pair=_PAIR)
async def running_bots(request: Asking, data: Body[PageBody | None] = None) -> Listed[RunningBot]:
    """List the bots that run now."""
    page = (data or PageBody()).page
    offset, length = max(page.offset, 0), min(page.length or LARGEST_SIZE, MOST)
    rows, total = await metrics.running(request, offset, max(length, 0))
    return Listed(PageTold(offset, total, total), rows)


@post(f"{_BASE}/bot/completed", needs=_READS, pair=_PAIR)
async def completed_bots(request: Asking, data: Body[SizedBody | None] = None) -> EndedBots:
    """List runs that completed, the latest first."""
    return EndedBots(await metrics.ended(request, await period_of(request, data), size_of(data)))


@post(f"{_BASE}/bot/failed", needs=_READS, pair=_PAIR)
async def failed_bots(request: Asking, data: Body[SizedBody | None] = None) -> FailedBots:
    """List runs that failed, with their reasons, the latest first."""
    return FailedBots(await metrics.failed(request, await period_of(request, data), size_of(data)))


@post(f"{_BASE}/runhistory/{{work_space_type:str}}", needs=_READS, pair=_PAIR)
async def run_history(
    request: Asking, work_space_type: Path[WorkSpaceType], data: Body[SizedBody | None] = None
) -> Listed[Execution]:
    """List executions that began in a time, the latest first."""
    period, size = await period_of(request, data), size_of(data)
    if work_space_type is WorkSpaceType.PRIVATE:
        return Listed(_NONE, [])
    found = await metrics.runs_page(request, metrics.began_in(period), length=size)
    total = len(found.rows) if found.total is None else found.total.rows
    tenant = str(request.actor.organization_id)
    return Listed(PageTold(0, total, total), [show(run, tenant) for run in found.rows])


# ---------------------------------------------------------------------------------------------------- one bot
@get(f"{_BASE}/{{bot_id:str}}/about", needs=_READS, pair=_PAIR)
async def about(request: Asking, bot_id: Id) -> About:
    """Tell who made a bot, and how it ended last."""
    return await about_bot(request, bot_id)


@post(f"{_BASE}/about/{{work_space_type:str}}", needs=_READS, pair=_PAIR)
async def about_in_workspace(request: Asking, work_space_type: Path[WorkSpaceType], data: Body[AboutBody]) -> About:
    """Likewise, of a bot of the public or the private workspace."""
    return await about_bot(request, data.id, is_private=work_space_type is WorkSpaceType.PRIVATE)


# ---------------------------------------------------------------------------------------------------- groups
@post(f"{_BASE}/{{group_by:str}}/runduration", needs=_READS, pair=_PAIR)
async def grouped_durations(request: Asking, group_by: Path[GroupBy], data: Body[RangeBody | None] = None) -> Grouped:
    """Tell how long bots ran, told apart by a field."""
    return await grouped(request, await period_of(request, data), group_by)


@post(f"{_BASE}/{{group_by:str}}/runduration/list", needs=_READS, pair=_PAIR)
async def list_grouped_durations(
    request: Asking, group_by: Path[GroupBy], data: Body[GroupBody | None] = None
) -> Listed[GroupRow]:
    """List how long each bot ran, filtered by the field, too."""
    _, page = await rows_of(request, await period_of(request, data), group_by, search_of(data))
    return page


def search_of(data: GroupBody | None) -> Search:
    """What is asked of the list."""
    return Search() if data is None else Search(filter=data.filter, sort=data.sort, page=data.page)
