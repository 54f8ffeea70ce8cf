"""The rules of work items: edges of their states, and automatic retries."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState, WorkItem
from controlroom.engine.work_items.operations import BECOMES, Operation, is_fit
from controlroom.engine.work_items.rules import EDGES, GiveUp, Retry, RetryPolicy, after_failure
from controlroom.ids import ProcessId, QueueId, RunId, WorkItemId, WorkspaceId, uuid7

NOW = datetime(2026, 11, 29, tzinfo=UTC)

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


items = st.builds(
    WorkItem,
    id=st.just(WorkItemId(uuid7())),
    number=st.just(1),
    workspace_id=st.just(WorkspaceId(uuid7())),
    process_id=st.none() | st.just(ProcessId(uuid7())),
    queue_id=st.none() | st.just(QueueId(uuid7())),
    step_id=st.none(),
    run_id=st.none() | st.just(RunId(uuid7())),
    state=st.sampled_from(list(ItemState)),
    state_at=st.just(NOW),
    created_at=st.just(NOW),
    priority=st.just(0),
    due=st.just(NOW),
    deadline=st.none(),
    reference=st.none(),
    parent_id=st.none(),
    attempt=st.just(0),
    step_run_id=st.none(),
    exception_type=st.none(),
    exception_code=st.just(""),
    exception_message=st.just(""),
    fault=st.none() | st.just("/lines: too few"),
    payload=st.none(),
)


@given(st.sampled_from(list(Operation)), items)
def test_an_operation_goes_by_an_edge_and_never_touches_what_is_in_hand(operation, item):
    """What is fit for it may become what it makes of it; what somebody works on, or a draft, never is."""
    if is_fit(operation, item):
        becomes = BECOMES[operation]
        if becomes is ItemState.PENDING and item.run_id is None and item.state is not ItemState.INVALID:
            becomes = ItemState.NEW

        assert becomes in EDGES[item.state]
        assert item.state not in {ItemState.IN_PROGRESS, ItemState.DRAFT, ItemState.DELETED}


@given(items)
def test_what_is_held_goes_on_where_it_was(item):
    """Only what waits is held: in a run, or in a queue that stands alone; an output is neither held nor completed."""
    if is_fit(Operation.HOLD, item):
        assert item.state is ItemState.PENDING or (item.state is ItemState.NEW and item.is_in_standing_queue)
        assert ItemState.HELD in EDGES[item.state]
        assert item.state in EDGES[ItemState.HELD]
    if is_fit(Operation.COMPLETE, item):
        assert item.queue_id is not None


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
