"""The Value object and plain JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.dialects.automation360.values import payload_of, plain, value_of, values_of

JSON = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda of: (
        st.lists(of, max_size=3)
        | st.dictionaries(st.text(max_size=3).filter(lambda key: key != "type"), of, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_a_payload_comes_back_as_it_was(payload):
    """Through Values and back; whole floats as whole numbers, which equal them."""
    assert payload_of(values_of(payload)) == payload


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"type": "STRING", "string": "Ada"}, "Ada"),
        ({"type": "string", "string": "Ada", "number": "", "boolean": None}, "Ada"),
        ({"type": "STRING", "number": 5}, "5"),
        ({"type": "NUMBER", "number": "12.5"}, 12.5),
        ({"type": "NUMBER", "number": 12}, 12),
        ({"type": "NUMBER", "number": "12"}, 12),
        ({"type": "NUMBER", "string": "7"}, 7),
        ({"type": "NUMBER", "number": "1e999"}, "1e999"),
        ({"type": "NUMBER", "number": "a lot"}, "a lot"),
        ({"type": "NUMBER", "number": ""}, None),
        ({"type": "BOOLEAN", "boolean": "true"}, True),
        ({"type": "BOOLEAN", "boolean": False}, False),
        (
            {"type": "DATETIME", "string": "2025-04-27T00:15:00-06:00[America/Denver]"},
            "2025-04-27T00:15:00-06:00[America/Denver]",
        ),
        ({"type": "LIST", "list": [{"type": "NUMBER", "number": "1"}, "raw"]}, [1, "raw"]),
        ({"type": "LIST", "list": None}, []),
        ({"type": "DICTIONARY", "dictionary": [{"key": "a", "value": {"type": "STRING", "string": "b"}}]}, {"a": "b"}),
        ({"type": "DICTIONARY", "dictionary": {"a": 1}}, {"a": 1}),
        (5, 5),
        (True, True),
        (None, None),
        ("text", "text"),
        ({"type": "invoice", "sum": 5}, {"type": "invoice", "sum": 5}),
    ],
)
def test_values_are_read_as_they_are_meant(value, read):
    """With numbers and truths as text or as themselves, in whichever slot; what is no Value as it is."""
    found = plain(value)

    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize(
    "value",
    [
        {"type": "TABLE", "table": {"schema": [{"name": "a", "type": "STRING"}], "rows": []}},
        {"type": "CREDENTIAL", "credential": {"name": "c", "lockerName": "l", "attributeName": "a"}},
        {"type": "WINDOW", "window": {"title": "x"}},
        {"type": "FILE", "string": "aGk=", "fileName": "hi.txt"},
    ],
)
def test_other_kinds_are_kept_as_they_came(value):
    """And go back as they are."""
    assert value_of(plain(value)) == value
    assert plain(value) == value
