"""The list of step runs of tasks over all workspaces that somebody sees, and the fields by which they are found."""

import time
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import Scope
from controlroom.engine.lists.model import (
    Field,
    Kind,
    Listing,
    among,
)
from controlroom.engine.lists.words import Paths, with_path
from controlroom.engine.packages.places import FOLDERS, task_path
from controlroom.engine.runs.model import Result, StartedBy, StepRunState
from controlroom.engine.runs.stages import STAGE, Stage
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, TaskId, UserId, WorkerId, WorkspaceId
from controlroom.postgres.database import Database
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
    folders: list[str]
    """In which its package lies, below the workspace; of a deleted one those in which it lay last."""
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


_LABEL: Final = "run.parameters -> 'overrides' ->> 'label'"


# At which line of its code it failed, as the message says it; 0 where it does not.
_LINE: Final = r"coalesce(substring(step_run.error_message from '.*\mline ([0-9]{1,7})\M')::bigint, 0)"


_RUN_OF_PROCESS: Final = """(select case when of_it.implicit_task_id is not null then ''
                   else of_it.number || '-' || that.run_no end
              from run as that join process as of_it on of_it.id = that.process_id
             where that.id = step_run.run_id)"""
"""Which run of its process it belongs to, `<number>-<run_no>`; empty for a bare task."""


TASK_RUNS: Final = Listing(
    noun="step runs",
    table="step_run",
    columns=f"""step_run.id, step_run.number, step_run.workspace_id, workspace.name as workspace_name, run.id as run_id,
           run.number as run_number, run.parameters ->> 'name' as run_name, run.run_no, process.id as process_id,
           process.number as process_number, process.name as process_name,
           process.implicit_task_id is not null as is_of_task, task.id as task_id, task.number as task_number,
           task.name as task_name, {FOLDERS} as folders, package.name as package_name,
           {_LABEL} as label, step_run.state,
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
        Field("line", Kind.INTEGER, column=_LINE),
        Field("run_of_process", Kind.TEXT, column=_RUN_OF_PROCESS),
        Field("label", Kind.TEXT, column=_LABEL, is_nullable=True, join=_RUN),
        Field("stage", Kind.TEXT, column=STAGE, is_sortable=True, choices=among(Stage)),
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


async def listing_of(database: Database, scope: Scope, paths: Paths | None = None) -> Listing:
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


@cache
def with_paths(listing: Listing, paths: Paths) -> Listing:
    """A list of step runs that is filtered and sorted by where their tasks lie, too."""
    task = "(select that.task_id from step as that where that.id = step_run.step_id)"
    return with_path(listing, task_path(paths, task))
