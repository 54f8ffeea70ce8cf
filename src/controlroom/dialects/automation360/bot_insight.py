"""BotInsight API v2 (§2.15): runs, audit rows, and what bots said: declared outputs, and inputs marked `insight: true`.

A transaction is an item that a bot has worked. Deleted values are not told here any more; the runs keep them.
"""

from typing import Annotated, Final

from controlroom.border.asking import QueryParameter
from controlroom.dialects.automation360 import acc_metrics as metrics
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_empty
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.audit_words import activity_type, status
from controlroom.dialects.automation360.bot_insight_words import (
    MOST_PROFILED,
    ProfileVariable,
    Variable,
    bot_of,
    days,
    page_of,
    profile_of,
    repository_path,
    variables_of,
    which_of,
)
from controlroom.dialects.automation360.executions import STATUSES, execution_id, line_in, progress_of
from controlroom.dialects.automation360.routing import Pair, delete, get
from controlroom.engine.access import audit
from controlroom.engine.access.audit import DescribedEvent
from controlroom.engine.access.scope import throughout
from controlroom.engine.lists.model import AllOf, Not, Unset
from controlroom.engine.runs.stages import stage_of
from controlroom.engine.runs.task_run_listings import TaskRun
from controlroom.engine.statistics import insights

_BASE: Final = "/v2/botinsight/data/api"
_PAIR: Final = Pair("botinsight", "all")
_READS: Final = Permission.READ_RUN_OUTPUTS

From = Annotated[str, QueryParameter(name="fromDate")]
To = Annotated[str, QueryParameter(name="toDate")]
Page = Annotated[str, QueryParameter(name="pageno")]
Limit = Annotated[str, QueryParameter(name="limit")]
BotName = Annotated[str, QueryParameter(name="botname")]
RepositoryPath = Annotated[str, QueryParameter(name="repositorypath")]


class BotRun(Shape, frozen=True, kw_only=True):
    """A run of a bot."""

    id: int
    user_name: str
    host_name: str
    file_name: str
    file_type: str = "task"
    start_date: str
    end_date: str
    status: str
    total_lines: int = 0
    current_line: int
    time_taken: int
    """Milliseconds."""
    progress: int


class BotRuns(Shape, frozen=True):
    """Runs of bots, the latest first."""

    total_records: int
    bot_run_data_list: list[BotRun]


class AuditRow(Shape, frozen=True, kw_only=True):
    """Something that happened."""

    id: int
    event_description: str
    activity_type: str
    environment_name: str = ""
    host_name: str
    user_name: str
    status: str
    source: str = "Control Room"
    object_name: str
    detail: str
    created_on: str
    created_by: int
    request_id: str = ""


class AuditTrail(Shape, frozen=True):
    """What happened, the latest first."""

    total_records: int
    bot_run_data_list: list[AuditRow]


class Transaction(Shape, frozen=True, kw_only=True):
    """What a bot said of one item."""

    run_id: str
    transaction_id: str
    date_logged: str
    variables: list[Variable]


class Transactions(Shape, frozen=True, kw_only=True):
    """What a bot said."""

    transaction_name: str
    transactions: list[Transaction]


class TaskLog(Shape, frozen=True, kw_only=True):
    """What a bot said, item by item; counts are text."""

    total_records: str
    count: str
    page_no: str
    bot_name: str
    repository_path: str
    list: list[Transactions]


class TaskProfile(Shape, frozen=True, kw_only=True):
    """The variables of a bot."""

    bot_id: str
    bot_name: str
    total_records: str
    standard_dashboard_name: str
    profile_variables: list[ProfileVariable]


class Deleting(Shape, frozen=True, kw_only=True):
    """What is to be told no more; what is left out is no condition."""

    bot_name: str
    repository_path: str = ""
    environment: str = ""
    run_id: str = ""
    transaction_id: str = ""
    from_date: str = ""
    to_date: str = ""


class Deleted(Shape, frozen=True, kw_only=True):
    """Of how many items."""

    bot_name: str
    repository_path: str
    delete_count: int


@get(f"{_BASE}/getbotrundata", needs=Permission.READ_RUNS, pair=_PAIR)
async def get_bot_run_data(
    request: Asking, since: From = "", until: To = "", pageno: Page = "", limit: Limit = ""
) -> BotRuns:
    """List runs of bots by their start, the latest first."""
    _, offset, length = page_of(pageno, limit)
    which = AllOf((Not(Unset("started_at")), days("started_at", since, until)))
    found = await metrics.runs_page(request, which, offset=offset, length=length)
    total = len(found.rows) if found.total is None else found.total.rows
    return BotRuns(total, [_run(run) for run in found.rows])


def _run(run: TaskRun) -> BotRun:
    end = run.ended_at or run.state_at
    took = 0 if run.started_at is None else round((end - run.started_at).total_seconds() * 1000)
    return BotRun(
        id=run.number,
        user_name=run.user_name or run.starter_name or "",
        host_name=run.worker_name or "",
        file_name=run.task_name or "",
        start_date=moment(run.started_at or run.created_at),
        end_date=moment_or_empty(run.ended_at),
        status=STATUSES[stage_of(run)],
        current_line=line_in(run.error_message),
        time_taken=max(took, 0),
        progress=progress_of(run),
    )


@get(f"{_BASE}/getaudittraildata", needs=Permission.READ_RUNS, pair=_PAIR)
async def get_audit_trail_data(
    request: Asking, since: From = "", until: To = "", pageno: Page = "", limit: Limit = ""
) -> AuditTrail:
    """List what happened, the latest first: all for who reads the audit log, else what happened to runs."""
    _, offset, length = page_of(pageno, limit)
    rows, total = await audit.told(
        request.db, request.actor, request.seen, days("at", since, until), offset=offset, length=length
    )
    return AuditTrail(total, [_event(row) for row in rows])


def _event(event: DescribedEvent) -> AuditRow:
    noun, _, verb = event.kind.partition(".")
    said = f"{noun.replace('_', ' ')} {event.subject_name or ''}".strip() + f": {verb.replace('_', ' ')}"
    return AuditRow(
        id=event.id,
        event_description=said,
        activity_type=activity_type(event.kind),
        host_name=event.worker_name or "",
        user_name=event.actor_name or "",
        status=status(event.kind),
        object_name=event.subject_name or "",
        detail=said,
        created_on=moment(event.at),
        created_by=event.actor_number or 0,
    )


@get(f"{_BASE}/gettasklogdata", needs=_READS, pair=_PAIR)
async def get_task_log_data(
    request: Asking,
    botname: BotName = "",
    repositorypath: RepositoryPath = "",
    since: From = "",
    until: To = "",
    pageno: Page = "",
    limit: Limit = "",
) -> TaskLog:
    """List what a bot said, the latest item first."""
    number, offset, length = page_of(pageno, limit)
    bot = await bot_of(request, botname, repositorypath)
    which = which_of(since, until)
    rows, total = await insights.logged(*request.reading, [bot.task], which, offset=offset, limit=length)
    said = variables_of(bot, await insights.values_of(*request.reading, rows, [bot]))
    told = [
        Transaction(
            run_id=execution_id(row.step_run_id, row.step_run_number),
            transaction_id=str(row.id),
            date_logged=moment(row.at),
            variables=said.get(row.id, []),
        )
        for row in rows
    ]
    return TaskLog(
        total_records=str(total),
        count=str(len(told)),
        page_no=str(number),
        bot_name=bot.name,
        repository_path=repository_path(bot),
        list=[Transactions(transaction_name=bot.name, transactions=told)] if told else [],
    )


@get(f"{_BASE}/gettaskvariableprofile", needs=_READS, pair=_PAIR)
async def get_task_variable_profile(
    request: Asking, botname: BotName = "", repositorypath: RepositoryPath = ""
) -> TaskProfile:
    """Tell the variables of a bot, and what their values are all together, of its last 10,000 items."""
    bot = await bot_of(request, botname, repositorypath)
    rows, total = await insights.logged(*request.reading, [bot.task], which_of("", ""), offset=0, limit=MOST_PROFILED)
    return TaskProfile(
        bot_id=f"PROD_{bot.number}",
        bot_name=bot.name,
        total_records=str(total),
        standard_dashboard_name=bot.name,
        profile_variables=profile_of(bot, await insights.profile(*request.reading, bot, rows)),
    )


@delete(f"{_BASE}/deletetasklogdata", status=200, needs=_READS, pair=_PAIR)
async def delete_task_log_data(request: Asking, data: Body[Deleting]) -> Deleted:
    """Tell what a bot said no more; its runs keep it. For who sees the runs of all folders."""
    throughout(request.actor, _READS)
    bot = await bot_of(request, data.bot_name, data.repository_path)
    which = which_of(data.from_date, data.to_date, run=data.run_id, transaction=data.transaction_id)
    count = await insights.forget(request.engine, request.actor, [bot.task], which)
    return Deleted(bot_name=data.bot_name, repository_path=data.repository_path, delete_count=count)
