"""What people see of a run beside the run itself: items by step, step runs in time, what it left, what happened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.runs.listings import STEP_RUNS
from controlroom.engine.runs.model import Artifact, Run, StepRun
from controlroom.ids import ArtifactId, RunId, StepId, StepRunId, WorkItemId
from controlroom.postgres.database import Statements

_MOST_FAILURES: Final = 30
"""Failed items of one step run that are told by their moment."""


class OfStep(Struct, frozen=True, kw_only=True):
    """The items of a run in one of its steps, by what became of them."""

    step_id: StepId
    name: str
    done: int
    failed: int
    invalid: int
    in_progress: int
    pending: int
    held: int

    @property
    def total(self) -> int:
        """All that went in."""
        return self.done + self.failed + self.invalid + self.in_progress + self.pending + self.held


class Flow(Struct, frozen=True):
    """The items of a run through its steps."""

    steps: list[OfStep]
    outputs: int
    """What the last step has put out."""

    def sum(self, state: str) -> int:
        """How many of all are so: `done`, `failed`, `total`."""
        return sum(getattr(each, state) for each in self.steps)


async def flow(db: Statements, scope: Scope, run: Run) -> Flow:
    """How the items of a run went through its steps, in their order."""
    rows = await db.all(
        _Row,
        f"""
        with counted as materialized (
            select step_id, state, count(*) as count from work_item
             where workspace_id = {SEEN} and run_id = %(run)s and queue_id is not null
               and state not in ('draft', 'deleted')
             group by step_id, state
        )
        select step.id as step_id, step.name,
               coalesce(sum(count) filter (where state = 'done'), 0)::bigint as done,
               coalesce(sum(count) filter (where state = 'failed'), 0)::bigint as failed,
               coalesce(sum(count) filter (where state = 'invalid'), 0)::bigint as invalid,
               coalesce(sum(count) filter (where state = 'in_progress'), 0)::bigint as in_progress,
               coalesce(sum(count) filter (where state in ('pending', 'new')), 0)::bigint as pending,
               coalesce(sum(count) filter (where state = 'held'), 0)::bigint as held,
               (select count(*) from work_item
                 where workspace_id = {SEEN} and run_id = %(run)s and queue_id is null and state = 'new') as outputs
          from step left join counted on counted.step_id = step.id
         where step.process_id = %(process)s and (step.deleted_at is null or counted.step_id is not null)
         group by step.id
         order by step.position, step.id
        """,
        run=run.id,
        process=run.process_id,
        **scope.params,
    )
    steps = [
        OfStep(
            step_id=row.step_id,
            name=row.name,
            done=row.done,
            failed=row.failed,
            invalid=row.invalid,
            in_progress=row.in_progress,
            pending=row.pending,
            held=row.held,
        )
        for row in rows
    ]
    return Flow(steps, rows[0].outputs if rows else 0)


class _Row(Struct, frozen=True):
    step_id: StepId
    name: str
    done: int
    failed: int
    invalid: int
    in_progress: int
    pending: int
    held: int
    outputs: int


# ---------------------------------------------------------------------------------------------------- step runs
class Timed(Struct, frozen=True, kw_only=True):
    """A step run with what its row in a timeline shows."""

    step_run: StepRun
    worker_name: str | None
    environment_until: datetime | None
    """When its environment was ready."""
    items: int
    """How many it has had in hand."""
    failures: list[datetime]
    """When items failed in it, the first some."""
    of_step: int
    """How many step runs its step has, those that are not told among them."""


async def timed(db: Statements, scope: Scope, run: RunId, *, most_of_step: int) -> list[Timed]:
    """The step runs of a run by step: all of one that has few, else its first and as many of those that went wrong."""
    return await db.all(
        Timed,
        f"""
        with placed as (
            select id, count(*) over (partition by step_id) as of_step,
                   row_number() over (partition by step_id, went_wrong order by id) as place, went_wrong,
                   row_number() over (partition by step_id order by id) = 1 as is_first
              from (select id, step_id, coalesce(result in ('failed', 'timed_out', 'lost'), false) as went_wrong
                      from step_run
                     where workspace_id = {SEEN} and run_id = %(run)s and state <> 'withdrawn') as each
        )
        select to_jsonb(told) as step_run, placed.of_step, worker.name as worker_name,
               (select phase.ended_at from phase
                 where phase.step_run_id = told.id and phase.attempt = told.attempt and phase.kind = 'environment'
                 limit 1) as environment_until,
               (select count(*) from work_item where work_item.step_run_id = told.id) as items,
               array(select work_item.state_at from work_item
                      where work_item.step_run_id = told.id and work_item.state = 'failed'
                      order by work_item.turn limit {_MOST_FAILURES}) as failures
          from placed
          join lateral ({STEP_RUNS.select} where step_run.id = placed.id) as told on true
          join step on step.id = told.step_id
          left join worker on worker.id = told.worker_id
         where placed.of_step <= %(most)s or (placed.went_wrong and placed.place <= %(most)s) or placed.is_first
         order by step.position, told.id
        """,
        run=run,
        most=most_of_step,
        **scope.params,
    )


class Band(Struct, frozen=True):
    """How many step runs of a step ran at a time."""

    step_id: StepId
    step_name: str
    count: int
    began: datetime
    ended: datetime | None
    """None: some go on."""
    running: list[int]
    """The most at once in each of equal parts of the time from `since` to `until`."""


async def bands(
    db: Statements, scope: Scope, run: RunId, steps: Sequence[StepId], since: datetime, until: datetime, *, parts: int
) -> list[Band]:
    """How many step runs of some steps ran at a time, between two moments."""
    return await db.all(
        Band,
        f"""
        with of_step as materialized (
            select step_id, created_at, started_at, ended_at from step_run
             where workspace_id = {SEEN} and run_id = %(run)s and step_id = any(%(steps)s::uuid[])
               and state <> 'withdrawn'
        ), changed as (
            select step_id, started_at as at, 1 as by from of_step where started_at is not null
            union all
            select step_id, ended_at, -1 from of_step where started_at is not null and ended_at is not null
        ), summed as (
            select step_id, at, sum(by) over (partition by step_id order by at, by desc rows unbounded preceding) as now
              from changed
        ), bucketed as (
            select step_id, at, now,
                   least(%(parts)s, greatest(1, width_bucket(extract(epoch from at),
                                                             extract(epoch from %(since)s::timestamptz),
                                                             extract(epoch from %(until)s::timestamptz),
                                                             %(parts)s))) as part
              from summed
        ), placed as (
            select step_id, part, now, row_number() over (partition by step_id, part order by at desc, now) as from_last
              from bucketed
        ), parts as (
            select step_id, part, max(now) as most, min(now) filter (where from_last = 1) as at_end
              from placed group by step_id, part
        )
        select step.id as step_id, step.name as step_name, all_of_it.count, all_of_it.began, all_of_it.ended,
               array(select greatest(coalesce(here.most, 0), coalesce(before.at_end, 0))
                       from generate_series(1, %(parts)s) as at (part)
                       left join parts as here on here.step_id = step.id and here.part = at.part
                       left join lateral (select at_end from parts
                                           where parts.step_id = step.id and parts.part < at.part
                                           order by parts.part desc limit 1) as before on true
                      order by at.part)::int[] as running
          from step
          join (select step_id, count(*) as count, min(created_at) as began,
                       case when bool_and(ended_at is not null) then max(ended_at) end as ended
                  from of_step group by step_id) as all_of_it on all_of_it.step_id = step.id
         order by step.position
        """,
        run=run,
        steps=list(steps),
        since=since,
        until=until,
        parts=parts,
        **scope.params,
    )


class WorkerOf(Struct, frozen=True):
    """The worker that runs or ran a step run."""

    number: int
    name: str
    is_there: bool
    """False: it was deleted since."""


async def worker_of(db: Statements, scope: Scope, step_run: StepRunId) -> WorkerOf | None:
    """The worker of a step run; None if none has taken it."""
    return await db.one_or_none(
        WorkerOf,
        f"""
        select worker.number, worker.name, worker.deleted_at is null as is_there
          from step_run join worker on worker.id = step_run.worker_id
         where step_run.workspace_id = {SEEN} and step_run.id = %(of)s
        """,
        of=step_run,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- what it left
class LeftBy(Struct, frozen=True, kw_only=True):
    """An artifact, and which step run left it."""

    artifact: Artifact
    step_run_number: int
    step_name: str


async def artifacts_of_run(
    db: Statements, scope: Scope, run: RunId, *, after: ArtifactId | None = None, limit: int
) -> list[LeftBy]:
    """What the last attempts of the step runs of a run left, oldest first."""
    return await db.all(
        LeftBy,
        f"""
        select to_jsonb(left_behind) as artifact, step_run.number as step_run_number, step.name as step_name
          from step_run
          join step on step.id = step_run.step_id
          join lateral (
               select artifact.id, artifact.number, artifact.step_run_id, artifact.attempt, artifact.phase,
                      phase.id as phase_id, phase.name as phase_name, artifact.name, artifact.size, artifact.hash,
                      artifact.created_at
                 from artifact
                 left join phase on phase.step_run_id = artifact.step_run_id and phase.attempt = artifact.attempt
                                and phase.position = artifact.phase
                where artifact.step_run_id = step_run.id and artifact.attempt = step_run.attempt) as left_behind on true
         where step_run.workspace_id = {SEEN} and step_run.run_id = %(run)s
           and (%(after)s::uuid is null or left_behind.id > %(after)s)
         order by left_behind.id
         limit %(limit)s
        """,
        run=run,
        after=after,
        limit=limit,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- what happened
class Happened(Struct, frozen=True, kw_only=True):
    """Something that happened to a run or one of its step runs, and who did it."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]
    actor_kind: str
    actor_name: str | None
    step_run_number: int | None
    step_name: str | None


async def events_of_run(
    db: Statements, scope: Scope, run: RunId, *, after: int | None = None, limit: int
) -> list[Happened]:
    """What happened to a run and its step runs, oldest first, without what happened to its items."""
    return await db.all(
        Happened,
        f"""
        select event.id, event.at, event.kind, event.data, event.actor_kind,
               coalesce(nullif(trim(concat(app_user.first_name, ' ', app_user.last_name)), ''), app_user.username,
                        credential.name, worker.name) as actor_name,
               step_run.number as step_run_number, step.name as step_name
          from event
          left join step_run on step_run.id = event.step_run_id
          left join step on step.id = step_run.step_id
          left join app_user on app_user.id = event.actor_id
          left join credential on credential.id = event.actor_id
          left join worker on worker.id = event.actor_id
         where event.workspace_id = {SEEN} and event.run_id = %(run)s and event.work_item_id is null
           and event.id > coalesce(%(after)s::bigint, 0)
         order by event.id
         limit %(limit)s
        """,
        run=run,
        after=after,
        limit=limit,
        **scope.params,
    )


async def inputs_of_run(db: Statements, scope: Scope, run: RunId, *, limit: int) -> list[WorkItemId]:
    """The items that a run began with, oldest first: those that none of its robots made."""
    return await db.all(
        WorkItemId,
        f"""
        select id from work_item
         where workspace_id = {SEEN} and run_id = %(run)s and created_by_step_run is null
           and queue_id is not null and state <> 'deleted'
         order by id
         limit %(limit)s
        """,
        run=run,
        limit=limit,
        **scope.params,
    )
