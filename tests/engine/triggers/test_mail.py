"""Reading mail: whatever the bytes are, something comes of it that robots' libraries can read."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.triggers.mail import Mail, envelope, read_mail, unread

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def read(raw: bytes, *, payload_bytes: int = 100_000, file_bytes: int = 1_000) -> Mail:
    return read_mail(raw, received=NOW, payload_bytes=payload_bytes, file_bytes=file_bytes)


def payload(mail: Mail) -> dict:
    return msgspec.json.decode(bytes(mail.payload()))


_LINES = st.sampled_from(
    [
        b"From: a@b.c\r\n",
        b"From: =?utf-8?q?=FF?= <a@\r\n",
        b'To: x:;, <>, "\r\n',
        b"Date: no day\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/html; charset=none\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*=x'y'%FF\r\n",
        b"\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"\x00\xff!A\r\n",
    ]
)


@given(st.one_of(st.binary(max_size=300), st.lists(_LINES, max_size=20).map(b"".join)))
def test_whatever_comes_is_read_as_far_as_it_can_be(raw):
    """Never an exception; the payload has all fields that libraries ask for, and each file has a name of its own."""
    mail = read(raw)
    said = payload(mail)
    fields = said["failedEmail"] if mail.errors else said["email"]

    assert {"from", "to", "cc", "bcc", "subject", "date"} <= set(fields)
    assert all(set(one) == {"name", "address"} for one in [fields["from"], *fields["to"], *fields["cc"]])
    datetime.fromisoformat(fields["date"])
    names = [file.name for file in mail.files]
    assert len(names) == len(set(names))
    assert all(name and "/" not in name and "\0" not in name for name in names)
    assert msgspec.json.decode(bytes(envelope(raw, received=NOW).payload()))


@pytest.mark.parametrize("size", [1_000, 1_001])
def test_an_attachment_beyond_the_limit_is_left_out_and_said_to_be(size):
    """The library shows its name and size."""
    raw = (
        b"From: a@b.c\r\nContent-Type: application/pdf; name=x.pdf\r\n"
        b"Content-Disposition: attachment; filename=x.pdf\r\n\r\n" + b"x" * size
    )

    mail = read(raw)

    if size == 1_000:
        assert ([file.name for file in mail.files], mail.errors) == (["x.pdf"], [])
    else:
        assert mail.files == []
        assert payload(mail)["errors"] == [
            {"message": "An attachment is too large", "files": [{"name": "x.pdf", "size": size}]}
        ]


def test_a_text_beyond_the_payload_is_left_to_the_raw_mail():
    """The item is a failed one with the fields, and has no text."""
    mail = read(b"From: a@b.c\r\nSubject: long\r\n\r\n" + b"x" * 5_000, payload_bytes=4_000)

    said = payload(mail)["failedEmail"]
    assert (said["subject"], "text" in said) == ("long", False)


def test_an_attached_mail_is_one_file():
    """Its parts are not taken for the mail's own."""
    raw = (
        b"From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nmine\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@y.z\r\n\r\ntheirs\r\n--b--\r\n"
    )

    mail = read(raw)

    assert payload(mail)["email"]["text"].strip() == "mine"
    assert [file.name for file in mail.files] == ["attachment-1.eml"]


def test_what_could_not_be_read_at_all_is_still_an_email():
    """The last resort has the same form."""
    assert payload(unread("broken", received=NOW))["errors"] == [{"message": "broken"}]
