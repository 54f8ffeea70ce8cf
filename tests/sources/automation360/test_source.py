"""A Control Room of our own, loaded whole, changed, and loaded again: every row and value is compared with the API."""

import datetime as dt
import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from tests.dialects.automation360.test_deploy import DEPLOY, LIST, bot, deploying, device  # noqa: F401
from tests.dialects.automation360.test_queues import V3, a_queue, automation, items, row
from tests.dialects.automation360.test_schedules import planned
from tests.dialects.automation360.test_vault import new_credential
from tests.sources.automation360.conftest import every
from tests.sources.automation360.conftest import own_room as room  # noqa: F401

from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.runs.outputs import output
from controlroom.protocol import ErrorCode
from controlroom.sources.automation360 import tables
from controlroom.sources.columns import ITSELF, PARENT, POSITION, Kind, Table

REPOSITORY, VAULT = "/v2/repository/workspaces/public/files/list", "/v2/credentialvault"


@pytest.fixture
def furnish(room, root, walt, bot, device, workspace):  # noqa: F811
    """Makes a bot that has completed with outputs, failed, and waits; a queue with an automation; one of the rest."""

    async def make() -> dict[str, Any]:
        for error in (None, ErrorCode.ROBOT_FAILED):
            await root.post(DEPLOY, deploying(bot, root))
            assignment = await walt.take()
            if error is None:
                robot = read_step_run_token(room.engine.keys, assignment.token)
                made = msgspec.Raw(b'{"sum": 7.5, "ok": true, "names": ["a", "b"], "who": "Ada"}')
                await output(room.engine, robot, assignment.work_item_id, made)
            await walt.finish(assignment, error)
        await root.post(DEPLOY, deploying(bot, root))
        queue = await a_queue(root, f"Invoices {workspace}", autoRetryLimit=2)
        await items(root, queue, row("A", "20.5"), row("B"), row("C"))
        await root.post(f"{V3}/automations", await automation(root, bot, queue, devices=[device], status="PAUSE"))
        await root.post("/v2/schedule/automations", planned(bot, root.number))
        locker = await root.post(f"{VAULT}/lockers", {"name": f"l {workspace}"[:50], "description": "d"}, status=201)
        credential = await new_credential(root)
        await root.call("PUT", f"{VAULT}/lockers/{locker['id']}/credentials/{credential['id']}")
        value = {"list": [{"credentialAttributeId": credential["attributes"][0]["id"], "value": "not-for-loads"}]}
        await root.post(f"{VAULT}/credentials/{credential['id']}/attributevalues", value, status=201)
        permissions = [{"action": "view", "resourceType": "devices"}]
        role = {"name": f"r {workspace}", "permissions": permissions, "userIds": [str(root.number)]}
        made = await root.post("/v2/usermanagement/roles", role, status=201)
        return {"queue": queue, "role": made["id"], "credential": credential["id"]}

    return make


# ---------------------------------------------------------------------------------------------- what the API tells
async def told_by(root) -> dict[str, list[Any]]:
    """The rows of each table, as the API tells them."""
    bots = [each for each in await every(root, REPOSITORY) if each["type"] == tables.BOT]
    executions = await every(root, LIST)
    queues = await every(root, f"{V3}/queues/list")
    return {
        "automations": bots,
        "automation_details": [
            {
                **await root.get(f"/v1/acc/automation/{each['id']}/about"),
                "variables": (await root.get(f"/v1/filecontent/{each['id']}/interface"))["variables"],
                "dependencies": (await root.get(f"/v2/repository/files/{each['id']}/dependencies"))["dependencies"],
            }
            for each in bots
        ],
        "folders": [each for each in await every(root, REPOSITORY) if each["folder"]],
        "executions": executions,
        "users": await every(root, "/v2/usermanagement/users/list"),
        "roles": [
            await root.get(f"/v2/usermanagement/roles/{each['id']}")
            for each in await every(root, "/v2/usermanagement/roles/list")
        ],
        "robots": await every(root, "/v2/devices/list"),
        "run_as_users": await every(root, "/v1/devices/runasusers/list"),
        "pools": [
            {**each, **await root.get(f"/v2/devices/pools/{each['id']}")}
            for each in await every(root, "/v2/devices/pools/list")
        ],
        "queues": queues,
        "work_item_models": await every(root, f"{V3}/workitemmodels/list"),
        "queue_automations": await every(root, f"{V3}/automations/list"),
        "work_items": [
            each for queue in queues for each in await every(root, f"{V3}/queues/{queue['id']}/workitems/list")
        ],
        "schedules": await every(root, "/v2/schedule/automations/list"),
        "credentials": await every(root, f"{VAULT}/credentials/list"),
        "lockers": await every(root, f"{VAULT}/lockers/list"),
    }


_OF_NOW = {
    *("robots.status", "robots.updated_on", "pools.status", "pools.detailed_status", "users.last_login_time"),
}
"""What may be another by the time that it is asked for again."""
_NONE = {"", "0", 0, -1, "-1", None}


def expected(kind: Kind, value: Any) -> Any:
    """A value as a table has it: ids and counts as numbers, moments as moments, nothing as null."""
    match kind:
        case Kind.TIME:
            return dt.datetime.fromisoformat(value) if value else None
        case Kind.INTEGER | Kind.NUMBER:
            return None if value in {"", None} else float(value)
        case Kind.TEXT:
            return None if value is None else str(value)
        case _:
            return value


def loaded(kind: Kind, value: Any) -> Any:
    """A value as it was read back."""
    if value is None:
        return None
    if kind is Kind.JSON:
        return json.loads(value) if isinstance(value, str) else value
    return float(value) if kind in {Kind.INTEGER, Kind.NUMBER} else value


def at(column, told: Any, parent: Any, position: int) -> Any:
    """What the API has where a column is read from."""
    path = column.path
    if path == (POSITION,):
        return position
    if path == (ITSELF,):
        return told
    here, path = (parent, path[1:]) if path[0] == PARENT else (told, path)
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here


def agree(table: Table, told: list[tuple[Any, Any, int]], rows: list[dict[str, Any]]) -> None:
    """That a table holds what was told, each row once, each value as it was told."""

    def key(values) -> tuple:
        return tuple(str(float(each)) if isinstance(each, int | float) else str(each) for each in values)

    columns = {column.name: column for column in table.columns if column.name != "_removed"}
    by_key = {key(row[name] for name in table.key): row for row in rows}
    assert len(by_key) == len(rows), f"{table.name}: a key stands there twice"
    wanted = {key(expected(columns[name].kind, at(columns[name], *each)) for name in table.key): each for each in told}
    assert by_key.keys() == wanted.keys(), table.name
    for known, each in wanted.items():
        for name, column in columns.items():
            if f"{table.name}.{name}" in _OF_NOW:
                continue
            value = at(column, *each)
            found = loaded(column.kind, by_key[known][name])
            if found is None and value in (_NONE if isinstance(value, str | int | None) else ()):
                continue
            assert found == expected(column.kind, value), f"{table.name}.{name} of {known}: {value!r}"


def agree_whole(loading, table: Table, told: list[Any]) -> None:
    """Likewise, with the tables of the lists within its rows."""
    agree(table, [(each, {}, 0) for each in told], loading.rows(table.name))
    for child in table.children:
        below = [
            (each, parent, position)
            for parent in told
            for position, each in enumerate(at_path(parent, child.path) or [])
        ]
        agree(child.table, below, loading.rows(child.table.name))


def at_path(here: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        here = here.get(key)
    return here


_TABLES = {table.name: table for table in tables.TABLES}


def columns(loading) -> dict[str, Any]:
    """The columns of all tables that a load makes of itself."""
    usual = [table for table in tables.TABLES if table is not tables.WORK_ITEM_PAYLOADS]
    return {each.name: loading.columns(each.name) for table in usual for each in table.all}


async def agrees(loading, root, gone=frozenset()) -> dict[str, list[Any]]:
    """That every table is as the API tells it now, but for items that are gone: they stay until all is read anew."""
    told = await told_by(root)
    for name, rows in told.items():
        if name == "work_items" and gone:
            held = {each["id"]: each["version"] for each in loading.rows(name)}
            assert held == {each["id"]: each["version"] for each in rows} | {each: held[each] for each in gone}
        else:
            agree_whole(loading, _TABLES[name], rows)
    by_deploy = Counter(each["deploymentId"] for each in told["executions"])
    assert {each["id"]: each["execution_count"] for each in loading.rows("deployments")} == by_deploy
    return told


# ----------------------------------------------------------------------------------------------------------- stories
@pytest.mark.timeout(600)
async def test_a_room_is_loaded_changed_and_loaded_again(loading, source, root, walt, furnish):
    """Every row is as the API tells it, after the first load, after an incremental one, and after a full one."""
    await loading.run(source)
    before = columns(loading)
    assert loading.rows("executions") == loading.rows("work_items") == loading.rows("queues") == []
    furnished = await furnish()
    first = await loading.run(source)
    told = await agrees(loading, root)

    assert first.remarks == []
    assert first.rows["executions"] == len(told["executions"])
    [completed] = [each for each in told["executions"] if each["status"] == "COMPLETED"][-1:]
    outputs = {each["name"]: each for each in loading.rows("execution_outputs")}
    assert {name: (each["type"], each["value"]) for name, each in outputs.items()} == {
        "sum": ("NUMBER", "7.5"),
        "ok": ("BOOLEAN", "true"),
        "names": ("LIST", '[{"type":"STRING","string":"a"},{"type":"STRING","string":"b"}]'),
        "who": ("STRING", "Ada"),
    }
    assert {each["execution_id"] for each in outputs.values()} == {completed["id"]}
    assert outputs["sum"]["number"] == 7.5
    statuses = Counter(each["status"] for each in loading.rows("deployments"))
    assert statuses == {"COMPLETED": 1, "RUN_FAILED": 1, "QUEUED": 1}
    overview = {each["field"]: each["value"] for each in loading.rows("acc_overview")}
    assert (overview["COMPLETED"], overview["FAILED"]) == (1, 1)
    assert [(each["successful"], each["failed"]) for each in loading.rows("acc_bots")] == [(1, 1)]
    audit = await every(root, "/v1/audit/messages/list", 400)
    loaded_audit = {each["id"] for each in loading.rows("audit")}
    assert loaded_audit >= {each["id"] for each in audit} - {audit[0]["id"]}
    with loading.pipeline.sql_client() as client:
        everything = "".join(
            str(client.execute_sql(f'select * from "{name}"')) for name in loading.pipeline.default_schema.tables
        )
    assert "not-for-loads" not in everything

    queue = furnished["queue"]["id"]
    await walt.finish(await walt.take())
    await items(root, furnished["queue"], row("D"))
    [item, other, *_] = await every(root, f"{V3}/queues/{queue}/workitems/list")
    held = {"status": "ON_HOLD", "result": "ask"}
    await root.put(f"/v4/wlm/queues/{queue}/workitems/{item['id']}", held)
    await root.delete(f"/v2/usermanagement/roles/{furnished['role']}")
    await root.delete(f"{VAULT}/credentials/{furnished['credential']}")
    await root.delete(f"{V3}/queues/{queue}/workitems/{other['id']}")
    await loading.run(source)
    await agrees(loading, root, gone={other["id"]})

    swept = ("executions", "deployments", "execution_outputs", "work_items", "work_item_payloads")
    await loading.run(lambda: source(full=True), *swept)  # payloads only where they are asked for
    await agrees(loading, root)
    assert columns(loading) == before  # a room in which nothing is has all tables, and all of their columns
    payloads = [
        await root.get(f"{V3}/queues/{queue}/workitems/{each['id']}")
        for each in await every(root, f"{V3}/queues/{queue}/workitems/list")
    ]
    agree_whole(loading, tables.WORK_ITEM_PAYLOADS, payloads)
