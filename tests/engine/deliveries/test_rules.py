"""When a delivery is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.deliveries.endpoints import EndpointInvalid, checked_endpoint, destination_of
from controlroom.engine.deliveries.model import NotSent
from controlroom.engine.deliveries.rules import (
    GIVE_UP_AFTER,
    JITTER,
    LONGEST_DELAY,
    LONGEST_PAUSE,
    Again,
    GiveUp,
    after_failure,
    pause_asked,
)
from controlroom.engine.messages import message_id
from controlroom.ids import WorkspaceId, uuid7

FAILURE = NotSent("The receiver answered 500.")
LEFT = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=2))
CHANCE = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(attempts=st.integers(1, 1000), left=LEFT, chance=CHANCE)
def test_a_delay_is_neither_endless_nor_nothing(attempts, left, chance):
    """It is at most four hours and a quarter, never beyond the end of its day, and never in the past."""
    again = after_failure(FAILURE, attempts=attempts, left=left, chance=chance)

    assert isinstance(again, Again)
    assert timedelta() < again.delay <= min(left, LONGEST_DELAY * (1 + JITTER))


@given(attempts=st.integers(1, 1000), left=LEFT, chance=CHANCE, pause=st.timedeltas(min_value=timedelta()))
def test_a_receiver_is_not_asked_before_it_wants_to_be(attempts, left, chance, pause):
    """But for the last attempt, before it is given up."""
    again = after_failure(NotSent("429", retry_after=pause), attempts=attempts, left=left, chance=chance)

    assert isinstance(again, Again)
    assert again.delay >= min(pause, left)
    assert again.delay <= left


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 03 Mar 2026 10:02:00 GMT", 120),
        ("Tuesday, 03-Mar-26 10:02:00 GMT", 120),
        ("Tue Mar  3 10:02:00 2026", 120),
        ("Tue, 03 Mar 2026 09:00:00 GMT", 0),
        ("9" * 5000, LONGEST_PAUSE.total_seconds()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE.total_seconds()),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_a_pause_is_seconds_or_a_date(header, seconds):
    """In the three forms that HTTP knows; what is none is no pause."""
    assert pause_asked(header, datetime(2026, 3, 3, 10, tzinfo=UTC)) == timedelta(seconds=seconds)


@given(attempts=st.integers(1, 12), chance=CHANCE)
def test_delays_grow(attempts, chance):
    """Whatever the jitter: each is longer than the one before, until they are steady."""
    forever = timedelta(days=365)
    this = after_failure(FAILURE, attempts=attempts, left=forever, chance=chance)
    after = after_failure(FAILURE, attempts=attempts + 1, left=forever, chance=chance)

    assert after.delay >= this.delay


@given(attempts=st.integers(1, 1000), chance=CHANCE)
def test_what_is_over_or_final_is_given_up(attempts, chance):
    """When no time is left, or when trying again cannot mend it."""
    final = NotSent("The receiver answered 403.", 403, is_final=True)

    assert after_failure(FAILURE, attempts=attempts, left=timedelta(), chance=chance) == GiveUp()
    assert after_failure(final, attempts=attempts, left=timedelta(days=1), chance=chance) == GiveUp()


@given(chances=st.lists(CHANCE, min_size=50, max_size=50))
def test_a_day_has_about_a_dozen_attempts(chances):
    """The last one is made when the day is over."""
    for kind, day in GIVE_UP_AFTER.items():
        left, attempts = day, 1
        while isinstance(
            again := after_failure(FAILURE, attempts=attempts, left=left, chance=chances[attempts]), Again
        ):
            left -= again.delay
            attempts += 1
        assert left == timedelta()
        assert (5 if kind == "provisioner" else 11) <= attempts <= 16


@pytest.mark.parametrize(
    ("endpoint", "destination"),
    [
        ("https://hooks.example.com/a/b?c=d", "https://hooks.example.com"),
        ("HTTP://Example.com:8080", "http://example.com:8080"),
        ("https://ada:swordfish@example.com/", "https://example.com"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_a_destination_shows_no_secret(endpoint, destination):
    """Scheme, host and port; neither path nor query nor password."""
    assert destination_of(endpoint) == destination


@pytest.mark.parametrize(
    "endpoint", ["", "example.com", "ftp://example.com", "http://", "https://a b/", "http://x:port/", "https://x\n/"]
)
def test_what_is_no_address_is_refused(endpoint):
    """Before anything is stored."""
    with pytest.raises(EndpointInvalid):
        checked_endpoint(endpoint)


def test_message_ids_tell_no_numbers():
    """The same for one event, another for each workspace, event and message of it."""
    here, there = WorkspaceId(uuid7()), WorkspaceId(uuid7())
    assert message_id(here, 1) == message_id(here, 1)
    assert len({message_id(here, 1), message_id(here, 2), message_id(there, 1), message_id(here, 1, "ended")}) == 4
