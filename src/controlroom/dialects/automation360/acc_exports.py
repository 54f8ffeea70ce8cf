"""The exports of the key figures (§2.9): the same rows as CSV, a column for each field of their JSON."""

from collections.abc import Sequence
from typing import Final

from litestar import Response
from msgspec import Struct

from controlroom.border.asking import Path
from controlroom.dialects.automation360 import acc_metrics as metrics
from controlroom.dialects.automation360.acc_automations import search_of
from controlroom.dialects.automation360.acc_csv import CSV, csv_answer
from controlroom.dialects.automation360.acc_groups import GroupBy, rows_of
from controlroom.dialects.automation360.acc_words import (
    LARGEST_SIZE,
    ExportBody,
    GroupExportBody,
    WorkSpaceType,
    period_of,
)
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import MOST
from controlroom.dialects.automation360.executions import show
from controlroom.dialects.automation360.routing import Pair, post

_BASE: Final = "/v1/acc/automation"
_READS: Final = Permission.READ_RUNS
_PAIR: Final = Pair("taskscheduling", "everyoneschedule")

_MOST_RUNNING: Final = ("id", "botId", "name", "path", "count.successful", "count.failed")
_LONGEST: Final = tuple(
    f"longestBotRun.{name}"
    for name in ("id", "runDurationMillisec", "from", "to", "averageRunDurationMillisec", "deviceId", "deviceName")
)
_HISTORY: Final = (
    *("id", "automationName", "fileName", "filePath", "type", "startDateTime", "endDateTime", "status", "progress"),
    *("userId", "userName", "deviceId", "deviceName", "fileId", "deploymentId", "initiationType", "message"),
)
_GROUPS: Final = ("id", "fieldId", "automationName", "runDurationMilliseconds", "folderPath")


def _told(columns: Sequence[str], rows: Sequence[Struct], data: ExportBody | None, usual: str) -> Response[bytes]:
    return csv_answer(columns, rows, "" if data is None else data.file_name, usual)


@post(f"{_BASE}/mostrunning/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_most_running(request: Asking, data: Body[ExportBody | None] = None) -> Response[bytes]:
    """Export the bots that ran most often."""
    rows = await metrics.most_running(request, await period_of(request, data), LARGEST_SIZE)
    return _told(_MOST_RUNNING, rows, data, "mostrunning")


@post(f"{_BASE}/mostrunning/{{work_space_type:str}}/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_most_running_of_workspace(
    request: Asking, work_space_type: Path[WorkSpaceType], data: Body[ExportBody | None] = None
) -> Response[bytes]:
    """Likewise, of the public or the private workspace."""
    is_private = work_space_type is WorkSpaceType.PRIVATE
    period = await period_of(request, data)
    rows = [] if is_private else await metrics.most_running(request, period, LARGEST_SIZE)
    return _told(_MOST_RUNNING, rows, data, "mostrunning")


@post(f"{_BASE}/longestrunning/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_longest_running(request: Asking, data: Body[ExportBody | None] = None) -> Response[bytes]:
    """Export the bots with the longest runs."""
    rows = await metrics.longest_running(request, await period_of(request, data), LARGEST_SIZE)
    return _told(("id", "botId", "name", "path", *_LONGEST), rows, data, "longestrunning")


@post(f"{_BASE}/mostfailed/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_most_failed(request: Asking, data: Body[ExportBody | None] = None) -> Response[bytes]:
    """Export the bots that failed most often."""
    rows = await metrics.most_failed(request, await period_of(request, data), LARGEST_SIZE)
    columns = ("id", "botId", "name", "path", "failures.count", "failures.lastFailedReason")
    return _told(columns, rows, data, "mostfailed")


@post(f"{_BASE}/runhistory/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_run_history(request: Asking, data: Body[ExportBody | None] = None) -> Response[bytes]:
    """Export the executions that began in a time, at most 10,000, the latest first."""
    return await _history(request, data)


@post(f"{_BASE}/runhistory/{{work_space_type:str}}/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_run_history_of_workspace(
    request: Asking, work_space_type: Path[WorkSpaceType], data: Body[ExportBody | None] = None
) -> Response[bytes]:
    """Likewise, of the public or the private workspace."""
    if work_space_type is WorkSpaceType.PRIVATE:
        return _told(_HISTORY, [], data, "runhistory")
    return await _history(request, data)


async def _history(request: Asking, data: ExportBody | None) -> Response[bytes]:
    period, tenant = await period_of(request, data), str(request.actor.organization_id)
    found = await metrics.runs_page(request, metrics.began_in(period), length=MOST)
    return _told(_HISTORY, [show(run, tenant) for run in found.rows], data, "runhistory")


@post(f"{_BASE}/{{group_by:str}}/runduration/list/export", needs=_READS, pair=_PAIR, media_type=CSV)
async def export_grouped_durations(
    request: Asking, group_by: Path[GroupBy], data: Body[GroupExportBody | None] = None
) -> Response[bytes]:
    """Export how long each bot ran, filtered by the field, too."""
    rows, _ = await rows_of(request, await period_of(request, data), group_by, search_of(data))
    return csv_answer(_GROUPS, rows, "" if data is None else data.file_name, "runduration")
