"""Which ends a chain follows. Pure."""

from controlroom.engine.chains.model import End
from controlroom.engine.runs.model import Result, RunState


def ends_of(state: RunState, result: Result) -> frozenset[End]:
    """What the end of a run may be called by those who follow it."""
    if result is Result.STOPPED:
        return frozenset({End.STOPPED})
    if state is RunState.COMPLETED:
        return frozenset({End.COMPLETED})
    return frozenset({End.UNRESOLVED, End.TIMED_OUT if result is Result.TIMED_OUT else End.FAILED})
