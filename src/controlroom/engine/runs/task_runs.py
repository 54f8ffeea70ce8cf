"""Step runs of tasks, over all workspaces that somebody sees: what is running, has run and waits, whoever started it.

Who may not read runs sees their own: those that they have started, and those that run as them.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import EACH, SEEN, Of, Scope, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Field,
    Filter,
    Kind,
    Listing,
    Not,
    OneOf,
    Operator,
    Page,
    Total,
    Unset,
    among,
)
from controlroom.engine.lists.words import literal
from controlroom.engine.repository.model import Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.runs.errors import StepRunNotFound
from controlroom.engine.runs.model import Result, StartedBy, StepRunState
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, TaskId, UserId, WorkerId, WorkspaceId
from controlroom.postgres.database import Database, Statements
from controlroom.protocol import ErrorCode


class TaskRun(Struct, frozen=True, kw_only=True):
    """A step run of a task, with what it belongs to by id, number and name."""

    id: StepRunId
    number: int
    workspace_id: WorkspaceId
    workspace_name: str
    run_id: RunId
    run_number: int
    run_name: str | None
    """What its start has called the run."""
    run_no: int
    """Which run of its process it is."""
    process_id: ProcessId
    process_number: int
    process_name: str
    is_of_task: bool
    """The process is there to run that one task, and nobody has made it."""
    task_id: TaskId | None
    task_number: int | None
    task_name: str | None
    package_name: str | None
    label: str | None
    """The label of the version that its start asked for."""
    state: StepRunState
    result: Result | None
    error_code: ErrorCode | None
    error_message: str
    exit_code: int | None
    priority: int
    created_at: datetime
    started_at: datetime | None
    began_at: datetime | None
    """Since when the robot itself runs."""
    ended_at: datetime | None
    state_at: datetime
    paused_at: datetime | None
    worker_id: WorkerId | None
    worker_number: int | None
    worker_name: str | None
    user_id: UserId | None
    user_number: int | None
    user_name: str | None
    started_by: StartedBy
    started_by_id: UUID | None
    starter_number: int | None
    """Of the user who has started it; else who answers for the schedule, or has made the consumer, that has."""
    starter_name: str | None
    callback_url: str | None
    cause_number: int | None
    """Of the schedule, or the queue's consumer, that has started it."""


_RUN: Final = "join run on run.id = step_run.run_id"
_WORKER: Final = "left join worker on worker.id = step_run.worker_id"
_USER: Final = "left join app_user as runner on runner.id = step_run.run_as"
_CAUSE: Final = """(select coalesce(schedule.number, consumer.number)
              from run as begun
              left join schedule on schedule.id = begun.started_by_id and begun.started_by = 'schedule'
              left join queue_consumer as consumer
                     on consumer.id = begun.started_by_id and begun.started_by = 'queue'
             where begun.id = step_run.run_id)"""
_STARTER: Final = """(select starter.number from run as begun
              left join schedule on schedule.id = begun.started_by_id and begun.started_by = 'schedule'
              left join queue_consumer as consumer
                     on consumer.id = begun.started_by_id and begun.started_by = 'queue'
              join app_user as starter
                   on starter.id = coalesce(schedule.owner_id, consumer.created_by, begun.started_by_id)
             where begun.id = step_run.run_id)"""
_TASK: Final = """join step as of_step on of_step.id = step_run.step_id
      join task as of_task on of_task.id = of_step.task_id"""
_STANDS: Final = "step_run.state <> 'withdrawn'"

TASK_RUNS: Final = Listing(
    noun="step runs",
    table="step_run",
    columns="""step_run.id, step_run.number, step_run.workspace_id, workspace.name as workspace_name, run.id as run_id,
           run.number as run_number, run.parameters ->> 'name' as run_name, run.run_no, process.id as process_id,
           process.number as process_number, process.name as process_name,
           process.implicit_task_id is not null as is_of_task, task.id as task_id, task.number as task_number,
           task.name as task_name, package.name as package_name,
           run.parameters -> 'overrides' ->> 'label' as label, step_run.state,
           step_run.result, step_run.error_code, step_run.error_message, step_run.exit_code, step_run.priority,
           step_run.created_at, step_run.started_at, step_run.began_at, step_run.ended_at, step_run.state_at,
           step_run.paused_at, worker.id as worker_id, worker.number as worker_number, worker.name as worker_name,
           runner.id as user_id, runner.number as user_number, runner.username as user_name, run.started_by,
           run.started_by_id,
           starter.number as starter_number, starter.username as starter_name,
           run.parameters -> 'callback' ->> 'url' as callback_url,
           coalesce(of_schedule.number, of_consumer.number) as cause_number""",
    joins=f"""{_RUN}
      join workspace on workspace.id = step_run.workspace_id
      join process on process.id = run.process_id
      join step on step.id = step_run.step_id
      left join task on task.id = step.task_id
      left join package on package.id = task.package_id
      {_WORKER}
      {_USER}
      left join schedule as of_schedule on of_schedule.id = run.started_by_id and run.started_by = 'schedule'
      left join queue_consumer as of_consumer on of_consumer.id = run.started_by_id and run.started_by = 'queue'
      left join app_user as starter
             on starter.id = coalesce(of_schedule.owner_id, of_consumer.created_by, run.started_by_id)""",
    tenant="step_run.workspace_id",
    always=_STANDS,
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="step_run_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("workspace_id", Kind.ID),
        Field("run_id", Kind.ID, index="step_run_of_run"),
        Field("run_name", Kind.TEXT, column="run.parameters ->> 'name'", is_nullable=True, is_sortable=True, join=_RUN),
        Field("started_by", Kind.TEXT, column="run.started_by", choices=among(StartedBy), join=_RUN),
        Field("started_by_id", Kind.ID, column="run.started_by_id", is_nullable=True, join=_RUN),
        Field("cause_number", Kind.INTEGER, column=_CAUSE, is_nullable=True),
        Field("starter_number", Kind.INTEGER, column=_STARTER, is_nullable=True),
        Field("task_number", Kind.INTEGER, column="of_task.number", is_sortable=True, join=_TASK),
        Field("task_name", Kind.TEXT, column="of_task.name", is_sortable=True, join=_TASK),
        Field("worker_number", Kind.INTEGER, column="worker.number", is_nullable=True, join=_WORKER),
        Field("worker_name", Kind.TEXT, column="worker.name", is_nullable=True, is_sortable=True, join=_WORKER),
        Field("run_as", Kind.ID, is_nullable=True, index="step_run_as_user"),
        Field("user_number", Kind.INTEGER, column="runner.number", is_nullable=True, join=_USER),
        Field("user_name", Kind.TEXT, column="runner.username", is_nullable=True, is_sortable=True, join=_USER),
        Field("state", Kind.TEXT, choices=among(StepRunState)),
        Field("result", Kind.TEXT, is_nullable=True, choices=among(Result)),
        Field("error_code", Kind.TEXT, is_nullable=True, choices=among(ErrorCode)),
        Field("error_message", Kind.TEXT),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("started_at", Kind.INSTANT, is_nullable=True, is_sortable=True, index="step_run_by_start"),
        Field("began_at", Kind.INSTANT, is_nullable=True),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True, index="step_run_by_end"),
        Field("state_at", Kind.INSTANT, is_sortable=True),
        Field("paused_at", Kind.INSTANT, is_nullable=True),
    ),
)


AMONG_COMMANDS: Final = msgspec.structs.replace(
    TASK_RUNS,
    always=f"""{_STANDS} and not exists (
        select from step as other where other.id = step_run.step_id and other.package_id is not null)""",
)
"""The same where steps run commands, too: these are no tasks. Most organizations have none, and need not look."""

_GOOD_FOR: Final = 10.0
_has_commands: WeakKeyDictionary[Database, dict[OrganizationId, tuple[float, bool]]] = WeakKeyDictionary()


async def listing_of(database: Database, scope: Scope, paths: "Paths | None" = None) -> Listing:
    """The list of step runs of tasks as an organization needs it; whether it has others is asked every ten seconds.

    With `paths` it has the field `PATH`, too.
    """
    kept = _has_commands.setdefault(database, {})
    asked, found = kept.get(scope.organization, (-_GOOD_FOR, False))
    if not found and asked < time.monotonic() - _GOOD_FOR:
        found = bool(
            await database.value(
                """
                select exists (select from step join workspace on workspace.id = step.workspace_id
                                where workspace.organization_id = %(organization)s and step.package_id is not null)
                """,
                organization=scope.organization,
            )
        )
        kept[scope.organization] = time.monotonic(), found
    listing = AMONG_COMMANDS if found else TASK_RUNS
    return listing if paths is None else with_paths(listing, paths)


class Paths(Struct, frozen=True):
    """How a grammar writes where a task lies. Written in code, never by a caller."""

    root: str
    """With what every path begins."""
    separator: str


PATH: Final = "path"
"""The field of a listing `with_paths`."""


@cache
def with_paths(listing: Listing, paths: Paths) -> Listing:
    """A list of step runs that is filtered and sorted by where their tasks lie, too: workspace, package and name."""
    root, separator = literal(paths.root), literal(paths.separator)
    where = f"""(select concat_ws({separator}, {root}, lies_in.name, of_package.name, of_it.name)
              from step as that join task as of_it on of_it.id = that.task_id
              join package as of_package on of_package.id = of_it.package_id
              join workspace as lies_in on lies_in.id = of_package.workspace_id
             where that.id = step_run.step_id)"""
    field = Field(PATH, Kind.TEXT, column=where, is_sortable=True)
    return msgspec.structs.replace(listing, fields=(*listing.fields, field))


class Stage(StrEnum):
    """How far a step run has come, and how it has ended."""

    QUEUED = "queued"
    PREPARING = "preparing"
    """A worker has it, and makes its environment."""
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    UNPREPARED = "unprepared"
    """It failed before its task began."""
    FAILED = "failed"
    """Also: its worker was lost."""
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"


_BEFORE_ITS_TASK: Final = (
    ErrorCode.ENVIRONMENT_FAILED,
    ErrorCode.PACKAGE_INVALID,
    ErrorCode.TASK_NOT_FOUND,
    ErrorCode.PRE_RUN_SCRIPT_FAILED,
)


def stage_of(run: TaskRun) -> Stage:
    """How far a step run has come; `AT_STAGE` finds those that have."""
    match run.state:
        case StepRunState.NEW | StepRunState.AWAITING_WORKER:
            return Stage.QUEUED
        case StepRunState.IN_PROGRESS if run.paused_at is not None:
            return Stage.PAUSED
        case StepRunState.IN_PROGRESS:
            return Stage.PREPARING if run.began_at is None else Stage.RUNNING
        case StepRunState.COMPLETED:
            return Stage.SUCCEEDED
        case _:
            return failure_of(run.result, run.error_code)


def failure_of(result: Result | None, code: ErrorCode | None) -> Stage:
    """How a step run has ended that did not succeed."""
    match result:
        case Result.STOPPED:
            return Stage.STOPPED
        case Result.TIMED_OUT:
            return Stage.TIMED_OUT
        case _:
            return Stage.UNPREPARED if code in _BEFORE_ITS_TASK else Stage.FAILED


def _is(field: str, value: object) -> Compare:
    return Compare(field, Operator.EQ, value)


_AT_WORK: Final = _is("state", StepRunState.IN_PROGRESS)
_HAS_FAILED: Final = _is("state", StepRunState.FAILED)
_BY_ITSELF: Final = OneOf("result", (Result.FAILED, Result.LOST))
_IS_UNPREPARED: Final = OneOf("error_code", _BEFORE_ITS_TASK)
_GOES_ON: Final = Unset("paused_at")
_PREPARES: Final = Unset("began_at")

AT_STAGE: Final[Mapping[Stage, Filter]] = {
    Stage.QUEUED: OneOf("state", (StepRunState.NEW, StepRunState.AWAITING_WORKER)),
    Stage.PREPARING: AllOf((_AT_WORK, _GOES_ON, _PREPARES)),
    Stage.RUNNING: AllOf((_AT_WORK, _GOES_ON, Not(_PREPARES))),
    Stage.PAUSED: AllOf((_AT_WORK, Not(_GOES_ON))),
    Stage.SUCCEEDED: _is("state", StepRunState.COMPLETED),
    Stage.UNPREPARED: AllOf((_HAS_FAILED, _BY_ITSELF, _IS_UNPREPARED)),
    Stage.FAILED: AllOf((_HAS_FAILED, _BY_ITSELF, Not(_IS_UNPREPARED))),
    Stage.STOPPED: AllOf((_HAS_FAILED, _is("result", Result.STOPPED))),
    Stage.TIMED_OUT: AllOf((_HAS_FAILED, _is("result", Result.TIMED_OUT))),
}
"""The condition that a step run has come so far."""


# ---------------------------------------------------------------------------------------------------- reading
class Seen(Struct, frozen=True):
    """What somebody sees of all step runs: of these workspaces those that the filter finds."""

    scope: Of
    own: Filter


async def seen_by(db: Statements, actor: Actor) -> Seen:
    """All step runs of the workspaces in which the actor may read runs; of others in which they are, their own.

    They are also where a role of theirs has rights in a folder.
    """
    inside = tuple(actor.grants)
    if not actor.uses(Permission.READ_RUNS, None):
        inside = tuple({*inside, *(await rights_of(db, actor)).scope(Right.VIEW).workspaces})
    scope = Of(actor.organization_id, inside)
    readable = tuple(each for each in inside if actor.may(Permission.READ_RUNS, each))
    if len(readable) == len(inside):
        return Seen(scope, EVERYTHING)
    mine: list[Filter] = [OneOf("workspace_id", readable)] if readable else []
    if actor.id is not None:
        mine.append(_is("started_by_id", actor.id))
        if actor.kind is ActorKind.USER:
            mine.append(_is("run_as", actor.id))
    return Seen(scope, AnyOf(tuple(mine)))


def governing(actor: Actor, run: TaskRun) -> Actor:
    """The actor as they may stop, pause and resume a step run that they see: what is their own everybody may."""
    held = actor.permissions_in(run.workspace_id)
    if actor.id is None or actor.id not in {run.started_by_id, run.user_id} or Permission.START_RUNS in held:
        return actor
    return msgspec.structs.replace(actor, grants=actor.grants | {run.workspace_id: held | {Permission.START_RUNS}})


async def page(engine: Engine, seen: Seen, asked: Asked, paths: Paths | None = None) -> Page[TaskRun]:
    """Step runs of tasks. Raises Invalid for what the list cannot have."""
    condition = await _with_runs_of_names(engine.database, seen.scope, asked.filter)
    wanted = msgspec.structs.replace(asked, filter=both(seen.own, condition))
    listing = await listing_of(engine.database, seen.scope, paths)
    return await pages.page(engine.database, TaskRun, listing, within(seen.scope), wanted)


async def count(engine: Engine, seen: Seen, asked: Filter = EVERYTHING) -> Total:
    """How many there are, as a page tells it."""
    empty = Asked(filter=both(seen.own, asked), length=0, with_total=True)
    listing = await listing_of(engine.database, seen.scope)
    found = await pages.page(engine.database, TaskRun, listing, within(seen.scope), empty)
    assert found.total is not None  # noqa: S101 - it was asked for
    return found.total


_MOST_KEPT: Final = 1_000
_FEW: Final = 5_000
"""So many are counted in the time that their page takes anyhow."""
_all: WeakKeyDictionary[Database, dict[Any, tuple[float, int]]] = WeakKeyDictionary()


async def about_all(engine: Engine, seen: Seen) -> int:
    """How many somebody sees in all; where they are many, as it was some seconds ago.

    Why: who polls for one run need not have all counted each time.
    """
    kept = _all.setdefault(engine.database, {})
    key = (seen.scope, None if seen.own == EVERYTHING else repr(seen.own))
    asked, rows = kept.get(key, (-_GOOD_FOR, 0))
    if rows < _FEW or asked < time.monotonic() - _GOOD_FOR:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        rows = (await count(engine, seen)).rows
        kept[key] = time.monotonic(), rows
    return rows


_MOST_OF_ONE_NAME: Final = 500


async def _with_runs_of_names(db: Statements, scope: Scope, asked: Filter) -> Filter:
    """The filter with the runs that have a name in place of the name, of which there are few.

    Why: PostgreSQL takes a name for more frequent than it is, and passes by millions of step runs in the order of the
    list to find those of one.
    """
    match asked:
        case AllOf(of):
            return AllOf(tuple([await _with_runs_of_names(db, scope, each) for each in of]))
        case AnyOf(of):
            return AnyOf(tuple([await _with_runs_of_names(db, scope, each) for each in of]))
        case Compare("run_name", Operator.EQ, str(name)):
            runs = await _named(db, scope, name)
            return OneOf("run_id", tuple(runs)) if len(runs) <= _MOST_OF_ONE_NAME else asked
        case _:
            return asked


async def _named(db: Statements, scope: Scope, name: str) -> list[RunId]:
    return await db.all(
        RunId,
        f"""
        select run.id from run
         where run.workspace_id in {EACH} and run.parameters ->> 'name' = %(name)s
         limit {_MOST_OF_ONE_NAME + 1}
        """,
        name=name,
        **scope.each,
    )


def both(own: Filter, asked: Filter) -> Filter:
    """Two conditions; one alone where the other is none."""
    conditions = [each for each in (own, asked) if each != EVERYTHING]
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


async def get(engine: Engine, seen: Seen, step_run: StepRunId) -> TaskRun:
    """One step run of a task. Raises StepRunNotFound."""
    found = await page(engine, seen, Asked(filter=_is("id", step_run), length=1))
    if not found.rows:
        raise StepRunNotFound(step_run)
    return found.rows[0]


class _Payload(Struct, frozen=True):
    payload: Raw | None


MOST_OUTPUTS: Final = 1000


async def outputs(db: Statements, scope: Scope, step_run: StepRunId) -> list[Raw | None]:
    """The payloads of the last items that a step run has put out, oldest first, up to `MOST_OUTPUTS`."""
    found = await db.all(
        _Payload,
        f"""
        select payload from work_item
         where work_item.workspace_id = {SEEN} and work_item.created_by_step_run = %(of)s
           and work_item.run_id = (select run_id from step_run where step_run.id = %(of)s)
           and work_item.queue_id is null and work_item.state not in ('draft', 'invalid', 'deleted')
         order by work_item.id
         limit {MOST_OUTPUTS}
        """,
        of=step_run,
        **scope.params,
    )
    return [each.payload for each in found]


def in_workspace(seen: Seen, workspace: WorkspaceId) -> Of:
    """One workspace of those that are seen."""
    return Of(seen.scope.organization, (workspace,))
