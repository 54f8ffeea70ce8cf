"""Deliveries: what the room tells somebody outside, one message to one receiver."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import DeliveryId, OrganizationId, ProcessId, RunId, StepRunId, WorkspaceId


class DeliveryKind(StrEnum):
    """What stands behind a delivery; `subscription_id` is its id."""

    WEBHOOK = "webhook"
    CALLBACK = "callback"
    """A run's own."""
    CHAT = "chat"
    """A notification in Slack's form."""
    EMAIL = "email"
    """A notification by mail."""
    PROVISIONER = "provisioner"
    """A request to start or stop a worker on demand."""


class DeliveryState(StrEnum):
    """Where a delivery is; `rules.EDGES` says from where to where."""

    PENDING = "pending"
    DELIVERED = "delivered"
    """The receiver has answered that it has it. It may have got it more than once."""
    FAILED = "failed"
    """Given up."""


class NewDelivery(Struct, frozen=True, kw_only=True):
    """A message to one receiver, before it is written."""

    workspace_id: WorkspaceId
    kind: DeliveryKind
    subscription_id: UUID
    event_id: int | None
    """None: a test, or what no event stands behind. Else each message of it is written once for a subscription."""
    event_kind: str
    message_id: UUID
    """The same for all receivers of the message: by it they know a repeated one."""
    message_name: str = ""
    """Which message of the event, where its grammar has several."""
    body: bytes
    destination: str
    """Scheme, host and port. What goes to one destination never waits for another."""
    endpoint: str = ""
    sealed: bytes | None = None
    sealed_headers: bytes | None = None
    """Headers that a callback asked for."""
    grammar: str = ""
    most_attempts: int | None = None
    """After so many it is given up; None: after the time that its kind has."""
    process_id: ProcessId | None = None
    run_id: RunId | None = None
    step_run_id: StepRunId | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """A line of the delivery log."""

    id: DeliveryId
    number: int
    workspace_id: WorkspaceId
    kind: DeliveryKind
    subscription_id: UUID
    event_kind: str
    process_id: ProcessId | None
    run_id: RunId | None
    step_run_id: StepRunId | None
    message_id: UUID
    message_name: str
    destination: str
    endpoint: str
    """Empty where the address itself is a secret."""
    state: DeliveryState
    attempts: int
    due: datetime
    """When it is tried next, while it is pending."""
    attempted_at: datetime | None
    last_status: int | None
    last_answer: str
    """The beginning of what the receiver said."""
    last_error: str
    created_at: datetime
    ended_at: datetime | None


class DeliveryWithBody(Delivery, frozen=True, kw_only=True):
    """A delivery with what is sent."""

    body: bytes


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery that is being tried by whoever claimed it, for as long as its lease lasts."""

    id: DeliveryId
    organization_id: OrganizationId
    workspace_id: WorkspaceId
    kind: DeliveryKind
    subscription_id: UUID
    event_kind: str
    run_id: RunId | None
    step_run_id: StepRunId | None
    message_id: UUID
    grammar: str
    destination: str
    endpoint: str
    sealed: bytes | None
    sealed_headers: bytes | None
    body: bytes
    attempts: int
    """This one included."""
    most_attempts: int | None = None
    seconds_left: float
    """Until it is given up."""


class Sent(Struct, frozen=True):
    """The receiver has taken it."""

    status: int | None = None
    answer: str = ""


class NotSent(Struct, frozen=True):
    """It has not, or nobody knows."""

    error: str
    status: int | None = None
    answer: str = ""
    is_final: bool = False
    """Trying again cannot mend it."""
    is_gone: bool = False
    """The receiver says that there is nobody at this address, for good (410)."""
    retry_after: timedelta = timedelta()
    """For how long the receiver asks not to be asked (`Retry-After`)."""


Outcome = Sent | NotSent


class Tried(Struct, frozen=True):
    """A claimed delivery and what came of it."""

    delivery: Claimed
    outcome: Outcome


class Disabled(Struct, frozen=True):
    """A subscription that the room has disabled, and whose it was."""

    workspace_id: WorkspaceId | None
    """None: the organization's."""
    organization_id: OrganizationId
    process_id: ProcessId | None
