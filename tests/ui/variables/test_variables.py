"""Variables in the browser: a line a name, a column a scope; secret values are on no page."""

from controlroom.engine.access.model import Role
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import uuid7


async def test_a_variable_holds_where_it_is_said(visit, workspace, room, ada, process, cleo):
    """In the workspace, in an environment, for a process and for a person; emptied, it holds there no more."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)
    assert "No variable" in await browser.get("/variables")
    target = await targets.create(room.engine, ada.actor, workspace, TargetDefinition(name="Staging"))
    in_target = {f"target:{target.id}": "blue"}
    wrong = await browser.post("/variables/new", status=422, name="lower", workspace="red", **in_target)
    assert "Nothing was changed" in wrong.text
    assert 'value="blue"' in wrong.text
    number = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    await browser.post(
        "/variables/new",
        name="DBT_COLOR",
        workspace="red",
        process=str(number),
        process_value="green",
        user=browser.username,
        user_value="grey",
        **in_target,
    )
    table = await viewer.get("/variables")
    for told in ("DBT_COLOR", "red", "blue", "Staging", "1 process, 1 person"):
        assert told in table
    assert "DBT_COLOR" in await viewer.get("/variables?q=BLUE")
    assert "DBT_COLOR" not in await viewer.get("/variables?q=purple")
    page = await viewer.get("/variables/DBT_COLOR")
    order = [page.index(f">{value}<") for value in ("grey", "green", "blue", "red")]
    assert order == sorted(order)
    assert "Edit" not in page
    await viewer.get("/variables/DBT_COLOR/edit", status=403)
    await outsider.get("/variables/DBT_COLOR", status=404)

    form = await browser.get("/variables/DBT_COLOR/edit")
    assert 'value="green"' in form
    await browser.post("/variables/DBT_COLOR/edit", name="DBT_SHADE", workspace="rose", **{f"target:{target.id}": ""})
    await browser.get("/variables/DBT_COLOR", status=404)
    page = await browser.get("/variables/DBT_SHADE")
    assert "rose" in page
    assert "blue" not in page
    assert "grey" in page
    assert "All 3 of its values" in await browser.get("/variables/DBT_SHADE/delete?part=dialog")
    await browser.post("/variables/DBT_SHADE/delete")
    await browser.get("/variables/DBT_SHADE", status=404)


async def test_a_secret_one_is_shown_nowhere(visit, workspace):
    """An empty field keeps its value, its tick takes it away."""
    browser = await visit(workspace)
    secret, name = f"s-{uuid7()}", "DBT_ENV_SECRET_TOKEN"
    await browser.post("/variables/new", name=name, workspace=secret)
    for path in ("/variables", f"/variables/{name}", f"/variables/{name}/edit"):
        assert secret not in await browser.get(path)
    assert name not in await browser.get(f"/variables?q={secret}")
    await browser.post(f"/variables/{name}/edit", name=name, workspace="")
    assert name in await browser.get("/variables")
    await browser.post(f"/variables/{name}/edit", name=name, workspace="", **{"gone:workspace": "on"})
    await browser.get(f"/variables/{name}", status=404)
