"""What users are told of releases fits the version that there is."""

import re
from pathlib import Path

from controlroom import __version__

PROJECT = Path(__file__).parents[1]
RELEASES = re.findall(
    r"^## (\d+)\.(\d+)\.(\d+) - (Unreleased|\d{4}-\d\d-\d\d)$",
    (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_the_newest_release_of_the_changelog_is_this_one():
    """Whoever raises the version begins its section, and the other way round."""
    assert ".".join(RELEASES[0][:3]) == __version__


def test_releases_stand_in_their_order():
    """The newest first; only that one may be in the making."""
    versions = [tuple(map(int, release[:3])) for release in RELEASES]

    assert versions == sorted(versions, reverse=True)
    assert "Unreleased" not in [release[3] for release in RELEASES[1:]]
