"""What a worker is told of a run of a dbt project beside its assignment: its plan, and where its files are.

The rest of what server and worker say to each other is in `protocol`, whose table of calls names these, too.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from controlroom.protocol import DatabaseFile, OnFailure, PackageRef, PhaseKind


class Purpose(StrEnum):
    """What a command of a project's plan is there for."""

    DEPS = "deps"
    """Fetch the packages that it needs. Reported with `is_preparation`."""
    FRESHNESS = "freshness"
    OWN = "own"
    """A command of the job, or of the start in its place."""
    RETRY = "retry"
    """The command in which an earlier run failed, from where it failed: `words` say `dbt retry`, `name` the command."""
    DOCS = "docs"


class PlannedPhase(Struct, frozen=True, kw_only=True):
    """A phase as it shall be: position and number in the plan are the same, from 0."""

    kind: PhaseKind
    """Source, profile or command."""
    name: str
    words: tuple[str, ...] = ()
    """Of a command; flags that the worker needs beside them, it adds."""
    on_failure: OnFailure = OnFailure.SKIP
    purpose: Purpose | None = None
    """Of a command."""


class Tool(Struct, frozen=True):
    """What runs a project: the version of dbt as `major.minor`, and the adapter by its name."""

    version: str
    adapter: str


class FileRef(Struct, frozen=True):
    """A file that the server has for the attempt, by content."""

    name: str
    hash: str
    size: int


class WorkerFolder(Struct, frozen=True, tag="worker"):
    """The database is a file on the worker's own disk, or on one that its workers share."""

    path: str
    """As the connection says it: within what the worker's operator allows."""


class ProjectFacts(Struct, frozen=True, kw_only=True):
    """What a run may know of itself: numbers and names."""

    organization: int
    organization_name: str
    project: int
    project_name: str
    job: int
    job_name: str
    run: int
    target: int
    target_name: str
    target_kind: str
    """`development` or `deployment`."""
    target_purpose: str | None
    """`production`, `staging` or neither."""
    reason: str
    """Why the run was started, in words."""
    reason_category: str
    """`scheduled`, `github_pull_request`, `gitlab_merge_request`, `azure_pull_request` or `other`."""
    is_ci: bool
    """It tries a change out, apart from all others."""
    pull_request: int | None = None
    sha: str | None = None
    """The commit that was asked for."""


class ProjectPlan(Struct, frozen=True, kw_only=True):
    """All that a worker needs for one attempt of a project's run. Full of secrets."""

    phases: tuple[PlannedPhase, ...]
    tool: Tool
    subdirectory: str
    """Where `dbt_project.yml` lies in the source; "" at its top."""
    threads: int
    target_name: str
    output: dict[str, Any]
    """The only output of the profile, secrets included, without the place of a database file."""
    secrets: tuple[str, ...]
    """To be masked in whatever is printed, told or left."""
    variables: dict[str, str]
    """Environment variables that people have given, of the narrowest scope each."""
    facts: ProjectFacts
    database: DatabaseFile | WorkerFolder | None = None
    defer: FileRef | None = None
    """The manifest that the commands defer to."""
    retry: tuple[FileRef, ...] = ()
    """What the retried command left: `run_results.json` and `manifest.json`."""
    trouble: str = ""
    """Why there is no output, or none that may be used: the profile phase fails with this."""


class SourceHere(Struct, frozen=True, kw_only=True, tag="here"):
    """The files of the project, as a zip among the plan's files."""

    package: PackageRef
    commit: str = ""
    """Of a repository; "" of what was uploaded."""
    branch: str = ""
    note: str = ""
    """What whoever follows the run should know of it."""


class SourceComing(Struct, frozen=True, tag="coming"):
    """Somebody is fetching it: ask again after so many seconds."""

    seconds: float


class SourceRefused(Struct, frozen=True, tag="refused"):
    """It cannot be had, and the phase fails with this."""

    message: str


ProjectSource = SourceHere | SourceComing | SourceRefused
"""Where the files of a project are."""
