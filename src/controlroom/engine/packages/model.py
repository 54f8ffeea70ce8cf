"""Packages: robots as zip files, in versions; and the tasks in them."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from controlroom.ids import PackageId, PackageVersionId, TaskId, WorkspaceId
from controlroom.robots.definition import RobotDefinition


class PackageVersion(Struct, frozen=True, kw_only=True):
    """One upload of a package: `hash` and `size` are the zip's, `robot` is what its robot.yaml says."""

    id: PackageVersionId
    number: int
    package_id: PackageId
    version: int
    """Counts from 1 in each package."""
    hash: str
    size: int
    folder: str | None
    """Where its robot lies in the zip; None for versions that were taken before this was kept: the least deep one."""
    robot: RobotDefinition
    created_at: datetime
    created_by: UUID | None


class Package(Struct, frozen=True, kw_only=True):
    """A package, with what a run of one of its tasks would take: the latest version; None until the first upload."""

    id: PackageId
    number: int
    workspace_id: WorkspaceId
    name: str
    created_at: datetime
    exclude_newer: datetime | None
    """Packages of the world that are newer do not count in its robots' environments; None: as the room says."""
    latest: PackageVersion | None

    @property
    def task_names(self) -> list[str]:
        """The tasks of the latest version, in the order of robot.yaml."""
        return [] if self.latest is None else [task.name for task in self.latest.robot.tasks]


class Task(Struct, frozen=True, kw_only=True):
    """A task, the same one in every version that has its name."""

    id: TaskId
    number: int
    package_id: PackageId
    package_name: str
    name: str


class Zip(Struct, frozen=True):
    """A version's zip as a worker fetches it."""

    name: str
    size: int


class Pushed(Struct, frozen=True):
    """What a push led to: the package, and whether its latest version is new (the content was not the same)."""

    package: Package
    is_new_version: bool
