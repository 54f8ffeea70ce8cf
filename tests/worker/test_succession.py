"""Which commands run after which have failed."""

from hypothesis import given
from hypothesis import strategies as st

from controlroom.protocol import Command, OnFailure
from controlroom.worker.succession import cause_of_skips, counts, is_due

COMMANDS = st.lists(
    st.builds(
        Command,
        name=st.sampled_from("abc"),
        words=st.just(("true",)),
        on_failure=st.sampled_from(OnFailure),
        always_run=st.booleans(),
    )
)


@given(COMMANDS)
def test_without_a_failure_all_run(commands):
    """Nothing is skipped as long as nothing has failed."""
    assert all(is_due(command, []) for command in commands)
    assert cause_of_skips([]) == ""


@given(COMMANDS, COMMANDS)
def test_only_failures_that_skip_leave_the_rest_out(failed, commands):
    """What follows is skipped exactly behind one that skips, unless it always runs; that one counts."""
    skips = [command for command in failed if command.on_failure is OnFailure.SKIP]
    for command in commands:
        assert is_due(command, failed) is (command.always_run or not skips)
    assert cause_of_skips(failed) == (skips[0].name if skips else "")
    assert all(counts(command) for command in skips)


@given(st.sampled_from(OnFailure))
def test_only_what_is_ignored_does_not_count(on_failure):
    """Each failure makes the whole fail, but for one that is to be ignored."""
    failed = Command(name="x", words=("false",), on_failure=on_failure)
    assert counts(failed) is (on_failure is not OnFailure.IGNORE)
