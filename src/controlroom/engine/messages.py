"""Messages to the world: what a grammar sees of an event, and what it makes of it.

The engine knows that there are such grammars; dialects are them. The composition root has the one table of them
(`Engine.grammars`), and whoever makes a webhook or a callback names its own.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Raw, Struct

from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkerId, WorkItemId, WorkspaceId


class Outputs(Struct, frozen=True):
    """What came out of a step run, or of a run: the payloads of its output items."""

    values: Raw
    """One JSON object: their keys together, of one that several have the value of the last."""
    is_whole: bool
    """False: there were too many to be told, and what came later was left out."""


class Occurrence(Struct, frozen=True, kw_only=True):
    """An event with what a message about it says. The run may have gone on since: its state is the event's kind.

    Everything has its id and its number; a grammar tells of the one that it speaks.
    """

    event_id: int
    """0: a test."""
    at: datetime
    kind: str
    subscription_id: UUID
    """Whom it is told: a webhook; for a callback, the run that it was given with."""
    subscription_number: int
    subscription_name: str
    organization_id: OrganizationId
    organization_number: int
    workspace_id: WorkspaceId
    workspace_number: int
    workspace_name: str
    process_id: ProcessId | None = None
    process_number: int | None = None
    process_name: str | None = None
    run_id: RunId | None = None
    run_number: int | None = None
    run_no: int | None = None
    """Which one of its process it is."""
    run_started_by: str | None = None
    run_started_at: datetime | None = None
    run_cause: str | None = None
    """Why it was started, in the words of whoever did."""
    tool_version: str | None = None
    """Of the run of a project's job: which version of its tool."""
    target_number: int | None = None
    """Of the run of a project's job, or of the job: against which target. None: it is no such process."""
    target_name: str | None = None
    step_run_id: StepRunId | None = None
    step_run_number: int | None = None
    step_run_started_at: datetime | None = None
    step_name: str | None = None
    run_as_number: int | None = None
    """The user as whom the step run runs."""
    worker_id: WorkerId | None = None
    """Who had the step run."""
    worker_number: int | None = None
    worker_name: str | None = None
    work_item_id: WorkItemId | None = None
    work_item_number: int | None = None
    error_code: str | None = None
    """Of the step run; of a run, that of its last step run that failed."""
    error_message: str | None = None
    """Likewise."""
    data: dict[str, Any] = {}
    outputs: Outputs | None = None
    """Of the step run or, where the event is of none, of the run; None unless the grammar `wants_outputs`."""
    rehearsal: UUID | None = None
    """A test's own id, in place of an event's."""

    def message_id(self, name: str = "") -> UUID:
        """The id of its message of this name: the same for all receivers, who know by it what they got before."""
        return message_id(self.workspace_id, self.rehearsal or self.event_id, name)


class Message(Struct, frozen=True):
    """What a grammar says of an event."""

    body: bytes
    name: str = ""
    """Tells it from the other messages of the event; may be empty where there is one. A receiver gets each once."""


class Grammar(Protocol):
    """One dialect's messages, and what else of its words nobody else may take."""

    @property
    def role_names(self) -> Collection[str]:
        """What it calls roles of the system: no other role gets such a name, wherever it is made."""
        ...

    @property
    def wants_outputs(self) -> Collection[str]:
        """The kinds of event whose messages say outputs: of these they are read, and of no others."""
        ...

    def messages(self, occurrence: Occurrence) -> Sequence[Message]:
        """The messages of an event; none if the dialect has no words for it."""
        ...

    def headers(self, body: bytes, *, message: UUID, secret: str | None, at: datetime) -> Mapping[str, str]:
        """What is sent beside the body, the signature above all; `secret` is None where none was agreed on."""
        ...


Grammars = Mapping[str, Grammar]


def message_id(workspace: WorkspaceId, event: int | UUID, name: str = "") -> UUID:
    """The id that every message of this name about an event has. It tells nothing of how many events there are."""
    return uuid.uuid5(workspace, f"{event}:{name}" if name else str(event))
