"""Lists with payloads: what each item has, and no more of long ones than an answer takes."""

import msgspec
from msgspec import Raw

from controlroom.engine.access.scope import scoped
from controlroom.engine.lists.written import Plain
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.listings import written_items
from controlroom.engine.work_items.model import WrittenItem
from controlroom.ids import FileId, uuid7

WRITTEN = written_items({"payload": Plain("payload", '"nothing"')})


def payload_of(row) -> bytes:
    """What a row says that its payload is."""
    if isinstance(row, WrittenItem):
        return msgspec.json.encode(msgspec.json.decode(row.text)["payload"])
    return bytes(row.payload)


async def test_a_list_tells_short_and_long_payloads_alike(floor, ada):
    """In one order, those that lie in their rows, which are written there, and those that are kept apart or packed.

    Also an item that has files is told by its columns.
    """
    process = await floor.process({})
    told = [{"n": 1}, {"text": "x" * 50_000}, {"texts": [uuid7().hex for _ in range(2_000)]}, "", None]
    made = [
        await actions.create(floor.engine, ada, floor.workspace, process, Raw(msgspec.json.encode(each)))
        for each in told
    ]
    async with scoped(floor.engine.database, floor.scope) as tx:
        await store.put_file(tx, made[0].id, FileId(uuid7()), name="a.txt", size=1, digest="0" * 64)

    rows = await store.list_written(
        floor.engine.database, floor.scope, WRITTEN, process=process, limit=10, most_bytes=1_000_000
    )

    assert [row.id for row in rows] == [each.id for each in reversed(made)]
    assert [msgspec.json.decode(payload_of(row)) for row in rows] == told[::-1]
    assert [isinstance(row, WrittenItem) for row in rows] == [True, True, False, False, False]
    assert [(row.is_long, row.has_files) for row in rows[2:]] == [(True, False), (True, False), (False, True)]


async def test_a_list_ends_behind_the_long_payload_that_is_too_much(floor, ada):
    """Of forty payloads of 50 kB a list of 1 MB tells no more than the one by which it has more."""
    process = await floor.process({})
    long = Raw(msgspec.json.encode("x" * 50_000))
    for payload in [Raw(b"1"), *[long] * 40, Raw(b"2")]:
        await actions.create(floor.engine, ada, floor.workspace, process, payload)

    rows = await store.list_written(
        floor.engine.database, floor.scope, WRITTEN, process=process, limit=100, most_bytes=1_000_000
    )

    sizes = [len(payload_of(row)) for row in rows]
    assert sizes[0] == 1
    assert sum(sizes[:-1]) <= 1_000_000 < sum(sizes)
