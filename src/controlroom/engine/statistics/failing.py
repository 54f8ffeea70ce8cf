"""Why the items that are failed now did: in groups whose messages differ in nothing but their variable parts."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Room, Scope, scoped, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import composer
from controlroom.engine.lists.model import AllOf, Compare, Filter, Operator
from controlroom.engine.statistics.model import FailureHour, Noun, Period
from controlroom.engine.statistics.rules import LOOKED_AT, fingerprint, pattern_of
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import ExceptionType, ItemState
from controlroom.ids import ProcessId, WorkItemId
from controlroom.postgres.database import Statements
from controlroom.postgres.statement import Statement


class FailedGroup(Struct, frozen=True, kw_only=True):
    """Items that are failed now, and have their failure in common."""

    fingerprint: str | None
    """None: those that failed a moment ago, and have not been told yet."""
    count: int
    last_at: datetime
    type: ExceptionType
    code: str
    message: str
    """As one of them says it."""
    hours: list[FailureHour]
    """How many failures of this kind there were in each hour of a period, oldest first, whatever became of them."""

    @property
    def pattern(self) -> str:
        """The message without its variable parts."""
        return pattern_of(self.message)


async def failed_groups(
    db: Statements, scope: Scope, which: Filter, period: Period, *, limit: int
) -> list[FailedGroup]:
    """The groups of the failed items that a filter finds, the largest first, with the hours of a period."""
    period = period.checked()
    failed = Compare("state", Operator.EQ, ItemState.FAILED)
    found = composer.condition(ITEMS, within(scope), AllOf((failed, which)))
    asked = f"""
        with found as (
            select work_item.failure as fingerprint, count(*) as count, max(work_item.state_at) as last_at
              from work_item
             where {found.sql} and work_item.state = 'failed'
             group by work_item.failure
             order by count desc, last_at desc
             limit %(limit)s
        )
        select found.fingerprint, found.count, found.last_at, example.exception_type as type,
               example.exception_code as code, left(example.exception_message, {LOOKED_AT}) as message,
               (select coalesce(jsonb_agg(jsonb_build_object('hour', hourly.hour, 'count', hourly.count)
                                          order by hourly.hour), '[]')
                  from failure_hour as hourly
                 where hourly.generation = (select generation from statistics_state)
                   and hourly.workspace_id = {SEEN} and hourly.fingerprint = found.fingerprint
                   and hourly.hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
                   and hourly.hour < %(until)s::timestamptz) as hours
          from found
         cross join lateral (
              (select exception_type, exception_code, exception_message from work_item
                where {found.sql} and work_item.state = 'failed'
                  and work_item.failure = found.fingerprint
                order by work_item.id desc limit 1)
               union all
              (select exception_type, exception_code, exception_message from work_item
                where {found.sql} and work_item.state = 'failed' and found.fingerprint is null
                  and work_item.failure is null
                order by work_item.id desc limit 1)) as example
         order by found.count desc, found.last_at desc
        """
    return await db.all(
        FailedGroup,
        Statement(asked, is_kept=False),  # planned for these values: of one process five failed, of another thousands
        limit=limit,
        since=period.since,
        until=period.until,
        **(scope.params | found.values),
    )


async def name_of(db: Statements, scope: Scope, fingerprint: str) -> str:
    """What a group is called where there is little room: the code, else the beginning of the message."""
    found: str | None = await db.value(
        f"""
        select coalesce(nullif(exception_code, ''), left(exception_message, 40)) from work_item
         where workspace_id = {SEEN} and failure = %(fingerprint)s and state = 'failed' and queue_id is not null
         limit 1
        """,
        fingerprint=fingerprint,
        **scope.params,
    )
    return found or fingerprint[:8]


# ---------------------------------------------------------------------------------------------------- telling
class _Untold(Struct, frozen=True):
    id: WorkItemId
    process_id: ProcessId | None
    type: str
    code: str
    message: str


async def tell(engine: Engine, room: Room, *, limit: int) -> int:
    """Tell failed items that have not been told which failure is theirs; how many, `limit` at most.

    Goes by the items and not by the record: one that somebody else changes at that moment is told the next time.
    """
    async with scoped(engine.database, room) as tx:
        untold = await tx.all(
            _Untold,
            f"""
            select id, process_id, coalesce(exception_type, '') as type, exception_code as code,
                   left(exception_message, {LOOKED_AT}) as message
              from work_item
             where state = 'failed' and failure is null
             order by id
             limit %(limit)s
               for no key update skip locked
            """,
            limit=limit,
        )
        if not untold:
            return 0
        ids: list[UUID] = [each.id for each in untold]
        marks = [
            fingerprint(Noun.WORK_ITEM, each.process_id, each.type, each.code, pattern_of(each.message))
            for each in untold
        ]
        await tx.execute(
            """
            update work_item set failure = told.mark
              from unnest(%(ids)s::uuid[], %(marks)s::text[]) as told (id, mark)
             where work_item.id = told.id
            """,
            ids=ids,
            marks=marks,
        )
        return len(untold)
