"""Standing queues, to which programs add items, and their consumers, which open runs for what is due."""

from collections.abc import Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import asdict, replace

from controlroom.engine.processes.model import ANYWHERE, Placement
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import (
    ItemModelId,
    QueueConsumerId,
    QueueId,
    StepRunId,
    TaskId,
    UserId,
    WorkItemId,
    WorkspaceId,
)

MOST_SHOWN: Final = 10
"""Attributes that a list of items shows."""


class QueueStatus(StrEnum):
    """Whether a queue is worked on."""

    DRAFT = "draft"
    """It is being made: it takes no items yet."""
    IN_USE = "in_use"
    """It has a consumer."""
    NOT_IN_USE = "not_in_use"


class ItemStanding(StrEnum):
    """Where an item of a standing queue is: its state, and whether somebody is there who will begin it."""

    NEW = "new"
    READY = "ready"
    """New, in a queue that has a consumer at work."""
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    INVALID = "invalid"


class OrderedBy(Struct, frozen=True):
    """An attribute by which items are taken, those of one priority."""

    attribute: str
    is_descending: bool = False


class ProcessingUnit(StrEnum):
    """In what a time is told."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class QueueNotes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people keep of a queue, and nothing reads."""

    by_hand: int = 0
    """How long a person takes for one item, in the unit."""
    unit: ProcessingUnit = ProcessingUnit.SECONDS
    reactivation: int = 0
    """How many items somebody waits for before they let work go on."""


NO_NOTES: Final = QueueNotes()


class Queue(Struct, frozen=True, kw_only=True):
    """A queue that stands alone, or the input queue of a step."""

    id: QueueId
    number: int
    workspace_id: WorkspaceId
    name: str
    schema: Raw | None
    """JSON schema that payloads must fit."""
    is_standing: bool
    created_at: datetime
    description: str = ""
    item_model_id: ItemModelId | None = None
    """What its items are made of; its schema says so, too."""
    retry: RetryPolicy | None = None
    """Of its items, over that of the step; None: the step's."""
    refuses_duplicates: bool = False
    shown: tuple[str, ...] = ()
    """The attributes that lists of its items show, in this order."""
    ordering: tuple[OrderedBy, ...] = ()
    """By what items of one priority are taken; nothing: as they came."""
    notes: QueueNotes = NO_NOTES
    is_draft: bool = False
    has_consumers: bool = False
    revision: int = 0
    created_by: UserId | None = None

    @property
    def status(self) -> QueueStatus:
        """Whether it is worked on."""
        if self.has_consumers:
            return QueueStatus.IN_USE
        return QueueStatus.DRAFT if self.is_draft else QueueStatus.NOT_IN_USE


class QueueSettings(Struct, frozen=True, kw_only=True):
    """What its author says of a queue beside its name and schema. Attributes are named."""

    description: str = ""
    item_model: ItemModelId | None = None
    retry: RetryPolicy | None = None
    refuses_duplicates: bool = False
    shown: tuple[str, ...] = ()
    ordering: tuple[OrderedBy, ...] = ()
    notes: QueueNotes = NO_NOTES
    is_draft: bool = False


AS_USUAL: Final = QueueSettings()


class QueueChange(Struct, frozen=True, kw_only=True):
    """What to change of a queue: whatever is set."""

    name: str | UnsetType = UNSET
    schema: Raw | UnsetType | None = UNSET
    settings: QueueSettings | UnsetType = UNSET
    revision: int | UnsetType = UNSET
    """The one that the change was thought of by: of another, it is refused."""


_NO_NOTES: Final = Raw(b"{}")


class Window(Struct, frozen=True):
    """Hours of some days (0 is Monday) at which a consumer works; past midnight if it ends before it begins."""

    days: tuple[int, ...]
    begins: time
    ends: time


class Consumer(Struct, frozen=True, kw_only=True):
    """Opens runs of a task for the due items of a queue, while there is somebody free to work on them."""

    id: QueueConsumerId
    number: int
    workspace_id: WorkspaceId
    queue_id: QueueId
    task_id: TaskId
    task_name: str
    package_name: str
    placement: Placement
    windows: tuple[Window, ...]
    """None: it works always."""
    zone: str
    """Of the windows."""
    priority: int
    """Of two consumers the more urgent one is served first; its runs have this priority."""
    max_runs: int
    """Runs of it that may be under way at once."""
    batch: int
    """Items that one run takes at most."""
    is_paused: bool
    created_at: datetime
    name: str = ""
    description: str = ""
    run_as: tuple[UserId, ...] = ()
    """Users in turn, one run each at a time, over that of the placement; none: as the placement says."""
    label: str | None = None
    """The version of the package that bears it is run; None: the latest."""
    version: int | None = None
    """Of the package, which is run whatever comes later."""
    notes: Raw = _NO_NOTES
    """What the grammar of its author keeps of it, as JSON; nothing reads it."""
    revision: int = 0
    resumed_at: datetime | None = None
    """When it was last let work; None: never."""


class ConsumerDefinition(Struct, frozen=True, kw_only=True):
    """A consumer as its author wants it."""

    task: TaskId
    placement: Placement = ANYWHERE
    windows: tuple[Window, ...] = ()
    zone: str = "UTC"
    priority: int = 0
    max_runs: int = 1
    batch: int = 100
    is_paused: bool = False
    name: str = ""
    description: str = ""
    run_as: tuple[UserId, ...] = ()
    label: str | None = None
    version: int | None = None
    notes: Raw = _NO_NOTES


class ConsumerChange(Struct, frozen=True, kw_only=True):
    """What to change of a consumer: whatever is set."""

    task: TaskId | UnsetType = UNSET
    placement: Placement | UnsetType = UNSET
    windows: tuple[Window, ...] | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    max_runs: int | UnsetType = UNSET
    batch: int | UnsetType = UNSET
    is_paused: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    run_as: tuple[UserId, ...] | UnsetType = UNSET
    label: str | UnsetType | None = UNSET
    version: int | UnsetType | None = UNSET
    notes: Raw | UnsetType = UNSET

    @property
    def moves(self) -> bool:
        """Whether it says anew what runs, or where and as whom."""
        return any(each is not UNSET for each in (self.task, self.placement, self.run_as))

    def applied_to(self, consumer: Consumer) -> ConsumerDefinition:
        """The definition after the change."""
        before = ConsumerDefinition(
            task=consumer.task_id,
            placement=consumer.placement,
            windows=consumer.windows,
            zone=consumer.zone,
            priority=consumer.priority,
            max_runs=consumer.max_runs,
            batch=consumer.batch,
            is_paused=consumer.is_paused,
            name=consumer.name,
            description=consumer.description,
            run_as=consumer.run_as,
            label=consumer.label,
            version=consumer.version,
            notes=consumer.notes,
        )
        return replace(before, **{name: value for name, value in asdict(self).items() if value is not UNSET})


def is_open(windows: Sequence[Window], local: datetime) -> bool:
    """Whether one of the windows is open at a local time; without any, it always is."""
    return not windows or any(_is_in(window, local) for window in windows)


def _is_in(window: Window, local: datetime) -> bool:
    at, today = local.time(), local.weekday()
    if window.begins < window.ends:
        return today in window.days and window.begins <= at < window.ends
    yesterday = (today - 1) % 7
    return (today in window.days and at >= window.begins) or (yesterday in window.days and at < window.ends)


# ---------------------------------------------------------------------------------------------------- listed
class ShownOrder(Struct, frozen=True, kw_only=True):
    """An attribute by which items are taken, with its number."""

    id: UUID
    number: int
    name: str
    is_descending: bool


class ListedQueue(Struct, frozen=True, kw_only=True):
    """A standing queue as the list of queues shows it."""

    id: QueueId
    number: int
    workspace_id: WorkspaceId
    name: str
    description: str
    item_model_id: ItemModelId | None
    item_model_number: int | None
    retry: RetryPolicy | None
    refuses_duplicates: bool
    shown: list[int]
    ordering: list[ShownOrder]
    notes: QueueNotes
    status: QueueStatus
    revision: int
    created_at: datetime
    updated_at: datetime
    created_by_number: int | None
    updated_by_number: int | None
    tenant_number: int


class QueueItem(Struct, frozen=True, kw_only=True):
    """An item of a standing queue as the list of its items shows it: without payload, unless it was asked for."""

    id: WorkItemId
    number: int
    workspace_id: WorkspaceId
    queue_id: QueueId
    queue_number: int
    standing: ItemStanding
    created_at: datetime
    updated_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    deferred_until: datetime | None
    retries: int
    version: int
    result: str
    comment: str
    exception_message: str
    fault: str | None
    created_by_number: int | None
    updated_by_number: int | None
    step_run_id: StepRunId | None
    step_run_number: int | None
    worker_number: int | None
    run_as_number: int | None
    consumer_number: int | None
    paused_at: datetime | None
    paused_seconds: float
    """Of a pause under way."""
    hash: int
    col1: str | None
    col2: str | None
    col3: str | None
    col4: str | None
    col5: str | None
    col6: str | None
    col7: str | None
    col8: str | None
    col9: str | None
    col10: str | None
    payload: Raw | None


class ListedConsumer(Struct, frozen=True, kw_only=True):
    """A consumer as the list of consumers shows it, with what it has done."""

    id: QueueConsumerId
    number: int
    workspace_id: WorkspaceId
    queue_id: QueueId
    queue_number: int
    queue_name: str
    task_number: int
    task_name: str
    placement: Placement
    group_number: int | None
    run_as_numbers: list[int]
    windows: tuple[Window, ...]
    zone: str
    priority: int
    is_paused: bool
    name: str
    description: str
    label: str | None
    version_number: int | None
    notes: Raw
    revision: int
    created_at: datetime
    updated_at: datetime
    resumed_at: datetime | None
    created_by_number: int | None
    updated_by_number: int | None
    resumed_by_number: int | None
    tenant_number: int
    runs_ended: int
    average_seconds: float
