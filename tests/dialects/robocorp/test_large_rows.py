"""Lists whose rows are large: a page ends by bytes, says that there is more, and nothing is left out or told twice."""

import json

import pytest

from controlroom.engine.console import actions as console
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, ProcessDefinition, StepDefinition

PAGE = 500_000  # of the tests' server
LARGE = "x" * 100_000


async def pages(ada, path: str, **params) -> list[list]:
    """The rows of each page, each of which fits."""
    found, url = [], path
    while url is not None:
        answer = await ada.call("GET", url, **({"params": params} if url == path else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(answer.content) < PAGE * 1.2 or len(page["data"]) == 1
        assert page["has_more"] is (page["next"] is not None)
        found.append(page["data"])
        url = page["next"]
    return found


@pytest.fixture
async def work(room, ada, process, walt):
    """A robot of a process with one step, whose outputs are those of its run."""
    definition = ProcessDefinition(name="One", steps=(StepDefinition(name="read", work=NamedTask("robot", "Read")),))
    one = (await processes.create(room.engine, ada.actor, ada.workspace, definition)).id
    await ada.post(f"/processes/{one}/process-runs")
    return await walt.take()


async def _output(stranger, work, payload) -> str:
    answer = await stranger.post(
        f"/process-v1/workspaces/{work.workspace_id}/processes/{work.process_id}/work-items/{work.work_item_id}/output",
        json={"payload": payload},
        headers={"Authorization": f"Bearer {work.token}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


async def test_outputs_end_a_page_by_bytes(ada, stranger, walt, work):
    """Small rows fill it by number, large ones by bytes; one that is larger than a page stands alone."""
    payloads = [{"n": n} for n in range(30)] + [LARGE] * 12 + [LARGE * 8] + [{"n": 31}]
    made = [await _output(stranger, work, payload) for payload in payloads]
    await walt.finish(work)

    found, url = [], f"/outputs?process_run_id={work.run_id}"
    sizes = []
    while url is not None:
        page = (await ada.call("GET", url)).json()
        sizes.append(len(page["data"]))
        found += page["data"]
        url = page["next"]

    assert [row["id"] for row in found] == made
    assert [row["payload"] for row in found] == payloads
    assert sizes == [34, 4, 4, 1, 1]
    assert [len(rows) for rows in await pages(ada, f"/process-runs/{work.run_id}/outputs", limit=10)][:3] == [10] * 3


async def test_schedules_end_a_page_by_bytes(ada, process):
    """They are told with the payloads that they start with."""
    made = []
    for number in range(12):
        schedule = {
            "name": f"s{number}",
            "process": {"id": str(process)},
            "rule": {"type": "daily", "times": ["07:00"]},
            "input": {"type": "payload", "payload": LARGE},
        }
        made.append((await ada.post("/schedules", schedule))["id"])

    found = await pages(ada, "/schedules")

    assert [row["id"] for page in found for row in page] == made
    assert [len(page) for page in found] == [4, 4, 4]


async def test_queues_end_a_page_by_bytes(ada):
    """They are told with their schemas."""
    schema = {"type": "object", "description": LARGE}
    made = [(await ada.post("/queues", {"name": f"q{number}", "schema": schema}))["id"] for number in range(6)]

    found = await pages(ada, "/queues")

    assert [row["id"] for page in found for row in page] == made
    assert [len(page) for page in found] == [4, 2]


async def test_console_messages_end_a_page_by_bytes(room, ada, walt, assignment):
    """Long lines, before and after they are put into one object; each once and in order."""
    lines = [f"{number} {LARGE}" if number % 3 else f"{number}" for number in range(60)]
    for first in range(0, 60, 6):
        body = "".join(f"{line}\n" for line in lines[first : first + 6]).encode()
        await console.append(
            room.engine, walt.actor, assignment.step_run_id, assignment.attempt, first=first, count=6, at=1.0, body=body
        )
    path = f"/step-runs/{assignment.step_run_id}/console-messages"

    found = await pages(ada, path)

    assert [row["message"] for page in found for row in page] == lines
    assert [row["line_number"] for page in found for row in page] == list(range(1, 61))
    assert len(found) > 8


async def test_items_whose_exceptions_are_pages_of_text_end_a_page_by_bytes(ada, stranger, process, walt):
    """A robot may send any text as its reason: it is kept up to 64 KB, and does not make a list too long to be told."""
    await ada.post(f"/processes/{process}/process-runs", {"payloads": list(range(12))})
    work = await walt.take()
    base = f"/process-v1/workspaces/{work.workspace_id}/processes/{work.process_id}/runs/{work.run_id}"
    credential = {"Authorization": f"Bearer {work.token}"}
    item = str(work.work_item_id)
    while item is not None:
        released = await stranger.post(
            f"{base}/robotRuns/{work.step_run_id}/release-work-item",
            json={"workItemId": item, "state": "FAILED", "exception": {"type": "BUSINESS", "message": LARGE}},
            headers=credential,
        )
        assert released.status_code == 200, released.text
        reserved = await stranger.post(
            f"{base}/robotRuns/{work.step_run_id}/reserve-next-work-item", headers=credential
        )
        item = reserved.json()["workItemId"]

    found = await pages(ada, "/work-items")

    assert [len(page) for page in found] == [7, 5]
    assert {len(row["exception"]["message"]) for page in found for row in page} == {64 * 1024 + 1}


async def test_the_old_api_tells_as_many_payloads_as_fit(ada, process):
    """It has no pages: what does not fit is asked for item by item."""
    old = f"{ada.http.base_url}/process-v1/workspaces/{ada.workspace}/processes/{process}"
    for _ in range(7):
        await ada.post("/work-items", {"process": {"id": str(process)}, "payload": LARGE})

    full = await ada.call("GET", f"{old}/work-items", params={"includeData": "true"})
    bare = await ada.call("GET", f"{old}/work-items", params={"includeData": "false"})

    assert [len(json.loads(each.content)["data"]) for each in (full, bare)] == [4, 7]


async def test_items_with_their_data_end_a_page_by_bytes(ada, process):
    """The list tells each item as it is told by itself: small ones fill a page by number, large ones by bytes."""
    for payload in ({"n": 0}, LARGE * 3, LARGE * 3, LARGE * 8, {"n": 1}):
        await ada.post("/work-items", {"process": {"id": str(process)}, "payload": payload})
    told = await pages(ada, "/work-items", include_data="true", process_id=str(process), limit=3)
    assert [len(page) for page in told] == [1, 1, 1, 2]
    assert [row["payload"] for page in told for row in page] == [{"n": 1}, LARGE * 8, LARGE * 3, LARGE * 3, {"n": 0}]
    assert told[0] == [await ada.get(f"/work-items/{told[0][0]['id']}")]
    assert "payload" not in (await ada.every("/work-items", process_id=str(process)))[0]
