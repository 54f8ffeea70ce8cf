"""Wishes for Python versions."""

import pytest

from controlroom.robots.python_versions import best, is_readable, is_too_old, nearest, satisfies, wished_minor

HAD = [(3, 9, 18), (3, 11, 2), (3, 11, 7), (3, 12, 1), (3, 13, 0)]


@pytest.mark.parametrize(
    ("wish", "version", "expected"),
    [
        (None, (3, 11, 2), True),
        (None, (3, 6, 15), False),
        ("*", (3, 11, 2), True),
        ("3", (3, 13, 0), True),
        ("3.11", (3, 11, 2), True),
        ("3.1", (3, 11, 2), False),
        ("3.11.9", (3, 11, 2), False),
        ("==3.11.2", (3, 11, 2), True),
        ("=3.11", (3, 11, 2), True),
        ("3.11.*", (3, 11, 2), True),
        (">=3.10,<3.13", (3, 12, 1), True),
        (">=3.10,<3.13", (3, 13, 0), False),
        (">3.11.2", (3, 11, 2), False),
        ("<=3.11", (3, 11, 7), True),
        ("!=3.12", (3, 12, 1), False),
        ("~=3.11", (3, 13, 0), True),
        ("~=3.11.3", (3, 12, 1), False),
        ("3.9.*|3.11.*", (3, 11, 7), True),
        ("latest", (3, 13, 0), False),
        (">=3.13.0rc1", (3, 13, 0), True),
        ("<3.13.0rc1", (3, 13, 0), False),
        ("<=3.13.0a1", (3, 13, 0), False),
        (">3.13.0rc1", (3, 13, 0), True),
        ("==3.13.0rc1", (3, 13, 0), False),
        ("!=3.13.0rc1", (3, 13, 0), True),
        ("===3.11.2", (3, 11, 2), True),
    ],
)
def test_wishes_are_read_as_conda_and_pip_read_them(wish, version, expected):
    """Each form of a wish means what its author knows it to mean."""
    assert satisfies(version, wish) is expected


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (None, (3, 11, 7)),
        ("3.12", (3, 12, 1)),
        (">=3.9", (3, 11, 7)),
        (">=3.12", (3, 13, 0)),
        ("3.11.2", (3, 11, 2)),
        ("3.10", None),
    ],
)
def test_the_preferred_minor_version_is_taken_where_the_wish_leaves_a_choice(wish, expected):
    """The newest that satisfies, of the preferred minor version if there is one."""
    assert best(HAD, wish, preferred=(3, 11)) == expected


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("3.11.9", (3, 11, 7)),
        ("3.11.4", (3, 11, 2)),
        ("==3.11.3", (3, 11, 2)),
        ("3.12.9", (3, 12, 1)),
        ("3.10.4", None),
        (">=3.14", None),
    ],
)
def test_the_nearest_is_of_the_same_minor_version(wish, expected):
    """Only for an exact wish is there a nearest, never of another minor version."""
    assert nearest(HAD, wish) == expected


def test_only_exact_wishes_have_a_minor_version():
    """A range is no wish for one version."""
    assert wished_minor("3.11.9") == (3, 11)
    assert wished_minor("3.11") is None
    assert wished_minor(None) is None


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("2.7", True),
        ("2.7.18", True),
        ("2", True),
        ("3.5", True),
        ("3.5.*", True),
        ("<3", True),
        ("<3.6", True),
        ("<=3.5", True),
        (">=2.7,<3", True),
        ("2.7.*|3.5.*", True),
        ("~=2.7", True),
        ("3.6", False),
        ("3.6.0", False),
        ("3", False),
        ("<3.7", False),
        (">=2.7", False),
        ("2.7.*|3.8.*", False),
        ("!=2.7", False),
        ("!=3.7", False),
        ("4.0", False),
        (">2.7,!=3.0.*", False),
        ("*", False),
        (None, False),
        ("latest", False),
    ],
)
def test_wishes_that_only_older_pythons_answer(wish, expected):
    """A wish is too old if no Python answers it that robots can have, though an older one might."""
    assert is_too_old(wish) is expected


@pytest.mark.parametrize("wish", ["latest", "3.x", ">", "3.7,", "(>=3.7,<3.9)|3.10", "~=3", "3.7rc1.*", "1" * 5000])
def test_what_is_no_wish(wish):
    """Texts that are no version and no condition are told from wishes."""
    assert not is_readable(wish)
    assert not satisfies((3, 11, 2), wish)
