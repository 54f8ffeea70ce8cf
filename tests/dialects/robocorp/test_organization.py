"""What lies above the workspaces: logging in, workspaces, the audit log."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from controlroom.engine.access import jwts
from controlroom.engine.access.logins import Attempts
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.ids import uuid7
from dialects.robocorp.conftest import API, PASSWORD


@pytest.fixture
async def dora(ada) -> dict:
    """A person who operates in ada's workspace."""
    body = {"username": f"dora-{uuid4()}", "role": "operator", "password": PASSWORD}
    return await ada.post("/users", body)


async def test_a_session_may_do_what_its_user_may(ada, dora, log_in, cleo):
    """In the workspaces that they have a place in, and as long as they have it."""
    session = await log_in(dora["username"])
    mine, others = f"/workspaces/{ada.workspace}", f"/workspaces/{cleo.workspace}"

    assert session.answer["workspaces"] == [str(ada.workspace)]
    assert (await session.call("GET", f"{mine}/process-runs")).status_code == 200
    assert (await session.call("GET", f"{mine}/audit-log")).status_code == 403
    assert (await session.call("GET", f"{others}/process-runs")).status_code == 404

    await ada.call("DELETE", f"/members/{dora['id']}")
    assert (await session.call("GET", f"{mine}/process-runs")).status_code == 404


async def test_a_session_ends_when_its_user_logs_out(dora, log_in):
    """Its token opens nothing from then on."""
    session = await log_in(dora["username"])

    assert (await session.call("POST", "/logout")).json() == {"ended": True}

    assert (await session.call("GET", "/workspaces")).status_code == 401


@pytest.mark.parametrize(("verb", "body"), [("password", {"password": "another long one"}), ("disable", None)])
async def test_sessions_end_with_what_let_them_in(ada, dora, log_in, verb, body):
    """A new password, or the user's being disabled, logs them out everywhere."""
    session = await log_in(dora["username"])

    await ada.post(f"/users/{dora['id']}/{verb}", body)

    assert (await session.call("GET", "/workspaces")).status_code == 401


async def test_a_session_expires(room, dora, log_in):
    """Even if nobody logs out."""
    session = await log_in(dora["username"])

    await room.engine.database.execute(
        "update user_session set expires_at = clock_now() where user_id = %(user)s", user=dora["id"]
    )

    assert (await session.call("GET", "/workspaces")).status_code == 401
    await log_in(dora["username"])
    rows = await room.engine.database.value(
        "select count(*) from user_session where user_id = %(user)s", user=dora["id"]
    )
    assert rows == 1


@pytest.mark.parametrize("username", ["dora", "nobody"])
async def test_a_wrong_login_tells_nothing(stranger, dora, username):
    """Neither whether there is such a user, nor more after many tries than to wait."""
    body = {"username": f"{username}-{uuid4()}", "password": "guess"}

    answer = await stranger.post(f"{API}/login", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")


async def test_guessing_is_slowed_down(stranger, dora):
    """After several failures a name must wait, right password or not; others go on."""
    wrong = {"username": f"eve-{uuid4()}", "password": "guess"}
    for _ in range(Attempts.FREE):
        assert (await stranger.post(f"{API}/login", json=wrong)).status_code == 401

    answer = await stranger.post(f"{API}/login", json=wrong)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "TOO_MANY_LOGINS")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    right = {"username": dora["username"], "password": PASSWORD}
    assert (await stranger.post(f"{API}/login", json=right)).status_code == 200


async def test_an_attack_from_elsewhere_locks_nobody_out(stranger, dora):
    """A user's failures count where they happen; here, the right password is taken at once."""
    wrong, right = ({"username": dora["username"].upper(), "password": word} for word in ("guess", PASSWORD))
    elsewhere = {"x-forwarded-for": "203.0.113.7"}
    statuses = [
        (await stranger.post(f"{API}/login", json=wrong, headers=elsewhere)).status_code
        for _ in range(Attempts.FREE + 2)
    ]

    assert statuses == [401] * Attempts.FREE + [429] * 2
    assert (await stranger.post(f"{API}/login", json=right, headers=elsewhere)).status_code == 429
    assert (await stranger.post(f"{API}/login", json=right)).status_code == 200


async def test_many_guesses_at_once_are_counted_as_many(stranger, dora):
    """Few are looked at, before any of them has failed; the others are told to come again."""
    wrong = {"username": dora["username"], "password": "guess"}
    answers = await asyncio.gather(
        *(stranger.post(f"{API}/login", json=wrong, headers={"x-forwarded-for": "203.0.113.8"}) for _ in range(40))
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) <= Attempts.FREE
    assert set(statuses) == {401, 429}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)


@pytest.mark.usefixtures("costly_passwords")
async def test_guessers_from_everywhere_wait_in_a_short_queue(stranger, dora):
    """However many addresses they have: past what can be looked at soon there is a 503, and nobody's count grows."""
    wrong = {"password": "guess"}
    answers = await asyncio.gather(
        *(
            stranger.post(
                f"{API}/login",
                json={**wrong, "username": f"nobody-{number}"},
                headers={"x-forwarded-for": f"198.51.100.{number}"},
            )
            for number in range(80)
        )
    )

    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    right = {"username": dora["username"], "password": PASSWORD}
    assert (await stranger.post(f"{API}/login", json=right)).status_code == 200


@pytest.mark.parametrize("username", ["a\0b", "a" * 5000, "", "\ud800"])
async def test_no_name_is_a_bug(stranger, username):
    """Whatever is given as a name is nobody's, or no JSON."""
    body = json.dumps({"username": username, "password": "guess"})
    answer = await stranger.post(f"{API}/login", content=body)

    assert answer.status_code in {400, 401}


async def test_an_admin_makes_workspaces_and_governs_them(root, log_in, ada):
    """The new one is theirs, with its keys; all others of the organization are in their list."""
    name = f"Invoices {uuid4()}"
    made = (await root.call("POST", "/workspaces", json={"name": name})).json()
    path = f"/workspaces/{made['id']}"
    key = await root.call("POST", f"{path}/api-keys", json={"name": "first", "permissions": ["read_processes"]})
    again = await root.call("POST", "/workspaces", json={"name": name})

    assert made["name"] == name
    assert key.status_code == 200, key.text
    assert (again.status_code, again.json()["error"]["code"]) == (409, "WORKSPACE_NAME_TAKEN")
    assert (await root.call("GET", f"/workspaces/{ada.workspace}/process-runs")).status_code == 200
    listed, url = [], f"{API}/workspaces?limit=1000"
    while url:
        page = (await root._http.get(url, headers=root.headers)).json()
        listed, url = listed + [each["id"] for each in page["data"]], page["next"]
    assert {made["id"], str(ada.workspace)} <= set(listed)


async def test_an_admin_stays_in_their_organization(room, root):
    """Of another organization's workspace an admin sees as little as anybody."""
    organization, workspace = uuid4(), uuid4()
    await room.engine.database.execute(
        "insert into organization (id, name) values (%(id)s, 'Elsewhere')", id=organization
    )
    await room.engine.database.execute(
        "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Theirs')",
        id=workspace,
        organization=organization,
    )

    for path in ("", "/process-runs", "/work-items", "/members", "/audit-log"):
        assert (await root.call("GET", f"/workspaces/{workspace}{path}")).status_code == 404, path


async def test_only_admins_make_workspaces(ada, dora, log_in):
    """An owner's API key and an operator's session do not; each sees the workspaces it is in."""
    session = await log_in(dora["username"])

    by_key = await ada.http.post(f"{API}/workspaces", json={"name": "Mine"})
    by_operator = await session.call("POST", "/workspaces", json={"name": "Mine"})

    assert [each.json()["error"]["code"] for each in (by_key, by_operator)] == ["ADMIN_ONLY", "ADMIN_ONLY"]
    for listed in ((await ada.http.get(f"{API}/workspaces")), await session.call("GET", "/workspaces")):
        assert [each["id"] for each in listed.json()["data"]] == [str(ada.workspace)]


async def test_an_admin_deletes_an_empty_workspace(root, ada, cleo):
    """One in which something was made stays; an owner's key deletes none, and an outsider knows of none."""
    path = f"/workspaces/{(await root.call('POST', '/workspaces', json={'name': f'Brief {uuid4()}'})).json()['id']}"
    await root.call("POST", f"{path}/queues", json={"name": "inbox"})
    full = await root.call("DELETE", path)
    by_key = await ada.call("DELETE", "")
    by_outsider = await cleo.http.delete(f"{API}{path}")

    assert (full.status_code, full.json()["error"]["code"]) == (409, "WORKSPACE_NOT_EMPTY")
    assert (by_key.status_code, by_key.json()["error"]["code"]) == (403, "ADMIN_ONLY")
    assert by_outsider.status_code == 404
    empty = f"/workspaces/{(await root.call('POST', '/workspaces', json={'name': f'Empty {uuid4()}'})).json()['id']}"
    answer = await root.call("DELETE", empty)
    assert answer.json() == {"id": empty.rpartition("/")[2], "deleted": True}
    assert (await root.call("GET", empty)).status_code == 404


@pytest.mark.parametrize("verb", ["POST", "PUT"])
async def test_a_workspace_gets_another_name(ada, ben, cleo, verb):
    """From those who may write it."""
    name = f"Better {uuid4()}"

    assert (await ada.call(verb, "", json={"name": name})).json()["name"] == name

    assert (await ada.get(""))["name"] == name
    assert (await ben.call(verb, "", json={"name": "x"})).status_code == 403
    url = f"{API}/workspaces/{ada.workspace}"
    assert (await cleo.http.request(verb, url, json={"name": "x"})).status_code == 404


async def test_the_audit_log_tells_who_did_what(ada, ben, cleo):
    """Newest first, by kind, by actor and by time; for those who may read it."""
    before = datetime.now(UTC)
    key = await ada.post("/api-keys", {"name": "ci", "permissions": []})
    await ada.post(f"/api-keys/{key['id']}/reveal")
    await ada.post("/secrets/mail", {"values": {"password": "hush"}})

    log = await ada.every("/audit-log", limit=1)

    mine = [each for each in log if each["actor"]["id"] == str(ada.actor.id)]
    assert [each["event_type"] for each in mine][:3] == ["secret.created", "api_key.revealed", "api_key.created"]
    assert {each["actor"]["name"] for each in mine} == {"ada"}
    assert mine[1]["subject_id"] == key["id"]
    assert "hush" not in str(log)
    [revealed] = await ada.every("/audit-log", event_type="api_key.revealed")
    assert revealed == mine[1]
    assert await ada.every("/audit-log", until=before.isoformat(), actor_id=str(ada.actor.id)) == []
    assert await ada.every("/audit-log", since=before.isoformat(), actor_id=str(ada.actor.id)) == mine
    without_zone = before.replace(tzinfo=None).isoformat()
    assert await ada.every("/audit-log", since=without_zone, actor_id=str(ada.actor.id)) == mine
    assert (await ben.call("GET", "/audit-log")).status_code == 403
    assert (await cleo.http.get(f"{API}/workspaces/{ada.workspace}/audit-log")).status_code == 404


async def test_what_happens_to_accounts_is_told_to_admins(ada, dora, root, log_in):
    """Outside of any workspace, logins among it; a workspace's owner does not read it."""
    await log_in(dora["username"])
    await ada.post(f"/users/{dora['id']}/password", {"password": "another long one"})

    log = (await root.call("GET", "/audit-log")).json()["data"]

    mine = [each["event_type"] for each in log if each["subject_id"] == dora["id"]]
    assert mine == ["user.password_set", "user.logged_in"]
    assert (await ada.http.get(f"{API}/audit-log")).status_code == 403


async def test_who_may_read_runs_as_a_viewer_deletes_none(room, ada, process, walt, stranger):
    """On API keys reading includes deleting, as the vendor has it; members need to be more than viewers."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    await ada.post(
        f"/process-runs/{run}/stop",
        {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True},
    )
    people = {}
    for role in ("viewer", "operator"):
        name = f"{role}-{uuid7()}"
        await ada.post("/users", {"username": name, "role": role, "password": "correct horse battery"})
        login = await stranger.post("/api/v1/login", json={"username": name, "password": "correct horse battery"})
        people[role] = {"Authorization": f"Bearer {login.json()['token']}"}
    url = f"/api/v1/workspaces/{ada.workspace}/process-runs/{run}"

    seen = await stranger.get(url, headers=people["viewer"])
    refused = await stranger.delete(url, headers=people["viewer"])
    deleted = await stranger.delete(url, headers=people["operator"])

    assert seen.status_code == 200
    assert (refused.status_code, refused.json()["error"]["permission"]) == (403, "runs.delete")
    assert deleted.status_code == 200


async def test_anybody_can_check_what_the_room_has_signed(room, stranger):
    """Its public keys lie where such keys lie, and fit a token that was just signed; nothing else of them is told."""
    user = await room.engine.database.value("select id from app_user where username = 'admin'")
    actor = await actor_of_user(room.engine.database, user)
    signed = await jwts.issue(room.engine, actor, life=timedelta(minutes=1))

    answer = await stranger.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    keys = KeySet.import_key_set(answer.json())
    assert jwt.decode(signed.token, keys, algorithms=["RS512"]).claims["sub"] == str(user)
    assert all(key.keys() == {"kty", "n", "e", "kid", "use", "alg"} for key in answer.json()["keys"])
