"""Connections in the browser, and what a workspace keeps to use them. No page shows a secret."""

import re

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import (
    ConnectionKind,
    DuckdbSettings,
    PostgresSettings,
    Storage,
)
from controlroom.errors import Invalid
from controlroom.ids import WorkerGroupId, uuid7
from controlroom.ui.asking import Fields
from controlroom.ui.connections.forms import defined, pairs_of


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (ConnectionKind.POSTGRES, PostgresSettings(host="db", database="sales", sslmode="require", retries=3)),
        (ConnectionKind.DUCKDB, DuckdbSettings(settings={"threads": 4, "memory_limit": "2GB", "x": True})),
        (
            ConnectionKind.DUCKDB,
            DuckdbSettings(
                storage=Storage.WORKER, folder="/data", worker_group_id=WorkerGroupId(uuid7()), extensions=["json"]
            ),
        ),
    ],
)
def test_a_form_says_what_it_was_filled_with(kind, settings):
    """Whatever settings are: saved as they stand, they stay."""
    assert defined(kind, Fields(pairs_of(settings)), settings) == settings


@pytest.mark.parametrize("wrong", [("settings", "memory_limit"), ("port", "many")])
def test_a_form_says_what_it_cannot_read(wrong):
    """A setting without a value, a port that is none."""
    kind = ConnectionKind.DUCKDB if wrong[0] == "settings" else ConnectionKind.POSTGRES
    with pytest.raises(Invalid):
        defined(kind, Fields([wrong]), None)


async def test_a_connection_is_made_changed_and_deleted(govern, visit, workspace, cleo):
    """By who governs; an owner of a workspace reads it where it is used, and is refused the form."""
    admin, owner, outsider = await govern(workspace), await visit(workspace), await visit(cleo.workspace)
    await owner.get("/connections/new", status=403)
    name = f"Sales {uuid7()}"
    assert "Kept by" in await admin.get("/connections/new?kind=duckdb")
    wrong = await admin.post("/connections/new", status=422, kind="postgres", name=name, host="", database="sales")
    assert "Nothing was changed" in wrong.text
    assert name in wrong.text
    made = await admin.post("/connections/new", kind="postgres", name=name, host="db.example", database="sales")
    here = made.headers["location"].removeprefix(admin.base)
    page = await admin.get(here)
    assert "db.example" in page
    assert name in await admin.get("/connections")
    await owner.get(here, status=404)
    await outsider.get(here, status=404)

    form = await admin.get(f"{here}/edit")
    assert 'value="db.example"' in form
    await admin.post(f"{here}/edit", name=name, host="other.example", database="sales", port="6432")
    assert "6432" in await admin.get(here)
    await owner.post(f"{here}/delete", status=404)
    assert "The database itself is not touched" in await admin.get(f"{here}/delete?part=dialog")
    await admin.post(f"{here}/delete")
    await admin.get(here, status=404)


async def test_a_log_in_keeps_its_password_to_itself(visit, workspace, room, cleo):
    """It goes in and is on no page; an empty field keeps it; what is used is not deleted."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)
    secret = f"pw-{uuid7()}"
    made = await browser.post("/logins/new", kind="duckdb", username="ida", password=secret, schema_name="marts")
    here = made.headers["location"].removeprefix(browser.base)
    for path in (here, f"{here}/edit", "/logins", f"{here}/delete"):
        assert secret not in await browser.get(path)
    assert "sealed" in await browser.get(here)
    assert "New log-in" not in await viewer.get("/logins")
    await viewer.get(f"{here}/edit", status=403)
    await outsider.get(here, status=404)
    await browser.post(f"{here}/edit", username="ida", password="", schema_name="marts", threads="8")
    assert "sealed" in await browser.get(here)
    assert "whole number" in (await browser.post(f"{here}/edit", status=422, username="ida", threads="many")).text

    connection = await connections.create(room.engine, room.admin, name=f"T {uuid7()}", settings=DuckdbSettings())
    admin = await visit(workspace)
    assert "Choose a connection" in (await admin.post("/profiles/new", status=422, key="main")).text
    login = re.search(r'value="([0-9a-f-]{36})"[^>]*>ida', await browser.get("/profiles/new"))[1]
    refused = await browser.post("/profiles/new", status=422, key="main", connection=str(connection.id), login=login)
    assert "no such connection" in refused.text  # nobody uses it where they may know of it

    made = await browser.post("/targets/new", name="Production", kind="deployment", login=login)
    target = made.headers["location"].removeprefix(browser.base)
    assert "ida" in await browser.get(target)
    assert "Production" in await browser.get(here)
    assert "is used by the target Production" in (await browser.post(f"{here}/delete", status=422)).text
    edit = await browser.get(f"{target}/edit")
    assert re.search(rf'value="{login}" selected', edit)
    await browser.post(f"{target}/edit", name="Production", kind="deployment", login="")
    await browser.post(f"{here}/edit", username="ida", forgets="on", schema_name="")
    assert "<dd>none</dd>" in await browser.get(here)
    await browser.post(f"{here}/delete")


async def test_profiles_and_overlays(govern, visit, workspace, cleo):
    """A profile names both by a key; an overlay's secrets are masks, and stay where the mask is left."""
    admin, outsider = await govern(workspace), await visit(cleo.workspace)
    name = f"File {uuid7()}"
    await admin.post("/connections/new", kind="duckdb", name=name, file="shop.duckdb", storage="room")
    made = await admin.post("/logins/new", kind="duckdb", username="", schema_name="marts")
    login = made.headers["location"].rpartition("/")[2]
    secret = f"t-{uuid7()}"
    assert "JSON object" in (await admin.post("/attributes/new", status=422, attributes="[1")).text
    await admin.post("/attributes/new", attributes=f'{{"token": "{secret}", "retries": 3}}')
    listed = await admin.get("/attributes")
    assert secret not in listed
    assert "retries" in listed
    overlay = re.search(r"/attributes/(\d+)/edit", listed)[1]
    form = await admin.get(f"/attributes/{overlay}/edit")
    assert secret not in form
    assert "********" in form
    await outsider.get(f"/attributes/{overlay}/edit", status=404)

    await admin.get("/profiles/new")
    parts = {"connection": name, "login": f"#{login}"}
    assert (
        "no overlay" in (await admin.post("/profiles/new", status=422, key="main", **parts, attributes="Nobody")).text
    )
    await admin.post("/profiles/new", key="main", **parts, attributes=f"#{overlay}")
    assert "main" in await admin.get("/profiles")
    profile = re.search(r"/profiles/(\d+)/edit", await admin.get("/profiles"))[1]
    await admin.post(f"/profiles/{profile}/edit", key="prime", **parts, attributes="")
    assert "prime" in await admin.get("/profiles")
    await outsider.get(f"/profiles/{profile}/edit", status=404)
    made = await admin.post("/targets/new", name="Dev", kind="development", profile="prime")
    target = made.headers["location"].removeprefix(admin.base)
    assert "used by" in (await admin.post(f"/profiles/{profile}/delete", status=422)).text
    assert "prime" in await admin.get(target)
    await admin.post(f"{target}/delete")
    await admin.post(f"/profiles/{profile}/delete")
    await admin.post(f"/attributes/{overlay}/delete")
    assert "No overlay" in await admin.get("/attributes")
