"""Allocations: tasks that are kept ready to be called like a function."""

from datetime import datetime

from msgspec import Struct

from controlroom.ids import AllocationId, TaskId, UserId, WorkspaceId


class Allocation(Struct, frozen=True, kw_only=True):
    """A task that is kept ready: as whom it is called, and how many calls of it run at once."""

    id: AllocationId
    number: int
    workspace_id: WorkspaceId
    workspace_name: str
    task_id: TaskId
    task_number: int
    task_name: str
    folders: list[str]
    """In which its package lies, below the workspace."""
    package_name: str
    run_as: UserId | None
    """As whom it is run; None: as nobody in particular."""
    run_as_number: int | None
    run_as_name: str | None
    most: int
    """So many calls run at once; others wait for their turn."""
    created_at: datetime
    updated_at: datetime

    @property
    def lock(self) -> str:
        """The name of the lock that its calls hold."""
        return f"calls of task {self.task_number}"
