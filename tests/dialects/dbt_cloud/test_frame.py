"""What all of the grammar's routes have in common (§0, §1)."""

import dataclasses

import httpx2
import pytest

from controlroom.app import asgi
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.settings import Limits


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "token", "bearer"])
async def test_a_token_is_taken_under_either_prefix(cloud, ada, stranger, scheme):
    """Equally (§0.2)."""
    answer = await stranger.get("/api/v2/accounts/", headers={"Authorization": f"{scheme} {ada.key}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "crk"}, {"Authorization": "Basic x"}, {"Authorization": "Token no"}]
)
async def test_without_a_token_the_text_is_told_that_clients_compare(stranger, headers):
    """`Invalid token.`, with null as data (§1.4 and the corrections)."""
    answer = await stranger.get("/api/v2/accounts/", headers=headers)

    told = answer.json()
    assert (answer.status_code, told["data"]) == (401, None)
    assert told["status"]["user_message"] == "Invalid token."
    assert told["status"]["is_success"] is False
    assert "Token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["accounts", "accounts/", "/accounts//", "accounts/{account}", "accounts/{account}/"])
@pytest.mark.parametrize("version", ["v2", "v3"])
async def test_every_path_is_there_with_and_without_a_slash(cloud, path, version):
    """And doubled slashes are one; nothing redirects (§0.1)."""
    answer = await cloud.call("GET", f"/api/{version}/{path.format(account=cloud.account)}")

    assert answer.status_code == 200


async def test_success_has_the_envelope(cloud):
    """Status, data; lists have what was asked beside them; version 3 something more (§1.2, §1.3, §10)."""
    listed = await cloud.listed("/api/v2/accounts/", limit=5)
    one = (await cloud.call("GET", f"/api/v2/accounts/{cloud.account}")).json()
    newer = (await cloud.call("GET", f"/api/v3/accounts/{cloud.account}")).json()

    success = {"code": 200, "is_success": True, "user_message": "Success!", "developer_message": ""}
    assert one.keys() == {"status", "data"}
    assert one["status"] == listed["status"] == success
    assert (newer["extra"], newer["error_code"]) == ({}, None)
    assert listed["data"] == [one["data"]]
    assert listed["extra"] == {
        "filters": {"limit": 5, "offset": 0, "account_id": cloud.account},
        "order_by": "id",
        "pagination": {"count": 1, "total_count": 1},
    }
    assert one["data"]["id"] == cloud.account < 2**53
    assert isinstance(one["data"]["run_slots"], int)
    assert one["data"]["run_slots"] >= 1


async def test_another_account_is_unknown(cloud):
    """Its text has the word that clients look for (§1.4)."""
    for other in (cloud.account + 1, cloud.project, 0, -1, 2**80, "mine"):
        answer = await cloud.call("GET", f"/api/v2/accounts/{other}/")

        assert answer.status_code == 404
        assert "permission" in answer.json()["status"]["user_message"]
        assert answer.json()["data"] is None


async def test_an_account_is_called_otherwise_by_who_governs_it(cloud, room):
    """Nothing else of it can be said here, and others than who governs it may not."""
    boss = await token_of(room, "account_admin")
    before = (await cloud.get(""))["name"]

    async def change(method: str, token: str, **body) -> httpx2.Response:
        headers = {"Authorization": f"Token {token}"}
        return await cloud.call(method, "", json=body, headers=headers)

    renamed = await change("POST", boss, name="Jaffle Shop", state=1, account_id=cloud.account)
    patched = await change("PATCH", boss, name=before)

    assert (renamed.status_code, renamed.json()["data"]["name"]) == (200, "Jaffle Shop")
    assert patched.json()["data"]["name"] == before
    assert (await cloud.call("POST", "", json={"name": "Mine"})).status_code == 403
    assert (await change("POST", boss, state=2)).status_code == 501
    for field, value in (("name", ""), ("docs_job_id", 7), ("id", cloud.account + 1)):
        refused = await change("POST", boss, **{field: value})
        assert (refused.status_code, list(refused.json()["data"])) == (400, [field])
    assert (await cloud.get(""))["name"] == before


async def token_of(room, permission_set: str) -> str:
    wanted = [WantedGrant(ROLES[permission_set], None)]
    return (await actions.create(room.engine, room.admin, name=permission_set, wanted=wanted))[1]


@pytest.mark.parametrize("path", ["", "jobs/", "runs/", "jobs/x", "/api/v3/openapi.json", "/api/v3/docs", "v3:users"])
async def test_a_head_is_answered_where_a_get_is(cloud, path):
    """With the same status and headers, and without a body."""
    got, head = await cloud.call("GET", path), await cloud.call("HEAD", path)

    def told(answer: httpx2.Response) -> dict[str, str]:
        return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}

    assert (head.status_code, told(head), head.content) == (got.status_code, told(got), b"")


@pytest.mark.parametrize("path", ["/api/v1/workspaces", "/v2/repository/folders/1/list", "/v1/usermanagement/roles"])
async def test_a_head_is_answered_by_the_other_grammars_too(stranger, path):
    """As their GET is: here by what they say to a stranger."""
    got, head = await stranger.get(path), await stranger.head(path)

    assert (head.status_code, head.headers["content-length"], head.content) == (
        got.status_code,
        got.headers["content-length"],
        b"",
    )


async def test_a_declared_number_of_a_query_is_told_by_its_name(cloud):
    """In the envelope, not in the words of the framework."""
    for path, name in (("job", "job_definition_id"), ("user", "user_id"), ("environment", "environment_id")):
        url = f"v3:projects/{cloud.project}/environment-variables/{path}"
        answer = await cloud.call("GET", url, params={name: "x"})
        assert (answer.status_code, answer.json()["data"]) == (400, {name: "a whole number"})


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/nothing/", "/api/v3/accounts/x/y/z", "/graphql", "/graphql/"])
async def test_an_unknown_path_is_told_in_the_envelope(cloud, stranger, path):
    """To anybody, in JSON; there is no GraphQL."""
    for http in (cloud.http, stranger):
        for method in ("GET", "POST"):
            answer = await http.request(method, path)

            assert answer.status_code == 404
            assert answer.json()["status"]["is_success"] is False


async def test_a_method_that_there_is_not_is_told_in_the_envelope(cloud):
    """As all that fails."""
    answer = await cloud.call("DELETE", "/api/v2/accounts/")

    assert (answer.status_code, answer.json()["status"]["code"]) == (405, 405)


async def test_who_asks_too_often_is_told_when_to_come_again(room, ada, ben):
    """All callers of an account together: 429, with the seconds (§1.1)."""
    limited = dataclasses.replace(room.engine, limits=Limits(organization_requests_per_minute=2), keys=room.engine.keys)
    app = asgi(dataclasses.replace(room.room, engine=limited))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:

        async def ask(key: str) -> httpx2.Response:
            return await client.get("/api/v2/accounts/", headers={"Authorization": f"Token {key}"})

        answers = [await ask(key) for key in (ada.key, ben.key, ada.key, ben.key)]

    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.json()["status"]["is_success"] is False
    assert 0 < int(refused.headers["retry-after"]) <= 60


async def test_the_root_says_that_a_room_answers(stranger):
    """Any client that tries the address takes it for a success (§0.19); a browser is shown a page."""
    told = await stranger.get("/")
    page = await stranger.get("/", headers={"Accept": "text/html,*/*"})

    assert (told.status_code, told.json()["name"]) == (200, "Control Room")
    assert page.headers["content-type"].startswith("text/html")
    assert "/api/v3/docs" in page.text


async def test_the_document_and_its_page_are_there(stranger):
    """Without a credential; of both versions."""
    document = (await stranger.get("/api/v3/openapi.json")).json()
    page = await stranger.get("/api/v3/docs")

    assert {"/api/v2/accounts", "/api/v3/accounts/{account}"} <= document["paths"].keys()
    assert page.status_code == 200
    assert "listAccounts" in page.text
