"""Provisioners: somebody outside who starts a worker when one is asked for, and workers that were asked for."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from controlroom.ids import (
    LinkTokenId,
    OrganizationId,
    ProvisionerId,
    RunId,
    StepRunId,
    WorkerId,
    WorkspaceId,
)

START_EVENT: Final = "provisioner.start"
STOP_EVENT: Final = "provisioner.stop"


class Provisioner(Struct, frozen=True, kw_only=True):
    """A provisioner as lists show it: without its secret."""

    id: ProvisionerId
    number: int
    organization_id: OrganizationId
    serves_all: bool
    name: str
    endpoint: str
    max_lifetime: timedelta | None
    """What a worker is told that it may live."""
    created_at: datetime


class SealedProvisioner(Provisioner, frozen=True, kw_only=True):
    """A provisioner with its encrypted secret."""

    sealed: bytes


class ProvisioningState(StrEnum):
    """How far a worker that was asked for has come."""

    REQUESTED = "requested"
    RELEASED = "released"
    """It is not needed any more: its provisioner was asked to stop it."""
    ENDED = "ended"


class Start(Struct, frozen=True, tag="start", rename="camel"):  # as the log of deliveries has it
    """A worker is wanted; its link token is added when the request is sent."""

    workspace_id: WorkspaceId
    runtime_id: WorkerId


class Stop(Struct, frozen=True, tag="stop", rename="camel"):
    """A worker is not wanted any more."""

    workspace_id: WorkspaceId
    runtime_id: WorkerId


Order = Start | Stop


class Wanting(Struct, frozen=True, kw_only=True):
    """A step run that waits for a worker on demand, locked."""

    step_run_id: StepRunId
    run_id: RunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    provisioner_id: ProvisionerId
    endpoint: str | None
    """None: the provisioner was deleted."""
    sealed: bytes | None


class Provisioning(Struct, frozen=True, kw_only=True):
    """A worker that was asked for, with what became of its step run, of itself and of the request; locked."""

    worker_id: WorkerId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    provisioner_id: ProvisionerId
    provisioner_name: str
    endpoint: str
    sealed: bytes
    is_deleted: bool
    """The provisioner is."""
    run_id: RunId
    step_run_id: StepRunId
    link_token_id: LinkTokenId
    state: ProvisioningState
    step_run_state: str | None
    """None: the run was deleted."""
    is_elsewhere: bool
    """Another worker, of an earlier place, has it, or had it last."""
    has_come: bool
    """The worker has opened a session."""
    is_away: bool
    """It is offline, or was never there."""
    is_late: bool
    """It should have come by now."""
    refusal: str | None
    """Why the request was given up, if it was."""
    asked: int
    """How many workers were asked for for the step run, this one included."""
