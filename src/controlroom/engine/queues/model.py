"""Standing queues, to which programs add items, and their consumers, which open runs for what is due."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import asdict, replace

from controlroom.engine.processes.model import ANYWHERE, Placement
from controlroom.ids import QueueConsumerId, QueueId, TaskId, WorkspaceId


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


class QueueChange(Struct, frozen=True, kw_only=True):
    """What to change of a queue: whatever is set."""

    name: str | UnsetType = UNSET
    schema: Raw | UnsetType | None = UNSET


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

    @property
    def moves(self) -> bool:
        """Whether it says anew what runs, or where and as whom."""
        return self.task is not UNSET or self.placement is not UNSET

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
        )
        return replace(before, **{name: value for name, value in asdict(self).items() if value is not UNSET})


def is_open(windows: Sequence[Window], local: datetime) -> bool:
    """Whether one of the windows is open at a local time; without any, it always is."""
    return not windows or any(_is_in(window, local) for window in windows)


def _is_in(window: Window, local: datetime) -> bool:
    at, today = local.time(), local.weekday()
    if window.begins < window.ends:
        return today in window.days and window.begins <= at < window.ends
    yesterday = (local - timedelta(days=1)).weekday()
    return (today in window.days and at >= window.begins) or (yesterday in window.days and at < window.ends)
