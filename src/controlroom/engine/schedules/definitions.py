"""Schedules: what starts by itself, when, and whose it is."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.engine.runs.callbacks import Callback, StoredCallback
from controlroom.engine.runs.deployments import OnDefault, Where
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules.model import Missed, Overlap, Policies, Rule, ScheduledInput, Timing
from controlroom.ids import ProcessId, ScheduleId, TaskId, UserId, WorkspaceId


# ---------------------------------------------------------------------------------------------------- what it starts
class TaskStart(Struct, frozen=True, kw_only=True):
    """A bare task, to be started at each time: as whom, where, in which version, and whom to tell."""

    task: TaskId
    users: tuple[UserId, ...] = ()
    """As whom it is run, once for each of them. None: as nobody in particular, which is for `Anywhere`."""
    most_users: int = 0
    """So many of the users, those for whom the least waits; 0: all of them."""
    where: Where = OnDefault()
    copies: int = 1
    """So often for each of them."""
    label: str | None = None
    """The version that has this label then. None: the latest."""
    name: str = ""
    """What its runs are called."""
    callback: Callback | None = None


class StoredTaskStart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Likewise, as a schedule keeps it: the callback is sealed."""

    task: TaskId
    users: tuple[UserId, ...] = ()
    most_users: int = 0
    where: Where = OnDefault()
    copies: int = 1
    label: str | None = None
    name: str = ""
    callback: StoredCallback | None = None


Starts = OfProcess | TaskStart
"""What a schedule starts."""


class Standing(StrEnum):
    """How a schedule stands, as people see it."""

    DRAFT = "draft"
    """It has not been put to work yet."""
    ACTIVE = "active"
    INACTIVE = "inactive"
    COMPLETED = "completed"
    """It is enabled, and nothing is to come."""
    FAULTY = "faulty"
    """It is enabled and will be due, but a user, a place or the task that it names is not there any more."""


# ---------------------------------------------------------------------------------------------------- what there is
class Schedule(Struct, frozen=True, kw_only=True):
    """A schedule of a process."""

    id: ScheduleId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_name: str
    name: str
    description: str
    owner_id: UserId | None
    """Who answers for it; None: whoever made it was no user, or is gone."""
    start: StoredTaskStart | None
    """How its task is started; None: it starts the process, as its steps say."""
    rule: Rule
    zone: str
    starts_at: datetime
    ends_at: datetime | None
    is_enabled: bool
    is_draft: bool
    standing: Standing
    missed: Missed
    grace: timedelta
    overlap: Overlap
    skip_after: timedelta | None
    cancel_after: timedelta | None
    inputs: ScheduledInput
    priority: int
    next_due: datetime | None
    asides: dict[str, Raw]
    """What grammars have said of it that means nothing here, by their names, kept as it was given."""
    created_at: datetime
    updated_at: datetime

    @property
    def timing(self) -> Timing:
        """When it is due."""
        return Timing(rule=self.rule, zone=self.zone, starts_at=self.starts_at, ends_at=self.ends_at)

    @property
    def policies(self) -> Policies:
        """How it starts its runs."""
        return Policies(
            missed=self.missed,
            grace=self.grace,
            overlap=self.overlap,
            skip_after=self.skip_after,
            cancel_after=self.cancel_after,
            inputs=self.inputs,
            priority=self.priority,
        )


# ---------------------------------------------------------------------------------------------------- what is asked for
class ScheduleDefinition(Struct, frozen=True, kw_only=True):
    """A schedule as its author wants it. Without `starts_at` it starts now, without `owner` it is its maker's."""

    starts: Starts
    name: str
    description: str = ""
    owner: UserId | None = None
    rule: Rule
    zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_enabled: bool = True
    is_draft: bool = False
    policies: Policies = Policies()
    asides: dict[str, Raw] = {}


class ScheduleChange(Struct, frozen=True, kw_only=True):
    """What to change of a schedule: whatever is set."""

    starts: Starts | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    owner_id: UserId | UnsetType = UNSET
    rule: Rule | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET
    missed: Missed | UnsetType = UNSET
    grace: timedelta | UnsetType = UNSET
    overlap: Overlap | UnsetType = UNSET
    skip_after: timedelta | UnsetType | None = UNSET
    cancel_after: timedelta | UnsetType | None = UNSET
    inputs: ScheduledInput | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    is_draft: bool | UnsetType = UNSET
    asides: dict[str, Raw] | UnsetType = UNSET
