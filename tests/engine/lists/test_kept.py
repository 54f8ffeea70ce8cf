"""Filters that are kept as JSON are the filters that they were."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.lists import kept
from controlroom.engine.lists.model import AllOf, AnyOf, Compare, Contains, Inside, Not, OneOf, Operator, Unset

_FIELDS = st.sampled_from(["a", "b"])
_LEAVES = st.one_of(
    st.builds(Compare, _FIELDS, st.sampled_from(Operator), st.text(max_size=5) | st.integers() | st.booleans()),
    st.builds(Contains, _FIELDS, st.text(max_size=5)),
    st.builds(Inside, _FIELDS, st.text(max_size=5)),
    st.builds(OneOf, _FIELDS, st.lists(st.integers(), max_size=3).map(tuple)),
    st.builds(Unset, _FIELDS),
)
_FILTERS = st.recursive(
    _LEAVES,
    lambda of: st.one_of(
        st.builds(AllOf, st.lists(of, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(of, max_size=3).map(tuple)),
        st.builds(Not, of),
    ),
    max_leaves=6,
)


@given(_FILTERS)
def test_a_kept_filter_is_read_as_it_was(asked):
    """Also by way of the database's JSON."""
    assert kept.read(msgspec.json.decode(msgspec.json.encode(kept.plain(asked)))) == asked


def test_what_is_no_filter_is_refused():
    """Rather than taken for everything."""
    for wrong in ([], ["every"], ["compare", "a"], ["unset"]):
        with pytest.raises(ValueError, match="no filter"):
            kept.read(wrong)
