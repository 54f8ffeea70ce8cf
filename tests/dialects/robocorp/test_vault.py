"""The vault, by the unmodified client library and by hand; and secrets as people manage them."""

import pytest

from controlroom.engine.access.model import Permission

ROBOT_PUBLIC_KEY = "nonsense"


async def test_the_client_library_reads_what_ada_has_set(play, ada, assignment):
    """`robocorp-vault`, unmodified, gets name, description and values as they are."""
    pytest.importorskip("robocorp.vault")
    await ada.post(
        "/secrets/the bank", {"values": {"user": "ada", "password": "pässword", "n": 5}, "description": "Ours"}
    )

    output = await play(
        assignment,
        """
from robocorp import vault

secret = vault.get_secret("the bank")
assert (secret.name, secret.description) == ("the bank", "Ours"), secret
assert dict(secret) == {"user": "ada", "password": "pässword", "n": 5}
try:
    vault.get_secret("no such")
except vault.RobocorpVaultError as error:
    print(error)
""",
    )

    assert "No secret with name" in output


async def test_the_client_library_writes_what_is_read_again(play, ada, assignment):
    """Created and changed by a robot, all values replaced; a name that exists is not created again."""
    pytest.importorskip("robocorp.vault")

    await play(
        assignment,
        """
from robocorp import vault

vault.create_secret("fresh", {"a": "1", "b": "2"}, description="New")
secret = vault.get_secret("fresh")
assert dict(secret) == {"a": "1", "b": "2"}
secret["c"] = "3"
vault.set_secret(secret)
assert dict(vault.get_secret("fresh")) == {"a": "1", "b": "2", "c": "3"}
try:
    vault.create_secret("fresh", {})
except vault.RobocorpVaultError:
    pass
else:
    raise AssertionError("created twice")
""",
    )

    shown = await ada.get("/secrets/fresh")
    assert (shown["description"], shown["keys"]) == ("New", ["a", "b", "c"])


async def test_a_robot_of_an_ended_step_run_reads_nothing(room, ada, stranger, assignment, walt):
    """Its token is refused from the moment in which its end was reported."""
    await ada.post("/secrets/bank", {"values": {"user": "ada"}})
    url = f"/secrets-v1/workspaces/{ada.workspace}/secrets/bank"
    query = {"encryptionScheme": "robocloud-vault-transit-v2", "publicKey": ROBOT_PUBLIC_KEY}
    headers = {"Authorization": f"Bearer {assignment.token}"}
    assert (await stranger.get(url, params=query, headers=headers)).status_code == 400

    await walt.finish(assignment)

    assert (await stranger.get(url, params=query, headers=headers)).status_code == 401


async def test_the_vault_opens_to_nobody_else(room, ada, cleo, stranger, assignment):
    """No credential, an API key, another workspace: nothing of a secret is told."""
    await ada.post("/secrets/bank", {"values": {"user": "ada"}})
    query = {"encryptionScheme": "robocloud-vault-transit-v2", "publicKey": ROBOT_PUBLIC_KEY}
    robot = {"Authorization": f"Bearer {assignment.token}"}

    for headers, workspace, status in (
        ({}, ada.workspace, 401),
        ({"Authorization": f"RC-WSKEY {ada.key}"}, ada.workspace, 401),
        (robot, cleo.workspace, 403),
    ):
        answer = await stranger.get(f"/secrets-v1/workspaces/{workspace}/secrets/bank", params=query, headers=headers)
        assert answer.status_code == status, answer.text
        assert "ada" not in answer.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "ENCRYPTION_SCHEME_UNKNOWN"),
        ({"encryptionScheme": "none", "publicKey": "AAAA"}, "ENCRYPTION_SCHEME_UNKNOWN"),
        ({"encryptionScheme": "robocloud-vault-transit-v2"}, "ENCRYPTION_INVALID"),
        ({"encryptionScheme": "robocloud-vault-transit-v2", "publicKey": "!"}, "ENCRYPTION_INVALID"),
        ({"encryptionScheme": "robocloud-vault-transit-v2", "publicKey": "AAAA"}, "ENCRYPTION_INVALID"),
    ],
)
async def test_a_key_that_is_none_is_refused(ada, stranger, assignment, query, code):
    """The robot is told what is wrong with its request."""
    await ada.post("/secrets/bank", {"values": {"user": "ada"}})

    answer = await stranger.get(
        f"/secrets-v1/workspaces/{ada.workspace}/secrets/bank",
        params=query,
        headers={"Authorization": f"Bearer {assignment.token}"},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_what_was_not_encrypted_for_us_is_refused(ada, stranger, assignment):
    """Broken fields change nothing."""
    url = f"/secrets-v1/workspaces/{ada.workspace}/secrets/bank"
    headers = {"Authorization": f"Bearer {assignment.token}"}
    encryption = {
        "encryptionScheme": "robocloud-vault-transit-v2",
        "encryptedAES": "AAAA",
        "authTag": "AAAA",
        "iv": "AAAA",
    }
    for body in (
        {},
        {"value": "AAAA"},
        {"value": "not base64!", "encryption": encryption},
        {"name": "bank", "description": "", "value": "AAAA", "encryption": encryption},
    ):
        answer = await stranger.put(url, json=body, headers=headers)
        assert answer.status_code == 400, answer.text

    assert (await ada.get("/secrets"))["data"] == []


async def test_people_see_keys_never_values(ada, ben, cleo):
    """Set, list, get and delete: no answer has a value; ben may look, cleo not even that."""
    set_ = await ada.post("/secrets/bank", {"values": {"user": "ada", "password": "swordfish"}})
    await ada.post("/secrets/shop", {"values": {}})

    first = await ben.call("GET", "/secrets", params={"limit": 1})
    second = await ben.http.get(first.json()["next"])
    shown = await ben.call("GET", "/secrets/bank")

    assert [secret["name"] for page in (first, second) for secret in page.json()["data"]] == ["bank", "shop"]
    assert shown.json()["keys"] == ["user", "password"]
    assert "swordfish" not in first.text + second.text + shown.text
    assert (await ben.call("POST", "/secrets/bank", json={"values": {}})).status_code == 403
    assert (await ben.call("DELETE", "/secrets/bank")).status_code == 403
    outsider = await cleo.http.get(f"/api/v1/workspaces/{ada.workspace}/secrets/bank")
    assert outsider.status_code == 404
    assert (await ada.call("DELETE", "/secrets/bank")).json() == {"id": set_["id"], "deleted": True}
    assert (await ada.call("GET", "/secrets/bank")).status_code == 404


async def test_a_missing_permission_is_named(ada, hire):
    """The answer says which one a key lacks, by its name in this grammar."""
    reader = await hire("reader", ada.workspace, frozenset({Permission.READ_SECRETS}))

    answer = await reader.call("POST", "/secrets/bank", json={"values": {}})

    assert answer.status_code == 403
    assert "Vault.write_secrets" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"values": []}',
        b'{"values": {}, "description": 5}',
        b'{"values": {}, "description": "\\u0000"}',
        b'{"values": {}, "description": "\\ud800"}',
        b'{"values": {"a": ' + b"[" * 100_000 + b"}}",
        b'{"values": {}, "description": "' + b"x" * 10_001 + b'"}',
    ],
    ids=["none", "no JSON", "a list", "values", "description", "NUL", "half a character", "too deep", "too long"],
)
async def test_malformed_secrets_are_refused(ada, body):
    """Each with a clear error, and nothing is set."""
    answer = await ada.call("POST", "/secrets/bank", content=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] != "UNEXPECTED_ERROR"
    assert (await ada.get("/secrets"))["data"] == []


@pytest.mark.parametrize("name", ["%00", "a%0Ab", "%FF", "publicKey", "%2e%2e", "x" * 256])
async def test_names_that_are_none_are_refused(ada, name):
    """To set such a secret is an error, to look for one finds nothing, and nothing breaks."""
    assert (await ada.call("POST", f"/secrets/{name}", json={"values": {}})).status_code in {400, 404}
    assert (await ada.call("GET", f"/secrets/{name}")).status_code in {400, 404}
