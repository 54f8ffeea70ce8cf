"""What may become of an assistant's run."""

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.assistants.model import AssistantError, AssistantRunState
from controlroom.engine.assistants.rules import EDGES, ending, is_repetition

errors = st.none() | st.sampled_from(AssistantError)


@given(errors)
def test_every_end_is_an_edge_and_final(error):
    """A run ends once, as completed or as failed."""
    assert ending(error) in EDGES[AssistantRunState.IN_PROGRESS]
    assert not EDGES[ending(error)]


@given(errors, errors)
def test_only_the_same_report_is_a_repetition(ended, reported):
    """Another end, or another reason, contradicts."""
    assert is_repetition(ending(ended), ended, reported=reported) == (ended is reported)
