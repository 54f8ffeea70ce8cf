"""A hundred thousand rows as CSV: all of them, read and sent a thousand at a time."""

import tracemalloc

import pytest

from controlroom.ids import uuid7

ROWS = 100_000
MOST = 24 << 20
"""Bytes that the server may hold more than before: a few batches with their lines, not 15 MB of lines and all rows."""


@pytest.mark.matrix
async def test_a_long_list_is_streamed(room, visit, ada, workspace):
    """None is missing, none doubled, and what the server holds does not grow with them."""
    queue = (await ada.post("/queues", {"name": f"long {uuid7()}"}))["id"]
    await room.engine.database.execute(
        """
        insert into work_item (id, workspace_id, queue_id, state, payload)
        select gen_random_uuid(), %(workspace)s, %(queue)s, 'new', jsonb_build_object('n', n)
          from generate_series(1, %(rows)s::int) as n
        """,
        workspace=workspace,
        queue=queue,
        rows=ROWS,
    )
    browser = await visit(workspace)
    address = f"{browser.base}/items?tab=waiting&queue={queue}&columns=number&as=csv"
    numbers = set()
    tracemalloc.start()
    try:
        async with browser.http.stream("GET", address) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith(","):
                    numbers.add(int(line.split(",")[1]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(numbers) == ROWS
    assert peak < MOST + 80 * ROWS  # the set of numbers is the test's own
