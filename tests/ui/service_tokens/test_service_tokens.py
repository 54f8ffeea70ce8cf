"""Service tokens in the browser: made by who governs, shown once, disabled and deleted."""

import re

from controlroom.ids import uuid7

HERE = "//admin/service-tokens"


async def test_a_service_token_is_made_shown_once_and_deleted(govern, visit, workspace, stranger):
    """It opens what its roles do, in the place that was chosen; disabled it opens nothing."""
    admin, owner = await govern(workspace), await visit(workspace)
    await owner.get(HERE, status=403)
    await owner.get(f"{HERE}/new", status=403)
    assert "/admin/service-tokens" not in await owner.get("/more")
    name = f"airflow {uuid7()}"
    form = await admin.get(f"{HERE}/new")
    role = re.search(r'name="role" value="([0-9a-f-]{36})"[^>]*><span>dbt Read-Only', form)
    role = role or re.search(r'name="role" value="([0-9a-f-]{36})"[^>]*><span>viewer', form)
    assert "tick one" in (await admin.post(f"{HERE}/new", status=422, name=name)).text
    made = (await admin.post(f"{HERE}/new", status=200, name=name, role=role[1], days="30")).text
    value = re.search(r'id="value">(dbtc_\w+)<', made)[1]
    listed = await admin.get(HERE)
    assert value not in listed
    number = re.search(rf"{re.escape(name)} <span class=\"id\">#(\d+)", listed)[1]
    called = {"Authorization": f"Token {value}"}
    assert (await stranger.get("/api/v2/accounts/", headers=called)).status_code == 200

    await owner.post(f"{HERE}/{number}/disable", status=403)
    await admin.post(f"{HERE}/{number}/disable")
    assert (await stranger.get("/api/v2/accounts/", headers=called)).status_code == 401
    await admin.post(f"{HERE}/{number}/enable")
    assert "refused at once" in await admin.get(f"{HERE}/{number}/delete?part=dialog")
    await admin.post(f"{HERE}/{number}/delete")
    assert f'token-{number}"' not in await admin.get(HERE)
