"""Whoever is handed a credential could do before what it can: derived for every operation that hands one out."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract.robocorp.furnished import Furnished
from controlroom.dialects.robocorp.permissions import names_of
from controlroom.engine.access.model import (
    EVERYTHING,
    PERMISSIONS_OF_ROLE,
    Permission,
    Role,
    of_api_key,
)
from controlroom.engine.triggers import emails, process_secrets
from controlroom.ids import uuid7

CREDENTIAL = re.compile(r"secret|link_token|token|value|credentials|password|address|form_data|upload_url")
"""How the fields are called in which a credential is told."""

W, R = Permission.WRITE_PROCESSES, Permission.REVEAL
_MAIL, _SECRET = emails.MAY, process_secrets.MAY
_OWNER = PERMISSIONS_OF_ROLE[Role.OWNER]

GIVES: dict[str, frozenset[Permission]] = {
    "createApiKey": of_api_key(EVERYTHING),
    "revealApiKey": of_api_key(EVERYTHING),
    "createUserCredentials": _OWNER,
    "createUserKey": _OWNER,
    "revealUserKey": _OWNER,
    "createPersonalToken": _OWNER,
    "rotatePersonalToken": _OWNER,
    "createWorkerLinkToken": frozenset({Permission.WRITE_WORKERS}),
    "createWorkerGroupLinkToken": frozenset({Permission.WRITE_WORKERS}),
    "revealWorkerGroupLinkToken": frozenset({Permission.WRITE_WORKERS, R}),
    "createProvisioner": frozenset({Permission.WRITE_WORKERS}),
    "revealProvisioner": frozenset({Permission.WRITE_WORKERS, R}),
    "createProcessSecret": _SECRET | {W},
    "revealProcessSecret": _SECRET | {R},
    "listEmailTriggers": _MAIL,
    "getEmailTrigger": _MAIL,
    "setEmailTrigger": _MAIL | {W},
    "rotateEmailTrigger": _MAIL | {W},
    "createTaskPackage": frozenset({Permission.WRITE_PACKAGES}),
    "pushTaskPackage": frozenset({Permission.WRITE_PACKAGES}),
    "getTaskPackageUpload": frozenset({Permission.WRITE_PACKAGES}),
    "setTaskPackageSource": frozenset({Permission.WRITE_PACKAGES}),
    "createWorkItemFile": frozenset({Permission.WRITE_WORK_ITEMS}),
    "createWorkItemFileUpload": frozenset({Permission.WRITE_WORK_ITEMS}),
    "createAssetUpload": frozenset({Permission.WRITE_ASSETS}),
    "getAssetUpload": frozenset({Permission.WRITE_ASSETS}),
    "createWebhook": frozenset({Permission.WRITE_WEBHOOKS}),
}
"""What the credential of each can do, and what asking for it takes beside."""

_HOOK = "the secret of a package's push hook is told only by `setTaskPackageSource`; others tell the name of a secret"
_VALUES = "what is masked is told to the secret's owner, to whose value it is, and to who may use all secrets, alone"
_VARIABLE = "what is no secret is told; the value of a secret one never is"
_SHAPE = "it tells which attributes are passwords, and no value"
NO_CREDENTIAL = {
    "createServiceToken": "it takes the writing of keys, and all that the token holds, in the organization",
    "listVariables": _VARIABLE,
    "getVariable": _VARIABLE,
    "setVariable": _VARIABLE,
    "updateVariable": _VARIABLE,
    "settleProject": _HOOK,
    "listSharedSecrets": _SHAPE,
    "getSharedSecret": _SHAPE,
    "createSharedSecret": _SHAPE,
    "updateSharedSecret": _SHAPE,
    "listSharedValues": _VALUES,
    "giveSharedValues": _VALUES,
    "changeSharedValue": _VALUES,
    "logIn": "who has the password is the user",
    "importQueues": "its link takes the archive of that one import; who is given it may make queues anyway",
    "getWebhook": "it opens nothing here: it signs what we send, and the vendor shows it to who may read webhooks",
    "listTaskPackages": f"an upload is told only to who may write packages; {_HOOK}",
    "getTaskPackage": f"an upload is told only to who may write packages; {_HOOK}",
    "editTaskPackage": f"it takes the writing of packages; {_HOOK}",
    "listTaskPackageSources": _HOOK,
    "getTaskPackageSource": _HOOK,
    "fetchTaskPackage": _HOOK,
}


def _fields(schema: Any, document: dict[str, Any], seen: set[str]) -> Iterator[str]:
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                yield from _fields(document["components"]["schemas"][name], document, seen)
        case dict():
            yield from schema.get("properties", {})
            for each in schema.values():
                yield from _fields(each, document, seen)
        case list():
            for each in schema:
                yield from _fields(each, document, seen)


def _operations(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Those whose answer has a field that may be a credential: method and path by operation id."""
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("deprecated"):
                answer = operation["responses"]["200"].get("content", {})
                if any(CREDENTIAL.fullmatch(name) for name in _fields(answer, document, set())):
                    found[operation["operationId"]] = (method.upper(), path)
    return found


@pytest.fixture
async def document(furnished: Furnished) -> dict[str, Any]:
    return (await furnished.owner.http.get("/api/v1/openapi.json")).json()


async def test_every_operation_that_hands_out_a_credential_is_known(document):
    """A new one has to say here what its credential gives."""
    assert set(_operations(document)) == set(GIVES) | set(NO_CREDENTIAL)


async def test_its_maker_could_do_what_it_can(document, furnished: Furnished, ada, process):
    """With all rights it is handed out; with all but one of those that it gives, it is refused, and nothing changes."""
    places = await _places(furnished, ada, process)
    operations = _operations(document)
    wrong = {}
    for operation, gives in GIVES.items():
        method, path = operations[operation]
        for name, value in places.items():
            path = path.replace(f"{{{name}}}", value)
        body = _body(operation, furnished)
        for missing in sorted(gives):
            lacking = await _key(ada, EVERYTHING - {missing})
            refused = await _call(ada, method, path, lacking, body)
            if refused.status_code != 403:
                wrong[operation, missing.value] = (refused.status_code, refused.text[:200])
        allowed = await _call(ada, method, path, ada.key, body)
        if allowed.status_code != 200:
            wrong[operation, "nothing"] = (allowed.status_code, allowed.text[:200])

    assert wrong == {}


async def test_what_is_told_only_to_who_may_use_it(ada, furnished: Furnished):
    """A package's upload is left out for who may only read."""
    reader = await _key(ada, frozenset({Permission.READ_PACKAGES}))

    for path in (f"/task-packages/{furnished.ids['package']}", "/task-packages"):
        answer = await _call(ada, "GET", f"/api/v1/workspaces/{ada.workspace}{path}", reader, None)
        assert answer.status_code == 200
        assert "form_data" not in answer.text


async def test_passwords_of_others_take_what_they_may_do(ada, furnished: Furnished):
    """Nothing is told, but whoever sets a password, makes an owner or lets one in again has what they have."""
    user = await ada.post("/users", {"username": f"u-{uuid7()}", "role": "owner", "password": "correct horse battery"})
    base = f"/api/v1/workspaces/{ada.workspace}"
    asked = [
        ("POST", f"{base}/users/{user['id']}/password", {"password": "another horse battery"}),
        ("POST", f"{base}/users/{user['id']}/enable", None),
        ("POST", f"{base}/users", {"username": f"v-{uuid7()}", "role": "owner", "password": "correct horse battery"}),
        ("POST", f"{base}/members/{user['id']}", {"role": "owner"}),
    ]
    for missing in sorted(EVERYTHING - {Permission.DELETE_RUNS}):
        key = await _key(ada, EVERYTHING - {missing})
        for method, path, body in asked:
            answer = await _call(ada, method, path, key, body)
            assert answer.status_code in {403, 404}, (missing, method, path, answer.text)


async def _key(ada, permissions: frozenset[Permission]) -> str:
    """A key with these permissions. What a key of this grammar cannot lack alone comes with what includes it."""
    if Permission.DELETE_RUNS not in permissions:
        permissions -= {Permission.READ_RUNS}
    made = await ada.post("/api-keys", {"name": f"key {uuid7()}", "permissions": names_of(permissions)})
    return made["value"]


async def _call(ada, method: str, url: str, key: str, body: Any):
    options = {} if body is None else {"json": body}
    return await ada.http.request(method, url, headers={"Authorization": f"RC-WSKEY {key}"}, **options)


async def _places(furnished: Furnished, ada, process) -> dict[str, str]:
    """What stands for the braces of the paths, with one more of what `furnished` has not."""
    every = await ada.post("/api-keys", {"name": "every", "permissions": names_of(EVERYTHING)})
    user = await ada.post("/users", {"username": f"u-{uuid7()}", "role": "owner", "password": "correct horse battery"})
    provisioner = await ada.post("/provisioners", {"name": f"p {uuid7()}", "endpoint": "https://example.com/x"})
    await ada.post(f"/processes/{process}/secret")
    await ada.post(f"/processes/{process}/email-trigger")
    key = await ada.post(f"/users/{user['id']}/keys", {"name": "theirs"})
    token = await ada.post(f"/users/{user['id']}/tokens", {"name": "theirs"})
    ids = {f"{noun}_id": value for noun, value in furnished.ids.items()} | {"key_id": key["id"]}
    ids |= {"personal_token_id": token["id"]}
    return ids | {"api_key_id": every["id"], "user_id": user["id"], "provisioner_id": provisioner["id"]}


def _body(operation: str, furnished: Furnished) -> Any:
    file = {"file_name": "a.txt", "file_size": 5}
    return {
        "createApiKey": {"name": "new", "permissions": names_of(EVERYTHING)},
        "createUserCredentials": {"name": "new"},
        "createUserKey": {"name": "new"},
        "createPersonalToken": {"name": "new"},
        "createServiceToken": {"name": "new"},
        "createWorkerLinkToken": {},
        "createWorkerGroupLinkToken": {"name": "new", "expires_at": None},
        "createProvisioner": {"name": f"new {uuid7()}", "endpoint": "https://example.com/x"},
        "createTaskPackage": {"name": f"new {uuid7()}"},
        "pushTaskPackage": {"name": f"new {uuid7()}"},
        "setTaskPackageSource": {"url": "https://example.com/robots.git", "branch": "main"},
        "createWorkItemFile": file,
        "createWorkItemFileUpload": file,
        "createAssetUpload": {"content_type": "text/plain"},
        "createWebhook": {"endpoint": "https://example.com/x", "enabled_events": ["process_run.started"]},
    }.get(operation)
