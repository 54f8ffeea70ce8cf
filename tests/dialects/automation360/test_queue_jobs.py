"""WLM: tables that are put into queues, exports and imports, behind their answers."""

import asyncio
import csv
import io
import zipfile

import pytest
from tests.dialects.automation360.test_queues import V3, V4, a_queue, items, listed, row

from controlroom.maintenance.queue_jobs import work

TABLE = "\ufeffInvoice;Amount;Due;More\nA-1;20.5;2026-11-29;x\nÅ-2;many;\n\nA-3;7\n"


async def upload(caller, path: str, content: bytes, name: str = "bills.csv", **fields: str):
    return await caller.call("POST", path, files={"upload": (name, content, "text/csv")}, data=fields)


async def finished(room, caller, path: str) -> dict:
    """The status of a request, once it has ended."""
    for _ in range(20):
        status = await caller.get(path)
        if status["status"] != "IN_PROGRESS":
            return status
        await work(room.engine)
    raise AssertionError(status)


async def test_a_table_is_put_into_a_queue(room, ben_user, nobody):
    """Its rows are items, those that do not fit are data errors; v3 says Success, v4 tells the order."""
    queue = await a_queue(ben_user, "Tables")
    order = (await upload(ben_user, f"{V4}/queues/{queue['id']}/file", TABLE.encode())).json()
    assert (order["type"], order["status"], order["queueId"]) == ("csv", "file_uploaded", str(queue["id"]))
    assert (order["uploadedFileName"], order["executionStartedOn"]) == ("bills.csv", None)
    while await work(room.engine):
        pass
    found = (await listed(ben_user, queue))["list"]
    assert [(each["col1"], each["col2"], each["status"]) for each in found] == [
        ("A-1", "20.5", "NEW"),
        ("Å-2", "many", "DATA_ERROR"),
        ("A-3", "7", "NEW"),
    ]
    assert {each["createdBy"] for each in found} == {ben_user.number}

    old = await upload(ben_user, f"{V3}/queues/{queue['id']}/file", TABLE.encode("cp1252", "replace"))
    assert (old.status_code, old.json()) == (200, {"result": "Success"})
    assert (await upload(nobody, f"{V4}/queues/{queue['id']}/file", b"x")).status_code == 404
    no_form = await ben_user.call("POST", f"{V4}/queues/{queue['id']}/file", content=b"x")
    assert no_form.status_code == 400
    lacking = await upload(ben_user, f"{V4}/queues/{queue['id']}/file", b"Invoice,Due\na,b\n")
    while await work(room.engine):
        pass
    failed = await room.engine.database.value(
        "select error from queue_job where number = %(number)s", number=int(lacking.json()["id"])
    )
    assert failed == "column Amount is missing in the file"


async def test_who_else_believes_to_lead_puts_nothing_in_twice(room, ben_user):
    """Neither rows of a table nor queues of an archive, though all have read the job before the first wrote."""
    queue = await a_queue(ben_user, "Led twice")
    await upload(ben_user, f"{V4}/queues/{queue['id']}/file", TABLE.encode())
    await asyncio.gather(*(work(room.engine) for _ in range(4)))
    assert [each["col1"] for each in (await listed(ben_user, queue))["list"]] == ["A-1", "Å-2", "A-3"]

    body = {"exportName": "twice", "includeWorkItems": True, "queueIds": [queue["id"]]}
    request = (await ben_user.post(f"{V3}/queues/export", body, status=202))["requestId"]
    status = await finished(room, ben_user, f"{V3}/queues/export/download/status/{request}")
    archive = await ben_user.call("GET", f"{V3}/queues/export/download/{status['downloadFileId']}")
    await upload(ben_user, f"{V3}/queues/import", archive.content, "out.zip", actionIfExists="COPY")
    await asyncio.gather(*(work(room.engine) for _ in range(4)))
    named = await ben_user.post(f"{V3}/queues/list", {"page": {"length": 1000}})
    copies = [each["name"] for each in named["list"] if each["name"].startswith("Led twice")]
    assert sorted(copies) == ["Led twice", "Led twice - Copy"]


async def test_items_are_exported_as_a_table(room, ben_user):
    """By ids or all; a cell that a spreadsheet would compute is text."""
    queue = await a_queue(ben_user, "Going out")
    first, second = await items(ben_user, queue, row("=1+1", "5"), row("B", "6"))
    path = f"{V3}/queues/{queue['id']}/workitems"
    await ben_user.put(f"{path}/{first['id']}", {"status": "ON_HOLD"})
    await ben_user.put(f"{path}/{second['id']}", {"status": "COMPLETED"})
    refused = await ben_user.call("PUT", f"{path}/{second['id']}", json={"status": "ON_HOLD"})
    assert (refused.status_code, "the work item is COMPLETED: " in refused.json()["message"]) == (409, True)
    path = f"{path}/export"
    [request] = await ben_user.post(path, {"workitem_ids": {"ids": [first["id"]]}})
    base = f"{V3}/queues/workitems/export/download"
    status = await finished(room, ben_user, f"{base}/status/{request}")
    assert (status["status"], status["type"], status["requestId"]) == ("COMPLETED", "WORKITEM_EXPORT", request)
    answer = await ben_user.call("GET", f"{base}/{status['downloadFileId']}")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(each["id"], each["Invoice"], each["Amount"]) for each in rows] == [(str(first["id"]), "'=1+1", "5")]
    assert rows[0]["status"] == "ON_HOLD"


@pytest.mark.parametrize("password", ["", "s3cret"])
async def test_queues_go_out_and_come_back(room, ben_user, root, password):
    """With their models and items; skipped or copied where the name is there; a wrong password ends FAILED."""
    queue = await a_queue(ben_user, f"Round{len(password)}", autoRetryLimit=3)
    await items(ben_user, queue, row("A", "1"), row("B", "2"))
    body = {"exportName": "out", "includeWorkItems": True, "queueIds": [queue["id"]], "encryptedPassword": password}
    request = (await ben_user.post(f"{V3}/queues/export", body, status=202))["requestId"]
    base = f"{V3}/queues/export/download"
    status = await finished(room, ben_user, f"{base}/status/{request}")
    assert (status["status"], status["downloadFileName"]) == ("COMPLETED", "out.zip")
    archive = (await ben_user.call("GET", f"{base}/{status['downloadFileId']}")).content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert bool(opened.infolist()[0].flag_bits & 1) is bool(password)

    async def imported(action: str, key: str = password):
        answer = await upload(
            ben_user, f"{V3}/queues/import", archive, "out.zip", actionIfExists=action, encryptedPassword=key
        )
        assert answer.status_code == 202
        return await finished(room, ben_user, f"{base}/status/{answer.json()['requestId']}")

    assert (await imported("SKIP"))["status"] == "COMPLETED"
    assert (await imported("COPY"))["status"] == "COMPLETED"
    name = f"Round{len(password)} - Copy"
    [copy] = await ben_user.rows(f"{V3}/queues/list", "name", name)
    assert (copy["autoRetryLimit"], copy["workItemModelId"]) == (3, queue["workItemModelId"])
    assert [each["col1"] for each in (await listed(ben_user, copy))["list"]] == ["A", "B"]
    if password:
        wrong = await imported("COPY", "another")
        assert (wrong["status"], "password" in wrong["errorMessage"]) == ("FAILED", True)
