"""The moment after which no package counts."""

import pytest

from controlroom.errors import Invalid
from controlroom.robots.environment_spec import dated, fingerprint, parse_environment
from controlroom.robots.exclude_newer import parse_moment, written


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-05-01", "2023-05-02T00:00:00Z"),
        (" 2023-12-31 ", "2024-01-01T00:00:00Z"),
        ("2023-05-01T12:00:00Z", "2023-05-01T12:00:00Z"),
        ("2023-05-01T12:00:00+02:00", "2023-05-01T10:00:00Z"),
    ],
)
def test_a_date_lasts_until_its_end(text, moment):
    """A date is meant with its whole day, in UTC; a time as it is."""
    assert written(parse_moment(text)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2023-13-01",
        "2023-05-01T12:00:00",
        "0001-01-01",
        "9999-12-31",
        "0001-01-01T00:00:00+14:00",
        "7 days",
    ],
)
def test_what_is_no_moment(text):
    """What is no date, or a time without its zone, or absurd, is refused."""
    with pytest.raises(Invalid) as refused:
        parse_moment(text)

    assert refused.value.code == "EXCLUDE_NEWER_INVALID"


def test_the_moment_is_part_of_an_environments_name():
    """Environments of different moments are different; one without a moment keeps its name."""
    spec = parse_environment("requirements.txt", "six")
    prints = {
        fingerprint(dated(spec, moment), platform="p", builder_version="1")
        for moment in (None, "2023-05-02T00:00:00Z", "2024-05-02T00:00:00Z")
    }

    assert len(prints) == 3
    assert fingerprint(spec, platform="p", builder_version="1") in prints
    assert dated(None, "2023-05-02T00:00:00Z") is None
