"""A mail that we send, as bytes (RFC 5322, 2047, 2046). Pure.

Whatever people typed (names of processes, above all) is text and stays text: no sign of it ends a line of the headers,
or is read as an encoded word, a comment or an address. The standard library decodes what looks encoded before it writes
it, and so lets headers in; nothing is written by it here.
"""

import re
import unicodedata
from base64 import b64encode, encodebytes
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from msgspec import Struct

from controlroom.mail.addresses import Mailbox, mailboxes

_ENCODED_BYTES: Final = 42  # of UTF-8 in one encoded word: 56 signs of base64, 68 with what is around them (75 may be)
_PLAIN_LINE: Final = 70
_PLAIN: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL: Final = re.compile(r"[^\s@<>()\[\]:;,\\\"\x00-\x20\x7f]{1,64}")
_DOMAIN: Final = re.compile(r"[^\s@<>()\[\]:;,\\\"\x00-\x20\x7f]{1,255}|\[[0-9A-Fa-f:.]{1,60}\]")
_BREAKS: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
_LONGEST_LINE: Final = 900  # of a body that goes as it is; 998 may be


class Letter(Struct, frozen=True, kw_only=True):
    """What a mail says, and to whom."""

    sender: str
    """A name and an address, or an address alone."""
    recipients: Sequence[str]
    subject: str
    text: str
    message_id: str
    """What stands before the `@`."""
    sent: datetime


class Envelope(Struct, frozen=True, kw_only=True):
    """A mail as it is handed in."""

    sender: str
    recipients: list[str]
    content: bytes
    is_international: bool
    """Whether an address has other signs than ASCII before its `@`, so that servers must know SMTPUTF8."""


class AddressError(ValueError):
    """What is meant for an address of mail is none."""


def one_line(text: str) -> str:
    """The text on one line: what breaks lines, and what is no character, is a space."""
    return " ".join("".join(" " if unicodedata.category(c) in _BREAKS else c for c in text).split())


def is_address(text: str) -> bool:
    """Whether it is one address of mail, which can stand in a header and an envelope as it is."""
    local, at, domain = text.rpartition("@")
    if not at or any(unicodedata.category(c) in _BREAKS for c in text):
        return False
    return _LOCAL.fullmatch(local) is not None and _DOMAIN.fullmatch(domain) is not None


def sender_of(text: str) -> Mailbox:
    """The name and address of who sends; raises AddressError."""
    found = mailboxes(text, []) if text == one_line(text) else []
    if len(found) != 1 or not is_address(found[0].address):
        raise AddressError(text)
    return found[0]


def written(letter: Letter) -> Envelope:
    """The letter as it is handed in; raises AddressError."""
    sender = sender_of(letter.sender)
    addresses = [_on_the_wire(each) for each in (sender.address, *letter.recipients)]
    domain = addresses[0].rpartition("@")[2]
    body, encoding = _body(letter.text)
    headers = [
        ("From", f"{_phrase(sender.name)} <{addresses[0]}>" if sender.name else addresses[0]),
        ("To", ",\r\n ".join(addresses[1:])),
        ("Subject", _text(letter.subject)),
        ("Date", format_datetime(letter.sent)),
        ("Message-ID", f"<{letter.message_id}@{domain}>"),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834: absence notices do not answer it
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", encoding),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return Envelope(
        sender=addresses[0],
        recipients=addresses[1:],
        content=head.encode() + b"\r\n" + body,
        is_international=not "".join(addresses).isascii(),
    )


def _on_the_wire(address: str) -> str:
    """The address with its domain in ASCII, as every server knows it."""
    if not is_address(address):
        raise AddressError(address)
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError as wrong:
        raise AddressError(address) from wrong


def _text(said: str) -> str:
    """A header of free text: as it is where nothing in it could be read as something else."""
    text = one_line(said)
    is_plain = _PLAIN.fullmatch(text) is not None and "=?" not in text and len(text) <= _PLAIN_LINE
    return text if is_plain or not text else _encoded(text)


def _phrase(said: str) -> str:
    """A name before an address."""
    text = one_line(said)
    is_plain = _PHRASE.fullmatch(text) is not None and "=?" not in text and len(text) <= _PLAIN_LINE
    return text if is_plain else _encoded(text)


def _encoded(text: str) -> str:
    """The text as encoded words, cut between characters, one on a line."""
    words: list[bytes] = [b""]
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(words[-1]) + len(encoded) > _ENCODED_BYTES:
            words.append(b"")
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)


def _body(text: str) -> tuple[bytes, str]:
    lines = (
        text.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    )
    body = b"\r\n".join(lines) + b"\r\n"
    if text.isascii() and "\0" not in text and all(len(line) <= _LONGEST_LINE for line in lines):
        return body, "7bit"
    return encodebytes(body).replace(b"\n", b"\r\n"), "base64"
