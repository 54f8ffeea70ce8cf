"""Connections, log-ins, profiles, extended attributes, targets and variables by the management API."""

import pytest

from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.grants.store import add
from controlroom.engine.access.roles.model import ADMIN
from controlroom.ids import GrantId, uuid7

SERVER = {"kind": "postgres", "host": "db.example", "database": "sales"}


@pytest.fixture
async def boss(room, hire, workspace):
    """Governs the organization by a key."""
    person = await hire("boss", workspace, frozenset())
    principal = Principal(PrincipalKind.CREDENTIAL, person.actor.id)
    grant = GrantId(uuid7())
    await add(room.engine.database, room.organization, grant=grant, principal=principal, role=ADMIN, workspace=None)
    return person


async def test_a_connection_is_the_organizations(boss, ada, cleo):
    """Made by who may there, seen by who works on it, changed in part, deleted when nothing uses it."""
    made = await boss.post("/connections", {"name": "Sales", "settings": SERVER})
    place = f"/connections/{made['id']}"

    assert {**made["settings"], "port": 5432} == {**SERVER, "port": 5432}
    assert (await ada.call("POST", "/connections", json={"name": "x", "settings": SERVER})).status_code == 403
    assert (await ada.call("GET", place)).status_code == 404
    target = await boss.post("/targets", {"name": "Production", "purpose": "production", "connection_id": made["id"]})
    assert (await ada.get(place))["target_count"] == 1
    assert [row["id"] for row in await ada.every("/connections")] == [made["id"]]
    assert await cleo.every("/connections") == []
    assert (await boss.post(place, {"name": "Shop"}))["name"] == "Shop"
    assert (await boss.call("DELETE", place)).status_code == 409
    assert (await ada.call("DELETE", f"/targets/{target['id']}")).status_code == 200
    assert (await boss.call("DELETE", place)).json() == {"id": made["id"], "deleted": True}


async def test_a_file_has_versions(boss):
    """None before a run has brought one."""
    made = await boss.post("/connections", {"name": "Warehouse", "settings": {"kind": "duckdb"}})

    assert await boss.get(f"/connections/{made['id']}/versions") == []


async def test_a_target_is_changed_in_part(ada):
    """What is left out stays, null ends it."""
    login = await ada.post("/logins", {"kind": "postgres", "username": "ada", "password": "hunter22"})
    made = await ada.post("/targets", {"name": "Production", "login_id": login["id"], "branch": "main"})

    changed = await ada.post(f"/targets/{made['id']}", {"branch": None, "name": "Live"})

    assert (changed["name"], changed["branch"], changed["login_id"]) == ("Live", None, login["id"])
    assert [row["name"] for row in await ada.every("/targets")] == ["Live"]
    assert "hunter22" not in str(await ada.every("/logins"))
    assert (await ada.post(f"/logins/{login['id']}", {"threads": 8}))["has_password"] is True
    assert (await ada.call("DELETE", f"/logins/{login['id']}")).status_code == 409


async def test_profiles_and_attributes(boss):
    """A profile brings both; secrets of attributes are told as masks."""
    connection = await boss.post("/connections", {"name": "Sales", "settings": SERVER})
    login = await boss.post("/logins", {"kind": "postgres", "username": "ada"})
    attributes = await boss.post("/extended-attributes", {"attributes": {"token": "s3cr3t!"}})
    body = {"key": "main", "connection_id": connection["id"], "login_id": login["id"]}
    made = await boss.post("/connection-profiles", {**body, "extended_attributes_id": attributes["id"]})

    assert "s3cr3t!" not in str(await boss.every("/extended-attributes"))
    assert (await boss.call("DELETE", f"/extended-attributes/{attributes['id']}")).status_code == 409
    changed = await boss.post(f"/connection-profiles/{made['id']}", {"extended_attributes_id": None})
    assert changed["extended_attributes_id"] is None
    assert [row["key"] for row in await boss.every("/connection-profiles")] == ["main"]


async def test_variables_are_set_by_scope(ada, ben, cleo):
    """Again and again; of a secret one nobody is told the value."""
    target = await ada.post("/targets", {"name": "Production"})
    made = await ada.post("/variables", {"name": "DBT_COLOR", "value": "red"})
    await ada.post("/variables", {"name": "DBT_COLOR", "value": "blue", "target_id": target["id"]})
    await ada.post("/variables", {"name": "DBT_ENV_SECRET_X", "value": "hunter22"})
    await ada.post("/variables", {"name": "DBT_COLOR", "value": "green"})

    rows = await ben.get("/variables")

    assert [(row["name"], row["scope"], row["value"]) for row in rows] == [
        ("DBT_COLOR", "workspace", "green"),
        ("DBT_COLOR", "target", "blue"),
        ("DBT_ENV_SECRET_X", "workspace", None),
    ]
    assert (await ada.post(f"/variables/{made['id']}", {"name": "DBT_SHADE"}))["name"] == "DBT_SHADE"
    assert await cleo.get("/variables") == []
    wrong = await ada.call("POST", "/variables", json={"name": "DBT_TARGET_PATH", "value": "x"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "VARIABLE_NAME_INVALID")
    assert (await ada.call("DELETE", f"/variables/{made['id']}")).status_code == 200
