"""What can go wrong with assistants."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, NotFound


class AssistantNotFound(NotFound):
    """There is no such assistant."""

    code: ClassVar[str] = "ASSISTANT_NOT_FOUND"

    def __init__(self, assistant: UUID | str) -> None:
        super().__init__(f"there is no assistant {assistant}", assistant_id=str(assistant))


class AssistantRunNotFound(NotFound):
    """There is no such run of an assistant."""

    code: ClassVar[str] = "ASSISTANT_RUN_NOT_FOUND"

    def __init__(self, run: UUID | str) -> None:
        super().__init__(f"there is no assistant run {run}", assistant_run_id=str(run))


class AssistantNameTaken(Conflict):
    """Another assistant of the workspace has this name."""

    code: ClassVar[str] = "ASSISTANT_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an assistant {name!r} already", name=name)


class AssistantRunEnded(Conflict):
    """The run has ended already, in another way or by silence."""

    code: ClassVar[str] = "ASSISTANT_RUN_ENDED"

    def __init__(self, run: UUID, state: str) -> None:
        super().__init__(f"assistant run {run} is {state} already", assistant_run_id=str(run), state=state)
