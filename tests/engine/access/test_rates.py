"""The limit of requests of somebody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.rates import Buckets, Rate
from controlroom.errors import Throttled
from controlroom.ids import uuid7

LIMITS = Rate(2, 3, "too often")


def test_a_burst_passes_and_then_as_many_as_the_rate_lets():
    """After the burst a request must wait for its token, and is told for how long; other keys do not wait."""
    buckets, key = Buckets(), uuid7()
    for _ in range(3):
        buckets.take(key, LIMITS, now=10.0)
    with pytest.raises(Throttled) as refused:
        buckets.take(key, LIMITS, now=10.0)
    assert refused.value.seconds == 0.5
    buckets.take(uuid7(), LIMITS, now=10.0)
    buckets.take(key, LIMITS, now=10.5)
    with pytest.raises(Throttled):
        buckets.take(key, LIMITS, now=10.6)


def test_without_a_limit_everything_passes():
    """By default a key may ask as often as it likes."""
    buckets, key = Buckets(), uuid7()
    for _ in range(1000):
        buckets.take(key, Rate(0, 100, ""), now=1.0)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_never_more_than_burst_and_rate(gaps):
    """However requests are spread: in any time no more pass than the burst and the rate's share of that time."""
    buckets, key, now, passed = Buckets(), uuid7(), 0.0, 0
    for gap in gaps:
        now += gap
        try:
            buckets.take(key, LIMITS, now=now)
        except Throttled:
            continue
        passed += 1
    assert passed <= 3 + 2 * now + 1e-6
