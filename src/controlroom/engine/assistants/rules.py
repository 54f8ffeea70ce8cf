"""What may become of an assistant's run. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from controlroom.engine.assistants.model import AssistantError, AssistantRunState

BEGINS: Final[Mapping[AssistantRunState, str]] = {AssistantRunState.IN_PROGRESS: "begun on a user's machine"}

EDGES: Final[Mapping[AssistantRunState, Mapping[AssistantRunState, str]]] = {
    AssistantRunState.IN_PROGRESS: {
        AssistantRunState.COMPLETED: "robot succeeded",
        AssistantRunState.FAILED: "it did not, or the machine fell silent",
    },
    AssistantRunState.COMPLETED: {},
    AssistantRunState.FAILED: {},
}
"""From which state a run may go to which, and by what."""

SILENCE: Final = timedelta(minutes=4)
"""How long a machine may be silent. Why: machines beat every 37 s, so that five may be lost on a bad line. A guess."""

ARTIFACTS_AFTER: Final = timedelta(hours=1)
"""How long after its end a run may still leave files: as long as a link to upload lives."""


def ending(error: AssistantError | None) -> AssistantRunState:
    """The state in which a run ends."""
    return AssistantRunState.COMPLETED if error is None else AssistantRunState.FAILED


def is_repetition(state: AssistantRunState, error: AssistantError | None, *, reported: AssistantError | None) -> bool:
    """Whether an ended run ended just as is reported now: a report whose answer was lost is sent again."""
    return state is ending(reported) and error is reported
