"""Forms with several files: each is streamed by itself, in order, with the fields round it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.border.forms import files_form_of
from controlroom.errors import Invalid

TYPE = "multipart/form-data; boundary=b"
BODY = (
    b'--b\r\ncontent-disposition: form-data; name="first"\r\n\r\n1\r\n'
    b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.txt"\r\n\r\nAAAA\r\n'
    b'--b\r\ncontent-disposition: form-data; name="files"; filename=""\r\n\r\n\r\n'
    b'--b\r\ncontent-disposition: form-data; name="files"; filename="b.txt"\r\n\r\nBB\r\n'
    b'--b\r\ncontent-disposition: form-data; name="last"\r\n\r\n\xc3\xa4\r\n--b--\r\n'
)


async def body(content: bytes, size: int):
    """What is posted, in pieces."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(form):
    """Its files, whole."""
    return [(name, b"".join([piece async for piece in content])) async for name, content in form.files()]


@pytest.mark.parametrize("size", [1, 7, 4096])
async def test_files_come_one_after_the_other(size):
    """However the body is cut; a place where none was chosen is none."""
    form = files_form_of(TYPE, body(BODY, size))
    assert await read(form) == [("a.txt", b"AAAA"), ("b.txt", b"BB")]
    assert dict(form.pairs()) == {"first": "1", "files": "", "last": "ä"}


async def test_what_is_not_read_of_a_file_is_passed_over():
    """The next one comes all the same."""
    form = files_form_of(TYPE, body(BODY, 3))
    assert [name async for name, _ in form.files()] == ["a.txt", "b.txt"]


@given(st.integers(0, len(BODY) - 5))
async def test_a_form_that_breaks_off_is_refused(length):
    """Wherever it ends."""
    with pytest.raises(Invalid):
        await read(files_form_of(TYPE, body(BODY[:length], 50)))


def test_what_says_that_it_is_none_is_none():
    """By its type."""
    with pytest.raises(Invalid):
        files_form_of("application/json", body(b"", 1))
