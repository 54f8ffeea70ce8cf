"""Charset names mean what browsers take them for."""

import pytest

from controlroom.mail.charsets import decode, encoding_of


@pytest.mark.parametrize(
    ("label", "content", "text"),
    [
        ("iso-8859-1", b"\x93quoted\x94 \x80 5", "“quoted” € 5"),
        ("latin-1", b"gr\xfc\xdfe \x96", "grüße –"),  # noqa: RUF001 - likewise
        (" ISO-8859-1 ", b"\x81", "\x81"),
        ("us-ascii", b"\x93hi\x94", "“hi”"),
        ("us-ascii", "grüße".encode(), "grüße"),
        ("iso-8859-9", b"\x80\xdd", "€İ"),
        ("windows-874", b"\xa1\x85", "ก…"),
        ("tis-620", b"\xa1\x80", "ก€"),
        ("iso-8859-11", b"\xa1", "ก"),
        ("iso-8859-8-i", b"\xf9\xec\xe5\xed", "שלום"),
        ("iso-8859-8-e", b"\xf9", "ש"),
        ("csISOLatin2", b"\xb1", "ą"),
        ("x-cp1251", b"\xcf", "П"),
        ("koi8-ru", b"\xae", "ў"),
        ("cp-1255", b"\xca\xd9", "\u05ba\ufffd"),
        ("x-mac-roman", b"\xdb", "€"),
        ("866", b"\x8f", "П"),
        ("gb2312", "镕€".encode("gb18030"), "镕€"),
        ("GBK", b"\x80 5 \xc4\xe3\x80\xff\x81", "€ 5 你€\ufffd\ufffd"),
        ("big5", b"\xf9\xd6", "碁"),
        ("ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("shift_jis", "①㈱～".encode("cp932"), "①㈱～"),  # noqa: RUF001 - what Windows writes
        ("x-sjis", b"\x88\xa0", "唖"[:0] + b"\x88\xa0".decode("cp932")),
        ("iso-2022-jp", b"\x1b$B-!-j\x1b(B ok \x1b(I1\x1b(J\\~", "①㈱ ok ｱ¥‾"),
        ("iso-2022-jp", "日本語\nテスト".encode("iso2022_jp"), "日本語\nテスト"),
        ("euc-jp", b"\xad\xa1\xc6\xfc\x8e\xb1ok\x8f\xb0\xa1\xff", "①日ｱok丂\ufffd"),
        ("utf8", b"\xef\xbb\xbfx", "x"),
        ("unicode", "hé".encode("utf-16-le"), "hé"),
        ("utf-16", "\ufeffhé".encode("utf-16-be"), "hé"),
        ("windows-1252", b"\xef\xbb\xbf\xc3\xa9", "é"),
        ("utf-8", b"a\xffb", "a\ufffdb"),
    ],
)
def test_a_label_is_read_as_browsers_read_it(label, content, text):
    """What senders name is not what they send; browsers settled what is meant."""
    assert decode(content, label) == text


@pytest.mark.parametrize(
    "label", ["x-unknown", "utf-7", "hz-gb-2312", "iso-2022-kr", "rot13", "hex", "punycode", "idna", ""]
)
def test_a_label_that_browsers_do_not_read_is_unknown(label):
    """Names of Python's codecs that are no charsets are none either."""
    assert (encoding_of(label), decode(b"x", label)) == (None, None)


def test_every_encoding_has_a_decoder():
    """For each byte something comes of it, whatever the label."""
    every = bytes(range(256))
    for label in ("866", "l2", "l3", "l4", "cyrillic", "arabic", "greek", "hebrew", "l6", "iso-8859-13", "iso-8859-14"):
        assert len(decode(every, label) or "") == 256
    for number in range(1250, 1259):
        assert len(decode(every, f"windows-{number}") or "") == 256
    for label in ("gbk", "big5", "euc-jp", "iso-2022-jp", "sjis", "euc-kr", "utf-16be", "utf-16le", "koi8-r", "mac"):
        assert decode(every, label)
