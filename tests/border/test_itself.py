"""The room asks itself: as a client would, with what the client shows and nothing of the person's own."""

import pytest

from controlroom.border.itself import Itself
from controlroom.errors import Unavailable

ASKED_BY = {
    "asgi": {"version": "3.0"},
    "scheme": "http",
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 2),
    "headers": [(b"host", b"room.example"), (b"cookie", b"session"), (b"authorization", b"own")],
}


async def test_a_question_has_the_callers_host_and_none_of_its_rights():
    """No cookie goes along; the answer's size is counted."""
    itself = Itself()
    asked = {}

    async def app(scope, receive, send):
        asked.update(scope)
        await send({"type": "http.response.start", "status": 206, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"de"})

    itself.app = app
    answered = await itself.get("/x", asked_by=ASKED_BY, headers={"authorization": "RC-WSKEY k"})

    assert (answered.status, answered.bytes) == (206, 5)
    assert asked["headers"] == [(b"host", b"room.example"), (b"authorization", b"RC-WSKEY k")]
    assert asked["method"] == "GET"


async def test_before_there_is_a_room_nobody_is_asked():
    """It is said so."""
    with pytest.raises(Unavailable):
        await Itself().get("/x", asked_by=ASKED_BY, headers={})
