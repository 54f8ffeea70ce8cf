"""Names for files: short enough, plain enough, and different ones stay different."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.file_names import LONGEST, LONGEST_PATH, apart, plain_path, shortened, shortened_path, unique

RAW = st.binary(min_size=1, max_size=255).filter(lambda raw: b"\0" not in raw and b"/" not in raw).map(os.fsdecode)
TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="/\0"), min_size=1, max_size=400)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("x" * 300 + ".pdf", ".pdf"),
        ("x" * 300 + ".tar.gz", ".tar.gz"),
        ("ß漢" * 100 + ".xlsx", ".xlsx"),
        ("x" * 300, ""),
        ("." + "x" * 300, ""),
        ("a." + "x" * 300, ""),
        ("x" * 300 + ".", "."),
    ],
)
def test_a_long_name_keeps_its_extension(name, ending):
    """It has the bytes that file systems take, its beginning, and a mark of the whole."""
    short = shortened(name)

    assert len(short.encode()) <= LONGEST
    assert short.endswith(ending)
    assert short[:50] == name[:50]
    assert shortened(name) == short != shortened("!" + name)
    assert shortened(name[:100] + "y" + name[100:]) != short


@given(st.lists(RAW, unique=True, max_size=30))
def test_names_of_one_folder_stay_apart(names):
    """Whatever bytes they are of: each has a name of its own that every file system and every page can take."""
    given_names = apart(names, taken={"stdout.log"})

    assert len(set(given_names.values())) == len(names)
    assert given_names.keys() == set(names)
    for name in given_names.values():
        assert len(name.encode()) <= LONGEST
        assert name.isprintable()
        assert not {"/", "\\"} & set(name)
        assert name != "stdout.log"


def test_plain_names_stay_as_they_are():
    """Only what had to be changed gets a number, wherever it comes in the order."""
    assert apart(["a\tb", "a\nb", "a_b", "A_B", "a_b."]) == {
        "a\tb": "a_b (2)",
        "a\nb": "a_b (3)",
        "a_b": "a_b",
        "A_B": "A_B",
        "a_b.": "a_b.",
    }
    assert apart(["log.txt", "C:x", "C_x"], taken=["log.txt"]) == {
        "log.txt": "log (2).txt",
        "C:x": "C_x (2)",
        "C_x": "C_x",
    }


@given(TEXT, st.sets(TEXT, max_size=5))
def test_a_numbered_name_is_free_and_short(name, taken):
    """A number never makes a name too long."""
    name = shortened(name)
    free = unique(name, {name, *taken})

    assert free not in {name, *taken}
    assert len(free.encode()) <= LONGEST


@given(st.lists(TEXT, min_size=1, max_size=40), st.lists(TEXT, min_size=1, max_size=40))
def test_paths_are_short_and_stay_apart(one, other):
    """The whole and each part; the last part keeps its place."""
    first, second = (shortened_path("/".join(parts)) for parts in (one, other))

    assert len(first.encode()) <= LONGEST_PATH
    assert all(0 < len(part.encode()) <= LONGEST for part in first.split("/"))
    assert first.rpartition("/")[2] == shortened(one[-1])
    assert (first == second) == (one == other)


@given(st.lists(TEXT, min_size=1, max_size=5), st.lists(TEXT, min_size=1, max_size=5))
def test_plain_paths_stay_apart(one, other):
    """Also one by one, without knowing of each other."""
    first, second = (plain_path("/".join(parts)) for parts in (one, other))

    assert first.isprintable()
    assert (first == second) == (one == other)
