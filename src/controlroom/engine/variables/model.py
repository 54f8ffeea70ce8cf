"""Variables, and where they hold."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import ProcessId, TargetId, UserId, VariableId, WorkspaceId


class VariableScope(StrEnum):
    """Where a variable holds. The later ones go before the workspace's; a target's before it, too."""

    WORKSPACE = "workspace"
    TARGET = "target"
    PROCESS = "process"
    USER = "user"


class Where(Struct, frozen=True, kw_only=True):
    """The scope of a variable: of one of these at most, else of the workspace."""

    target_id: TargetId | None = None
    process_id: ProcessId | None = None
    user_id: UserId | None = None

    @property
    def scope(self) -> VariableScope:
        """Which of the four it is."""
        if self.target_id is not None:
            return VariableScope.TARGET
        if self.process_id is not None:
            return VariableScope.PROCESS
        return VariableScope.WORKSPACE if self.user_id is None else VariableScope.USER


OF_WORKSPACE = Where()


class Variable(Struct, frozen=True, kw_only=True):
    """A variable of one scope; of a secret one never the value."""

    id: VariableId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    name: str
    value: str | None
    """None: it is secret."""
    target_id: TargetId | None
    target_number: int | None
    target_name: str | None
    process_id: ProcessId | None
    process_number: int | None
    process_name: str | None
    user_id: UserId | None
    user_number: int | None
    user_name: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_secret(self) -> bool:
        """Whether nobody is told its value."""
        return self.value is None

    @property
    def where(self) -> Where:
        """Where it holds."""
        return Where(target_id=self.target_id, process_id=self.process_id, user_id=self.user_id)

    @property
    def scope(self) -> VariableScope:
        """Which of the four scopes that is."""
        return self.where.scope


class Resolved(Struct, frozen=True, kw_only=True):
    """What a run finds by a name. Prints without the value."""

    name: str
    value: str
    is_secret: bool
    scope: VariableScope

    def __repr__(self) -> str:
        return f"Resolved(name={self.name!r}, scope={self.scope.value!r}, value=‹secret›)"  # noqa: RUF001 - as everywhere
