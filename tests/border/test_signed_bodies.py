"""Bodies that a signature is over: read whole before their route, within a bound, and once more by it."""

from collections.abc import Iterable
from typing import Any

import pytest

from controlroom.border.signed_bodies import once_more, whole_body
from controlroom.errors import Invalid

END = {"type": "http.disconnect"}


def _receive(messages: Iterable[dict[str, Any]]) -> Any:
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left, END)

    return receive


def _parts(*parts: bytes) -> list[dict[str, Any]]:
    return [
        {"type": "http.request", "body": part, "more_body": place < len(parts)} for place, part in enumerate(parts, 1)
    ]


async def test_a_body_is_read_in_all_its_parts_and_once_more():
    """What the route reads is what was signed."""
    body = await whole_body(_receive(_parts(b"ab", b"", b"c")), most=3)

    assert body == b"abc"
    assert await whole_body(once_more(body), most=3) == b"abc"


@pytest.mark.parametrize(
    ("messages", "code"),
    [(_parts(b"ab", b"cd"), "REQUEST_TOO_LARGE"), (_parts(b"ab", b"c")[:1], "INTERRUPTED")],
)
async def test_a_body_that_is_too_long_or_breaks_off_is_refused(messages: list[dict[str, Any]], code: str):
    """Nobody waits for the rest of it."""
    with pytest.raises(Invalid) as refused:
        await whole_body(_receive(messages), most=3)

    assert refused.value.code == code
