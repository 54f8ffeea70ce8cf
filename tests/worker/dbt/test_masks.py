"""Secrets are taken out of texts and files."""

import io
import json
import os
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.worker.dbt import masks as module
from controlroom.worker.dbt.masks import Masks

SECRET = 'p"ä\\s/s & w'


@pytest.mark.parametrize("written", [SECRET, json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), quote(SECRET)])
def test_a_secret_is_found_however_it_is_written(written):
    """As it is, in JSON and in addresses."""
    assert Masks([SECRET]).of_text(f"a {written} b") in {"a ***** b", 'a "*****" b'}


def test_lines_of_a_secret_are_secret():
    """A key of several lines is found line by line; short ones are left, and the longest of two goes first."""
    masks = Masks(["-----BEGIN-----\nabcdef\n", "abcdefgh", "xy", ""])

    assert masks.of(b"abcdef abcdefgh xy") == b"***** ***** xy"
    assert not Masks(["xy", " "])
    assert Masks([]).of(b"abc") == b"abc"


PARTS = [b"secret", b"secretly", b"sec", b"x" * 7, b"\n", b"1234", b"12345", b".", b"9", b" "]


@given(st.lists(st.sampled_from(PARTS), max_size=30), st.integers(1, 40))
def test_a_copy_is_what_masking_the_whole_would_be(parts, piece):
    """Files are gone through piece by piece, and no secret is missed between two."""
    masks, content = Masks(["secret", "secretly", "1234"]), b"".join(parts)
    file = os.memfd_create("content")
    os.write(file, content)
    written = io.BytesIO()
    usual, module._PIECE = module._PIECE, piece
    try:
        assert masks.stand_in(file) or masks.of(content) == content
        assert masks.copy(file, written)
    finally:
        module._PIECE = usual
        os.close(file)

    assert written.getvalue() == masks.of(content)
    assert b"secret" not in written.getvalue()


def test_a_secret_number_leaves_json_what_it_is():
    """It is a 0 where it stood for itself; times and other numbers that hold it stay, and so do JSON's own words."""
    text = json.dumps({"port": 5432, "at": 0.5432, "more": 54321, "said": "PIN 5432.", "yes": True, "none": None})

    assert json.loads(Masks(["5432", "true", "null"]).of_text(text)) == {
        "port": 0,
        "at": 0.5432,
        "more": 54321,
        "said": "PIN 0.",
        "yes": True,
        "none": None,
    }


def test_what_is_no_text_is_not_copied():
    """A binary file cannot be masked."""
    file = os.memfd_create("content")
    os.write(file, b"\0secret")

    assert not Masks(["secret"]).copy(file, io.BytesIO())
    os.close(file)
