"""What can go wrong with runs."""

from typing import ClassVar
from uuid import UUID

from controlroom.engine.runs.model import RunState, StepRunState
from controlroom.errors import Conflict, NotFound


class RunNotFound(NotFound):
    """There is no such run."""

    code: ClassVar[str] = "RUN_NOT_FOUND"

    def __init__(self, run: UUID | str) -> None:
        super().__init__(f"there is no run {run}", run_id=str(run))


class StepRunNotFound(NotFound):
    """There is no such step run."""

    code: ClassVar[str] = "STEP_RUN_NOT_FOUND"

    def __init__(self, step_run: UUID | str) -> None:
        super().__init__(f"there is no step run {step_run}", step_run_id=str(step_run))


class ArtifactNotFound(NotFound):
    """There is no such artifact."""

    code: ClassVar[str] = "ARTIFACT_NOT_FOUND"

    def __init__(self, artifact: UUID | str) -> None:
        super().__init__(f"there is no artifact {artifact}")


class RunNotEnded(Conflict):
    """Only a run that has ended may be deleted."""

    code: ClassVar[str] = "RUN_NOT_ENDED"

    def __init__(self, run: UUID, state: RunState) -> None:
        super().__init__(f"run {run} is {state.value}: stop it first", run_id=str(run), state=state.value)


class RunHasNoInputs(Conflict):
    """What the run began with was deleted, so that it cannot be run again."""

    code: ClassVar[str] = "RUN_HAS_NO_INPUTS"

    def __init__(self, run: UUID) -> None:
        super().__init__(f"run {run} has nothing to be run again with: its inputs are deleted", run_id=str(run))


class StepRunNotPausable(Conflict):
    """Only a robot at work is paused, and only a paused one resumed."""

    code: ClassVar[str] = "STEP_RUN_NOT_PAUSABLE"

    def __init__(self, step_run: UUID, state: StepRunState, past: str) -> None:
        why = "is being ended" if state is StepRunState.IN_PROGRESS else f"is {state.value}"
        super().__init__(
            f"step run {step_run} {why}, and cannot be {past}", step_run_id=str(step_run), state=state.value
        )


class ProcessDisabled(Conflict):
    """A disabled process starts no runs."""

    code: ClassVar[str] = "PROCESS_DISABLED"

    def __init__(self, process: UUID) -> None:
        super().__init__(f"process {process} is disabled", process_id=str(process))


class Superseded(Conflict):
    """The worker no longer has this attempt: another has taken its place, or it has ended."""

    code: ClassVar[str] = "SUPERSEDED"

    def __init__(self) -> None:
        super().__init__("this attempt is no longer the worker's")


class ConsoleIncomplete(Conflict):
    """Lines are missing; `have` says from which number to send again."""

    code: ClassVar[str] = "CONSOLE_INCOMPLETE"

    def __init__(self, have: int) -> None:
        super().__init__(f"only {have} console lines have come", have=have)
