"""The vendor's own document against a live server: everything is there, and answers as it declares."""

import re
from uuid import uuid4

import pytest

from contract.robocorp import vendor
from contract.robocorp.vendor import Operation
from controlroom.dialects.robocorp.permissions import permission_named
from controlroom.engine.access.model import EVERYTHING

OPERATIONS = vendor.operations()
BOTH_PREFIXES = ("/api/v1", "/v1")

_NOUNS = {
    "worker_group": "group",
    "link_token": "token",
    "process_run": "run",
    "work_item": "item",
    "task_package": "package",
}

pytestmark = pytest.mark.skipif(not OPERATIONS, reason=f"the vendor's document is not here: {vendor.FILE.name}")


def template(operation: Operation) -> str:
    """The operation's path below the workspace, with our nouns in its braces."""
    path = operation.path.removeprefix("/workspaces/{workspace_id}")
    return re.sub(r"\{(\w+)_id\}", lambda found: f"{{{_NOUNS.get(found[1], found[1])}}}", path)


def assert_declared(operation: Operation, answer, status: int) -> None:
    """The answer has the status, and the form that is declared for it (for errors: the one error form)."""
    assert answer.status_code == status, answer.text
    schema = operation.schema(status) or {"$ref": "#/components/schemas/genericErrorResponse"}
    assert vendor.faults(schema, answer.json()) == [], answer.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_the_operation_answers_as_it_declares(furnished, hire, cleo, operation):
    """Refused in the declared form to those who may not, for what is not there or malformed; else done, as declared."""
    path, owner = template(operation), furnished.owner

    async def call(key=owner.key, **options):
        return await furnished.call(operation.method, path, key, **options)

    assert_declared(operation, await call(None), 401)
    assert_declared(operation, await call(cleo.key), 404)
    if operation.permission is not None:
        lacking = EVERYTHING - {permission_named(operation.permission)}
        refused = await call((await hire("lacking", owner.workspace, lacking)).key)
        assert_declared(operation, refused, 403)
        assert refused.json()["error"]["permission"] == operation.permission
    if named := re.findall(r"\{(\w+)\}", path):
        assert_declared(operation, await call(ids={noun: str(uuid4()) for noun in named}), 404)
    if operation.has_body:
        assert_declared(operation, await call(content=b"{"), 400)

    granted = frozenset() if operation.permission is None else {permission_named(operation.permission)}
    allowed = await hire("allowed", owner.workspace, frozenset(granted))
    for prefix in BOTH_PREFIXES if operation.method == "GET" else BOTH_PREFIXES[:1]:
        assert_declared(operation, await call(allowed.key, prefix=prefix), 200)


def _named(name: str) -> Operation:
    return next(operation for operation in OPERATIONS if operation.id == name)


async def test_conflicts_are_told_as_declared(furnished, ada, process):
    """A run of a disabled process, the deletion of a run that goes on, an assistant of a name that is taken."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    deletion = await ada.call("DELETE", f"/process-runs/{run}")
    shown = await ada.get(f"/processes/{process}")
    await ada.post(f"/processes/{process}", {"name": shown["name"], "enabled": False})
    start = await ada.call("POST", f"/processes/{process}/process-runs")
    task = {"name": "Read", "package_id": furnished.ids["robot"]}
    assistant = await ada.call("POST", "/assistants", json={"name": "helper", "task": task})

    assert_declared(_named("deleteProcessRun"), deletion, 409)
    assert_declared(_named("startProcessRun"), start, 409)
    assert_declared(_named("createAssistant"), assistant, 409)


@pytest.mark.parametrize("answer", [{"started": False}, {"started": True, "id": "x"}])
def test_the_document_tells_good_from_bad(answer):
    """What checks our answers does refuse: a schema that took anything would prove nothing."""
    schema = _named("startProcessRun").schema(200)

    assert vendor.faults(schema, answer) == []
    assert vendor.faults(schema, {"started": "maybe"}) != []
    assert vendor.faults(_named("getProcessRun").schema(200), {"id": "x"}) != []
