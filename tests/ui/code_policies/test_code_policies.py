"""Code policies in the browser: made, given, changed, deleted; and what is found in a package by them."""

import re

from controlroom.engine.access.model import Role
from controlroom.engine.analyses import claims
from controlroom.ids import uuid7
from controlroom.protocol import Finding, FoundInCode
from live import robot_zip


async def test_a_policy_is_made_given_changed_and_deleted(govern, visit, workspace, cleo):
    """By who makes workspaces; given by who edits one; one that holds somewhere is not deleted."""
    admin, owner, viewer = await govern(workspace), await visit(workspace), await visit(workspace, Role.VIEWER)
    name = f"strict {uuid7()}"
    await owner.get("/code-policies/new", status=403)
    await owner.post("/code-policies/new", status=403, name=name, rules="S6")
    form = await admin.get("/code-policies/new")
    assert "S602" in form
    for wrong, said in (
        ({"rules": ""}, "names the rules"),
        ({"rules": "no-rule!"}, "is no name of a rule"),
        ({"refuses": "everything"}, "no such severity"),
        ({"name": "default"}, "Nothing was changed"),
    ):
        answer = await admin.post("/code-policies/new", status=422, **({"name": name, "rules": "S6"} | wrong))
        assert said in answer.text, wrong
    sent = {"name": name, "rules": "S6, E9", "high": "S602", "critical": "E9", "refuses": "high"}
    made = await admin.post("/code-policies/new", **sent)
    here = made.headers["location"].removeprefix(admin.base)
    number = here.rpartition("/")[2]
    page = await viewer.get(here)
    assert "what is high or critical" in page
    assert "Nowhere that you see" in page
    assert f"{viewer.base}/code-policies/{number}/edit" not in page

    await viewer.post("/code-policies/give", status=403, policy=number)
    await owner.post("/code-policies/give", policy=number)
    assert "Packages of this workspace are read by" in await viewer.get("/code-policies")
    assert "the workspace" in await viewer.get(here)
    refused = await admin.post(f"{here}/delete", status=422)
    assert "workspaces or folders have this code policy" in refused.text.lower()
    await owner.post(f"{here}/edit", status=403, **sent)
    await admin.post(f"{here}/edit", **(sent | {"refuses": ""}))
    assert "nothing: it only tells" in await viewer.get(here)
    await owner.post("/code-policies/give", policy="")
    assert "read by the usual rules" in await owner.get("/code-policies")
    await admin.post(f"{here}/delete")
    offered = await admin.get("/code-policies")
    assert f'name="name" value="{name}"' in offered
    await admin.get(here, status=404)


async def test_a_folder_has_a_policy_of_its_own(govern, visit, workspace, cleo):
    """Said on its page; taken away, what is above decides again."""
    admin, owner = await govern(workspace), await visit(workspace)
    viewer, outsider = await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    made = await admin.post("/code-policies/new", name=f"strict {uuid7()}", rules="S6")
    number = made.headers["location"].rpartition("/")[2]
    root = (await owner.get("/repository")).split("/folder")[0].rpartition("/repository/")[2]
    folder = (await owner.post(f"/repository/{root}/folder", name="Finance")).headers["location"]
    folder = folder.removeprefix(owner.base)
    assert "the usual rules" in await owner.get(folder)
    await viewer.post(f"{folder}/code-policy", status=403, policy=number)
    await outsider.post(f"{folder}/code-policy", status=404, policy=number)
    await owner.post(f"{folder}/code-policy", policy=number)
    assert ", its own" in await viewer.get(folder)
    assert "Finance" in await viewer.get(f"/code-policies/{number}")
    await owner.post(f"/repository/{root}/code-policy", status=404, policy=number)
    await owner.post(f"{folder}/code-policy", policy="")
    assert "the usual rules" in await owner.get(folder)
    await admin.post(f"/code-policies/{number}/delete")


async def test_findings_stand_by_the_package_the_worst_first(room, visit, workspace, ada, walt):
    """Once a worker has read it; who may not bring packages does not have it read."""
    owner, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    sent = await owner.http.post(
        owner.path("/packages/upload"),
        files={"zip": ("words.zip", robot_zip("Count"))},
        headers={"Origin": str(owner.http.base_url).rstrip("/")},
    )
    here = sent.headers["location"].removeprefix(owner.base) + "/code"
    assert "was not read by these rules yet" in await viewer.get(here)
    await viewer.post(here, status=403)
    late = await owner.post(here, status=422)
    assert "is one at work?" in late.text

    claimed = await claims.claim(room.engine, walt.actor)
    assert claimed is not None
    found = [
        Finding(path="a.py", line=7, column=1, rule="S501", label="", message="no look at who is there"),
        Finding(path="b.py", line=9, column=1, rule="S602", label="", message="a shell"),
    ]
    await claims.finish(room.engine, walt.actor, claimed.id, claimed.attempt, FoundInCode(findings=tuple(found)))
    page = await viewer.get(here)
    assert re.findall(r"[ab]\.py:\d", page) == ["b.py:9", "a.py:7"]
    assert "1 high, 1 low" in page
    assert "Read it now" not in await owner.get(here)
