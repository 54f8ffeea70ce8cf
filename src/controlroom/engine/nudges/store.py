"""What the record of events says that is new since a place in it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Room, Scope
from controlroom.engine.nudges.model import News
from controlroom.postgres.database import Statements

MOST_NEWS: Final = 5000
"""Events that one look reads; of more it is only said that much has happened."""


class Since(Struct, frozen=True, kw_only=True):
    """What came since a place, and the place up to which that is all."""

    place: str
    is_cut: bool
    """Whether there may be more than what is told here."""
    news: list[News]


async def place(db: Statements, _room: Room) -> str:
    """Where the record is now: the snapshot of what can be seen, in PostgreSQL's writing."""
    found: str = await db.value("select pg_current_snapshot()::text")
    return found


async def since(db: Statements, _room: Room, place: str) -> Since:
    """What can be seen now and could not be seen at a place (`rules.is_place`).

    One statement, so that each event lies on one side of a place: none is told twice, and none is missed because its
    transaction was a long one. It reads `MOST_NEWS` rows at most, from the end of the primary key.
    """
    return await db.one(
        Since,
        """
        with latest as materialized (
            select xid, id, kind, organization_id, workspace_id, process_id, run_id, step_run_id, work_item_id,
                   subject_id, not pg_visible_in_snapshot(xid, %(place)s::text::pg_snapshot) as is_new
              from event
             where xid >= pg_snapshot_xmin(%(place)s::text::pg_snapshot)
             order by xid desc, id desc
             limit %(most)s
        ), news as (
            select distinct split_part(kind, '.', 1) as noun, organization_id, workspace_id, process_id, run_id,
                   step_run_id, work_item_id, subject_id
              from latest where is_new
        )
        select pg_current_snapshot()::text as place,
               (select count(*) from latest) = %(most)s and (select is_new from latest order by xid, id limit 1)
               or pg_snapshot_xmax(%(place)s::text::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) as is_cut,
               coalesce((select jsonb_agg(to_jsonb(news)) from news), '[]') as news
        """,
        place=place,
        most=MOST_NEWS,
    )


async def seen_step_runs(db: Statements, scope: Scope, step_runs: Sequence[UUID]) -> set[UUID]:
    """Those of these step runs that the scope sees."""
    found: list[UUID] = await db.value(
        f"""
        select coalesce(array_agg(id), '{{}}')
          from step_run
         where id = any(%(step_runs)s::uuid[]) and workspace_id = {SEEN}
        """,
        step_runs=list(step_runs),
        **scope.params,
    )
    return set(found)
