"""Reading a mail: what of it becomes the payload of a work item, and what its files (protocols/robocorp §3.6). Pure.

Whatever comes is read as far as it can be. What could not be read is said in `errors`, beside what could.
"""

import email
import email.policy
from collections.abc import Iterable
from datetime import UTC, datetime
from email import errors as defects
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

RAW_NAME: Final = "__raw_mail"
HTML_NAME: Final = "__mail.html"

_RESERVED: Final = frozenset({RAW_NAME, HTML_NAME})
_LONGEST_NAME: Final = 255
_MOST_FILES: Final = 1000  # Why: more is no mail that somebody wrote; each is a row and an object
_SERIOUS: Final = (
    defects.NoBoundaryInMultipartDefect,
    defects.StartBoundaryNotFoundDefect,
    defects.MultipartInvariantViolationDefect,
    defects.InvalidBase64PaddingDefect,
    defects.InvalidBase64CharactersDefect,
    defects.InvalidBase64LengthDefect,
)
"""Faults after which content is missing or wrong. Others (a space too many, a folded header) cost nothing."""


class MailFile(Struct, frozen=True):
    """A file of the item that a mail becomes."""

    name: str
    content: bytes


class MailError(Struct, frozen=True, omit_defaults=True):
    """What could not be read, in the form that robots' libraries expect."""

    message: str
    files: tuple["LeftOut", ...] = ()


class LeftOut(Struct, frozen=True):
    """A file that the item does not have."""

    name: str
    size: int


class MailAddress(Struct, frozen=True):
    """Somebody; both keys are always there."""

    name: str
    address: str


class MailFields(
    Struct, frozen=True, kw_only=True, rename={"from_": "from", "reply_to": "replyTo", "message_id": "messageId"}
):
    """The fields of a mail, in the form that robots' libraries expect."""

    from_: MailAddress
    to: list[MailAddress]
    cc: list[MailAddress]
    bcc: list[MailAddress]
    subject: str
    date: datetime
    reply_to: MailAddress | UnsetType = UNSET
    message_id: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class Mail(Struct, frozen=True, kw_only=True):
    """A mail that was read, as far as it could be."""

    fields: MailFields
    files: list[MailFile]
    errors: list[MailError]

    def payload(self) -> Raw:
        """What the work item gets: under `email`, or under `failedEmail` with what went wrong beside it."""
        if not self.errors:
            return Raw(msgspec.json.encode({"email": self.fields}))
        return Raw(msgspec.json.encode({"failedEmail": self.fields, "errors": self.errors}))


def read_mail(raw: bytes, *, received: datetime, payload_bytes: int, file_bytes: int) -> Mail:
    """Read a mail with its body and attachments. Never raises, whatever the bytes are.

    A text that would not fit into a payload of `payload_bytes`, and attachments of more than `file_bytes`, are left out
    and said to be. The raw mail is not among the files: whoever keeps the item adds it.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    errors: list[MailError] = []
    text, files = _contents(message, errors, file_bytes=file_bytes)
    fields = _fields(message, errors, received=received, text=text)
    if len(msgspec.json.encode(fields)) > payload_bytes // 2:  # the other half is for what it is wrapped in
        errors.append(MailError("The text is too large for a payload; it is in the raw mail"))
        fields = _fields(message, [], received=received, text=None)
        if len(msgspec.json.encode(fields)) > payload_bytes // 2:
            fields = _bare(received)
    return Mail(fields=fields, files=files, errors=_few(errors))


def envelope(raw: bytes, *, received: datetime) -> Mail:
    """Read the fields alone, for who wants the raw mail and parses it by themselves."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return Mail(fields=_fields(message, [], received=received, text=None), files=[], errors=[])


def unread(why: str, *, received: datetime) -> Mail:
    """A mail of which nothing could be read."""
    return Mail(fields=_bare(received), files=[], errors=[MailError(why)])


# ---------------------------------------------------------------------------------------------------- fields
def _fields(message: EmailMessage, errors: list[MailError], *, received: datetime, text: str | None) -> MailFields:
    senders = _addresses(message, "from", errors)
    if not senders:
        errors.append(MailError("The mail names no sender"))
    replies = _addresses(message, "reply-to", errors)
    message_id = _text(message, "message-id")
    return MailFields(
        from_=senders[0] if senders else MailAddress("", ""),
        to=_addresses(message, "to", errors),
        cc=_addresses(message, "cc", errors),
        bcc=_addresses(message, "bcc", errors),
        subject=_text(message, "subject"),
        date=_date(message, received),
        reply_to=replies[0] if replies else UNSET,
        message_id=message_id or UNSET,
        text=UNSET if text is None else text,
    )


def _bare(received: datetime) -> MailFields:
    return MailFields(from_=MailAddress("", ""), to=[], cc=[], bcc=[], subject="", date=received)


def _addresses(message: EmailMessage, name: str, errors: list[MailError]) -> list[MailAddress]:
    found: list[MailAddress] = []
    try:
        for header in message.get_all(name, []):
            if isinstance(header, AddressHeader):
                found += [MailAddress(_clean(one.display_name), _clean(one.addr_spec)) for one in header.addresses]
    except Exception as broken:  # noqa: BLE001 - the standard library raises a good dozen kinds at odd headers
        errors.append(MailError(f"The header {name} cannot be read: {type(broken).__name__}"))
    return [one for one in found if one.address and one.address != "<>"]


def _text(message: EmailMessage, name: str) -> str:
    try:
        return _clean(str(message.get(name, "")))
    except Exception:  # noqa: BLE001 - likewise
        return ""


def _date(message: EmailMessage, received: datetime) -> datetime:
    """When it was sent; when it came, for a mail that does not say."""
    try:
        header = message.get("date")
        sent = header.datetime if isinstance(header, DateHeader) else None
    except Exception:  # noqa: BLE001 - likewise
        sent = None
    if sent is None:
        return received
    return sent if sent.tzinfo is not None else sent.replace(tzinfo=UTC)


def _clean(text: str) -> str:
    """The text without what neither JSON nor PostgreSQL can hold: halves of pairs, and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


# ---------------------------------------------------------------------------------------------------- contents
def _contents(message: EmailMessage, errors: list[MailError], *, file_bytes: int) -> tuple[str | None, list[MailFile]]:
    """The text body, and as files the HTML body and the attachments."""
    text: str | None = None
    html: str | None = None
    files: list[MailFile] = []
    names: set[str] = set(_RESERVED)
    for part in _leaves(message, errors):
        kind, is_attached = part.get_content_type(), part.get_content_disposition() == "attachment"
        named = _file_name(part)
        if kind == "text/plain" and not is_attached and named is None and text is None:
            text = _decoded(part)
        elif kind == "text/html" and not is_attached and named is None and html is None:
            html = _decoded(part)
        else:
            _attach(part, named, names, files, errors, file_bytes=file_bytes)
    if html is not None:
        files.insert(0, MailFile(HTML_NAME, html.encode()))
    return text, files


def _leaves(message: EmailMessage, errors: list[MailError]) -> Iterable[EmailMessage]:
    """The parts that have content, an attached mail as a whole; what is wrong with any part is told."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting = [one for one in part.get_payload() if isinstance(one, EmailMessage)] + waiting
        else:
            if not part.is_multipart():
                part.get_payload(decode=True)  # faults of the encoding are found by decoding
            yield part
        _tell_defects(part, errors)


def _tell_defects(part: EmailMessage, errors: list[MailError]) -> None:
    errors.extend(
        MailError(f"The mail is malformed: {type(one).__name__}") for one in part.defects if isinstance(one, _SERIOUS)
    )


def _attach(
    part: EmailMessage,
    named: str | None,
    names: set[str],
    files: list[MailFile],
    errors: list[MailError],
    *,
    file_bytes: int,
) -> None:
    content = _content(part)
    name = _unique(named or f"attachment-{len(files) + 1}{_ending(part)}", names)
    if len(content) > file_bytes or len(files) >= _MOST_FILES:
        why = "An attachment is too large" if len(content) > file_bytes else "There are too many attachments"
        errors.append(MailError(why, (LeftOut(name, len(content)),)))
        return
    names.add(name)
    files.append(MailFile(name, content))


def _content(part: EmailMessage) -> bytes:
    if part.is_multipart():  # an attached mail
        inner: Any = part.get_payload(0)
        return inner.as_bytes() if isinstance(inner, EmailMessage) else b""
    decoded: Any = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _decoded(part: EmailMessage) -> str:
    """The text of a part, by the charset that it names, or by the one it then must have."""
    content = _content(part)
    charset = part.get_content_charset() or "utf-8"
    try:
        return _clean(content.decode(charset))
    except (LookupError, UnicodeDecodeError):
        return _clean(content.decode("utf-8", "replace"))


def _file_name(part: EmailMessage) -> str | None:
    """The name that a part gives itself, without folders and what no file name has."""
    try:
        given = part.get_filename()
    except Exception:  # noqa: BLE001 - see _addresses
        return None
    if not given:
        return None
    last = _clean(given).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in last if c.isprintable()).strip()[-_LONGEST_NAME:]
    return name if name not in {"", ".", ".."} else None


def _ending(part: EmailMessage) -> str:
    return ".eml" if part.get_content_type() == "message/rfc822" else ""


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the first that is free with a number in it."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{stem} ({number}){dot}{ending}"
    return unique


def _few(errors: list[MailError]) -> list[MailError]:
    """Each fault once, and not more than anybody would read."""
    seen: dict[tuple[str, tuple[LeftOut, ...]], MailError] = {(one.message, one.files): one for one in errors}
    return list(seen.values())[:100]
