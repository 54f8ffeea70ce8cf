"""Encoded words in headers, as senders split and break them."""

import pytest

from controlroom.mail.words import base64, decoded


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?gr=C3=BC=C3=9Fe?=", "grüße"),
        ("=?UTF-8?B?Z3LDvMOfZQ==?=", "grüße"),
        ("=?utf-8?q?gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "grüße"),  # a character cut in two
        ("=?utf-8?B?Z3LD?= =?UTF8?Q?=BC=C3=9Fe?=", "grüße"),  # also between the two encodings
        ("=?utf-8?B?Z3L?= =?utf-8?B?DvMOfZQ?=", "grüße"),  # a group of base64 cut in two, no padding
        ("=?utf-8?B?Z3LDvA==?= =?utf-8?B?w59l?=", "grüße"),
        ("Re: =?iso-8859-1?q?gr=FC=DFe?= an alle", "Re: grüße an alle"),
        ("=?utf-8?q?hello world_again?=", "hello world again"),
        ("a=?utf-8?q?=C3=BC?=b", "aüb"),
        ('"=?utf-8?q?=C3=BC?="', '"ü"'),
        ("=?utf-8*de?q?=C3=BC?=", "ü"),
        ("=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "üü"),
        ("=?iso-2022-jp?B?GyRCLSEbKEI=?=", "①"),
        ("=?utf-8?q?=41=zz=?=", "A=zz="),
        ("=?utf-8?q?never ends", "=?utf-8?q?never ends"),
        ("=?utf-8?x?what?=", "=?utf-8?x?what?="),
        ("=?=?utf-8?q?a?=", "=?a"),
    ],
)
def test_encoded_words_are_read_as_they_were_meant(header, text):
    """Neighbours of one charset are one text, wherever they were cut."""
    unknown: list[str] = []
    assert (decoded(header, unknown), unknown) == (text, [])


def test_a_charset_that_nobody_knows_is_told():
    """What stands in the word is guessed."""
    unknown: list[str] = []
    assert decoded("=?x-nobody?q?gr=C3=BC=C3=9Fe?=", unknown) == "grüße"
    assert unknown == ["x-nobody"]


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"aGVsbG8=", (b"hello", True)),
        (b"aGVs\r\nbG8", (b"hello", True)),
        (b"aGk=aGk=", (b"hihi", True)),
        (b"aGVsbG8=\r\n-- \r\n_list_", (b"hello", False)),
        (b"aGVsb", (b"hel", False)),
        (b"", (b"", True)),
    ],
)
def test_base64_is_read_as_far_as_it_goes(content, read):
    """Missing padding costs nothing; what is no base64 is told."""
    found, is_right = base64(content)
    assert (found, is_right) == read
