"""Where there are more processes than a choice holds, one is typed: by its name, number or id."""

import re

from controlroom.ids import uuid7
from controlroom.ui.pickers import picker


async def test_one_of_many_processes_is_typed(room, visit, workspace, process, monkeypatch):
    """A field with suggestions stands in place of the choice; whatever names it is taken, and nobody's is refused."""
    browser = await visit(workspace)
    another = "insert into process (id, workspace_id, name) values (%(id)s, %(workspace)s, 'Zeta')"
    await room.engine.database.execute(another, id=uuid7(), workspace=workspace)
    monkeypatch.setattr(picker, "FEW", 1)
    for path in ("/schedules/new", "/webhooks/new", f"/processes/{process}/triggers", "/items/new", "/runs"):
        answer = await browser.http.get(f"{browser.base}{path}", follow_redirects=True)
        assert re.search(r'<input class="input" id="(process|next)" [^>]*data-suggests="processes"', answer.text), path
        assert '<option value="Zeta">' in answer.text

    fields = {"endpoint": "https://example.com/hook", "event": "run.completed"}
    refused = await browser.post("/webhooks", 400, process="nobodys", **fields)
    assert "nobodys" in refused.text
    made = await browser.post("/webhooks", 200, process="Invoices", **fields)
    assert "of Invoices" in await browser.get("/webhooks")
    assert made.status_code == 200


async def test_what_is_suggested_has_what_was_typed(visit, workspace, process, cleo):
    """Of this workspace."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    assert '<option value="Invoices">' in await browser.get("/suggested/processes?q=voic")
    assert "<option" not in await browser.get("/suggested/processes?q=zzz")
    assert "<option" not in await outsider.get("/suggested/processes?q=voic")
