"""Types, names and charsets, as senders write them."""

import pytest

from controlroom.mail.parameters import parameters


@pytest.mark.parametrize(
    ("header", "value", "name"),
    [
        ("application/pdf; name=x.pdf", "application/pdf", "x.pdf"),
        ('Application/PDF; NAME="x; y.pdf"', "application/pdf", "x; y.pdf"),
        ("application/pdf; name=my file.pdf; x=y", "application/pdf", "my file.pdf"),
        ("application/pdf name=x.pdf", "application/pdf", "x.pdf"),
        ('application/pdf; name="x.pdf', "application/pdf", "x.pdf"),
        ('application/pdf; name = "x.pdf" ;', "application/pdf", "x.pdf"),
        ("application/pdf;;; name=x.pdf", "application/pdf", "x.pdf"),
        ('application/pdf; name="a.pdf"; name="b.pdf"', "application/pdf", "a.pdf"),
        ('application/pdf; name="C:\\dir\\x.pdf"', "application/pdf", "C:\\dir\\x.pdf"),
        ('application/pdf; name="say \\"hi\\".pdf"', "application/pdf", 'say "hi".pdf'),
        ('application/pdf; name="=?utf-8?q?=C3=BC.pdf?="', "application/pdf", "ü.pdf"),
        ("application/pdf; name==?utf-8?q?=C3=BC.pdf?=", "application/pdf", "ü.pdf"),
        ("application/pdf; name*=utf-8''%C3%BC.pdf", "application/pdf", "ü.pdf"),
        ("application/pdf; name*=iso-8859-1'de'%FC.pdf; name=u.pdf", "application/pdf", "ü.pdf"),
        ("application/pdf; name*=x.pdf", "application/pdf", "x.pdf"),
        ("application/pdf; name*0=long; name*1=er.pdf", "application/pdf", "longer.pdf"),
        ("application/pdf; name*1=er.pdf; name*0=long; name*3=no", "application/pdf", "longer.pdf"),
        ("application/pdf; name*0*=utf-8''%C3; name*1*=%BC; name*2=.pdf", "application/pdf", "ü.pdf"),
        ('application/pdf; name*0="=?utf-8?q?=C3"; name*1="=BC.pdf?="', "application/pdf", "ü.pdf"),
        ("application/pdf; name=", "application/pdf", None),
        ("", "", None),
    ],
)
def test_a_parameter_is_read_as_it_was_meant(header, value, name):
    """In quotes or not, whole or in sections, escaped or as encoded words."""
    unknown: list[str] = []
    read = parameters(header, unknown)
    assert (read.value, read.get("name"), unknown) == (value, name, [])


@pytest.mark.parametrize("charset", ["utf-8", '"utf-8"', "'utf-8'", "utf-8 (plain)", '"utf-8', " utf-8 ", '"utf-8;"'])
def test_a_charset_is_one_word(charset):
    """Comments and quotes of the wrong kind are none of it."""
    assert parameters(f"text/plain; charset={charset}", []).token("charset") == "utf-8"


@pytest.mark.parametrize("piece", ['name="', "name=", ";", "name*0*=", '\\"', "a=\\", "a ", 'n="\\\\"'])
def test_the_work_grows_as_the_header_does(piece):
    """Nothing is looked at again and again."""
    parameters("text/plain; " + piece * (300_000 // len(piece)), [])
