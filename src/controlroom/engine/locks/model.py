"""Locks: names that a run holds until it ends, and those who wait for them in line."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import ProcessId, RunId, WorkspaceId


class LockOf(StrEnum):
    """Whose a name is: the same name of two workspaces is two locks, one of the organization is one for all of them."""

    WORKSPACE = "workspace"
    ORGANIZATION = "organization"


class LockName(Struct, frozen=True, omit_defaults=True, order=True):
    """A lock, as processes and runs name it. Stored so in `process.locks` and in the parameters of runs."""

    name: str
    of: LockOf = LockOf.WORKSPACE


class LockState(StrEnum):
    """How a run stands with its locks, which it has all or none of."""

    WAITING = "waiting"
    HELD = "held"
    RELEASED = "released"


class InLine(Struct, frozen=True, kw_only=True):
    """A run that holds a lock or waits for one."""

    id: RunId
    number: int
    run_no: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_name: str
    since: datetime
    """When it got it, or asked for it."""


class Lock(Struct, frozen=True, kw_only=True):
    """A lock with those who hold it and those who wait for it: of both the counts, and the first hundred."""

    name: str
    of: LockOf
    capacity: int
    """So many runs may hold it at once."""
    is_declared: bool
    """Somebody has said its capacity; else it is there because runs want it."""
    held: int
    waiting: int
    holders: list[InLine]
    """Those that the asker may see: runs of other workspaces are only counted."""
    waiters: list[InLine]
    """Likewise, in the order in which they come."""


class Blocker(Struct, frozen=True):
    """A run that another one waits for."""

    id: RunId
    number: int
    run_no: int
    process_name: str


class Standing(Struct, frozen=True, kw_only=True):
    """How a run stands with one of its locks."""

    run_id: RunId
    name: str
    of: LockOf
    asked_at: datetime
    held_at: datetime | None
    """None: it waits."""
    blocked_by: list[Blocker]
    """Those who have the places: who holds it, and older ones for whom one is kept. Empty where there is room."""
    blocked_elsewhere: int
    """Likewise, in workspaces that the asker does not see."""
