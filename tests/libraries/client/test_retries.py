"""What is asked again, when, and what never is."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom_client import AsyncClient, Client, Throttled, Unavailable, Unreachable
from controlroom_client.calls import _seconds
from controlroom_client.retries import Tried, pause
from receivers import receiving

PAGE = b'{"data": [], "next": null, "has_more": false}'
STARTED = b'{"id": "018f0000-0000-7000-8000-000000000000", "started": true}'


def answering(*statuses):
    """What replies with one status after the other."""
    left = list(statuses)
    return lambda _: left.pop(0)


def client_of(receiver, **more) -> AsyncClient:
    return AsyncClient(f"http://127.0.0.1:{receiver.port}", "w", "k", **more)


@given(times=st.integers(1, 100), chance=st.floats(0, 1))
def test_pauses_grow_and_are_not_all_the_same(times, chance):
    """Each is between half of twice the last one and that, at most 8 seconds."""
    found = pause(Tried(times, 0), patience=60, retry_after=None, chance=chance)
    most = min(0.25 * 2 ** (times - 1), 8)
    assert most / 2 <= found <= most


def test_the_patience_is_not_overdrawn():
    """What the room asks for is kept, and who would have to wait longer than they are patient is told at once."""
    assert pause(Tried(1, 1), patience=10, retry_after=9, chance=0) == 9
    assert pause(Tried(1, 2), patience=10, retry_after=9, chance=0) is None
    assert pause(Tried(1, 0.01), patience=0, retry_after=0, chance=0) is None


def test_a_date_to_come_back_at_is_a_pause():
    """`Retry-After` says seconds or a date; what it cannot be read as is not said."""
    assert _seconds("7") == 7
    assert _seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert _seconds("soon") is None
    assert _seconds(None) is None


async def test_reading_is_repeated_while_a_part_is_away():
    """After 503, 502 and 504; at the moment that the room names."""
    async with (
        receiving(reply=answering(503, 502, 504, 200), answer=PAGE, answer_headers={"Retry-After": "0"}) as room,
        client_of(room) as client,
    ):
        assert await client.processes.list().all() == []
    assert len(room.requests) == 4


async def test_what_changes_something_is_repeated_only_where_nothing_was_done():
    """After 429, with the same body; after 503 never: what was asked may have been done."""
    async with (
        receiving(reply=answering(429, 503), answer=b"{}", answer_headers={"Retry-After": "0"}) as room,
        client_of(room) as client,
    ):
        with pytest.raises(Unavailable):
            await client.assets.create(name="a")
    assert [each.json for each in room.requests] == [{"name": "a"}] * 2


async def test_what_has_a_key_is_repeated_with_it():
    """A start is told from another by its idempotency key, so that to ask again starts nothing twice."""
    async with (
        receiving(reply=answering(503, 200), answer=STARTED, answer_headers={"Retry-After": "0"}) as room,
        client_of(room) as client,
    ):
        await client.process_runs.start("p", type="with_payloads", payloads=[1])
    first, second = (each.json for each in room.requests)
    assert first == second
    assert len(first["idempotency_key"]) == 32


async def test_who_is_told_to_wait_too_long_learns_how_long():
    """An hour is longer than the client is patient."""
    async with (
        receiving(reply=lambda _: 429, answer=b"{}", answer_headers={"Retry-After": "3600"}) as room,
        client_of(room) as client,
    ):
        with pytest.raises(Throttled) as raised:
            await client.processes.list().all()
    assert (raised.value.status, raised.value.retry_after, len(room.requests)) == (429, 3600, 1)


async def test_where_nobody_listens_one_is_told_when_patience_ends():
    """Nothing is sent, and the exception says where."""
    async with receiving() as gone:
        pass
    with Client(gone.url, "w", "k", patience=0) as client, pytest.raises(Unreachable, match=str(gone.port)):
        await asyncio.to_thread(client.processes.list().first)


async def test_who_is_cancelled_ends_the_exchange():
    """The thread that waits for the answer is free again, and the next call has one."""
    never = asyncio.Event()

    async def hang(_):
        await never.wait()
        return 200

    async with receiving(reply=hang, answer=PAGE) as room, client_of(room, connections=1, patience=0) as client:
        call = asyncio.create_task(client.processes.list().all())
        await room.wait(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        room.reply = lambda _: 200
        async with asyncio.timeout(20):
            assert await client.processes.list().all() == []
        never.set()
