"""What is told of loaded tables: one function a chart, each over what `tables.read` has made.

Moments are in UTC. All take the beginning of the period; None: all that was loaded. Rows are plain, and few enough to
be drawn.
"""

import datetime as dt
from typing import Any, Final, NamedTuple

from duckdb import DuckDBPyConnection

MOST_PROCESSES: Final = 12
MOST_CAUSES: Final = 10
MOST_QUEUES: Final = 12
_BINS: Final = 62
"""At most so many bars. Why: more are thinner than anybody sees."""
_WIDTHS: Final = tuple(
    dt.timedelta(**width)
    for width in (
        {"minutes": 1},
        {"minutes": 5},
        {"minutes": 15},
        {"hours": 1},
        {"hours": 3},
        {"hours": 6},
        {"days": 1},
        {"weeks": 1},
    )
)
_LONGEST_CAUSE: Final = 64
Row = dict[str, Any]
_MOMENT: Final = (
    "(select coalesce(max(greatest(asked_at, coalesce(ended_at, asked_at))), now()::timestamp) from told_runs)"
)


class Overview(NamedTuple):
    """The figures above the charts."""

    runs: int
    failed: int
    median_seconds: float | None
    wait_seconds: float | None
    """Of half of the items, the most."""
    until: dt.datetime | None
    """When the newest that was loaded happened."""


def overview(database: DuckDBPyConnection, since: dt.datetime | None = None) -> Overview:
    """How many runs there were, how many failed, how long they took and how long their work waited."""
    [[runs, failed, seconds, until]] = database.execute(
        f"""
        select count(*), count(*) filter (where outcome = 'failed'),
               median(date_diff('millisecond', began_at, ended_at) / 1000.0), {_MOMENT}
          from told_runs where asked_at >= coalesce($since, asked_at)
        """,
        {"since": since},
    ).fetchall()
    [[wait]] = database.execute(
        "select median(seconds) from told_waits where began_at >= coalesce($since, began_at)", {"since": since}
    ).fetchall()
    return Overview(runs, failed, seconds, wait, until if runs else None)


def volume(database: DuckDBPyConnection, since: dt.datetime | None = None) -> list[Row]:
    """Runs by when they were asked for and how they ended: `moment`, `until`, `outcome`, `count`."""
    width = _width(database, since)
    return _rows(
        database,
        """
        select time_bucket($width, asked_at) as moment, time_bucket($width, asked_at) + $width as until, outcome,
               count(*) as count
          from told_runs where asked_at >= coalesce($since, asked_at)
         group by 1, 2, 3 order by 1, 3
        """,
        since=since,
        width=width,
    )


def processes(database: DuckDBPyConnection, since: dt.datetime | None = None) -> list[Row]:
    """The processes with the most runs: `process`, `outcome`, `count`, and of all of it `total`, `median`, `p90`."""
    return _rows(
        database,
        f"""
        with of as (
            select process, count(*) as total, median(seconds) as median, quantile_cont(seconds, 0.9) as p90
              from (select process, date_diff('millisecond', began_at, ended_at) / 1000.0 as seconds from told_runs
                     where asked_at >= coalesce($since, asked_at))
             group by process order by total desc, process limit {MOST_PROCESSES}
        )
        select process, outcome, count(*) as count, any_value(total) as total, any_value(median) as median,
               any_value(p90) as p90
          from told_runs join of using (process)
         where asked_at >= coalesce($since, asked_at)
         group by process, outcome order by total desc, process, outcome
        """,
        since=since,
    )


def causes(database: DuckDBPyConnection, since: dt.datetime | None = None) -> list[Row]:
    """Why things failed, most often first: `cause`, `count`, `processes`, `last`.

    Numbers and ids in a cause count as the same, so that one fault is one bar.
    """
    return _rows(
        database,
        f"""
        select case when length(cause) > {_LONGEST_CAUSE} then cause[:{_LONGEST_CAUSE - 1}] || '…' else cause end
                   as cause, count(*) as count, string_agg(distinct process, ', ' order by process) as processes,
               max(failed_at) as last
          from (select regexp_replace(cause, '[0-9a-fA-F]{{8,}}(-[0-9a-fA-F]{{4,}})*|[0-9]{{3,}}', '#', 'g') as cause,
                       process, failed_at
                  from told_failures where failed_at is null or failed_at >= coalesce($since, failed_at))
         group by 1 order by count desc, cause limit {MOST_CAUSES}
        """,
        since=since,
    )


def queues(database: DuckDBPyConnection, since: dt.datetime | None = None) -> list[Row]:
    """How long work waited until it was begun, the slowest first: `queue`, `count`, `median`, `p90`, `longest`."""
    return _rows(
        database,
        f"""
        select queue, count(*) as count, median(seconds) as median, quantile_cont(seconds, 0.9) as p90,
               max(seconds) as longest
          from told_waits where began_at >= coalesce($since, began_at)
         group by queue order by p90 desc, queue limit {MOST_QUEUES}
        """,
        since=since,
    )


def busy(database: DuckDBPyConnection, since: dt.datetime | None = None) -> list[Row]:
    """How much was at work at once, on average of each stretch: `moment`, `until`, `busy`, `capacity` (if known)."""
    width = _width(database, since, most=3 * _BINS)
    return _rows(
        database,
        f"""
        with work as (
            select greatest(began_at, coalesce($since, began_at)) as began, coalesce(ended_at, {_MOMENT}) as ended
              from told_work where coalesce(ended_at, {_MOMENT}) >= coalesce($since, began_at)
        ), stretch as (
            select unnest(generate_series(time_bucket($width, min(began)), time_bucket($width, max(ended)), $width))
                       as moment
              from work
        )
        select moment, moment + $width as until,
               coalesce(sum(date_diff('millisecond', greatest(began, moment), least(ended, moment + $width)))
                            filter (where began is not null), 0)
                   / date_diff('millisecond', moment, moment + $width) as busy,
               (select capacity from told_capacity) as capacity
          from stretch left join work on began < moment + $width and ended > moment
         group by moment order by moment
        """,
        since=since,
        width=width,
    )


def beginning(database: DuckDBPyConnection, length: dt.timedelta | None) -> dt.datetime | None:
    """When a period begins that ends with the newest that was loaded."""
    if length is None:
        return None
    [[newest]] = database.execute(f"select {_MOMENT}").fetchall()
    found: dt.datetime = newest - length
    return found


def _width(database: DuckDBPyConnection, since: dt.datetime | None, most: int = _BINS) -> dt.timedelta:
    """Of a bar, so that there are not too many."""
    [[first, last]] = database.execute(
        f"select min(asked_at), {_MOMENT} from told_runs where asked_at >= coalesce($since, asked_at)", {"since": since}
    ).fetchall()
    span = last - first if first is not None else dt.timedelta()
    return next((width for width in _WIDTHS if span / width <= most), _WIDTHS[-1])


def _rows(database: DuckDBPyConnection, query: str, **parameters: Any) -> list[Row]:
    found = database.execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
