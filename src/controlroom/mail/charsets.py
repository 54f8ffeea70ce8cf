"""Charset names as browsers read them (WHATWG, Encoding Standard §4.2), and the text that bytes are by them. Pure.

Senders name what they do not send: `iso-8859-1` nearly always is windows-1252, `gb2312` is GBK, `iso-2022-jp` has the
vendors' characters. Browsers settled what each name means in practice; mail is read the same way. Where Python's codecs
refuse what browsers read, the difference is made good here.
"""

import codecs
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

_UNKNOWN: Final = "\ufffd"

_LABELS: Final = """
utf-8: unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
ibm866: 866 cp866 csibm866 ibm866
iso-8859-2: csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
iso-8859-3: csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
iso-8859-4: csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
iso-8859-5: csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
iso-8859-6: arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i \
iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
iso-8859-7: csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 \
iso_8859-7:1987 sun_eu_greek
iso-8859-8: csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 \
iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical
iso-8859-10: csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
iso-8859-13: iso-8859-13 iso8859-13 iso885913
iso-8859-14: iso-8859-14 iso8859-14 iso885914
iso-8859-15: csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
iso-8859-16: iso-8859-16
koi8-r: cskoi8r koi koi8 koi8-r koi8_r
koi8-u: koi8-ru koi8-u
macintosh: csmacintosh mac macintosh x-mac-roman
windows-874: dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
windows-1250: cp1250 windows-1250 x-cp1250
windows-1251: cp1251 windows-1251 x-cp1251
windows-1252: ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 \
iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
windows-1253: cp1253 windows-1253 x-cp1253
windows-1254: cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 \
windows-1254 x-cp1254
windows-1255: cp1255 windows-1255 x-cp1255
windows-1256: cp1256 windows-1256 x-cp1256
windows-1257: cp1257 windows-1257 x-cp1257
windows-1258: cp1258 windows-1258 x-cp1258
x-mac-cyrillic: x-mac-cyrillic x-mac-ukrainian
gb18030: chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030
big5: big5 big5-hkscs cn-big5 csbig5 x-x-big5
euc-jp: cseucpkdfmtjapanese euc-jp x-euc-jp
iso-2022-jp: csiso2022jp iso-2022-jp
shift_jis: csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
euc-kr: cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
utf-16be: unicodefffe utf-16be
utf-16le: csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
"""
"""Each encoding and its labels. Those that browsers answer with nothing but U+FFFD (`hz-gb-2312`, `iso-2022-kr` …), and
`x-user-defined`, which is bytes for scripts, are left out: nothing can be read by them."""

_SINGLE_BYTE: Final = MappingProxyType(
    {
        "ibm866": "cp866",
        "koi8-r": "koi8_r",
        "koi8-u": "koi8_u",
        "macintosh": "mac_roman",
        "x-mac-cyrillic": "mac_cyrillic",
        "windows-874": "cp874",
        **{f"iso-8859-{number}": f"iso8859_{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
        **{f"windows-125{number}": f"cp125{number}" for number in range(9)},
    }
)
_DIFFERENT: Final = MappingProxyType(
    {
        "koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"},
        "windows-1255": {0xCA: "\u05ba"},
    }  # as the standard's indexes have them
)
_MANY_BYTES: Final = MappingProxyType(
    {
        "utf-8": "utf-8",
        "utf-16be": "utf-16-be",
        "utf-16le": "utf-16-le",
        "gb18030": "gb18030",
        "big5": "big5hkscs",
        "shift_jis": "cp932",
        "euc-kr": "cp949",
    }
)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
_ESCAPE: Final = re.compile(rb"\x1b(\([BJI]|\$[@B]|\$\(D)")


def encoding_of(label: str) -> str | None:
    """The encoding that a label means; None for one that browsers do not read."""
    plain = label.strip("\t\n\f\r \"'").lower()
    return _labels().get(plain) or _labels().get(_bare(plain))


def decode(content: bytes, label: str) -> str | None:
    """The text, with U+FFFD for what is wrong in it; None when nobody knows the label."""
    encoding = encoding_of(label)
    if encoding is None:
        return None
    marked = next((each for each in _MARKS if content.startswith(each[0])), None)
    if marked is not None:  # says more than the label, which passed through more hands
        return content[len(marked[0]) :].decode(marked[1], "replace")
    if _is_ascii(label) and not content.isascii():  # whoever says so sends something else: see guess
        return guess(content)
    if encoding in _SINGLE_BYTE:
        return codecs.charmap_decode(content, "strict", _table(encoding))[0]
    if encoding in _MANY_BYTES:
        return content.decode(_MANY_BYTES[encoding], "controlroom.gb18030" if encoding == "gb18030" else "replace")
    return _iso_2022_jp(content) if encoding == "iso-2022-jp" else _euc_jp(content)


def guess(content: bytes) -> str:
    """The text of bytes of which nothing is said: UTF-8 if they can be that, else what Windows writes in the west."""
    if _ESCAPE.search(content) and content.isascii():
        return _iso_2022_jp(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return codecs.charmap_decode(content, "strict", _table("windows-1252"))[0]


def _gb18030(error: UnicodeError) -> tuple[str, int]:
    """What the encoding does not have: 0x80 is the euro sign of Windows."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    is_euro = error.object[error.start] == 0x80
    return ("€", error.start + 1) if is_euro else (_UNKNOWN, error.end)


codecs.register_error("controlroom.gb18030", _gb18030)


def _is_ascii(label: str) -> bool:
    """Whether the label promises plain ASCII; browsers take that for windows-1252, too."""
    return _bare(label.lower()) in {"usascii", "ascii", "ansix341968"}


@cache
def _labels() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for line in _LABELS.strip().splitlines():
        encoding, _, labels = line.partition(": ")
        for label in labels.split():
            known[label] = encoding
            known.setdefault(_bare(label), encoding)  # `latin-1`, `utf_8`, `windows1252`: meant, but in no list
    return known


def _bare(label: str) -> str:
    return "".join(c for c in label if c.isalnum())


@cache
def _table(encoding: str) -> str:
    """The character of each byte; a byte that the encoding leaves open is a control character, or unknown."""
    characters = []
    for byte in range(256):
        try:
            characters.append(bytes([byte]).decode(_SINGLE_BYTE[encoding]))
        except UnicodeDecodeError:
            characters.append(chr(byte) if byte < 0xA0 else _UNKNOWN)
    for byte, character in _DIFFERENT.get(encoding, {}).items():
        characters[byte] = character
    return "".join(characters)


# ---------------------------------------------------------------------------------------------------- Japanese
# Python's codecs know the standard's characters alone. What is written on Windows has the vendors' (①, ㈱), which
# browsers read, in all three encodings. They are one table in three wrappings: each is wrapped anew as shift_jis.
def _iso_2022_jp(content: bytes) -> str:
    pieces = _ESCAPE.split(content)
    said = [_plain(pieces[0])]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        match escape:
            case b"(B":
                said.append(_plain(piece))
            case b"(J":
                said.append(_plain(piece).replace("\\", "\u00a5").replace("~", "\u203e"))
            case b"(I":
                said.append(bytes(byte | 0x80 for byte in piece).decode("cp932", "replace"))
            case b"$(D":
                said.append(_supplementary(piece))
            case _:
                said.append(_pairs(piece))
    return "".join(said)


def _plain(piece: bytes) -> str:
    return piece.decode("ascii", "replace")


def _pairs(piece: bytes) -> str:
    """Characters of two bytes each; line ends stay between them."""
    wrapped = bytearray()
    at = 0
    while at < len(piece):
        first, second = piece[at], piece[at + 1] if at + 1 < len(piece) else 0
        if 0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E:
            wrapped += _shift_jis(first, second)
            at += 2
        else:
            wrapped += bytes([first]) if first < 0x21 else b"\xff"
            at += 1
    return wrapped.decode("cp932", "replace")


def _supplementary(piece: bytes) -> str:
    pairs = [piece[at : at + 2] for at in range(0, len(piece) - 1, 2)]
    return b"".join(b"\x8f" + bytes(byte | 0x80 for byte in pair) for pair in pairs).decode("euc_jp", "replace")


_EUC_PIECES: Final = re.compile(
    rb"[\x00-\x7f]+|(?:[\xa1-\xfe]{2})+|(?:\x8e[\xa1-\xdf])+|(?:\x8f[\xa1-\xfe]{2})+|.", re.DOTALL
)


def _euc_jp(content: bytes) -> str:
    said = []
    for found in _EUC_PIECES.finditer(content):
        piece = found[0]
        if piece[0] < 0x80:
            said.append(piece.decode("ascii"))
        elif piece[0] >= 0xA1 and len(piece) > 1:
            said.append(_pairs(bytes(byte & 0x7F for byte in piece)))
        elif piece[0] == 0x8E and len(piece) > 1:
            said.append(piece[1::2].decode("cp932", "replace"))
        elif len(piece) > 1:
            said.append(piece.decode("euc_jp", "replace"))
        else:
            said.append(_UNKNOWN)
    return "".join(said)


def _shift_jis(first: int, second: int) -> bytes:
    """The same character in shift_jis."""
    row = (first - 0x21) // 2
    lead = row + (0x81 if row < 0x1F else 0xC1)
    if first % 2:
        return bytes([lead, second + (0x1F if second < 0x60 else 0x20)])
    return bytes([lead, second + 0x7E])
