"""Work items: what robots work on."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Raw, Struct

from controlroom.ids import FileId, ProcessId, QueueId, RunId, StepId, StepRunId, WorkItemId, WorkspaceId


class ItemState(StrEnum):
    """Where an item is; `rules.EDGES` says from where to where."""

    DRAFT = "draft"
    """An output whose parent is still being worked on."""
    NEW = "new"
    """Waits in a queue and belongs to no run; or is an output of a run."""
    PENDING = "pending"
    """Waits in a run for a step run."""
    HELD = "held"
    """Set aside by somebody."""
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    INVALID = "invalid"
    """Refused by its queue's schema."""
    DELETED = "deleted"


class ExceptionType(StrEnum):
    """Whose fault it was."""

    APPLICATION = "application"
    """Technical; trying again may help."""
    BUSINESS = "business"
    """The data are wrong; trying again cannot help."""
    ORCHESTRATOR = "orchestrator"
    """The platform failed, or somebody stopped the run."""
    UNSPECIFIED = "unspecified"


class ItemException(Struct, frozen=True):
    """Why an item failed: whose fault, a code to filter by, a text for people."""

    type: ExceptionType
    code: str = ""
    message: str = ""


class WorkItem(Struct, frozen=True, kw_only=True):
    """A work item. `payload` is JSON text as stored, None when the item has none (which is not the JSON `null`)."""

    id: WorkItemId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId | None
    queue_id: QueueId | None
    step_id: StepId | None
    run_id: RunId | None
    state: ItemState
    state_at: datetime
    created_at: datetime
    priority: int
    due: datetime
    deadline: datetime | None
    reference: str | None
    parent_id: WorkItemId | None
    attempt: int
    step_run_id: StepRunId | None
    exception_type: ExceptionType | None
    exception_code: str
    exception_message: str
    fault: str | None = None
    """Why the schema of its queue refuses the payload, where it does."""
    payload: Raw | None

    @property
    def is_in_standing_queue(self) -> bool:
        """Whether it waits, or waited, in a queue that is no step's."""
        return self.queue_id is not None and self.process_id is None

    @property
    def exception(self) -> ItemException | None:
        """Why it failed or was refused, if it was."""
        if self.fault is not None:
            return ItemException(ExceptionType.BUSINESS, "PAYLOAD_REFUSED", self.fault)
        if self.exception_type is None:
            return None
        return ItemException(self.exception_type, self.exception_code, self.exception_message)


class ListedItem(WorkItem, frozen=True, kw_only=True):
    """A work item of a list that tells payloads, and whether there is more of it."""

    is_long: bool
    """Whether its payload is too long to be told by a list without a look at how many there are of these."""
    has_files: bool


class WrittenItem(Struct, frozen=True):
    """A work item of a list as the database writes it, in the words of who asked."""

    id: WorkItemId
    text: Raw
    """Its JSON."""


class ItemFile(Struct, frozen=True, kw_only=True):
    """A file of a work item: `size` in bytes, `hash` names the blob."""

    id: FileId
    number: int
    work_item_id: WorkItemId
    name: str
    size: int
    hash: str
    created_at: datetime


class Outcome(StrEnum):
    """What became of one attempt at an item."""

    DONE = "done"
    FAILED = "failed"
    RETRIED = "retried"
    LOST = "lost"


class ItemAttempt(Struct, frozen=True, kw_only=True):
    """One line of an item's history."""

    attempt: int
    step_run_id: UUID | None
    reserved_at: datetime | None
    released_at: datetime
    outcome: Outcome
    exception_type: ExceptionType | None
    exception_code: str
    exception_message: str


class ItemsByState(Struct, frozen=True):
    """How many items of a run are in each state that counts."""

    total: int
    failed: int
    done: int
