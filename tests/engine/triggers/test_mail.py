"""Reading mail: whatever the bytes are, something comes of it that robots' libraries can read."""

import base64
import binascii
import struct
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


def test_long_names_of_attachments_are_shortened_and_stay_apart():
    """To what file systems take, with the extension kept; equal ones get numbers that fit, too."""
    names = ["ä" * 200 + ".pdf", "ä" * 201 + ".pdf", "x" * 251 + ".txt", "x" * 251 + ".txt", "a\tb", "ab"]
    parts = "".join(f'--b\nContent-Disposition: attachment; filename="{name}"\n\nx\n' for name in names)

    mail = read(f"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n".encode())

    found = [file.name for file in mail.files]
    assert len(set(found)) == len(names)
    assert all(len(name.encode()) <= 255 for name in found)
    assert [name[-4:] for name in found[:4]] == [".pdf", ".pdf", ".txt", ".txt"]


def test_what_could_not_be_read_at_all_is_still_an_email():
    """The last resort has the same form."""
    assert payload(unread("broken", received=NOW))["errors"] == [{"message": "broken"}]


# ---------------------------------------------------------------------------------------------------- bodies
def multipart(*parts: str, kind: str = "mixed", boundary: str = "b", head: str = "From: a@b.c\n") -> str:
    inside = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f"{head}Content-Type: multipart/{kind}; boundary={boundary}\n\n{inside}--{boundary}--\n"


def plain(text: str, more: str = "") -> str:
    return f"Content-Type: text/plain{more}\n\n{text}"


def hyper(text: str, more: str = "") -> str:
    return f"Content-Type: text/html{more}\n\n{text}"


PHOTO = "Content-Type: image/jpeg; name=p.jpg\nContent-Disposition: inline; filename=p.jpg\n\njpg"


def shown(raw: str | bytes) -> tuple[str | None, str | None, list[str]]:
    """Text, hypertext and the names of the other files of a mail that is read without a fault."""
    mail = read(raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode())
    assert mail.errors == []
    [*html] = [file.content.decode() for file in mail.files if file.name == "__mail.html"]
    names = [file.name for file in mail.files if file.name != "__mail.html"]
    return payload(mail)["email"].get("text"), html[0] if html else None, names


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (multipart(plain("before"), PHOTO, plain("after")), ("before\nafter", None, ["p.jpg"])),
        (multipart(hyper("<p>1"), PHOTO, hyper("<p>2")), (None, "<p>1\n<p>2", ["p.jpg"])),
        (multipart(plain("a"), PHOTO, plain("\n \n"), plain("b")), ("a\nb", None, ["p.jpg"])),
        (
            multipart(multipart(plain("t"), hyper("h"), kind="alternative", boundary="c", head=""), plain("footer")),
            ("t\nfooter", "h", []),
        ),
        (
            multipart(
                plain("all"),
                multipart(hyper("h1"), PHOTO, hyper("h2"), kind="mixed", boundary="c", head=""),
                kind="alternative",
            ),
            ("all", "h1\nh2", ["p.jpg"]),
        ),
        (multipart(plain("old"), plain("new"), hyper("h"), kind="alternative"), ("new", "h", ["attachment-1.txt"])),
        (multipart(plain("mine", "; name=notes.txt"), plain("body")), ("body", None, ["notes.txt"])),
        (
            multipart(plain("x", "\nContent-Disposition: attachment"), plain("body")),
            ("body", None, ["attachment-1.txt"]),
        ),
        ("From: a@b.c\n" + plain("only", "; name=body.txt"), ("only", None, [])),
        ("\ufeffFrom: a@b.c\n" + plain("only"), ("only", None, [])),
        (
            multipart(plain("t", "; name=body.txt"), hyper("h", "; name=body.html"), kind="alternative"),
            ("t", "h", []),
        ),
        (
            multipart(plain("x", "\nContent-Disposition: form-data"), plain("body", "\nContent-Disposition: inline")),
            ("body", None, ["attachment-1.txt"]),
        ),
        ("From: a@b.c\nContent-Type: text\n\nhi", ("hi", None, [])),
        ("From: a@b.c\nContent-Type: text/plain; Format=Flowed\n\none \nline\ntwo", ("one line\ntwo", None, [])),
    ],
)
def test_the_body_is_all_of_its_parts_in_order(raw, said):
    """However programs cut it around attachments; of alternatives the plainest text and the richest hypertext."""
    assert shown(raw) == said


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("image/jpeg", "attachment-1.jpg"),
        ("IMAGE/PNG", "attachment-1.png"),
        ("application/pdf", "attachment-1.pdf"),
        ("text/calendar; method=REQUEST", "attachment-1.ics"),
        ("text/csv", "attachment-1.csv"),
        ("text/x-nobody-knows", "attachment-1.txt"),
        ("application/x-nobody-knows", "attachment-1.bin"),
        ("application/pgp-signature", "attachment-1.asc"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "attachment-1.xlsx"),
        ("message/rfc822", "attachment-1.eml"),
        ("message/delivery-status", "attachment-1.txt"),
        ('application/pdf; name="../.."', "attachment-1.pdf"),
        ("nonsense; name=x.pdf", "x.pdf"),
        ('application/pdf; name="a/b\\\\c.pdf"', "c.pdf"),
    ],
)
def test_a_part_without_a_name_gets_one_by_its_type(kind, name):
    """So that programs know what to do with the file."""
    assert shown(multipart(plain("t"), f"Content-Type: {kind}\n\nx")) == ("t", None, [name])


# ---------------------------------------------------------------------------------------------------- charsets
@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"\x93hi\x94", "“hi”"),
        ("text/plain; charset=windows-874", b"\xa1", "ก"),
        ("text/plain; charset=iso-8859-8-i", b"\xf9", "ש"),
        ("text/plain; charset='utf-8'", "grüße".encode(), "grüße"),
        ("text/plain", "grüße".encode(), "grüße"),
        ("text/plain", b"gr\xfc\xdfe", "grüße"),
        ('text/html; charset="iso-2022-jp"', b"\x1b$B-!\x1b(B", "①"),
        ("text/html", b'<meta charset="windows-1251">\xcf', '<meta charset="windows-1251">П'),
        ("text/html", b'<meta charset="nobody">\xc3\xbc', '<meta charset="nobody">ü'),
    ],
)
def test_text_is_read_by_its_charset(kind, body, text):
    """As browsers read the name; without one, as what it must be."""
    found = shown(f"From: a@b.c\r\nContent-Type: {kind}\r\n\r\n".encode() + body)
    assert text in found


@pytest.mark.parametrize(
    "head",
    [
        "From: a@b.c\r\nContent-Type: text/plain; charset=x-nobody\r\n",
        "From: a@b.c\r\nContent-Type: text/html; charset=utf-7\r\n",
        "From: a@b.c\r\nSubject: =?x-nobody?q?a?=\r\n",
        "From: =?x-nobody?q?a?= <a@b.c>\r\n",
        "From: a@b.c\r\nContent-Type: application/pdf; name*=x-nobody''a\r\n",
    ],
)
def test_a_charset_that_nobody_knows_makes_a_failed_email(head):
    """What stands there is guessed, and told to be."""
    mail = read(head.encode() + "\r\ngrüße".encode())

    [error] = payload(mail)["errors"]
    assert error["message"] in {"The charset x-nobody is not known", "The charset utf-7 is not known"}


# ---------------------------------------------------------------------------------------------------- broken senders
def fields(raw: str) -> dict:
    mail = read(raw.replace("\n", "\r\n").encode())
    assert mail.errors == []
    return payload(mail)["email"]


def test_headers_may_come_twice_and_in_any_shape():
    """The first that says something counts; receivers of all headers are there."""
    said = fields(
        "From nobody Tue Mar  3 10:00:00 2026\nReceived: x\nFrom : a@b.c\nfrom: z@z.z\n"
        "SUBJECT:\nSubject: =?utf-8?q?gr=C3?=\n"
        " =?utf-8?q?=BC=C3=9Fe?=\n\tall\nTo: a@x\nTo: b@x; c@x\nDate: no day\nDate: 2026-03-03T10:00:00Z\n"
        "this line is garbage\nMessage-ID:\n <1@x>\nX-Last: y\n \n\nbody"
    )

    assert (said["from"]["address"], said["subject"], said["text"]) == ("a@b.c", "grüße all", "body")
    assert [one["address"] for one in said["to"]] == ["a@x", "b@x", "c@x"]
    assert (said["date"], said["messageId"]) == ("2026-03-03T10:00:00Z", "<1@x>")


@pytest.mark.parametrize(
    "raw",
    [
        multipart(plain("t"), PHOTO).replace("boundary=b", "charset=x"),  # names no boundary
        multipart(plain("t"), PHOTO).replace("boundary=b", "boundary=other"),
        multipart(plain("t"), PHOTO).replace("boundary=b", "boundary='b'"),
        multipart(plain("t"), PHOTO).replace("--b--", ""),  # does not end
        multipart(plain("t"), PHOTO).replace("--b\n", "--b \t\n"),
        multipart(plain("t"), PHOTO).replace("boundary=b", 'boundary="b'),
        multipart(plain("t"), PHOTO).replace("--b--\n", "--b--\n--\nan epilogue"),
        multipart(plain("t"), PHOTO).replace("\n\n--b", "\n\nThis is a multi-part message\n--bother\n--b", 1),
        multipart(multipart(plain("t"), boundary="b", head=""), PHOTO),  # one boundary for two
        multipart(multipart(plain("t"), boundary="b-2", head=""), PHOTO),  # one begins as the other
        multipart(multipart(plain("t"), boundary="c", head="").replace("\n--c--\n", ""), PHOTO),
        multipart(plain("t"), PHOTO).replace("jpg\n--b--", "jpg\n--b--\n--b\n\n\n--b--"),
        "\n\n" + multipart(plain("t"), PHOTO),
    ],
)
def test_parts_are_found_whatever_is_wrong_with_their_boundaries(raw):
    """Missing, misnamed, used twice, without an end."""
    assert shown(raw) == ("t", None, ["p.jpg"])


def test_parts_may_be_very_deep():
    """A hundred levels are read; beyond, the mail says that it has too many."""
    raw = plain("deepest")
    for level in range(90):
        raw = multipart(raw, boundary=f"b{level}", head="")
    assert shown("From: a@b.c\n" + raw)[0] == "deepest"

    for level in range(90, 2_000):
        raw = multipart(raw, boundary=f"b{level}", head="")
    mail = read(b"From: a@b.c\r\n" + raw.encode())
    assert "too many parts" in payload(mail)["errors"][0]["message"]


def test_wrapped_parts_are_unwrapped():
    """A multipart in base64, which the standard forbids; and an attached mail in it, as it was."""
    inner = base64.b64encode(multipart(plain("t"), PHOTO, head="").encode().partition(b"\n\n")[2]).decode()
    assert shown(
        f"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n{inner}"
    ) == ("t", None, ["p.jpg"])

    attached = base64.b64encode(b"From: x@y.z\n\ntheirs").decode()
    mail = read(
        multipart(plain("t"), f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{attached}").encode()
    )
    assert [(file.name, file.content) for file in mail.files] == [("attachment-1.eml", b"From: x@y.z\n\ntheirs")]


def test_a_digest_is_mails():
    """Its parts are mails where they say nothing else."""
    raw = multipart("\nFrom: x@y.z\n\none", "\nFrom: x@y.z\n\ntwo", kind="digest")
    assert shown(raw) == (None, None, ["attachment-1.eml", "attachment-2.eml"])


def test_a_uuencoded_part_is_decoded():
    """As programs of old wrote attachments."""
    encoded = b"begin 644 x\n" + binascii.b2a_uu(b"hello") + b"`\nend\n"
    raw = "From: a@b.c\nContent-Type: application/x; name=x\nContent-Transfer-Encoding: x-uuencode\n\n"
    [file] = read(raw.encode() + encoded).files
    assert file.content == b"hello"


# ---------------------------------------------------------------------------------------------------- winmail.dat
def tnef(*attributes: tuple[int, bytes]) -> bytes:
    packed = b"".join(
        struct.pack("<BHHI", 2, number, 6, len(data)) + data + struct.pack("<H", sum(data) % 65536)
        for number, data in attributes
    )
    return b"\x78\x9f\x3e\x22\x01\x00" + packed


def properties(*values: tuple[int, int, bytes]) -> bytes:
    packed = b""
    for kind, number, data in values:
        packed += struct.pack("<HH", kind, number) + (struct.pack("<II", 0x07F7, 0) if kind == 3 else b"")
        packed = packed[: -8 if kind == 3 else None]
        packed += data if kind == 3 else struct.pack("<II", 1, len(data)) + data + b"\0" * (-len(data) % 4)
    return struct.pack("<I", len(values)) + packed


WINMAIL = tnef(
    (0x9007, struct.pack("<II", 1252, 0)),
    (
        0x9003,
        properties((3, 0x3FDE, struct.pack("<I", 65001)), (0x1E, 0x1000, b"body\0"), (0x102, 0x1013, b"<p>body</p>")),
    ),
    (0x9002, b"\0" * 14),
    (0x8010, b"REPORT~1.PDF\0"),
    (0x800F, b"%PDF"),
    (0x9005, properties((0x1F, 0x3707, "Bericht für März.pdf\0".encode("utf-16-le")))),
    (0x9002, b"\0" * 14),
    (0x8010, b"gr\xfc\xdfe.txt\0"),
    (0x800F, b"text"),
)
OF_OUTLOOK = (
    b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(WINMAIL)
)


def test_winmail_is_unpacked():
    """Its files lie beside it; its body is the mail's where that has none."""
    mail = read(b"From: a@b.c\r\n" + OF_OUTLOOK)

    assert {file.name: file.content for file in mail.files} == {
        "__mail.html": b"<p>body</p>",
        "winmail.dat": WINMAIL,
        "Bericht für März.pdf": b"%PDF",
        "grüße.txt": b"text",
    }
    assert payload(mail)["email"]["text"] == "body"


def test_winmail_beside_a_text_adds_no_text():
    """The mail's own text is what it says."""
    raw = b"From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nmine\r\n--b\r\n"
    assert payload(read(raw + OF_OUTLOOK + b"\r\n--b--"))["email"]["text"] == "mine"


@given(st.integers(0, len(WINMAIL)), st.binary(max_size=8))
def test_a_broken_winmail_is_a_file(at, noise):
    """Whatever is in it, the mail is read."""
    content = WINMAIL[:at] + noise + WINMAIL[at + len(noise) :]
    raw = b"From: a@b.c\r\nContent-Type: application/x; name=winmail.dat\r\n\r\n"
    assert "winmail.dat" in [file.name for file in read(raw + content).files]
