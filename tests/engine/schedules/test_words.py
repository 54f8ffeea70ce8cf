"""What a cron expression says, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.schedules.words import in_words

FIELD = st.sampled_from(["*", "*/2", "0", "5,10", "1-3", "1-5/2", "L", "3#1", "MON", "JAN-MAR", "?", "1,2-4"])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 * * * *", "Every hour"),
        ("0 */12 * * *", "Every 12 hours"),
        ("6 */12 * * 0,1,5", "At 6 minutes past the hour, every 12 hours, only on Sunday, Monday, and Friday"),
        ("0 3 * * *", "At 03:00 AM"),
        ("30 0,12 * * 1-5", "At 12:30 AM and 12:30 PM, only on Monday through Friday"),
        ("0 3 L * *", "At 03:00 AM, on the last day of the month"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("* * * * *", "Every minute"),
        ("0 9 1,15 jan *", "At 09:00 AM, on day 1 and 15 of the month, only in January"),
        ("0 9 * * mon#2", "At 09:00 AM, only on the second Monday of the month"),
        ("0 9 * * 5L", "At 09:00 AM, only on the last Friday of the month"),
        ("15 9-17 * * *", "At 15 minutes past the hour, during the hours 9 through 17"),
        ("0 9 1 */3 *", "At 09:00 AM, on day 1 of the month, every 3 months"),
        ("@daily", "@daily"),
    ],
)
def test_it_is_said_as_people_say_it(expression, words):
    """Times first, then days, then months; what stands for everything is not said."""
    assert in_words(expression) == words


@given(st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD))
def test_any_expression_has_words(fields):
    """Whatever stands in it, something is said, and nothing breaks."""
    assert in_words(" ".join(fields))
