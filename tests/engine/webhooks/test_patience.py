"""How messages that reach nobody are counted."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.deliveries.model import DeliveryState, NotSent
from controlroom.engine.deliveries.rules import Again, GiveUp, after_failure
from controlroom.engine.webhooks.patience import Count, counted

PENDING, DELIVERED, FAILED = DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.FAILED


@given(st.lists(st.sampled_from(DeliveryState)), st.integers(0, 9))
def test_failures_in_a_row_are_those_since_the_last_that_arrived(states, before):
    """Counted at once or one by one, it comes to the same."""
    at_once, one_by_one = counted(states), before
    for state in states:
        one_by_one = {DELIVERED: 0, FAILED: one_by_one + 1, PENDING: one_by_one}[state]
    after = before if at_once is None else at_once.failures + (before if at_once.goes_on else 0)
    assert after == one_by_one


def test_a_delivered_one_begins_anew():
    """What waits says nothing."""
    assert counted([FAILED, DELIVERED, FAILED]) == Count(1, goes_on=False)
    assert counted([FAILED, PENDING, FAILED]) == Count(2, goes_on=True)
    assert counted([PENDING]) is None


def test_a_message_with_a_limit_is_tried_so_often_within_minutes():
    """Five times, and not for a day."""
    waits, attempts = timedelta(), 1
    left = timedelta(days=1)
    while isinstance(again := after_failure(NotSent("x"), attempts=attempts, left=left, chance=0.5, most=5), Again):
        waits, attempts = waits + again.delay, attempts + 1
    assert (attempts, again) == (5, GiveUp())
    assert waits < timedelta(minutes=3)
