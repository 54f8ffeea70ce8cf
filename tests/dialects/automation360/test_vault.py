"""The credential vault (§2.12): credentials, their values and versions, lockers, keys, and who may what."""

import base64
import re
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Permission
from controlroom.engine.access.roles.model import BASIC, LOCKER_ADMIN
from controlroom.engine.access.scope import scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.ids import GrantId, RoleId, UserId, uuid7

CV = "/v2/credentialvault"
OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)


@pytest.fixture
def keeper(room, enrol):
    """Makes users with a role of their own that keeps credentials; the caller, with the role's number as `.role`."""

    async def keeper(name, *permissions):
        role, caller = RoleId(uuid7()), await enrol(name)
        organization = room.organization
        async with scoped(room.engine.database, organization) as tx:
            number = await tx.value(
                """
                insert into role (id, organization_id, name, permissions)
                values (%(id)s, %(of)s, %(name)s, %(permissions)s) returning number
                """,
                id=role,
                of=organization,
                name=str(role),
                permissions=[Permission.OWN_SECRETS.value, *permissions],
            )
            principal = Principal(PrincipalKind.USER, caller.actor.id)
            grant = GrantId(uuid7())
            await grants.add(tx, organization, grant=grant, principal=principal, role=role, workspace=None)
        caller.role = number
        caller.actor = await actor_of_user(room.engine.database, UserId(caller.actor.id))
        return caller

    return keeper


@pytest.fixture
async def dora(keeper):
    """Keeps credentials."""
    return await keeper("dora")


@pytest.fixture
async def erik(keeper):
    """Keeps credentials, too."""
    return await keeper("erik")


def attribute(name, **flags):
    return {"name": name, "description": "", **flags}


async def new_credential(caller, *attributes, name=None):
    """A credential with these attributes, else one that shows and one that is masked."""
    attributes = attributes or (attribute("user"), attribute("password", masked=True, passwordFlag=True))
    body = {"name": name or f"bank {uuid7()}"[:50], "description": "The bank", "attributes": attributes}
    return await caller.post(f"{CV}/credentials", body, status=201)


async def transport_key(caller):
    """The key as clients read it, and its text."""
    text = (await caller.get(f"{CV}/keys/transport/public"))["publicKey"]
    return read_key(text), text


def read_key(text):
    xml = base64.b64decode(text)
    modulus, exponent = (int.from_bytes(base64.b64decode(part)) for part in re.findall(rb">([^<>]+)<", xml))
    assert xml.startswith(b"<RSAKeyValue><Modulus>")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def closed(key, value):
    return base64.b64encode(key.encrypt(value.encode(), OAEP)).decode()


async def give(caller, credential, name, value, **options):
    """Give an attribute its value; the value as it is told."""
    [number] = [each["id"] for each in credential["attributes"] if each["name"] == name]
    body = {"list": [{"credentialAttributeId": number, "value": value}]}
    path = f"{CV}/credentials/{credential['id']}/attributevalues"
    answer = await caller.call("POST", path, json=body, **options)
    assert answer.status_code == 201, answer.text
    [told] = answer.json()["list"]
    return told


async def test_a_credential_is_made_filled_and_changed(dora):
    """Checklist 12: made 201, given by the transport key, masked in bulk, clear alone, and 409 for a stale version."""
    credential = await new_credential(dora)
    assert (credential["version"], credential["ownerId"], credential["lockerId"]) == ("1", str(dora.number), None)
    user, password = (each["id"] for each in credential["attributes"])
    path = f"{CV}/credentials/{credential['id']}/attributevalues"
    key, text = await transport_key(dora)
    values = [(user, "ada"), (password, "swordfish")]
    body = {"list": [{"credentialAttributeId": each, "value": closed(key, value)} for each, value in values]}

    given = await dora.post(f"{path}?encryptionKey={quote(text)}", body, status=201)

    assert [(each["value"], each["password"]) for each in given["list"]] == [("ada", False), ("", True)]
    assert [each["value"] for each in (await dora.get(path))["list"]] == ["ada", ""]
    [alone] = (await dora.get(path, credentialAttributeId=password))["list"]
    assert (alone["value"], alone["version"], alone["userId"]) == ("swordfish", "1", "")
    change = {"value": closed(key, "marlin"), "version": alone["version"]}
    put = f"{path}/{alone['id']}?encryptionKey={quote(text)}"
    assert (await dora.put(put, change))["version"] == "2"
    assert (await dora.call("PUT", put, json=change)).status_code == 409
    assert (await dora.get(path, credentialAttributeId=password))["list"][0]["value"] == "marlin"

    whole = (await dora.rows(f"{CV}/credentials/list", "name", credential["name"]))[0]
    assert whole["completed"] is True
    renamed = await dora.put(f"{CV}/credentials/{credential['id']}", whole | {"description": "new"})
    assert (renamed["description"], renamed["version"]) == ("new", "2")
    stale = await dora.call("PUT", f"{CV}/credentials/{credential['id']}", json=whole)
    assert (stale.status_code, stale.json()["code"]) == (409, "REVISION_STALE")
    await dora.delete(f"{path}/{alone['id']}")
    await dora.delete(f"{CV}/credentials/{credential['id']}")
    assert (await dora.call("GET", f"{CV}/credentials/{credential['id']}")).status_code == 404


async def test_a_key_is_known_by_its_text(dora):
    """Unquoted, its pluses come as spaces, and it is the same; another one is 400 with the vendor's body."""
    credential = await new_credential(dora, attribute("a"), attribute("b"), attribute("c"))
    key, text = await transport_key(dora)

    unquoted = text.replace("+", " ")
    assert (await give(dora, credential, "a", closed(key, "1"), params={"encryptionKey": unquoted}))["value"] == "1"
    assert (await give(dora, credential, "b", "plain"))["value"] == "plain"
    other = rsa.generate_private_key(65537, 2048).public_key()
    number, path = credential["attributes"][2]["id"], f"{CV}/credentials/{credential['id']}/attributevalues"
    for named, value in ((text[:-8] + "AAAAAAAA", closed(key, "x")), (text, closed(other, "x")), (text, "no base64")):
        body = {"list": [{"credentialAttributeId": number, "value": value}]}
        refused = await dora.call("POST", path, params={"encryptionKey": named}, json=body)
        assert (refused.status_code, refused.json()["code"], refused.json()["details"]) == (400, "", None)
        assert "encryption key is incorrect" in refused.json()["message"]


async def test_values_are_read_by_the_callers_key(dora):
    """They come encrypted for the key that is named, and what is no key is refused."""
    credential = await new_credential(dora)
    await give(dora, credential, "user", "ada")
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    modulus = base64.b64encode(numbers.n.to_bytes(256)).decode()
    xml = f"<?xml version='1.0'?>\n<RSAKeyValue>\n<Modulus>{modulus}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"
    path = f"{CV}/credentials/{credential['id']}/attributevalues"

    [value] = (await dora.get(path, encryptionKey=base64.b64encode(xml.encode()).decode()))["list"]

    assert private.decrypt(base64.b64decode(value["value"]), OAEP) == b"ada"
    for wrong in ("AAAA", "***", base64.b64encode(b"<Modulus>AQ==</Modulus><Exponent>AQAB</Exponent>").decode()):
        assert (await dora.call("GET", path, params={"encryptionKey": wrong})).status_code == 400


async def test_a_locker_shares_credentials(dora, erik, keeper, nobody):
    """Members by their rights, roles as consumers; every verb by its status, and the lists agree."""
    locker = await dora.post(f"{CV}/lockers", {"name": f"l {uuid7()}", "description": "d"}, status=201)
    at = f"{CV}/lockers/{locker['id']}"
    assert (await dora.call("POST", f"{CV}/lockers", json={"name": locker["name"]})).status_code == 409
    credential = await new_credential(dora, attribute("pin", userProvided=True, masked=True), attribute("host"))
    await give(dora, credential, "host", "bank.example")
    await dora.put(f"{at}/credentials/{credential['id']}", status=204)
    assert (await erik.call("GET", at)).status_code == 404

    await dora.post(f"{at}/consumers", {"id": str(erik.role)}, status=204)
    assert (await dora.call("POST", f"{at}/consumers", json={"id": erik.role})).status_code == 409
    assert await dora.get(f"{at}/consumers") == {"list": [{"id": str(erik.role)}]}
    [seen] = await erik.rows(f"{CV}/lockers/list", "name", locker["name"])
    assert (seen["countOfCredentials"], seen["members"]) == (1, [{"id": str(dora.number), "permissions": ["own"]}])
    assert seen["lockerPermission"]["isConsumer"]
    [consumed] = await erik.rows(f"{CV}/credentials/list?consumed=true")
    assert (consumed["id"], consumed["completed"], consumed["lockerId"]) == (credential["id"], False, locker["id"])
    assert not (await dora.rows(f"{CV}/credentials/list?consumed=true", "name", credential["name"]))

    pin = await give(erik, credential, "pin", "1234")
    assert pin["userId"] == str(erik.number)
    [listed] = (await dora.get(f"{at}/credentials"))["list"]
    assert listed["completed"] is True
    values = await erik.get(f"{CV}/credentials/{credential['id']}/attributevalues")
    assert sorted(each["value"] for each in values["list"]) == ["", "bank.example"]
    assert (await erik.call("DELETE", f"{at}/credentials/{credential['id']}")).status_code == 403

    await dora.put(f"{at}/members/{erik.number}", {"permissions": ["MANAGE", "participate"]}, status=204)
    told = [
        {"id": str(each), "permissions": rights}
        for each, rights in ((dora.number, ["own"]), (erik.number, ["participate", "manage"]))
    ]
    assert (await dora.get(f"{at}/members"))["list"] == told
    changed = await erik.put(at, {"id": locker["id"], "name": locker["name"], "description": "x", "version": "1"})
    assert (changed["description"], changed["version"]) == ("x", "2")
    assert (await erik.call("PUT", at, json={"name": "y", "version": "1"})).status_code == 409
    await erik.delete(f"{at}/credentials/{credential['id']}")
    assert (await erik.call("DELETE", at)).status_code == 403
    assert (await dora.call("DELETE", f"{at}/members/{dora.number}")).status_code == 409
    await dora.delete(f"{at}/members/{erik.number}")
    await dora.delete(f"{at}/consumers/{erik.role}")
    assert await erik.rows(f"{CV}/lockers/list", "name", locker["name"]) == []
    await dora.delete(at)


async def test_rights_are_real(root, dora, erik, nobody, keeper):
    """Who may not keep credentials is told so by the vendor's name; others' are not there; a locker admin sees all."""
    credential = await new_credential(dora)
    await give(dora, credential, "password", "swordfish")
    path = f"{CV}/credentials/{credential['id']}"
    refused = await nobody.call("POST", f"{CV}/credentials/list", json={})
    assert (refused.status_code, "managecredentials" in refused.json()["message"]) == (403, True)
    for method, at in (("GET", path), ("DELETE", path), ("GET", f"{path}/attributevalues")):
        assert (await erik.call(method, at)).status_code == 404
    assert (await erik.call("PUT", f"{path}/owner/{erik.number}")).status_code == 404
    assert await erik.rows(f"{CV}/credentials/list", "name", credential["name"]) == []

    admin = await keeper("ann", Permission.GOVERN_LOCKERS.value)
    [seen] = await admin.rows(f"{CV}/credentials/list", "id", credential["id"])
    assert seen["permissions"] == {"canTransferOwnership": True}
    masked = credential["attributes"][1]["id"]
    told = await admin.get(f"{path}/attributevalues", credentialAttributeId=masked)
    assert [each["value"] for each in told["list"]] == [""]
    [known] = (await root.get(f"{path}/attributevalues", credentialAttributeId=masked))["list"]
    assert known["value"] == "swordfish"
    await admin.put(f"{path}/owner/{erik.number}", status=204)
    assert (await erik.get(path))["ownerId"] == str(erik.number)
    assert (await dora.call("GET", path)).status_code == 404


async def test_the_systems_roles_mean_what_they_say(room, enrol, dora):
    """Basic keeps credentials of its own and sees no others; the locker admin sees all of them."""
    credential = await new_credential(dora)
    seen = {}
    for role in (BASIC, LOCKER_ADMIN):
        caller = await enrol("new")
        async with scoped(room.engine.database, room.organization) as tx:
            principal, grant = Principal(PrincipalKind.USER, caller.actor.id), GrantId(uuid7())
            await grants.add(tx, room.organization, grant=grant, principal=principal, role=role, workspace=None)
        own = await new_credential(caller)
        names = (credential["name"], own["name"])
        rows = [await caller.rows(f"{CV}/credentials/list", "name", name) for name in names]
        seen[role] = [len(each) for each in rows]

    assert seen == {BASIC: [0, 1], LOCKER_ADMIN: [1, 1]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x" * 51}, 400),
        ({"name": "x", "description": "y" * 256}, 400),
        ({"name": "x", "attributes": [{"name": "a"}] * 2}, 400),
        ({"name": "x", "attributes": [{"name": f"a{n}"} for n in range(51)]}, 400),
        ({"description": "x"}, 400),
        ({"name": "x", "lockerId": "4711"}, 404),
    ],
)
async def test_what_no_credential_can_be_is_refused(dora, body, status):
    """Names have 50 characters, descriptions 255, credentials 50 attributes of different names."""
    answer = await dora.call("POST", f"{CV}/credentials", json=body)

    assert (answer.status_code, sorted(answer.json())) == (status, ["code", "details", "message"])


async def test_the_vault_is_open_and_has_its_key(root, dora):
    """Express, for who governs; no key is taken out or brought; another mode is said not to be here."""
    assert await root.get(f"{CV}/mode") == {"name": "Express"}
    await root.put(f"{CV}/mode", {"name": "Express", "privateKey": ""}, status=204)
    assert (await root.call("PUT", f"{CV}/mode", json={"name": "Manual"})).status_code == 501
    assert await root.get(f"{CV}/keys/private") == {"applied": True}
    for method, path in (("POST", "keys"), ("PUT", "keys"), ("PUT", "keys/private")):
        assert (await root.call(method, f"{CV}/{path}", json={"privateKey": "x"})).status_code == 400
    assert (await dora.call("GET", f"{CV}/mode")).status_code == 403


async def test_a_device_login_is_a_credential_of_the_user(root, dora, erik):
    """Set again it is changed; one's own by oneself, anybody's by who governs them, others' by nobody."""
    for password in ("one", "two"):
        body = {"loginUsername": "corp\\dora", "loginPassword": password}
        assert "updated" in (await dora.call("PUT", f"{CV}/loginsetting", json=body)).text
    [login] = [each for each in await dora.rows(f"{CV}/credentials/list") if each["name"].startswith("device-login-")]
    assert login["name"] == f"device-login-{dora.actor.name}"
    body = {"loginUsername": "x", "loginPassword": "y", "userid": str(dora.number)}
    assert (await erik.call("PUT", f"{CV}/loginsetting", json=body)).status_code == 403
    named = body | {"userid": None, "username": dora.actor.name}
    assert "updated" in (await root.call("PUT", f"{CV}/loginsetting", json=named)).text
    assert (await root.call("PUT", f"{CV}/loginsetting", json=body | {"userid": 1})).status_code == 404


async def test_the_older_base_is_served_and_says_what_follows(dora):
    """The same below `/v1/credentialvault`, with `Deprecation` and `Link`."""
    credential = await new_credential(dora)

    answer = await dora.call(
        "POST", "/v1/credentialvault/credentials/list", json={"filter": {}, "page": {"offset": 0, "length": 0}}
    )

    assert credential["id"] in {each["id"] for each in answer.json()["list"]}
    assert answer.headers["deprecation"] == "true"
    assert answer.headers["link"] == '</v2/credentialvault/credentials/list>; rel="successor-version"'
    assert "deprecation" not in (await dora.call("POST", f"{CV}/credentials/list", json={})).headers
