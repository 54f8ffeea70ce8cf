"""The library against the room's own document, and against what the room answers."""

import inspect
from collections.abc import Iterator

import msgspec
import pytest

from contract.robocorp.furnished import Furnished
from controlroom_client import AsyncClient, Client, NotFound, Refused, Unreadable, models
from controlroom_client.async_client import AsyncNouns
from controlroom_client.client import Nouns
from controlroom_client.operations import Operation
from controlroom_client.rooms import AsyncPages

_METHODS = ("get", "post", "put", "patch", "delete")
_BELOW = "/api/v1/workspaces/{workspace_id}"


def nouns_of(kind: type) -> Iterator[tuple[str, type]]:
    """The names and classes of a client's nouns."""
    for name, found in vars(kind).items():
        if hasattr(found, "func"):
            yield name, inspect.get_annotations(found.func, eval_str=True)["return"]


def operations_of(kind: type) -> dict[str, tuple[Operation, str, str, inspect.Signature]]:
    """Every operation of a client by its id, with the noun, the method and what that takes."""
    found = {}
    for noun, verbs in nouns_of(kind):
        for name, operation in vars(verbs).items():
            if isinstance(operation, Operation):
                method = next(each for each in vars(verbs) if f"_{each.upper()}" == name)
                found[operation.id] = operation, noun, method, inspect.signature(vars(verbs)[method])
    return found


async def document(client: AsyncClient) -> dict[str, tuple[str, str, dict]]:
    """Every operation that the room publishes, twins excepted: its id, method, path and what is said of it."""
    published = await client.get(f"{client.api.url}/api/v1/openapi.json")
    return {
        item[method]["operationId"]: (method.upper(), path, item[method])
        for path, item in published["paths"].items()
        for method in _METHODS
        if method in item and not item[method].get("deprecated")
    }


@pytest.mark.parametrize("kind", [Nouns, AsyncNouns])
async def test_there_is_a_verb_for_everything_that_the_room_can_do(async_client, kind):
    """Every operation of the document a room publishes, with all that it takes; and nothing else."""
    published, had = await document(async_client), operations_of(kind)

    assert sorted(had) == sorted(published)
    for id_, (method, path, said) in published.items():
        operation, _, _, takes = had[id_]
        above = not path.startswith(_BELOW)
        assert (operation.method, operation.path, operation.is_above) == (
            method,
            path.removeprefix("/api/v1" if above else _BELOW),
            above,
        )
        asked = {each["name"] for each in said.get("parameters", ())} - {"workspace_id", "limit", "cursor"}
        assert asked <= {name.rstrip("_") for name in takes.parameters}, id_


def test_both_clients_have_the_same_verbs():
    """Names, parameters and their types: from one description."""
    sync, waiting = operations_of(Nouns), operations_of(AsyncNouns)

    for id_, (_, noun, method, takes) in sync.items():
        _, same_noun, same_method, same_takes = waiting[id_]
        assert (noun, method, takes.parameters) == (same_noun, same_method, same_takes.parameters)
    assert {name for name, _ in inspect.getmembers(Client) if name[0] != "_"} - {"close", "get_or_none", "locate"} <= {
        name for name, _ in inspect.getmembers(AsyncClient)
    } | {"upload", "upload_form"}


@pytest.mark.parametrize("name", models.__all__)
def test_every_model_can_be_read_and_sent(name):
    """There is nothing in it that JSON cannot be turned into."""
    msgspec.json.Decoder(getattr(models, name))


async def test_everything_that_can_be_read_is_of_its_type(async_client, furnished: Furnished):
    """In a workspace with one of everything: each answer is read into its model, or refused in the room's words."""
    ids = {f"{noun}_id": value for noun, value in furnished.ids.items()}
    read, rows, codes, unreadable = set(), 0, set(), []
    for id_, (operation, noun, method, takes) in operations_of(AsyncNouns).items():
        if operation.method != "GET":
            continue
        needed = [
            name
            for name, each in takes.parameters.items()
            if each.default is inspect.Parameter.empty and name not in {"self", "page_size"}
        ]
        given = {name: ids.get(name, furnished.ids["process"]) for name in needed}
        if id_ == "listStepRuns":
            given["process_run_id"] = furnished.ids["run"]
        verb = getattr(getattr(async_client, noun), method)
        try:
            answer = verb(**given)
            if isinstance(answer, AsyncPages):
                rows += len(await answer.all())
            else:
                await answer
        except Refused as refused:
            codes.add(refused.code)
        except Unreadable as other:
            unreadable.append(str(other))
        else:
            read.add(id_)

    assert unreadable == []
    assert not {code for code in codes if "INTERNAL" in code or code.startswith("HTTP_")}
    assert read >= {
        *(
            "listProcesses",
            "getProcess",
            "listProcessRuns",
            "getProcessRun",
            "listStepRuns",
            "getStepRun",
            "listWorkItems",
        ),
        *("getWorkItem", "listStepRunArtifacts", "getStepRunArtifact", "listTaskPackages", "getTaskPackage"),
        *("listAssets", "getAsset", "getAssetUpload", "listWorkers", "getWorker", "listWorkerGroups", "listWebhooks"),
        *(
            "getWebhook",
            "listAssistants",
            "getAssistantRun",
            "listStepRunConsoleMessages",
            "getFigures",
            "listAuditLog",
        ),
        *("listApiKeys", "getWorkspace", "listRoles", "listRepository", "getRetention", "listQueues"),
    }
    assert len(read) > 80
    assert rows > 20


async def test_what_is_not_there_is_said_by_its_code(async_client, furnished: Furnished):
    """The room's stable code, its words and its status, as an exception of its kind."""
    with pytest.raises(NotFound, match=r"\w") as raised:
        await async_client.process_runs.get(furnished.ids["item"])

    assert (raised.value.status, raised.value.code) == (404, "PROCESS_RUN_NOT_FOUND")
