"""Signed links: what they allow, and that nobody but us can make one."""

import base64
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.errors import Forbidden
from controlroom.objects.links import Link, Links

KEY = bytes(range(32))
NOW = 1_800_000_000
UPLOAD = Link(
    kind="work-item-file",
    row=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    method="PUT",
    size=1234,
    expires=NOW + 3600,
    workspace=UUID("01890a5d-ac96-774b-bcce-b302099a8058"),
    file_name="Übersicht (1).xlsx",
)
DOWNLOAD = msgspec.structs.replace(UPLOAD, method="GET", size=None, content_type="text/plain")


@pytest.fixture
def links():
    return Links(KEY)


@pytest.mark.parametrize("link", [UPLOAD, DOWNLOAD])
def test_a_link_comes_back_as_it_was_signed(links, link):
    """Whoever made a link reads from it exactly what was put in."""
    assert links.verify(links.sign(link), method=link.method, now=NOW) == link


def test_a_token_needs_no_quoting(links):
    """A token can stand in a path or a query as it is."""
    token = links.sign(UPLOAD)

    assert token.isascii()
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@pytest.mark.parametrize(("seconds", "code"), [(-1, None), (0, "EXPIRED"), (1, "EXPIRED")])
def test_a_link_ends_at_its_time(links, seconds, code):
    """A link is good until the second of its expiry, and not in it."""
    token = links.sign(UPLOAD)

    if code is None:
        assert links.verify(token, method="PUT", now=UPLOAD.expires + seconds) == UPLOAD
    else:
        with pytest.raises(Forbidden) as failure:
            links.verify(token, method="PUT", now=UPLOAD.expires + seconds)
        assert failure.value.code == code


@pytest.mark.parametrize(
    ("link", "method", "is_allowed"),
    [
        (DOWNLOAD, "GET", True),
        (DOWNLOAD, "HEAD", True),
        (DOWNLOAD, "PUT", False),
        (DOWNLOAD, "POST", False),
        (UPLOAD, "PUT", True),
        (UPLOAD, "POST", False),
        (UPLOAD, "GET", False),
        (UPLOAD, "HEAD", False),
        (UPLOAD, "DELETE", False),
    ],
)
def test_a_link_is_for_one_method(links, link, method, is_allowed):
    """A link to read does not write, and one to write does not read."""
    token = links.sign(link)

    if is_allowed:
        assert links.verify(token, method=method, now=NOW) == link
    else:
        with pytest.raises(Forbidden) as failure:
            links.verify(token, method=method, now=NOW)
        assert failure.value.code == "INVALID_LINK"


@given(data=st.data())
def test_a_changed_token_is_refused(data):
    """No token that differs from a signed one in any character is accepted."""
    links = Links(KEY)
    token = links.sign(UPLOAD)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(blacklist_characters=token[at]))
    forged = token[:at] + other + token[at + 1 :]

    with pytest.raises(Forbidden):
        links.verify(forged, method="PUT", now=NOW)


@given(st.text())
def test_nonsense_is_refused(text):
    """Whatever is sent as a token, the answer is that it is not valid."""
    with pytest.raises(Forbidden) as failure:
        Links(KEY).verify(text, method="GET", now=NOW)
    assert failure.value.code == "INVALID_LINK"


def test_a_body_cannot_be_given_another_signature(links):
    """The body of one link under the signature of another is not valid."""
    body, signature = links.sign(UPLOAD).split(".")[0], links.sign(DOWNLOAD).split(".")[1]

    with pytest.raises(Forbidden):
        links.verify(f"{body}.{signature}", method="PUT", now=NOW)


def test_another_key_makes_other_links(links):
    """A link of another room, or from before a change of the key, is not valid."""
    with pytest.raises(Forbidden):
        Links(bytes(32)).verify(links.sign(UPLOAD), method="PUT", now=NOW)


def test_a_signed_body_of_another_form_is_refused(links):
    """A token that was signed with the key but is no link (of a later release, say) is refused, not misread."""
    body = base64.urlsafe_b64encode(b'{"kind": "artifact"}').rstrip(b"=").decode()

    with pytest.raises(Forbidden) as failure:
        links.verify(f"{body}.{links._signature(body)}", method="GET", now=NOW)
    assert failure.value.code == "INVALID_LINK"


def test_a_short_key_is_a_mistake():
    """A key that could be guessed is refused at start."""
    with pytest.raises(ValueError, match="32 bytes"):
        Links(b"secret")
