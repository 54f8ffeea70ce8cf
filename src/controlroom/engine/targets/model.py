"""Targets."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from controlroom.ids import (
    ConnectionId,
    ExtendedAttributesId,
    LoginId,
    ProfileId,
    TargetId,
    UserId,
    WorkspaceId,
)


class TargetKind(StrEnum):
    """Who works on it."""

    DEVELOPMENT = "development"
    """People."""
    DEPLOYMENT = "deployment"
    """Jobs."""


class Purpose(StrEnum):
    """What those of jobs are for, where it is said."""

    PRODUCTION = "production"
    STAGING = "staging"


class TargetDefinition(Struct, frozen=True, kw_only=True):
    """What a target shall be, whole."""

    name: str
    kind: TargetKind = TargetKind.DEPLOYMENT
    purpose: Purpose | None = None
    connection_id: ConnectionId | None = None
    """None: the workspace's project says."""
    login_id: LoginId | None = None
    profile_id: ProfileId | None = None
    """Goes before connection and log-in."""
    extended_attributes_id: ExtendedAttributesId | None = None
    branch: str | None = None
    uses_branch: bool = False
    """Else the project's own."""
    tool_version: str | None = None
    """None: the one that the room has."""
    subdirectory: str | None = None
    """None: the project's."""
    kept: dict[str, Any] = {}
    """What a grammar keeps beside, without effect: it comes back as it was sent."""


class Target(Struct, frozen=True, kw_only=True):
    """A target."""

    id: TargetId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    name: str
    kind: TargetKind
    purpose: Purpose | None
    connection_id: ConnectionId | None
    connection_number: int | None
    login_id: LoginId | None
    login_number: int | None
    profile_id: ProfileId | None
    profile_number: int | None
    extended_attributes_id: ExtendedAttributesId | None
    extended_attributes_number: int | None
    branch: str | None
    uses_branch: bool
    tool_version: str | None
    subdirectory: str | None
    kept: dict[str, Any]
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def definition(self) -> TargetDefinition:
        """What it is, to be changed."""
        return TargetDefinition(
            name=self.name,
            kind=self.kind,
            purpose=self.purpose,
            connection_id=self.connection_id,
            login_id=self.login_id,
            profile_id=self.profile_id,
            extended_attributes_id=self.extended_attributes_id,
            branch=self.branch,
            uses_branch=self.uses_branch,
            tool_version=self.tool_version,
            subdirectory=self.subdirectory,
            kept=self.kept,
        )
