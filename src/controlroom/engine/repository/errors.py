"""What can go wrong in the repository."""

from typing import ClassVar
from uuid import UUID

from controlroom.engine.repository.model import Right
from controlroom.errors import Conflict, Forbidden, Invalid, NotFound


class NodeNotFound(NotFound):
    """There is no such file or folder, or the asker may not know of it."""

    code: ClassVar[str] = "REPOSITORY_NOT_FOUND"

    def __init__(self, node: UUID | int | str) -> None:
        super().__init__(f"there is no file or folder {node}", file=str(node)[:100])


class RightMissing(Forbidden):
    """Somebody may see a folder, and not do this in it."""

    code: ClassVar[str] = "FOLDER_RIGHT_MISSING"

    def __init__(self, right: Right, name: str) -> None:
        super().__init__(f"this needs the right to {right.value} what is in {name!r}", right=right.value)


class NodeNameTaken(Conflict):
    """There is something of this name in the folder."""

    code: ClassVar[str] = "REPOSITORY_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is {name!r} in this folder already", name=name)


class FolderNotEmpty(Conflict):
    """Only an empty folder is deleted."""

    code: ClassVar[str] = "FOLDER_NOT_EMPTY"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is something in {name!r}: only an empty folder is deleted", name=name)


class OneOfSeveralTasks(Conflict):
    """A task is named, moved and deleted with its package, which has others."""

    code: ClassVar[str] = "ONE_OF_SEVERAL_TASKS"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is one of several tasks of its package, which robot.yaml names", name=name)


class NotPossible(Conflict):
    """What is asked for does not go with this kind of thing, or its state."""

    code: ClassVar[str] = "REPOSITORY_CONFLICT"


class Locked(Conflict):
    """Somebody else has checked it out."""

    code: ClassVar[str] = "REPOSITORY_LOCKED"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is checked out by somebody else", name=name)


class NotAContainer(Invalid):
    """A folder is asked for, and this is none."""

    code: ClassVar[str] = "NOT_A_FOLDER"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no folder that anything can be put into", name=name)
