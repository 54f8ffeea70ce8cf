"""Mail that we send: what people typed stays text, in every header."""

import email
from datetime import UTC, datetime
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlroom.mail.writing import AddressError, Letter, is_address, one_line, sender_of, written

SENT = datetime(2026, 3, 3, tzinfo=UTC)
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
}


def letter(**changed) -> Letter:
    given = {"sender": "Room <room@example.com>", "recipients": ["ada@example.com"], "subject": "s", "text": "t"}
    return Letter(**{**given, "message_id": "1", "sent": SENT, **changed})


def read(content: bytes):
    """As a mail program reads it: the standard library, whose reader is strict."""
    return email.message_from_bytes(content, policy=default)


_TYPED = st.text(st.characters(), max_size=300)


@given(_TYPED)
@example("Rechnungen\r\nBcc: eve@example.com\r\n\r\nBuy this")
@example("=?utf-8?q?a=0D=0ABcc=3A_eve=40example=2Ecom?=")
@example("a =?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?= b")
@example("\u2028Bcc: eve@example.com\x85\x0b\x0c\x1c\0")
@example("x" * 300)
@example(" \t ")
@example("=?")
@example("日本語" * 80)
def test_a_subject_is_what_was_typed(typed):
    """On one line, and whatever it looks like; no header comes of it, and no line is too long."""
    content = written(letter(subject=typed)).content
    head = content.partition(b"\r\n\r\n")[0]

    mail = read(content)
    assert set(mail.keys()) == HEADERS
    assert len(mail.keys()) == len(HEADERS)
    assert str(mail["Subject"]) == one_line(typed)
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))
    assert head.isascii()
    assert mail.get_content().strip() == "t"


@given(_TYPED)
@example(".\r\n.\r\nMAIL FROM:<eve@example.com>")
@example("\r\n\r\nBcc: eve@example.com")
@example("--b\nContent-Type: text/html\n\n<script>")
def test_a_text_is_what_was_typed(typed):
    """Lines end as mail wants it; nothing of it is a header."""
    mail = read(written(letter(text=typed)).content)

    assert set(mail.keys()) == HEADERS
    expected = typed.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    assert mail.get_content().replace("\r\n", "\n").removesuffix("\n") == expected


@pytest.mark.parametrize(
    "name", ["Müller & Söhne", "Doe, Jane", 'say "hi"', "a (b) c", "=?utf-8?q?a?=", "x" * 40, "a: b;"]
)
def test_a_senders_name_is_a_name(name):
    """With whatever signs; the address is the only one."""
    quoted = name.replace('"', '\\"')
    mail = read(written(letter(sender=f'"{quoted}" <room@example.com>')).content)

    [sender] = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("a" if name.startswith("=?") else name, "room@example.com")


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nx",
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com>",
        "friends:ada@example.com",
        "(x)ada@example.com",
        '"a b"@example.com',
        "ada@exam\u2028ple.com",
        "ada@exam\x7fple.com",
        "ada@exam\x85ple.com",
        "ada@@example.com",
        "ada",
        "@example.com",
        "ada@",
        "",
        "ada@example.com\0",
    ],
)
def test_what_is_no_address_goes_nowhere(address):
    """Neither among recipients nor as sender, in headers and in the envelope."""
    assert not is_address(address)
    with pytest.raises(AddressError):
        written(letter(recipients=["ben@example.com", address]))
    with pytest.raises(AddressError):
        sender_of(f"Room\r\nBcc: {address}")


def test_addresses_beyond_ascii():
    """A domain has a form in ASCII; before the `@` there is none, and the server must know such addresses."""
    plain = written(letter(recipients=["ada@exämple.com", "ben@[127.0.0.1]"]))
    assert (plain.recipients, plain.is_international) == (["ada@xn--exmple-cua.com", "ben@[127.0.0.1]"], False)

    international = written(letter(recipients=["jürgen@example.com"]))
    assert international.is_international
    assert "To: jürgen@example.com\r\n".encode() in international.content
