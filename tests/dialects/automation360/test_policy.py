"""Policy Management API v1 and v2."""

import asyncio

import pytest

from controlroom.engine.analyses import claims, policies
from controlroom.engine.analyses.errors import PolicyInUse
from controlroom.engine.analyses.model import Rules, Severity
from controlroom.engine.packages.actions import push
from controlroom.ids import uuid7
from controlroom.protocol import Finding, FoundInCode
from live import robot_zip

ANALYSIS = "/v2/policy/bot/analysis"
SHELL = Finding(
    rule="S602",
    label="subprocess-popen-with-shell-equals-true",
    message="`subprocess` call with `shell=True` identified",
    path="tasks.py",
    line=4,
    column=5,
)


@pytest.fixture
def reads(room, walt):
    """Has the worker read the next code, and find this in it."""

    async def read(*findings, message=""):
        async with asyncio.timeout(20):
            while (code := await claims.claim(room.engine, walt.actor)) is None:
                with claims.waiting(room.engine, walt.actor) as watch:
                    await watch.wait(0.2)
        await claims.finish(
            room.engine, walt.actor, code.id, code.attempt, FoundInCode(findings=findings, message=message)
        )
        return code

    return read


async def bot(root, room, ada, *tasks):
    """A package of ada's workspace; the id of its first task."""
    blob = await room.engine.objects.put_bytes(robot_zip(*tasks))
    await push(room.engine, ada.actor, ada.workspace, "robot", blob)
    [package] = await ada.every("/task-packages", name="robot")
    [row] = await room.engine.database.all(
        int,
        "select task.number from task where package_id = %(id)s and name = %(name)s",
        id=package["id"],
        name=tasks[0],
    )
    return str(row), package["id"]


async def test_a_bot_is_analysed_by_a_worker(room, root, ada, reads):
    """The summary counts by severity, details name each place, and the report is downloaded by its name."""
    file, _ = await bot(root, room, ada, "Read")

    summary, code = await asyncio.gather(root.post(ANALYSIS, {"fileId": file, "excludeChildBots": False}), reads(SHELL))
    details = await root.post(f"{ANALYSIS}/details", {"fileId": int(file)})
    report = await root.call("GET", f"/v1/policy/bot/analysis/download/{summary['downloadFileName']}")

    assert "S602" in code.rules
    assert summary["errorMessage"] == ""
    assert summary["ruleViolationSummary"] == {
        "highSeverityCount": 1,
        "lowSeverityCount": 0,
        "criticalSeverityCount": 0,
    }
    [violations] = details  # the same content by the same rules is not read twice
    assert violations["command"] == {"uid": "tasks.py:4:5"}
    assert [each["ruleSeverity"] for each in violations["ruleViolations"]] == ["HIGH"]
    assert "S602" in report.text
    assert report.headers["content-type"] == "text/csv; charset=utf-8"


async def test_a_clean_bot_has_no_violations(room, root, ada, reads):
    """An empty list, and noughts."""
    file, _ = await bot(root, room, ada, "Clean")

    summary, _ = await asyncio.gather(root.post(ANALYSIS, {"fileId": file}), reads())

    assert {*summary["ruleViolationSummary"].values()} == {0}
    assert await root.post(f"{ANALYSIS}/details", {"fileId": file}) == []


async def test_what_a_worker_could_not_read_is_said(room, root, ada, reads):
    """In the summary's `errorMessage`."""
    file, _ = await bot(root, room, ada, "Odd")

    summary, _ = await asyncio.gather(root.post(ANALYSIS, {"fileId": file}), reads(message="it is too odd"))

    assert summary["errorMessage"] == "it is too odd"


async def test_who_does_not_see_a_bot_does_not_analyse_it(room, root, ada, nobody, stranger):
    """Neither bot nor report."""
    file, _ = await bot(root, room, ada, "Hidden")

    assert (await nobody.call("POST", ANALYSIS, json={"fileId": file})).status_code in {403, 404}
    assert (await root.call("POST", ANALYSIS, json={"fileId": "0"})).status_code == 404
    assert (await root.call("GET", "/v1/policy/bot/analysis/download/code-analysis-1.csv")).status_code == 404
    assert (await stranger.post(ANALYSIS, json={"fileId": file})).status_code == 401


async def test_a_policy_refuses_packages_at_the_door(room, root, ada, reads):
    """What is there already stays; what it admits is taken. A policy that a workspace has is not deleted."""
    await bot(root, room, ada, "Old")
    strict = Rules(name=f"strict {uuid7()}", rules=("S6",), high=("S602",), refuses=Severity.HIGH)
    made = await policies.write(room.engine, root.actor, strict)
    given = await ada.post("/code-policy", {"policy_id": str(made.id)})

    async def bring(task):
        blob = await room.engine.objects.put_bytes(robot_zip(task))
        return await push(room.engine, ada.actor, ada.workspace, "robot", blob)

    refused, _ = await asyncio.gather(bring("New"), reads(SHELL), return_exceptions=True)
    pushed, _ = await asyncio.gather(bring("Newer"), reads())

    assert given["refuses"] == "high"
    assert refused.code == "PACKAGE_REFUSED"
    assert "tasks.py:4" in refused.message
    assert pushed.package.latest.version == 2
    with pytest.raises(PolicyInUse):
        await policies.delete(room.engine, root.actor, made.id)
    assert (await ada.post("/code-policy", {"policy_id": None}))["name"] == "Default"
    await policies.delete(room.engine, root.actor, made.id)


async def test_the_nearest_folder_with_a_policy_decides(room, root, ada, ben, cleo, reads):
    """A folder's holds for what lies below it, until a nearer one; without one, what is above decides."""
    north = await ada.post("/repository/folders", {"name": "North"})
    inner = await ada.post("/repository/folders", {"name": "Inner", "parent": {"id": north["id"]}})
    _, package = await bot(root, room, ada, "Lies")
    await ada.post(f"/repository/{package}", {"parent": {"id": inner["id"]}})
    named = {}
    for word in ("wide", "strict"):
        rules = Rules(name=f"{word} {uuid7()}", rules=("S6",), high=("S602",), refuses=Severity.HIGH)
        named[word] = await policies.write(room.engine, root.actor, rules)

    async def in_force(of):
        return (await ada.get(f"/repository/{of}/code-policy"))["name"]

    async def give(of, policy):
        body = {"policy_id": None if policy is None else str(policy.id)}
        return (await ada.post(f"/repository/{of}/code-policy", body))["name"]

    assert await in_force(package) == "Default"
    assert await give(north["id"], named["wide"]) == named["wide"].name
    assert [await in_force(each) for each in (inner["id"], package)] == [named["wide"].name] * 2
    await give(inner["id"], named["strict"])
    assert await in_force(package) == named["strict"].name
    assert (await ada.get("/code-policy"))["name"] == "Default"

    blob = await room.engine.objects.put_bytes(robot_zip("Shell"))
    brought = push(room.engine, ada.actor, ada.workspace, "robot", blob)
    refused, _ = await asyncio.gather(brought, reads(SHELL), return_exceptions=True)
    assert refused.code == "PACKAGE_REFUSED"
    assert named["strict"].name in refused.message
    elsewhere = await push(room.engine, ada.actor, ada.workspace, "another", blob)
    assert elsewhere.package.latest.version == 1

    for of, body in ((uuid7(), None), (package, None), (north["id"], str(uuid7()))):
        answer = await ada.call("POST", f"/repository/{of}/code-policy", json={"policy_id": body})
        assert answer.status_code == 404
    answer = await ben.call("POST", f"/repository/{north['id']}/code-policy", json={"policy_id": None})
    assert answer.status_code == 403
    assert (await cleo.call("GET", f"/repository/{north['id']}/code-policy")).status_code == 404
    with pytest.raises(PolicyInUse):
        await policies.delete(room.engine, root.actor, named["strict"].id)
    assert await give(inner["id"], None) == named["wide"].name


async def test_a_bot_tells_how_bad_its_code_is(room, root, ada, reads):
    """In lists and by itself: not scanned, then by the worst that was found by the rules that hold now."""
    file, _ = await bot(root, room, ada, "Scanned")

    async def told():
        [row] = await root.rows("/v2/repository/workspaces/public/files/list", "id", file)
        assert (await root.get(f"/v2/repository/files/{file}"))["codeAnalysisResult"] == row["codeAnalysisResult"]
        return row["codeAnalysisResult"]

    assert await told() == "NOT_SCANNED"
    await asyncio.gather(root.post(ANALYSIS, {"fileId": file}), reads(SHELL))
    assert await told() == "HIGH_SEVERITY_VIOLATIONS"
    mild = await policies.write(room.engine, root.actor, Rules(name=f"mild {uuid7()}", rules=("S602",)))
    await ada.post("/code-policy", {"policy_id": str(mild.id)})
    assert await told() == "NOT_SCANNED"
    await asyncio.gather(root.post(ANALYSIS, {"fileId": file}), reads(SHELL))
    assert await told() == "LOW_SEVERITY_VIOLATIONS"
    await ada.post("/code-policy", {"policy_id": None})
    assert await told() == "HIGH_SEVERITY_VIOLATIONS"


async def test_the_management_api_tells_the_same(room, root, ada, ben, cleo, reads):
    """What is found in a package, for who may read packages."""
    _, package = await bot(root, room, ada, "Told")
    path = f"/task-packages/{package}/code-analysis"

    found, _ = await asyncio.gather(ada.post(path), reads(SHELL))

    assert (found["high"], found["policy"], found["findings"][0]["line"]) == (1, "Default", 4)
    assert (await ben.post(path, {"wait_seconds": 0}))["id"] == found["id"]
    assert (await cleo.call("POST", path)).status_code == 404
    assert (await ada.call("POST", "/code-policy", json={"policy_id": str(uuid7())})).status_code == 404
    assert (await ben.call("POST", "/code-policy", json={"policy_id": None})).status_code == 403
