"""The statements that seek a text among the rows of a workspace. Each reads a bounded number of them, by an index."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.nouns import InOrganization, InService, InWorkspace, Noun, reading
from controlroom.engine.runs.model import Result
from controlroom.engine.search.model import Hit
from controlroom.ids import StepRunId
from controlroom.postgres.database import Statements
from controlroom.protocol import ErrorCode

_NEWEST: Final = 2000
"""Failures of a workspace, newest first, among whose texts one is sought at once."""


def like(text: str) -> str:
    """What `like` finds a text by, anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def by_name(db: Statements, scope: Scope, nouns: Sequence[Noun[Any]], text: str, *, limit: int) -> list[Hit]:
    """What has the text in its name, or is named by it as a number or an id: `limit` of each noun, the best first."""
    if not nouns:
        return []
    asked = reading(text)
    return await db.all(
        Hit,
        _by_name(tuple(nouns)),
        like=like(text),
        begins=like(text)[1:],
        asked_id=asked.id,
        asked_number=asked.number,
        most=limit,
        **scope.params,
    )


@lru_cache(maxsize=64)
def _by_name(nouns: tuple[Noun[Any], ...]) -> str:
    arms = " union all ".join(f"(select * from ({_arm(noun)}) as found_{index})" for index, noun in enumerate(nouns))
    return f"with seen as materialized {SEEN} {arms}"


def _arm(noun: Noun[Any]) -> str:
    match noun.within:
        case InWorkspace(column):
            tenancy = f"{column} in (select id from seen)"
        case InOrganization(column):
            tenancy = f"{column} = %(organization)s and exists (select from seen)"
        case InService(column) as service:
            served = service.by(f"{noun.table}.id", "seen.id")
            tenancy = f"{column} = %(organization)s and exists (select from seen where {served})"
    name = noun.name or "''"
    return f"""
        select '{noun.word}' as noun, {noun.table}.id, {noun.table}.number, {name} as name, '' as said,
               null::timestamptz as at, null::bigint as run
          from {noun.table} {noun.joined}
         where {tenancy} and {noun.there}
           and (({name} ilike %(like)s and {noun.named}) or {noun.table}.id = %(asked_id)s::uuid
                or {noun.table}.number = %(asked_number)s::bigint)
         order by {name} ilike %(begins)s desc, length({name}), {name}, {noun.table}.id
         limit %(most)s"""


async def by_number(db: Statements, scope: Scope, text: str) -> list[Hit]:
    """The run or step run that a text names by number or id."""
    asked = reading(text)
    if asked.id is None and asked.number is None:
        return []
    return await db.all(
        Hit,
        f"""
        (select 'run' as noun, run.id, run.number, process.name, '' as said, run.created_at as at, null::bigint as run
           from run join process on process.id = run.process_id
          where run.workspace_id = {SEEN} and (run.id = %(asked_id)s::uuid or run.number = %(asked_number)s::bigint))
        union all
        (select 'step run', step_run.id, step_run.number, process.name, '', step_run.created_at, run.number
           from step_run join run on run.id = step_run.run_id join process on process.id = run.process_id
          where step_run.workspace_id = {SEEN}
            and (step_run.id = %(asked_id)s::uuid or step_run.number = %(asked_number)s::bigint))
        """,
        asked_id=asked.id,
        asked_number=asked.number,
        **scope.params,
    )


async def items(db: Statements, scope: Scope, text: str, *, limit: int) -> list[Hit]:
    """Work items that a text names by number, id or reference."""
    asked = reading(text)
    return await db.all(
        Hit,
        f"""
        (select 'work item' as noun, id, number, coalesce(reference, '') as name, exception_message as said,
                state_at as at, null::bigint as run
           from work_item
          where workspace_id = {SEEN} and state not in ('draft', 'deleted')
            and (id = %(asked_id)s::uuid or number = %(asked_number)s::bigint))
        union
        (select 'work item', found.id, found.number, found.reference, found.exception_message, found.state_at, null
           from queue, lateral (
                select id, number, reference, exception_message, state_at from work_item
                 where work_item.queue_id = queue.id and work_item.reference = %(text)s
                   and work_item.state <> 'deleted' and work_item.state <> 'draft'
                 limit 1) as found
          where queue.workspace_id = {SEEN})
        limit %(most)s
        """,
        asked_id=asked.id,
        asked_number=asked.number,
        text=text,
        most=limit,
        **scope.params,
    )


async def failed_items(db: Statements, scope: Scope, text: str, *, limit: int) -> list[Hit]:
    """Failed work items with the text in their code or message, newest first, among the newest ones."""
    return await db.all(
        Hit,
        f"""
        with newest as materialized (
            select id, number, reference, exception_code, exception_message, state_at from work_item
             where workspace_id = {SEEN} and state = 'failed' and queue_id is not null
             order by id desc
             limit %(newest)s
        )
        select 'work item' as noun, id, number, coalesce(reference, '') as name,
               concat_ws(' ', nullif(exception_code, ''), left(exception_message, 300)) as said, state_at as at,
               null::bigint as run
          from newest
         where exception_message ilike %(like)s or exception_code ilike %(like)s
         order by id desc
         limit %(most)s
        """,
        like=like(text),
        newest=_NEWEST,
        most=limit,
        **scope.params,
    )


async def failed_step_runs(db: Statements, scope: Scope, text: str, *, limit: int) -> list[Hit]:
    """Failed step runs with the text in their code or message, newest first, among the newest ones."""
    return await db.all(
        Hit,
        f"""
        with newest as materialized (      -- by each end that there is: the index has them by that, newest last
            select latest.id
              from unnest(%(results)s::text[]) as ended (result), unnest(%(codes)s::text[]) as said (code)
             cross join lateral (
                   select id from step_run
                    where workspace_id = {SEEN} and state = 'failed' and result = ended.result
                      and error_code = said.code
                    order by id desc
                    limit %(newest)s) as latest
             order by latest.id desc
             limit %(newest)s
        ), found as (
            select step_run.id, number, run_id, error_code, error_message, ended_at
              from newest join step_run on step_run.id = newest.id
             where error_message ilike %(like)s or error_code ilike %(like)s
             order by step_run.id desc
             limit %(most)s
        )
        select 'step run' as noun, found.id, found.number, process.name,
               concat_ws(' ', found.error_code, left(found.error_message, 300)) as said, found.ended_at as at,
               run.number as run
          from found join run on run.id = found.run_id join process on process.id = run.process_id
         order by found.id desc
        """,
        like=like(text),
        newest=_NEWEST,
        results=[each.value for each in Result],
        codes=[each.value for each in ErrorCode],
        most=limit,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- the past
class Looked(Hit, frozen=True, kw_only=True):
    """A row that has the text, or the last one that was looked at."""

    created_at: datetime
    is_hit: bool
    is_last: bool
    rows: int
    """How many rows were looked at."""


async def payloads(db: Statements, scope: Scope, text: str, *, before: UUID, after: UUID, rows: int) -> list[Looked]:
    """Of the next work items older than one, down to another: those whose payload has the text, and the last of all."""
    return await db.all(
        Looked,
        f"""
        with next as materialized (
            select id, number, reference, payload, created_at from work_item
             where workspace_id = {SEEN} and id < %(before)s and id >= %(after)s
               and state not in ('draft', 'deleted')
             order by id desc
             limit %(rows)s
        ), looked as (
            select next.*, coalesce(payload::text ilike %(like)s, false) as is_hit,
                   row_number() over (order by id) = 1 as is_last, count(*) over () as rows
              from next
        )
        select 'work item' as noun, id, number, coalesce(reference, '') as name,
               case when is_hit
                    then substring(payload::text
                                   from greatest(1, position(lower(%(text)s) in lower(payload::text)) - 60) for 200)
                    else '' end as said,
               created_at as at, null::bigint as run, created_at, is_hit, is_last, rows
          from looked
         where is_hit or is_last
         order by id desc
        """,
        text=text,
        like=like(text),
        before=before,
        after=after,
        rows=rows,
        **scope.params,
    )


class Printed(Hit, frozen=True, kw_only=True):
    """A step run whose console may be looked at."""

    created_at: datetime
    attempt: int
    has_printed: bool

    @property
    def step_run(self) -> StepRunId:
        """Its id."""
        return StepRunId(self.id)

    def hit(self, said: str) -> Hit:
        """As a hit."""
        return Hit(noun=self.noun, id=self.id, number=self.number, name=self.name, said=said, at=self.at, run=self.run)


async def printed(db: Statements, scope: Scope, *, before: UUID, after: UUID, rows: int) -> list[Printed]:
    """The next step runs older than one, down to another, that were begun, each with whether its attempt printed."""
    return await db.all(
        Printed,
        f"""
        with next as materialized (
            select id, number, run_id, attempt, created_at from step_run
             where workspace_id = {SEEN} and id < %(before)s and id >= %(after)s and state <> 'withdrawn'
             order by id desc
             limit %(rows)s
        )
        select 'step run' as noun, next.id, next.number, process.name, '' as said, next.created_at as at,
               run.number as run, next.created_at, next.attempt,
               exists (select from console_chunk where step_run_id = next.id and attempt = next.attempt)
               or exists (select from console_archive where step_run_id = next.id and attempt = next.attempt)
               as has_printed
          from next join run on run.id = next.run_id join process on process.id = run.process_id
         order by next.id desc
        """,
        before=before,
        after=after,
        rows=rows,
        **scope.params,
    )
