"""When a mail was sent."""

from datetime import datetime

import pytest

from controlroom.mail.dates import sent_at


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Tue, 03 Mar 2026 10:00:00 +0100", "2026-03-03T10:00:00+01:00"),
        ("3 Mar 2026 10:00 +0100", "2026-03-03T10:00:00+01:00"),
        ("Mon, 03 Mar 26 10:00:00 EST", "2026-03-03T10:00:00-05:00"),
        ("Tue, 3 Mar 2026 10:00:00 GMT+0100 (CET)", "2026-03-03T10:00:00+01:00"),
        ("Tue Mar  3 10:00:00 2026", "2026-03-03T10:00:00+00:00"),
        ("Tue Mar 03 2026 10:00:00 GMT+0100", "2026-03-03T10:00:00+01:00"),
        ("Tue, 03 Mar 2026 10:00:00 -0000", "2026-03-03T10:00:00+00:00"),
        ("Tue, 03 Mar 2026 10:00:00", "2026-03-03T10:00:00+00:00"),
        ("Tue, 03 Mar 2026 10:00:60 +0100", "2026-03-03T10:00:59+01:00"),
        ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00+00:00"),
        ("2026-03-03T10:00:00.5+01:00", "2026-03-03T10:00:00.500000+01:00"),
        ("2026-03-03 10:00:00 +0100", "2026-03-03T10:00:00+01:00"),
        ("2026-03-03 10:00:00 UTC", "2026-03-03T10:00:00+00:00"),
        ("Tue, 03 Mar 2026 10:00:00 +9999", "2026-03-03T10:00:00+00:00"),
    ],
)
def test_a_date_is_read_as_it_was_meant(header, moment):
    """Also in the forms of JavaScript, ISO 8601 and C."""
    assert sent_at(header) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "no day",
        "Tue, 31 Feb 2026 10:00:00 +0000",
        "0001-01-01T00:00:00+14:00",
        "31 Dec 9999 23:59:59 -1200",
        "99",
        "9" * 5000,
    ],
)
def test_what_is_no_time_is_none(header):
    """The mail then counts as sent when it came."""
    assert sent_at(header) is None
