"""What can go wrong with processes."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class ProcessNotFound(NotFound):
    """There is no such process."""

    code: ClassVar[str] = "PROCESS_NOT_FOUND"

    def __init__(self, process: UUID | str) -> None:
        super().__init__(f"there is no process {process}", process=str(process))


class ProcessNotConfigured(Conflict):
    """The process has no steps yet, or a step without a task or commands."""

    code: ClassVar[str] = "PROCESS_NOT_CONFIGURED"

    def __init__(self, process: UUID) -> None:
        super().__init__("the process has no steps yet, or a step without a task or commands", process_id=str(process))


class ProcessRunning(Conflict):
    """A run of the process is under way, and would lose what it works on."""

    code: ClassVar[str] = "PROCESS_RUNNING"

    def __init__(self, process: UUID, verb: str) -> None:
        super().__init__(f"a run of the process is under way: stop it before the {verb}", process_id=str(process))


class ItemsWaiting(Conflict):
    """Work items wait in the input queue of a step that would be removed."""

    code: ClassVar[str] = "WORK_ITEMS_WAITING"

    def __init__(self, steps: list[str]) -> None:
        super().__init__(f"work items wait in the queue of {', '.join(steps)}: start or delete them first", steps=steps)


class StepInvalid(Invalid):
    """A step that cannot be."""

    code: ClassVar[str] = "STEP_INVALID"

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"step {step!r}: {reason}", step=step)


class ProvisionerUnknown(NotFound):
    """A step is placed on a provisioner that is not there."""

    code: ClassVar[str] = "PROVISIONER_NOT_FOUND"

    def __init__(self, provisioner: UUID) -> None:
        super().__init__(f"there is no provisioner {provisioner}", provisioner=str(provisioner))


class VersionNotFound(NotFound):
    """There is no such version of the process, or it is not kept any more."""

    code: ClassVar[str] = "PROCESS_VERSION_NOT_FOUND"

    def __init__(self, process: UUID, version: int) -> None:
        super().__init__(f"there is no version {version} of the process", process=str(process), version=version)
