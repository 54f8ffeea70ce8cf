"""What can go wrong with packages."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class PackageNotFound(NotFound):
    """There is no such package."""

    code: ClassVar[str] = "PACKAGE_NOT_FOUND"

    def __init__(self, package: UUID | str) -> None:
        super().__init__(f"there is no package {package}", package=str(package))


class PackageVersionNotFound(NotFound):
    """There is no such version of the package."""

    code: ClassVar[str] = "PACKAGE_VERSION_NOT_FOUND"

    def __init__(self, version: UUID | int | str) -> None:
        super().__init__(f"there is no version {version} of the package", version=str(version))


class LabelNotFound(NotFound):
    """No version of the package bears the label."""

    code: ClassVar[str] = "PACKAGE_LABEL_NOT_FOUND"

    def __init__(self, label: str, package: str) -> None:
        super().__init__(f"no version of {package} has the label {label!r}", label=label)


class TaskNotFound(NotFound):
    """There is no such task."""

    code: ClassVar[str] = "TASK_NOT_FOUND"

    def __init__(self, task: UUID | str, *, known: list[str] | None = None) -> None:
        there_are = f"; there are {', '.join(known)}" if known else ""
        super().__init__(f"there is no task {task}{there_are}", task=str(task), known=known or [])


class PackageNameTaken(Conflict):
    """Another package of the workspace has this name."""

    code: ClassVar[str] = "PACKAGE_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a package {name!r} already", name=name)


class PackageInUse(Conflict):
    """A step runs a task or commands of the package."""

    code: ClassVar[str] = "PACKAGE_IN_USE"

    def __init__(self, package: UUID, processes: list[str]) -> None:
        super().__init__(f"the package is used by {', '.join(processes)}", package_id=str(package), processes=processes)


class PackageLocked(Conflict):
    """Somebody else has checked the package out."""

    code: ClassVar[str] = "PACKAGE_LOCKED"

    def __init__(self, package: UUID) -> None:
        super().__init__("the package is checked out by somebody else", package_id=str(package))


class PackageTooLarge(Invalid):
    """The zip file is larger than the limit."""

    code: ClassVar[str] = "PACKAGE_TOO_LARGE"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the package has {size:,} bytes; at most {limit:,} are allowed", size=size, limit=limit)
