"""Triggers: ways to start a process that are no call of the API."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.scope import Of, Scope
from controlroom.ids import EmailTriggerId, OrganizationId, ProcessId, WorkspaceId


class ProcessSecret(Struct, frozen=True, kw_only=True):
    """That the oldest API is switched on for a process, and since when."""

    process_id: ProcessId
    created_at: datetime


class EmailTrigger(Struct, frozen=True, kw_only=True):
    """The mail address of a process, and what becomes of mail that comes there."""

    id: EmailTriggerId
    number: int
    process_id: ProcessId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    workspace_number: int
    process_number: int
    random: str
    is_enabled: bool
    parses: bool
    """Fields, body and attachments; else the raw mail alone."""
    starts: bool
    """A run of the process; else the item waits in the input queue."""
    created_at: datetime

    @property
    def scope(self) -> Scope:
        """Whose process it is: mail that comes to the address is let in by it."""
        return Of(self.organization_id, (self.workspace_id,))

    @property
    def local_part(self) -> str:
        """What stands before the `@`."""
        return f"process.{self.workspace_number}.{self.process_number}.{self.random}"


class EmailChange(Struct, frozen=True, kw_only=True):
    """What to change of an e-mail trigger: whatever is set."""

    is_enabled: bool | UnsetType = UNSET
    parses: bool | UnsetType = UNSET
    starts: bool | UnsetType = UNSET
