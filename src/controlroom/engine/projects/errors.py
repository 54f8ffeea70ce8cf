"""Failures of projects."""

from typing import ClassVar

from controlroom.errors import Conflict, Invalid, NotFound


class ProjectNotFound(NotFound):
    """There is no such project that the actor may see."""

    code: ClassVar[str] = "PROJECT_NOT_FOUND"

    def __init__(self, named: object) -> None:
        super().__init__(f"there is no project {named}", project=str(named))


class ProjectChanged(Conflict):
    """Somebody else has changed the project meanwhile."""

    code: ClassVar[str] = "REVISION_CHANGED"

    def __init__(self, revision: int) -> None:
        super().__init__(f"the project has the revision {revision} by now: read it again", revision=revision)


class ProjectNotEmpty(Conflict):
    """A project with jobs or targets is not deleted."""

    code: ClassVar[str] = "PROJECT_NOT_EMPTY"

    def __init__(self, what: str) -> None:
        super().__init__(f"the project still has {what}: delete these first")


class ProjectInvalid(Invalid):
    """Nothing could be run of such a project."""

    code: ClassVar[str] = "PROJECT_INVALID"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the {field} of a project {why}", field=field, reason=why)


class NotOfProject(Invalid):
    """What a project shall name is not in its workspace."""

    code: ClassVar[str] = "NOT_OF_PROJECT"

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no such {what} in the project", what=what)
