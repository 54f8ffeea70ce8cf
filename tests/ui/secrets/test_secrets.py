"""Secrets in the browser: kept, changed key by key, deleted; and no page ever has a value."""

from controlroom.engine.access.model import Role
from controlroom.engine.vault import actions as vault

VALUE = "hunter2 with spaces  "
OTHER = "Tr0ub4dor&3"


async def test_a_secret_is_kept_changed_key_by_key_and_deleted(visit, workspace, room, ada, cleo):
    """An empty field leaves a value, a tick takes a key away; what was typed is in no page afterwards."""
    browser = await visit(workspace)
    fields = {"name": "erp", "description": "the ledger", "key": ["user", "password", ""], "value": ["ida", VALUE, ""]}
    made = await browser.post("/secrets/new", **fields)
    here = made.headers["location"].removeprefix(browser.base)
    assert (await vault.read(room.engine, ada.actor, workspace, "erp")).values == {"user": "ida", "password": VALUE}

    taken = await browser.post("/secrets/new", status=422, **{**fields, "value": ["x", OTHER, ""]})
    assert "already" in taken.text
    assert OTHER not in taken.text
    assert 'value="password"' in taken.text
    assert (await vault.read(room.engine, ada.actor, workspace, "erp")).values["password"] == VALUE

    await browser.post(
        f"{here}/edit",
        description="the ledger",
        key=["user", "password", "token"],
        value=["", OTHER, "t"],
        gone=["user"],
    )
    assert (await vault.read(room.engine, ada.actor, workspace, "erp")).values == {"password": OTHER, "token": "t"}
    for path in (here, f"{here}/edit", f"{here}/delete", "/secrets", "/secrets?as=csv"):
        page = await browser.get(path)
        assert "hunter2" not in page
        assert "Tr0ub4dor" not in page
    assert "token" in await browser.get(here)
    assert "Updated" in await browser.get(here)

    outsider, viewer = await visit(cleo.workspace), await visit(workspace, Role.VIEWER)
    await outsider.get(here, status=404)
    await outsider.get("/secrets/erp", status=404)
    await viewer.get(here, status=403)
    await viewer.post(f"{here}/edit", status=403, description="", key=["a"], value=["b"])
    assert "password, token" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)


async def test_a_name_that_no_client_can_ask_for_is_refused(visit, workspace):
    """Nothing is kept, and the reason is said."""
    browser = await visit(workspace)
    refused = await browser.post("/secrets/new", status=422, name="a/b", key=["k"], value=[VALUE])
    assert "none of them /" in refused.text
    assert "hunter2" not in refused.text
