"""Provisioners in the browser: made, changed, deleted; the secret stands in one answer alone."""

import re

from controlroom.engine.access.model import Role


async def test_a_provisioner_is_made_changed_and_deleted(visit, workspace, cleo):
    """Its secret is shown when it is made; what cannot be an address is said beside the form."""
    browser = await visit(workspace)
    assert "No provisioner" in await browser.get("/provisioners")
    refused = await browser.post("/provisioners/new", status=422, name="cloud", endpoint="ftp://x", minutes="")
    assert 'value="cloud"' in refused.text

    made = (
        await browser.post(
            "/provisioners/new", status=200, name="cloud", endpoint="https://p.example.com/start", minutes="90"
        )
    ).text
    secret = re.search(r'id="secret-of-provisioner">([^<]+)<', made)[1]
    here = re.search(rf"{browser.base}(/provisioners/\d+)/edit", made)[1]
    page = await browser.get(here)
    assert secret not in page
    assert "1 h 30 m" in page
    assert "It was not asked for anything yet" in page

    await browser.post(f"{here}/edit", name="the cloud", endpoint="https://p.example.com/start", minutes="60")
    assert "the cloud" in await browser.get("/provisioners")
    viewer, outsider = await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "Delete" not in await viewer.get(here)
    await viewer.post(f"{here}/delete", status=403)
    await outsider.get(here, status=404)
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
