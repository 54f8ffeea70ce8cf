"""Processes: what is run, in which steps, on whom."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.engine.locks.model import LockName
from controlroom.engine.processes.forms import Form
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import (
    ConnectionId,
    PackageId,
    ProcessId,
    ProvisionerId,
    QueueId,
    StepId,
    TaskId,
    UserId,
    WorkerGroupId,
    WorkerId,
    WorkspaceId,
)
from controlroom.protocol import Command


# ---------------------------------------------------------------------------------------------------- placement
class Workers(Struct, frozen=True, tag="workers"):
    """One of these workers."""

    workers: tuple[WorkerId, ...]


class Group(Struct, frozen=True, tag="group"):
    """A worker of the group."""

    group: WorkerGroupId


class OnDemand(Struct, frozen=True, tag="on_demand"):
    """A worker of its own for each step run, which a provisioner is asked to start. Always the last place."""

    provisioner: ProvisionerId


Place = Workers | Group | OnDemand


class Placement(Struct, frozen=True, omit_defaults=True):
    """On whom a step run may run, and as whom. Stored in `step.placement`; claims read that form, `{}` for any worker.

    The places have an order: a later one helps while nobody of an earlier one is idle. `workers.places.may_take` is the
    condition.
    """

    places: tuple[Place, ...] = ()
    """None: whichever worker of the workspace is free first."""
    run_as: UserId | None = None
    """The user whose run it is: whose secrets and values count. None: nobody's in particular."""


ANYWHERE: Final = Placement()


# ---------------------------------------------------------------------------------------------------- what there is
class Process(Struct, frozen=True, kw_only=True):
    """A process. `default_item` is the payload for starts without input, None for one item without payload."""

    id: ProcessId
    number: int
    workspace_id: WorkspaceId
    name: str
    is_enabled: bool
    default_item: Raw | None
    form: Form | None
    """By which people start it; None: it has none of its own."""
    implicit_task_id: TaskId | None
    """Set for the process through which a bare task is run; such a one is in no list."""
    created_at: datetime
    locks: list[LockName] = []
    """What each of its runs holds from its first step run to its end."""
    is_job: bool = False
    """Whether it is a project's: its runs go by a target, and by more than its steps say."""


class StepTask(Struct, frozen=True, tag="task"):
    """A step runs a task of a robot."""

    id: TaskId
    number: int
    name: str
    package_id: PackageId
    package_name: str


class StepCommands(Struct, frozen=True, tag="commands"):
    """A step runs commands in their order, in the folder and environment of a package."""

    package_id: PackageId
    package_name: str
    commands: tuple[Command, ...]


class StepPerson(Struct, frozen=True, tag="person"):
    """A step waits for a person: each of its items is a task of somebody's, held until they have filled in a form."""

    form: Form


class Database(Struct, frozen=True):
    """A connection whose file a step works on."""

    id: ConnectionId
    number: int
    name: str


class Step(Struct, frozen=True, kw_only=True):
    """A step of a process, with the settings of its step runs."""

    id: StepId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    position: int
    """Counts from 0."""
    name: str
    work: StepTask | StepCommands | StepPerson | None
    """What it runs, or what it asks; None while nothing is chosen: such a process cannot be started."""
    queue_id: QueueId
    """Where its items wait."""
    has_schema: bool
    """Whether their payloads must fit a schema of the queue."""
    max_parallel: int
    timeout: timedelta | None
    starts_after_previous: bool
    one_item_per_step_run: bool
    environment: dict[str, str]
    retry: RetryPolicy
    placement: Placement
    database: Database | None = None
    """Its step runs get the file, and bring the next version; each run of the process holds the lock of it."""

    @property
    def database_id(self) -> ConnectionId | None:
        """On whose file it works, if on one."""
        return None if self.database is None else self.database.id


# ---------------------------------------------------------------------------------------------------- what is asked for
class NamedTask(Struct, frozen=True):
    """A task by name, of a package by id or name."""

    package: PackageId | str
    name: str


class PackageCommands(Struct, frozen=True):
    """Commands, in the folder and environment of a package by id or name."""

    package: PackageId | str
    commands: tuple[Command, ...]
    are_all: bool = True
    """False: each run has further ones, so that there may be none here."""


class StepDefinition(Struct, frozen=True, kw_only=True):
    """A step as its author wants it."""

    name: str
    work: TaskId | NamedTask | PackageCommands | Form | None = None
    max_parallel: int = 1
    timeout: timedelta | None = None
    starts_after_previous: bool = False
    one_item_per_step_run: bool = False
    environment: dict[str, str] = {}
    retry: RetryPolicy = RetryPolicy()
    placement: Placement = ANYWHERE
    database: ConnectionId | str | None = None
    """By id or name."""


class ProcessDefinition(Struct, frozen=True, kw_only=True):
    """A process as its author wants it."""

    name: str
    steps: tuple[StepDefinition, ...] = ()
    default_item: Raw | None = None
    form: Form | None = None
    is_enabled: bool = True
    locks: tuple[LockName, ...] = ()


class ProcessChange(Struct, frozen=True, kw_only=True):
    """What to change of a process: whatever is set."""

    name: str | UnsetType = UNSET
    steps: tuple[StepDefinition, ...] | UnsetType = UNSET
    """All steps, in their order. `rules.match_steps` says which of the old ones they are."""
    default_item: Raw | UnsetType | None = UNSET
    form: Form | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET
    locks: tuple[LockName, ...] | UnsetType = UNSET
    """Runs that have been started keep theirs."""
