"""Log-ins of v1 and v2: who gets a token, what it says, what it opens, and what ends it."""

import asyncio

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from controlroom.engine.access import user_keys
from controlroom.engine.access.credentials import flush_uses
from controlroom.engine.access.scope import Of
from controlroom.engine.access.signing_keys import published
from controlroom.engine.usage.store import uses_of_credentials
from controlroom.ids import UserId

PASSWORD = "correct horse battery"


@pytest.fixture
async def nora(room, root):
    """A user of the organization with a password and a key: (name, number, key)."""
    body = {"username": f"nora-{root.number}", "password": PASSWORD, "licenseFeatures": ["RUNTIME"], "email": "n@x.org"}
    made = await root.post("/v2/usermanagement/users", body, status=201)
    user = UserId(
        await room.engine.database.value("select id from app_user where number = %(number)s", number=int(made["id"]))
    )
    _, key = await user_keys.make(room.engine, root.actor, user)
    return made["username"], int(made["id"]), key


async def call(client: httpx2.AsyncClient, path: str, token: str = "", **options):
    headers = {"X-Authorization": token} if token else {}
    return await client.request(options.pop("method", "POST"), path, headers=headers, **options)


async def opens(client: httpx2.AsyncClient, token: str) -> bool:
    """Whether a token opens anything."""
    answer = await call(client, "/v1/authentication/token", method="GET", params={"token": token})
    assert answer.status_code == 200
    return answer.json()["valid"]


async def test_older_clients_log_in_by_v1(room, stranger, nora):
    """Token and user with a number as id; the misspelt flag is taken; a wrong password is 401 with code and message."""
    name, number, _ = nora
    answer = await call(
        stranger, "/v1/authentication", json={"username": name, "password": PASSWORD, "multiLogin": True}
    )
    told = answer.json()

    assert (answer.status_code, told["user"]["id"], told["user"]["username"]) == (200, number, name)
    assert answer.headers["deprecation"] == "true"
    wrong = await call(stranger, "/v1/authentication", json={"username": name, "password": "wrong one"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "UM1110")
    assert wrong.json()["message"]
    again = await call(stranger, "/v1/authentication", json={"Username": name, "Password": PASSWORD})
    assert again.status_code == 200


async def test_what_a_token_is_used_for_is_counted(room, stranger, root, nora):
    """By permission and day: of a session that a key has begun, with the key; of one by password, with the user."""
    name, number, key = nora
    admin = next(row["id"] for row in await root.rows("/v2/usermanagement/roles/list", "name", "AAE_Admin"))
    await root.put(f"/v2/usermanagement/users/{number}", {"roleIds": [admin]})
    for given in ({"apiKey": key}, {"password": PASSWORD}):
        token = (await call(stranger, "/v2/authentication", json={"username": name, **given})).json()["token"]
        assert (await call(stranger, "/v1/audit/messages/list", token, json={})).status_code == 200
    await flush_uses(room.engine)
    today = (await room.engine.database.value("select clock_now()")).date()
    user = UserId(await room.engine.database.value("select id from app_user where username = %(name)s", name=name))
    used = await uses_of_credentials(
        room.engine.database, Of(room.organization, ()), is_wide=True, since=today, until=today, user=user
    )
    assert {(use.kind.value, use.permission) for use in used} == {("user_key", "audit.read"), ("session", "audit.read")}


async def test_a_token_says_whose_it_is(room, stranger, nora):
    """By a key, with `ttlSeconds` as a text; signed by RS512, with the claims that clients read."""
    name, number, key = nora
    told = (await call(stranger, "/v2/authentication", json={"username": f"CORP\\{name}", "apiKey": key})).json()

    assert (told["ttlSeconds"], told["tenantUuid"]) == ("0", str(room.organization))
    user = told["user"]
    assert (user["id"], user["licenseFeatures"], user["roles"]) == (str(number), ["RUNTIME"], [])
    keys = KeySet.import_key_set(await published(room.engine))
    token = jwt.decode(told["token"], keys, algorithms=["RS512"])
    said = token.claims
    assert token.header["alg"] == "RS512"
    assert (said["sub"], said["clientType"], said["iss"]) == (str(number), "WEB", "AutomationAnywhere")
    assert (said["multipleLogin"], said["exp"] - said["iat"]) == (True, 1200)
    assert said["tenantUuid"] == told["tenantUuid"]
    assert isinstance(said["nanoTime"], int)


@pytest.mark.parametrize(
    "body",
    [
        {"username": "nora"},
        {"username": "nora", "password": "x", "apiKey": "y"},
        {"password": PASSWORD},
        {},
        {"username": "nora", "password": "", "apiKey": None},
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_log_in_has_a_name_and_one_of_password_and_key(stranger, version, body):
    """Else it is refused as JSON, below 500: some ask so whether anybody is there."""
    answer = await call(stranger, f"/{version}/authentication", json=body)

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "details"}


async def test_a_token_is_had_anew_and_the_one_before_is_dead_at_once(stranger, nora):
    """By header alone (without body and content type), by body alone; the new one opens in both headers."""
    name, number, key = nora
    first = (await call(stranger, "/v2/authentication", json={"username": name, "apiKey": key})).json()["token"]

    answer = await call(stranger, "/v2/authentication/token", first)
    second = answer.json()["token"]
    assert (answer.status_code, answer.json()["ttlSeconds"]) == (200, "1200")
    assert (await call(stranger, "/v2/authentication/token", first)).status_code == 401
    third = (await call(stranger, "/v1/authentication/token", json={"token": second})).json()
    assert third["user"]["id"] == number
    for headers in ({"X-Authorization": third["token"]}, {"Authorization": f"Bearer {third['token']}"}):
        answer = await stranger.get(f"/v2/usermanagement/users/{number}", headers=headers)
        assert answer.status_code == 200
    answer = await call(stranger, f"/v2/usermanagement/users/{number}", second, method="GET")
    assert (answer.status_code, answer.json()["code"]) == (401, "UM1110")
    assert "ended" in answer.json()["message"]
    assert [await opens(stranger, each) for each in (first, second, third["token"], "nothing")] == [
        False,
        False,
        True,
        False,
    ]
    nothing = await call(stranger, "/v2/authentication/token", json={})
    assert (nothing.status_code, nothing.json()["code"], nothing.json()["details"]) == (401, "UM1117", None)


async def test_who_logs_out_is_out(stranger, nora):
    """204, with a body or none; then 401."""
    name, _, key = nora
    for options in ({}, {"json": {}}):
        token = (await call(stranger, "/v2/authentication", json={"username": name, "apiKey": key})).json()["token"]

        answer = await call(stranger, "/v1/authentication/logout", token, **options)

        assert (answer.status_code, answer.content) == (204, b"")
        assert (await call(stranger, "/v1/authentication/logout", token)).status_code == 401
        assert not await opens(stranger, token)
    refused = await call(stranger, "/v1/authentication/app/login", json={"username": "a", "password": "b"})
    assert (refused.status_code, "message" in refused.json()) == (403, True)


async def test_a_second_log_in_ends_the_first_unless_it_may_stand_beside_it(stranger, nora):
    """Those by a key always may; of those by a password five do, and the oldest makes room."""
    name, _, key = nora

    async def token(**how):
        how = how or {"password": PASSWORD}
        return (await call(stranger, "/v2/authentication", json={"username": name, **how})).json()["token"]

    by_key = [await token(apiKey=key) for _ in range(2)]
    first, second = await token(), await token()
    assert [await opens(stranger, each) for each in (first, second, *by_key)] == [False, True, True, True]

    beside = [await token(password=PASSWORD, multipleLogin=True) for _ in range(5)]
    assert [await opens(stranger, each) for each in (second, *beside)] == [False, True, True, True, True, True]
    assert all([await opens(stranger, each) for each in by_key])


async def test_many_log_in_by_a_password_at_once(stranger, nora):
    """More than are looked at at once: the others wait their turn. Who has failed too often waits for longer."""
    name, _, _ = nora
    body = {"username": name, "password": PASSWORD, "multipleLogin": True}
    answers = await asyncio.gather(*(call(stranger, "/v2/authentication", json=body) for _ in range(7)))
    assert {answer.status_code for answer in answers} == {200}

    body = {"username": f"nobody-{name}", "password": "wrong one"}
    answers = [await call(stranger, "/v2/authentication", json=body) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 1


async def test_many_log_in_by_a_key_at_once(room, stranger, nora, root):
    """Each has a token of their own; a new password ends them all."""
    name, number, key = nora
    answers = await asyncio.gather(
        *(call(stranger, "/v2/authentication", json={"username": name, "apiKey": key}) for _ in range(8))
    )
    tokens = {answer.json()["token"] for answer in answers}
    assert len(tokens) == 8

    await root.put(f"/v2/usermanagement/users/{number}", {"password": "another horse battery"})

    assert not any([await opens(stranger, each) for each in tokens])
