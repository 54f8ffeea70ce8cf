"""Assets in the browser: made, edited, brought as files, deleted."""

from controlroom.engine.access.model import Role
from controlroom.ids import uuid7


async def test_an_asset_is_made_edited_and_deleted(visit, workspace, cleo):
    """What is no JSON is said with its line and not kept; the page shows the content, the list its type."""
    browser = await visit(workspace)
    assert "No assets yet" in await browser.get("/assets")
    refused = await browser.post(
        "/assets/new", status=422, name="prices", content_type="application/json", content='{\n"a": }'
    )
    assert "no JSON in line 2" in refused.text
    assert "&#34;a&#34;: }" in refused.text

    made = await browser.post("/assets/new", name="prices", content_type="application/json", content='{"a":\r\n 1}')
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "{&#34;a&#34;:\n 1}" in page
    assert "No robot has read it" in page
    taken = await browser.post("/assets/new", status=422, name="prices", content_type="text/plain", content="")
    assert "prices" in taken.text
    await browser.post(f"{here}/edit", content_type="text/plain", content="<script>alert(1)</script>")
    assert "&lt;script&gt;alert(1)" in await browser.get(here)
    assert "text/plain" in await browser.get("/assets")
    assert "prices" in await browser.get("/assets?as=csv")

    outsider, viewer = await visit(cleo.workspace), await visit(workspace, Role.VIEWER)
    await outsider.get(here, status=404)
    assert "Delete" not in await viewer.get(here)
    await viewer.post(f"{here}/delete", status=403)
    assert "no earlier one is kept" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)


async def test_a_file_is_brought_and_fetched(visit, workspace):
    """What is no text is not shown, and comes back as it went."""
    browser = await visit(workspace)
    made = await browser.post("/assets/new", name="model", content_type="text/plain", content="")
    here = made.headers["location"].removeprefix(browser.base)
    assert "Nothing in it yet" in await browser.get(here)

    content = bytes(range(256)) * 600
    answer = await browser.http.post(
        browser.path(f"{here}/upload"),
        data={"content_type": "application/octet-stream"},
        files={"file": ("m.bin", content, "application/octet-stream")},
        headers={"Origin": str(browser.http.base_url).rstrip("/")},
    )
    assert answer.status_code == 303, answer.text
    assert "It is not shown here" in await browser.get(here)
    link = await browser.http.get(browser.path(f"{here}/content"))
    assert (await browser.http.get(link.headers["location"])).content == content


async def test_assets_of_the_organization(govern, visit, workspace):
    """Made by who may write them there; short values stand in the list, and none is written over by its name."""
    admin, owner = await govern(workspace), await visit(workspace)
    assert "/shared-assets" not in await owner.get("/assets")
    await owner.get("/shared-assets", status=403)
    await owner.get("/shared-assets/new", status=403)
    assert "/shared-assets" in await admin.get("/assets")
    name = f"erp {uuid7()}"
    made = await admin.post("/shared-assets/new", name=name, content_type="text/plain", content="https://erp.example")
    here = made.headers["location"].removeprefix(admin.base)
    again = await admin.post("/shared-assets/new", status=422, name=name, content_type="text/plain", content="other")
    assert "already" in again.text
    assert "https://erp.example" in await admin.get(f"/shared-assets?q={name}")
    await owner.get(here, status=403)
    await admin.post(f"{here}/edit", content_type="text/plain", content="https://new.example")
    assert "https://new.example" in await admin.get(here)
    no_json = await admin.post(f"{here}/edit", status=422, content_type="application/json", content="{")
    assert "no JSON" in no_json.text
    await owner.post(f"{here}/delete", status=403)
    await admin.post(f"{here}/delete")
    await admin.get(here, status=404)
