"""Code analysis: what a reader of programs finds in the code of a package, and which of it a policy minds."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import CodeAnalysisId, CodePolicyId, OrganizationId, PackageId, WorkspaceId
from controlroom.protocol import Finding, PackageRef


class Severity(StrEnum):
    """How bad a finding is."""

    LOW = "low"
    HIGH = "high"
    CRITICAL = "critical"


class Rules(Struct, frozen=True, kw_only=True):
    """What is looked for. Rules are named by code, or by how several begin (`S6`): of two that fit, the longer one."""

    name: str
    """Of the policy."""
    rules: tuple[str, ...]
    high: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    refuses: Severity | None = None
    """Packages with findings that are so bad, or worse, are refused when they are brought; None: none is."""


class CodePolicy(Rules, frozen=True, kw_only=True):
    """Rules that people have made for workspaces and folders of theirs."""

    id: CodePolicyId
    number: int
    organization_id: OrganizationId
    created_at: datetime
    updated_at: datetime


class PlaceOfPolicy(Struct, frozen=True, kw_only=True):
    """A workspace, or a folder of it, that has a policy."""

    workspace_id: WorkspaceId
    workspace_name: str
    folder_number: int | None
    """None: the workspace itself."""
    folder_name: str


class AnalysisState(StrEnum):
    """How an analysis stands."""

    WAITING = "waiting"
    """For a worker."""
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class Content(Struct, frozen=True, kw_only=True):
    """The package whose code is read: a zip, by content, which need not be anybody's version yet."""

    name: str
    hash: str
    size: int
    folder: str | None = None

    @property
    def ref(self) -> PackageRef:
        """As workers fetch it."""
        return PackageRef(hash=self.hash, size=self.size, name=self.name, folder=self.folder)


class Analysis(Struct, frozen=True, kw_only=True):
    """One reading of a package."""

    id: CodeAnalysisId
    number: int
    workspace_id: WorkspaceId
    package_name: str
    package_hash: str
    policy: Rules
    state: AnalysisState
    findings: list[Finding]
    message: str
    """Why it failed."""
    asked_at: datetime
    asked_by: UUID | None
    ended_at: datetime | None


class Result(Struct, frozen=True, kw_only=True):
    """What was found in the latest version of a package by the rules that hold for it."""

    package: PackageId
    rules: tuple[str, ...]
    high: tuple[str, ...]
    critical: tuple[str, ...]
    findings: list[Finding]


class Judged(Struct, frozen=True):
    """A finding, and how bad it is by the policy."""

    finding: Finding
    severity: Severity
