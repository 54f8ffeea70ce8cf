"""Every route of the public API against keys that may, keys that may not, and another workspace's key."""

import re
from collections.abc import Iterator
from uuid import uuid4

from contract.robocorp.furnished import Furnished
from contract.robocorp.grammar import EARLIER, PUBLIC, Row, W
from controlroom.dialects.robocorp.permissions import permission_named
from controlroom.engine.access.model import EVERYTHING

ROWS = [row for section in (PUBLIC, EARLIER) for row in section.rows if isinstance(row, Row)]


def below_workspace(row: Row) -> str:
    return row.path.removeprefix(W)


def gentle_first(row: Row) -> tuple[bool, bool, int]:
    """What reads before what changes, what deletes at the end: the deeper in the tree, the earlier."""
    return row.method == "DELETE", row.path.endswith("/batch"), -len(row.path)


async def test_a_key_does_what_its_permissions_name(furnished: Furnished, hire, cleo):
    """With exactly the permission of a route it succeeds; with all others it is told which one is missing."""
    workspace = furnished.owner.workspace
    found = {}
    for row in sorted(ROWS, key=gentle_first):
        needed = frozenset({permission_named(row.permission)} if row.permission else ())
        may, may_not = await hire("may", workspace, needed), await hire("may not", workspace, EVERYTHING - needed)
        refused = None
        if needed:
            answer = await furnished.call(row.method, below_workspace(row), may_not.key)
            refused = (answer.status_code, answer.json()["error"].get("permission"))
        done = await furnished.call(row.method, below_workspace(row), may.key)
        found[f"{row.method} {row.path}"] = (refused, done.status_code)

    assert found == {
        f"{row.method} {row.path}": ((403, row.permission) if row.permission else None, 200) for row in ROWS
    }


async def test_another_workspaces_key_sees_nothing(furnished: Furnished, cleo):
    """Neither under this workspace's address nor, by their ids, under its own; and nothing changes."""
    found = {}
    for row in ROWS:
        here = await furnished.call(row.method, below_workspace(row), cleo.key)
        found[f"{row.method} {row.path}"] = here.status_code
        if re.search(r"\{", below_workspace(row)):
            theirs = {"workspace": str(cleo.workspace)}
            there = await furnished.call(row.method, below_workspace(row), cleo.key, ids=theirs)
            found[f"{row.method} {row.path} in their own"] = there.status_code

    assert {what: status for what, status in found.items() if status != 404} == {}


async def test_nobodys_key_opens_nothing(furnished: Furnished):
    """Without a credential, or with one that is wrong, every route is closed; whether something is there or not."""
    for row in ROWS:
        for key in (None, "wrong"):
            answer = await furnished.call(row.method, below_workspace(row), key)
            assert answer.status_code == 401, row
        answer = await furnished.call(row.method, below_workspace(row), None, ids={"workspace": str(uuid4())})
        assert answer.status_code == 401, row


async def test_no_route_of_ours_is_left_open(furnished: Furnished, hire, cleo, stranger):
    """Whatever reads or deletes in a workspace is closed to nobody, to outsiders, and to a key without permissions."""
    workspace = furnished.owner.workspace
    powerless = await hire("powerless", workspace, frozenset())
    expected = {"nobody": 401, "outsider": 404, "powerless": 403}
    document = (await stranger.get("/api/v1/openapi.json")).json()
    wrong = {}
    for path, method, query in _closed_routes(document):
        url = path.replace("{workspace_id}", str(workspace))
        url = re.sub(r"\{[^}]*\}", lambda _: str(uuid4()), url)
        answers = {
            "nobody": await stranger.request(method, url, params=query),
            "outsider": await cleo.http.request(method, url, params=query),
            "powerless": await powerless.http.request(method, url, params=query),
        }
        found = {who: answer.status_code for who, answer in answers.items()}
        if found != expected:
            wrong[f"{method} {path}"] = found

    in_a_folder = {path: found for path, found in wrong.items() if "/repository/{node_id}" in path}
    assert all(found["nobody"] == 401 for found in in_a_folder.values())
    # What a folder's rights decide, wherever somebody is a member
    assert all({found["outsider"], found["powerless"]} <= {403, 404} for found in in_a_folder.values())
    assert wrong == in_a_folder | {"GET /api/v1/workspaces/{workspace_id}": expected | {"powerless": 200}}


async def test_what_reads_declares_its_permission_beside_its_path(stranger):
    """The document tells the one of the grammar for every row that reads, and one for every other list and look-up."""
    document = (await stranger.get("/api/v1/openapi.json")).json()
    told = {
        (method.upper(), path): found[1]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if (found := re.search(r"Needs the permission `([\w.]+)`", operation.get("description", "")))
    }
    reads = [row for row in ROWS if row.method == "GET" and row.path.startswith("/api/")]
    named = {(method, _plain(path)): permission for (method, path), permission in told.items()}
    others = {
        operations["get"]["operationId"]
        for path, operations in document["paths"].items()
        if "get" in operations and ("GET", path) not in told
    }

    wrong = [row for row in reads if named.get((row.method, _plain(row.path)), row.permission) != row.permission]
    assert wrong == []
    # What everybody inside may see, what an admin does, two reads that are verbs (they seal open, they promise), and
    # views, each of which needs what its list does
    assert others == {
        *("listWorkspaces", "getWorkspace", "listOrganizationAuditLog"),
        *("getWebhook", "getTaskPackageUpload"),
        *("listSavedViews", "getSavedView"),
    }


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _closed_routes(document: dict) -> Iterator[tuple[str, str, dict[str, str]]]:
    for path, operations in document["paths"].items():
        for method in {"get", "delete"} & set(operations):
            if path.startswith("/api/v1/workspaces/{workspace_id}"):
                needed = [each for each in operations[method].get("parameters", ()) if each["in"] == "query"]
                query = {each["name"]: str(uuid4()) for each in needed if each.get("required")}
                yield path, method.upper(), query
