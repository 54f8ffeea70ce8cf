"""Chains: when a run of one process ends, another process starts with what it put out."""

from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from controlroom.ids import ChainId, ProcessId, RunId, WorkspaceId


class End(StrEnum):
    """How a run may end. A run that was stopped is none of the first four."""

    COMPLETED = "completed"
    UNRESOLVED = "unresolved"
    """Some of its items failed, for whatever reason."""
    FAILED = "failed"
    """Likewise, and not for taking too long."""
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"


class Empty(StrEnum):
    """What happens when the run has put nothing out."""

    SKIP = "skip"
    ONE_ITEM = "one_item"
    """The next process starts with one empty item."""


class Chain(Struct, frozen=True, kw_only=True):
    """A link from one process to another, which may be of another workspace of the organization."""

    id: ChainId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    next_process_id: ProcessId
    next_process_name: str
    """Empty for a process of another workspace, which those who read this one need not see."""
    ends: list[End]
    empty: Empty
    is_enabled: bool
    created_at: datetime


class LinkState(StrEnum):
    """What became of one run's end."""

    PENDING = "pending"
    STARTED = "started"
    EMPTY = "empty"
    """There was nothing (new) to hand on."""
    FAILED = "failed"
    """The next process could not be started; `reason` says why."""


class ChainLink(Struct, frozen=True, kw_only=True):
    """One run's end, and what followed."""

    event_id: int
    run_id: RunId
    state: LinkState
    next_run_id: RunId | None
    reason: str
    at: datetime


class ChainDefinition(Struct, frozen=True, kw_only=True):
    """A chain as its author wants it."""

    next_process: ProcessId
    ends: tuple[End, ...] = (End.COMPLETED,)
    empty: Empty = Empty.SKIP
    is_enabled: bool = True


class ChainChange(Struct, frozen=True, kw_only=True):
    """What to change of a chain: whatever is set."""

    ends: tuple[End, ...] | UnsetType = UNSET
    empty: Empty | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
