"""A payload as lines, and what differs."""

import json
import time

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from controlroom.ui.items import tree
from controlroom.ui.items.tree import tree_of

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=40)


def raw(value):
    return Raw(json.dumps(value).encode())


@given(LINES, LINES)
def test_differences_lead_from_the_one_to_the_other(before, after):
    """Equal lines are equal, and all of both is told, in order."""
    i = k = 0
    for how, start, end, other, other_end in tree._edits(before, after):
        assert (start, other) == (i, k)
        assert (how == "equal") == (before[start:end] == after[other:other_end])
        i, k = end, other_end
    assert (i, k) == (len(before), len(after))


def test_changes_far_apart_are_each_told():
    """Of many lines, those that changed."""
    before = {f"key {n}": n for n in range(400)}
    after = {**before, "key 7": "x", "key 390": "y"}

    lines = tree_of(raw(after), raw(before), is_compared=True).lines

    changed = [(line.kind, line.html.unescape()) for line in lines if line.kind in {"come", "gone"}]
    assert [kind for kind, _ in changed] == ["gone", "come", "gone", "come"]


def test_no_payloads_take_long_to_compare():
    """Compared each with each, these took minutes of the process that serves everybody."""
    began = time.process_time()
    for before, after in (
        ([n for m in range(495) for n in (0, m)], [n for m in range(495) for n in (0, m + 10_000)]),
        ([0] * 990, [0, 1] * 495),
        (list(range(990)), list(range(990))[::-1]),
    ):
        assert tree_of(raw(after), raw(before), is_compared=True).is_changed
    assert time.process_time() - began < 20


def test_what_is_nested_without_end_is_shown_as_it_is():
    """A file that a robot left may be."""
    assert tree_of(Raw(b"[" * 5000)).lines[0].html.unescape().count("[") == 5000
