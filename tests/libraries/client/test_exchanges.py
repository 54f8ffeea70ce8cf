"""What goes over the wire."""

import io

import pytest

from controlroom_client.exchanges import Stream


def sent(file, size):
    """All that is sent of a file of which that size was announced."""
    stream = Stream(file, size, lambda _: None, head=b"<", tail=b">")
    return b"".join(iter(stream.read, b""))


def test_what_was_announced_is_sent():
    """A file that grows meanwhile spoils no request; one that becomes shorter ends it."""
    assert sent(io.BytesIO(b"one\ntwo\n"), 4) == b"<one\n>"
    assert sent(io.BytesIO(b""), 0) == b"<>"
    with pytest.raises(OSError, match="became shorter"):
        sent(io.BytesIO(b"one"), 4)
