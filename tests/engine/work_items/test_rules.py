"""The rules of work items: edges of their states, and automatic retries."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.rules import EDGES, GiveUp, Retry, RetryPolicy, after_failure

policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 10),
    delay_seconds=st.floats(0, 100),
    backoff=st.floats(1, 4),
    max_delay_seconds=st.floats(0, 1000),
    jitter=st.floats(0, 1),
    exception_types=st.lists(st.sampled_from(list(ExceptionType)), unique=True).map(tuple),
    exception_codes=st.lists(st.sampled_from(["A", "B"]), unique=True).map(tuple),
)
exceptions = st.builds(ItemException, st.sampled_from(list(ExceptionType)), st.sampled_from(["", "A", "B", "C"]))
chances = st.floats(0, 1, exclude_max=True)


@given(policies, exceptions, st.integers(1, 20), chances)
def test_business_exceptions_are_never_retried(policy, exception, attempt, chance):
    """Wrong data stay wrong, whatever the policy says."""
    decision = after_failure(exception, attempt=attempt, policy=policy, chance=chance)

    if exception.type is ExceptionType.BUSINESS:
        assert decision == GiveUp(exception)


@given(policies, exceptions, st.integers(1, 20), chances)
def test_attempts_are_bounded(policy, exception, attempt, chance):
    """The last allowed attempt is not followed by another."""
    decision = after_failure(exception, attempt=attempt, policy=policy, chance=chance)

    if attempt >= policy.max_attempts:
        assert isinstance(decision, GiveUp)


@given(policies, st.integers(1, 100_000), chances)
def test_delays_grow_and_are_bounded(policy, attempt, chance):
    """A delay is at least the one before and at most the maximum with its jitter."""
    longest = timedelta(seconds=policy.max_delay_seconds * (1 + policy.jitter) + 1e-5)

    assert policy.delay(attempt, 0.0) <= policy.delay(attempt + 1, 0.0)
    assert timedelta() <= policy.delay(attempt, chance) <= longest


def test_only_the_named_types_and_codes_are_retried():
    """A policy may choose types and codes."""
    policy = RetryPolicy(max_attempts=2, exception_types=(ExceptionType.APPLICATION,), exception_codes=("NET",))

    def retried(kind: ExceptionType, code: str) -> bool:
        return isinstance(after_failure(ItemException(kind, code), attempt=1, policy=policy, chance=0.0), Retry)

    assert retried(ExceptionType.APPLICATION, "NET")
    assert not retried(ExceptionType.APPLICATION, "DISK")
    assert not retried(ExceptionType.ORCHESTRATOR, "NET")


def test_by_default_nothing_is_repeated():
    """Only the author of a robot knows what may run twice."""
    decision = after_failure(ItemException(ExceptionType.APPLICATION), attempt=1, policy=RetryPolicy(), chance=0.0)

    assert isinstance(decision, GiveUp)


@given(st.data())
def test_no_path_leaves_deleted(data):
    """Walking the edges at random: `deleted` is the end, and `in_progress` is left only by done, failed or pending."""
    state = data.draw(st.sampled_from(list(EDGES)))
    for _ in range(30):
        following = sorted(EDGES[state])
        if not following:
            break
        state = data.draw(st.sampled_from(following))
    assert not EDGES[ItemState.DELETED]
    assert set(EDGES[ItemState.IN_PROGRESS]) == {ItemState.DONE, ItemState.FAILED, ItemState.PENDING}
