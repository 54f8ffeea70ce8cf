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
    number = re.search(rf"{re.escape(name)}</a> <span class=\"id\">#(\d+)", listed)[1]
    called = {"Authorization": f"Token {value}"}
    assert (await stranger.get("/api/v2/accounts/", headers=called)).status_code == 200

    await owner.post(f"{HERE}/{number}/disable", status=403)
    await admin.post(f"{HERE}/{number}/disable")
    assert (await stranger.get("/api/v2/accounts/", headers=called)).status_code == 401
    await admin.post(f"{HERE}/{number}/enable")
    assert "refused at once" in await admin.get(f"{HERE}/{number}/delete?part=dialog")
    await admin.post(f"{HERE}/{number}/delete")
    assert f'token-{number}"' not in await admin.get(HERE)


async def test_a_service_token_is_changed(govern, visit, workspace):
    """Its name and what it holds, where; the undo gives back what was given up. Its value is not shown."""
    admin, owner = await govern(workspace), await visit(workspace)
    form = await admin.get(f"{HERE}/new")
    roles = re.findall(r'name="role" value="([0-9a-f-]{36})"', form)[:2]
    name = f"dagster {uuid7()}"
    await admin.post(f"{HERE}/new", status=200, name=name, role=roles[0])
    number = re.search(rf">{re.escape(name)}</a> <span class=\"id\">#(\d+)", await admin.get(HERE))[1]
    here = f"{HERE}/{number}"
    await owner.get(here, status=403)
    await owner.post(f"{here}/edit", status=403, name="mine", keep=f"{roles[0]}:")
    assert "in the organization" in await admin.get(here)
    assert "tick one" in (await admin.post(f"{here}/edit", status=422, name=name)).text
    assert "Nothing was changed" in (await admin.post(f"{here}/edit", status=422, name="", keep=f"{roles[0]}:")).text

    await admin.post(f"{here}/edit", name=f"{name} 2", role=roles[1], place=str(workspace))
    page = await admin.get(here)
    assert f"{name} 2" in page
    assert "in the organization" not in page.partition("h-holds")[2].partition("</section>")[0]
    keep = f"{roles[1]}:{workspace}"
    assert f'value="{keep}" checked' in await admin.get(f"{here}/edit")
    assert f'name="keep" value="{roles[0]}:"' in page  # the undo of it
    await admin.post(f"{here}/edit", name=name, keep=f"{roles[0]}:,{keep}")
    page = await admin.get(here)
    assert page.partition("h-holds")[2].partition("</section>")[0].count('class="beneath"') == 2
    await admin.post(f"{here}/delete")
    await admin.get(here, status=404)
