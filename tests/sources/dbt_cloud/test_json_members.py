"""Documents that are read member by member tell what they hold, however they are cut into pieces."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.sources.dbt_cloud.json_members import BrokenJsonError, Member, members

TEXTS = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, max_size=5)


def cut(content, size):
    """Pieces of so many bytes."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def told(document):
    """What is to be told of a document."""
    for section, value in document.items():
        if isinstance(value, dict):
            yield from (Member(section, key, each) for key, each in value.items())
        elif isinstance(value, list):
            yield from (Member(section, None, each) for each in value)
        else:
            yield Member(section, None, value)


@settings(max_examples=60)
@given(document=DOCUMENTS, size=st.integers(1, 40), indent=st.none() | st.integers(0, 2), is_ascii=st.booleans())
def test_a_document_is_told_whole(document, size, indent, is_ascii):
    """Each member once and in order, wherever a piece ends: within a number, a character, an escape."""
    content = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    expected = json.loads(content.decode(errors="replace"))

    assert list(members(cut(content, size))) == list(told(expected))


@settings(max_examples=60)
@given(document=DOCUMENTS.filter(bool), size=st.integers(1, 40), data=st.data())
def test_a_document_that_breaks_off_is_an_error(document, size, data):
    """Never a shorter document."""
    content = json.dumps(document).encode()
    end = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(BrokenJsonError):
        list(members(cut(content[:end], size)))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"7", b"<html>", b"{} {}", b'{"a": 1,}', b'{"a": [1,]}', b"{a: 1}", b'{"a" 1}', b"{" * 90_000],
)
def test_what_is_no_document_is_an_error(content):
    """With a text that says what is wrong."""
    with pytest.raises(BrokenJsonError, match=r"."):
        list(members([content]))


def test_a_value_that_is_nested_too_deeply_is_an_error():
    """No crash."""
    with pytest.raises(BrokenJsonError, match="nested"):
        list(members([b'{"nodes": {"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}"]))


def test_a_large_document_takes_the_memory_of_its_largest_member():
    """20 MB of nodes in a few hundred KB."""
    node = json.dumps({"raw_code": "select 1 -- " + "x" * 4_000, "tags": ["a", "b"]})

    def pieces():
        yield b'{"metadata": {"a": 1}, "nodes": {'
        for place in range(5_000):
            yield f'{"," if place else ""}"node.{place}": {node}'.encode()
        yield b"}}"

    tracemalloc.start()
    count = sum(1 for _ in members(pieces()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 5_001
    assert peak < 2_000_000
