"""Reading a mail: what of it becomes the payload of a work item, and what its files. Pure.

Whatever comes is read as far as it can be. What could not be read is said in `errors`, beside what could.
"""

import re
from datetime import datetime
from itertools import chain
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom import file_names
from controlroom.mail import dates, tnef
from controlroom.mail.addresses import mailboxes
from controlroom.mail.charsets import decode, encoding_of, guess
from controlroom.mail.flowed import unflowed
from controlroom.mail.names import ending, given_name
from controlroom.mail.parts import DEEPEST, MOST, Part, whole
from controlroom.mail.words import decoded

RAW_NAME: Final = "__raw_mail"
HTML_NAME: Final = "__mail.html"

_RESERVED: Final = frozenset({RAW_NAME, HTML_NAME})
_MOST_FILES: Final = 1000  # Why: more is no mail that somebody wrote; each is a row and an object
_META: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}["']?([a-z0-9:._-]{1,40})""", re.IGNORECASE)
_META_WITHIN: Final = 1024  # as far as browsers look


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
    mail = whole(raw)
    errors: list[MailError] = []
    contents = _Contents(errors, file_bytes=file_bytes)
    body = contents.of(mail, depth=0, is_said=True)
    text, html = body.text(), body.html()
    if (text is None or not text.strip()) and contents.wrapped.text is not None:
        text = _tidy_text(contents.wrapped.text)
    if html is None and contents.wrapped.html is not None:
        html = _tidy_text(contents.wrapped.html)
    if html is not None:
        contents.files.insert(0, MailFile(HTML_NAME, html.encode()))
    fields = _fields(mail, errors, received=received, text=text)
    if len(msgspec.json.encode(fields)) > payload_bytes // 2:  # the other half is for what it is wrapped in
        errors.append(MailError("The text is too large for a payload; it is in the raw mail"))
        fields = _fields(mail, [], received=received, text=None)
        if len(msgspec.json.encode(fields)) > payload_bytes // 2:
            fields = _bare(received)
    return Mail(fields=fields, files=contents.files, errors=_few(errors))


def envelope(raw: bytes, *, received: datetime) -> Mail:
    """Read the fields alone, for who wants the raw mail and parses it by themselves."""
    return Mail(fields=_fields(whole(raw), [], received=received, text=None), files=[], errors=[])


def unread(why: str, *, received: datetime) -> Mail:
    """A mail of which nothing could be read."""
    return Mail(fields=_bare(received), files=[], errors=[MailError(why)])


# ---------------------------------------------------------------------------------------------------- fields
def _fields(mail: Part, errors: list[MailError], *, received: datetime, text: str | None) -> MailFields:
    unknown: list[str] = []
    senders = _addresses(mail, "from", unknown)
    sender = next((one for one in senders if one.address), None)
    if sender is None:
        errors.append(MailError("The mail names no sender"))
    replies = [one for one in _addresses(mail, "reply-to", unknown) if one.address]
    message_id = _clean(mail.header("message-id"))
    subject = _clean(decoded(mail.header("subject"), unknown)).replace("\t", " ")  # a fold, by some programs
    to, cc, bcc = (_addressed(mail, name, unknown) for name in ("to", "cc", "bcc"))
    errors.extend(_unknown_charset(label) for label in unknown)
    return MailFields(
        from_=sender or (senders[0] if senders else MailAddress("", "")),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        date=_date(mail, received),
        reply_to=replies[0] if replies else UNSET,
        message_id=message_id or UNSET,
        text=UNSET if text is None else text,
    )


def _bare(received: datetime) -> MailFields:
    return MailFields(from_=MailAddress("", ""), to=[], cc=[], bcc=[], subject="", date=received)


def _addresses(mail: Part, name: str, unknown: list[str]) -> list[MailAddress]:
    """Everybody in all headers of the name: some programs write one header for each."""
    found = chain.from_iterable(mailboxes(value, unknown) for value in mail.headers(name))
    return [MailAddress(_clean(one.name), _clean(one.address)) for one in found]


def _addressed(mail: Part, name: str, unknown: list[str]) -> list[MailAddress]:
    return [one for one in _addresses(mail, name, unknown) if one.address]


def _date(mail: Part, received: datetime) -> datetime:
    """When it was sent; when it came, for a mail that does not say, or says what is no time."""
    read = (dates.sent_at(value) for value in mail.headers("date"))
    return next((sent for sent in read if sent is not None), received)


def _unknown_charset(label: str) -> MailError:
    return MailError(f"The charset {_clean(label)[:60]} is not known")


def _clean(text: str) -> str:
    """The text without what neither JSON nor PostgreSQL can hold: halves of pairs, and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


# ---------------------------------------------------------------------------------------------------- contents
class _Body(Struct, frozen=True):
    """What a part, with all within it, has to say: as plain text, and as hypertext."""

    texts: tuple[str, ...] = ()
    htmls: tuple[str, ...] = ()

    def text(self) -> str | None:
        """The plain text, in the order of the parts; None where there is none."""
        return _joined(self.texts)

    def html(self) -> str | None:
        """Likewise the hypertext."""
        return _joined(self.htmls)


def _joined(pieces: tuple[str, ...]) -> str | None:
    said = [piece for piece in pieces if piece.strip()]  # some programs put empty texts between attachments
    if len(said) > 1:
        return "\n".join(piece.removesuffix("\n") for piece in said[:-1]) + "\n" + said[-1]
    return said[0] if said else next(iter(pieces), None)


class _Contents:
    """Goes through the parts once: what is body, and what a file."""

    def __init__(self, errors: list[MailError], *, file_bytes: int) -> None:
        self.files: list[MailFile] = []
        self._names: set[str] = set(_RESERVED)
        self._errors = errors
        self._file_bytes = file_bytes
        self._parts = 0
        self.wrapped = tnef.Wrapped()
        """What a `winmail.dat` says, for a mail that says nothing beside it."""

    def of(self, part: Part, *, depth: int, is_said: bool) -> _Body:
        """The body of a part with all within it; what is none of the body becomes a file.

        `is_said`: whether its place says that it is the body, and not a text file, though it has a name.
        """
        self._parts += 1
        if self._parts > MOST or depth > DEEPEST:
            self._errors.append(MailError("The mail has too many parts; they are in the raw mail"))
            return _Body()
        within = part.parts
        body = self._leaf(part, is_said=is_said) if within is None else self._within(part, within, depth=depth + 1)
        self._errors.extend(_unknown_charset(label) for label in part.unknown)
        return body

    def _within(self, part: Part, within: list[Part], *, depth: int) -> _Body:
        are_ways = part.content_type.value == "multipart/alternative"
        bodies = [self.of(one, depth=depth, is_said=are_ways) for one in within if self._parts <= MOST]
        if are_ways:
            return self._chosen(bodies)
        return _Body(
            tuple(chain.from_iterable(body.texts for body in bodies)),
            tuple(chain.from_iterable(body.htmls for body in bodies)),
        )

    def _chosen(self, bodies: list[_Body]) -> _Body:
        """Of several ways to say the same, the plainest and the richest: the first of text, the last of hypertext.

        A text beside hypertext, in a way of several parts, is a piece of what the plain way says in whole.
        """
        plain = [body for body in bodies if body.texts and not body.htmls]
        text = plain[-1] if plain else next((body for body in bodies if body.texts), _Body())
        html = next((body for body in reversed(bodies) if body.htmls), _Body())
        for body in bodies:
            if body is not text and body is not html:
                self._keep_all(body)
        return _Body(text.texts, html.htmls)

    def _keep_all(self, body: _Body) -> None:
        """Keep as files what is said in a way that was not chosen."""
        for said, kind in [*((text, "text/plain") for text in body.texts), *((h, "text/html") for h in body.htmls)]:
            if said.strip():
                self._keep(None, kind, said.encode())

    def _leaf(self, part: Part, *, is_said: bool) -> _Body:
        kind, named = part.content_type.value, _file_name(part)
        if kind.startswith("multipart/"):  # nothing divides it
            if part.is_blank():
                return _Body()
            self._errors.append(MailError("The mail is malformed: a multipart has no parts"))
            kind = "text/plain"
        content, is_right = part.content()
        if not is_right:
            self._errors.append(MailError("The mail is malformed: the encoding of a part is broken"))
        shown = part.disposition.value.strip('"') in {"", "inline"}  # RFC 2183 §2.8: any other is as attached
        is_attached = not shown or (named is not None and not is_said)
        if kind == "text/plain" and not is_attached:
            return _Body(texts=(self._text(part, content),))
        if kind == "text/html" and not is_attached:
            return _Body(htmls=(self._text(part, content),))
        self._keep(named, kind, content)
        if tnef.is_tnef(content):  # winmail.dat, in which Outlook hides what it sends
            self.wrapped = tnef.read(content)
            for name, attached in self.wrapped.files[:_MOST_FILES]:
                self._keep(_tidy_name(name), "application/octet-stream", attached)
        return _Body()

    def _text(self, part: Part, content: bytes) -> str:
        """The text of a part, by the charset that it names, or by the one it then must have."""
        label = part.content_type.token("charset")
        if label is None and part.content_type.value == "text/html":
            label = _meta_charset(content)
        text = guess(content) if label is None else decode(content, label)
        if text is None:
            self._errors.append(_unknown_charset(label or ""))
            text = guess(content)
        text = _tidy_text(text)
        if part.content_type.value == "text/plain" and (part.content_type.token("format") or "").lower() == "flowed":
            return unflowed(text, deletes_space=(part.content_type.token("delsp") or "").lower() == "yes")
        return text

    def _keep(self, named: str | None, kind: str, content: bytes) -> None:
        name = named or f"attachment-{len(self.files) + 1}{ending(kind)}"
        is_large, is_one_too_many = len(content) > self._file_bytes, len(self.files) >= _MOST_FILES
        if is_large or is_one_too_many:
            why = "An attachment is too large" if is_large else "There are too many attachments"
            self._errors.append(MailError(why, (LeftOut(name, len(content)),)))
            return
        name = file_names.unique(name, self._names)
        self._names.add(name)
        self.files.append(MailFile(name, content))


def _tidy_text(text: str) -> str:
    return _clean(text).replace("\r\n", "\n")


def _meta_charset(content: bytes) -> str | None:
    """The charset that hypertext names in itself, where nothing else does."""
    found = _META.search(content, 0, _META_WITHIN)
    label = found[1].decode("ascii") if found else None
    if label is None or encoding_of(label) is None:
        return None
    return "utf-8" if (encoding_of(label) or "").startswith("utf-16") else label  # it could not say so in UTF-16


def _file_name(part: Part) -> str | None:
    """The name that a part gives itself, without folders and what no file name has."""
    given = given_name(part)
    return None if given is None else _tidy_name(given)


def _tidy_name(given: str) -> str | None:
    last = _clean(given).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in last if c.isprintable()).strip()
    return file_names.shortened(name) if name not in {"", ".", ".."} else None


def _few(errors: list[MailError]) -> list[MailError]:
    """Each fault once, and not more than anybody would read."""
    seen: dict[tuple[str, tuple[LeftOut, ...]], MailError] = {(one.message, one.files): one for one in errors}
    return list(seen.values())[:100]
