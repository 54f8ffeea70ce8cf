"""Workers as who keeps an eye on them sees them: in which groups, how busy, and what they have done lately.

What a worker holds for workspaces that the scope does not see is counted, and nothing else is told of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.runs.model import Result, StepRunState
from controlroom.engine.workers.listings import WORKERS
from controlroom.engine.workers.model import WorkerState
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.ids import RunId, StepRunId, WorkerGroupId, WorkerId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first
from controlroom.protocol import ErrorCode

MOST_LATELY: Final = 120
"""Step runs of one worker that are told; of the latest."""


class GroupOf(Struct, frozen=True):
    """A group that a worker is in."""

    id: WorkerGroupId
    number: int
    name: str


class Occupied(Struct, frozen=True, kw_only=True):
    """A worker, its groups, and how many of its slots are taken."""

    id: WorkerId
    number: int
    name: str
    state: WorkerState
    serves_all: bool
    slots: int
    busy: int
    """Step runs that it holds, whoever's."""
    version: str
    platform: str
    sandbox: str
    trouble: str
    rests_since: datetime | None
    seen_at: datetime | None
    created_at: datetime
    has_session: bool
    """It came, and has not said good-bye: offline with a session, it fell silent."""
    groups: list[GroupOf]

    @property
    def free(self) -> int:
        """Slots that would take work now."""
        takes = self.state in {WorkerState.IDLE, WorkerState.BUSY} and self.rests_since is None
        return max(0, self.slots - self.busy) if takes else 0

    @property
    def is_silent(self) -> bool:
        """Whether it is gone without a word."""
        return self.state is WorkerState.OFFLINE and self.has_session


class Lately(Struct, frozen=True, kw_only=True):
    """A step run that a worker has worked on."""

    worker_id: WorkerId
    id: StepRunId
    number: int
    run_id: RunId
    run_number: int
    process_name: str
    step_name: str
    state: StepRunState
    result: Result | None
    error_code: ErrorCode | None
    started_at: datetime
    began_at: datetime | None
    """Since when the robot itself runs; before it, its environment is made."""
    ended_at: datetime | None


class EnvironmentMade(Struct, frozen=True, kw_only=True):
    """The environment of a package, as a worker has had it last."""

    package_name: str
    count: int
    """Of how many of the latest step runs."""
    took: timedelta | None
    """The last time: moments for one that it had, longer for one that it built."""
    longest: timedelta | None
    at: datetime
    has_failed: bool
    """The last time."""
    step_run_number: int
    run_number: int


class Counted(Struct, frozen=True, kw_only=True):
    """Workers that are alike, and their slots: of a group, of those in none, or of all."""

    of_all: bool
    group_id: WorkerGroupId | None
    """None, where they are not all: in no group."""
    state: WorkerState
    is_silent: bool
    is_resting: bool
    is_troubled: bool
    workers: int
    slots: int
    busy: int
    free: int


class Glance(Struct, frozen=True):
    """How many there are, and the first of them."""

    counted: list[Counted]
    first: list[Occupied]


_STATE: Final = """
           case when worker.state <> 'busy' or held.busy > 0 then worker.state  -- it is told by the next heartbeat
                when worker.trouble <> '' or worker.rests_since is not null then 'resting'
                else 'idle' end as state"""
_BUSY: Final = """
     cross join lateral (select count(*) as busy from step_run
                          where step_run.worker_id = worker.id and step_run.state = 'in_progress') as held"""
_COLUMNS: Final = f"""worker.id, worker.number, worker.name, {_STATE}, worker.serves_all, worker.slots, worker.version,
           worker.platform, worker.sandbox, worker.trouble, worker.rests_since, worker.seen_at, worker.created_at,
           worker.session is not null as has_session,
           held.busy,
           coalesce((select jsonb_agg(jsonb_build_object('id', worker_group.id, 'number', worker_group.number,
                                                         'name', worker_group.name) order by worker_group.id)
                       from worker_group_member
                       join worker_group on worker_group.id = worker_group_member.worker_group_id
                      where worker_group_member.worker_id = worker.id and worker_group.deleted_at is null
                        and {serves(WORKER_GROUP)}), '[]') as groups"""
_OCCUPIED: Final = f"select {_COLUMNS} from worker {_BUSY}"

OCCUPIED: Final = replace(WORKERS, columns=_COLUMNS, joins=_BUSY)
"""The workers that serve a workspace, each with what it does, `within=in_service(scope)`."""

_COUNTED: Final = f"""
    with alike as materialized (
        select worker.id, {_STATE}, worker.state = 'offline' and worker.session is not null as is_silent,
               worker.rests_since is not null as is_resting, worker.trouble <> '' as is_troubled,
               worker.slots, held.busy
          from worker {_BUSY}
         where {serves(WORKER)} and worker.deleted_at is null
    ), placed as (
        select true as of_all, null::uuid as group_id, alike.* from alike
         union all
        select false, of_worker.id, alike.* from alike
          left join lateral (
               select worker_group.id from worker_group_member
                 join worker_group on worker_group.id = worker_group_member.worker_group_id
                where worker_group_member.worker_id = alike.id and worker_group.deleted_at is null
                  and {serves(WORKER_GROUP)}) as of_worker on true
    )
    select of_all, group_id, state, is_silent, is_resting, is_troubled, count(*) as workers, sum(slots) as slots,
           sum(busy)::bigint as busy,
           coalesce(sum(greatest(slots - busy, 0)) filter (where state in ('idle', 'busy') and not is_resting),
                    0)::bigint as free
      from placed
     group by of_all, group_id, state, is_silent, is_resting, is_troubled
     order by count(*) desc, state, is_silent"""


async def list_occupied(
    db: Statements,
    scope: Scope,
    *,
    group: WorkerGroupId | None = None,
    after: WorkerId | None = None,
    limit: int,
) -> list[Occupied]:
    """The workers that serve what the scope sees, or those of them in a group, in the order of their making."""
    of_group = (
        ""
        if group is None
        else """and exists (select from worker_group_member
                     where worker_group_member.worker_id = worker.id
                       and worker_group_member.worker_group_id = %(group)s)"""
    )
    return await db.all(
        Occupied,
        f"""{_OCCUPIED}
         where {serves(WORKER)} and worker.deleted_at is null {of_group}
         {oldest_first("worker.id")}""",
        after=after,
        limit=limit,
        **({} if group is None else {"group": group}),
        **scope.each,
    )


async def first_of_groups(
    db: Statements, scope: Scope, groups: Sequence[WorkerGroupId], *, each: int
) -> list[Occupied]:
    """So many of each of some groups, and of those in no group: one that is in several of them comes once."""
    return await db.all(
        Occupied,
        f"""
        with drawn as materialized (
            select of_group.worker_id as id from unnest(%(groups)s::uuid[]) as asked (id)
             cross join lateral (
                   select worker_group_member.worker_id from worker_group_member
                     join worker on worker.id = worker_group_member.worker_id
                    where worker_group_member.worker_group_id = asked.id and worker.deleted_at is null
                      and {serves(WORKER)}
                    order by worker_group_member.worker_id
                    limit %(each_of)s) as of_group
             union
            (select worker.id from worker
              where {serves(WORKER)} and worker.deleted_at is null
                and not exists (select from worker_group_member
                                  join worker_group on worker_group.id = worker_group_member.worker_group_id
                                 where worker_group_member.worker_id = worker.id and worker_group.deleted_at is null
                                   and {serves(WORKER_GROUP)})
              order by worker.id
              limit %(each_of)s)
        )
        {_OCCUPIED}
         where worker.id in (select id from drawn)
         order by worker.id""",
        groups=list(groups),
        each_of=each,
        **scope.each,
    )


async def counted(db: Statements, scope: Scope) -> list[Counted]:
    """How many workers are in which state, and their room: of all, of each group that has any, and of those in none.

    One statement, whatever there is: no page's length bounds it.
    """
    return await db.all(Counted, _COUNTED, **scope.each)


async def at_a_glance(db: Statements, scope: Scope, *, limit: int) -> Glance:
    """All that are counted, and the first of them: those that fell silent or are in trouble, then the oldest."""
    return await db.one(
        Glance,
        f"""
        with drawn as materialized (          -- before what they hold is looked up
            select worker.id from worker
             where {serves(WORKER)} and worker.deleted_at is null
             order by worker.state = 'offline' and worker.session is not null desc, worker.trouble <> '' desc,
                      worker.id
             limit {limit:d}
        )
        select coalesce((select jsonb_agg(to_jsonb(counted)) from ({_COUNTED}) as counted where of_all),
                        '[]') as counted,
               coalesce((select jsonb_agg(to_jsonb(first)) from (
                   {_OCCUPIED}
                    where worker.id in (select id from drawn)
                    order by worker.state = 'offline' and worker.session is not null desc, worker.trouble <> '' desc,
                             worker.id) as first), '[]') as first
        """,
        **scope.each,
    )


async def get_occupied(db: Statements, scope: Scope, worker: WorkerId) -> Occupied:
    """One of them. Raises WorkerNotFound."""
    found = await db.one_or_none(
        Occupied,
        f"{_OCCUPIED} where {serves(WORKER)} and worker.id = %(worker)s and worker.deleted_at is null",
        worker=worker,
        **scope.each,
    )
    if found is None:
        raise WORKER.missing(str(worker))
    return found


async def linked_since(db: Statements, scope: Scope, since: datetime, *, limit: int) -> list[Occupied]:
    """The workers that were linked from a moment on, the first first: who has made a token waits for them."""
    return await db.all(
        Occupied,
        f"""{_OCCUPIED}
         where {serves(WORKER)} and worker.deleted_at is null and worker.created_at >= %(since)s
         order by worker.created_at, worker.id
         limit %(limit)s""",
        since=since,
        limit=limit,
        **scope.each,
    )


async def lately(
    db: Statements, scope: Scope, workers: Sequence[WorkerId], since: datetime, *, most: int = MOST_LATELY
) -> dict[WorkerId, list[Lately]]:
    """What workers hold now or have ended since a moment, the oldest first: of each the latest, `most` at once.

    Of a worker that has done more in that time the beginning is missing.
    """
    found = await db.all(
        Lately,
        f"""
        select step_run.worker_id, step_run.id, step_run.number, step_run.run_id, run.number as run_number,
               process.name as process_name, step.name as step_name, step_run.state, step_run.result,
               step_run.error_code, step_run.started_at, step_run.began_at, step_run.ended_at
          from unnest(%(workers)s::uuid[]) as of_worker (id)
         cross join lateral (
               select latest.* from {EACH} as seen
                cross join lateral (
                      select * from step_run
                       where step_run.worker_id = of_worker.id and step_run.workspace_id = seen.id
                         and step_run.state <> 'withdrawn'
                       order by step_run.id desc
                       limit %(most)s) as latest
                order by latest.id desc
                limit %(most)s) as step_run
          join run on run.id = step_run.run_id
          join step on step.id = step_run.step_id
          join process on process.id = step.process_id
         where step_run.started_at is not null and (step_run.ended_at is null or step_run.ended_at >= %(since)s)
         order by step_run.started_at, step_run.id
        """,
        workers=list(workers),
        since=since,
        most=most,
        **scope.each,
    )
    by_worker: dict[WorkerId, list[Lately]] = {each: [] for each in workers}
    for one in found:
        by_worker[one.worker_id].append(one)
    return by_worker


async def environments(db: Statements, scope: Scope, worker: WorkerId) -> list[EnvironmentMade]:
    """The environments that a worker has made, or had, for its latest step runs: the one used last comes first."""
    return await db.all(
        EnvironmentMade,
        f"""
        with latest as (
            select latest.* from {EACH} as seen
             cross join lateral (
                   select step_run.id, step_run.number, step_run.run_id, step_run.step_id, step_run.attempt
                     from step_run
                    where step_run.worker_id = %(worker)s and step_run.workspace_id = seen.id
                      and step_run.state <> 'withdrawn'
                    order by step_run.id desc
                    limit {MOST_LATELY}) as latest
        ), made as (
            select package.name as package_name, phase.ended_at - phase.started_at as took, phase.started_at as at,
                   phase.state = 'failed' as has_failed, latest.number as step_run_number, run.number as run_number
              from latest
              join phase on phase.step_run_id = latest.id and phase.attempt = latest.attempt
                        and phase.kind in ('environment', 'profile')
              join run on run.id = latest.run_id
              join step on step.id = latest.step_id
              left join task on task.id = step.task_id
              join package on package.id = coalesce(task.package_id, step.package_id)
             where phase.started_at is not null
        )
        select package_name, count(*) as count, (array_agg(took order by at desc))[1] as took, max(took) as longest,
               max(at) as at, (array_agg(has_failed order by at desc))[1] as has_failed,
               (array_agg(step_run_number order by at desc))[1] as step_run_number,
               (array_agg(run_number order by at desc))[1] as run_number
          from made
         group by package_name
         order by max(at) desc
        """,
        worker=worker,
        **scope.each,
    )
