"""Addresses, credentials and errors of the dialect as a whole."""

import base64
import hashlib
from uuid import uuid4

import httpx2
import pytest
from litestar import Litestar, get

from controlroom.border.dispatcher import Dispatcher, Mount
from controlroom.border.metrics import Metrics
from controlroom.border.origin import Origins
from controlroom.dialects.robocorp.errors import HANDLERS
from controlroom.engine.access.model import Permission
from controlroom.errors import Unavailable


@get("/broken/away")
async def away() -> None:
    raise Unavailable("The database is not available.", code="DATABASE_UNAVAILABLE")


@get("/broken/bug")
async def bug() -> None:
    raise RuntimeError("a secret detail")


@pytest.fixture
async def broken():
    """A client of an app that fails, with the dialect's form of errors."""
    app = Litestar([away, bug], exception_handlers=HANDLERS, logging_config=None, openapi_config=None)
    dispatcher = Dispatcher([Mount("/broken", app)], origins=Origins(None, []), metrics=Metrics())
    transport = httpx2.ASGITransport(dispatcher)
    async with httpx2.AsyncClient(transport=transport, base_url="http://room") as client:
        yield client


async def test_a_key_opens_its_workspace(room, ada, workspace):
    """The workspace is told to anybody with a key of it, under both prefixes, both schemes and in sloppy paths."""
    for prefix in ("/api/v1", "/v1", "//api//v1"):
        for scheme in ("RC-WSKEY", "rc-wskey", "Bearer"):
            answer = await ada.http.get(
                f"{prefix}/workspaces/{workspace}/", headers={"Authorization": f"{scheme} {ada.key}"}
            )
            assert answer.status_code == 200, answer.text
            assert answer.json() == {
                "id": str(workspace),
                "name": answer.json()["name"],
                "organization": {"id": str(room.organization), "name": "Control Room"},
            }


@pytest.mark.parametrize(
    "header",
    [None, "", "RC-WSKEY", "RC-WSKEY nonsense", "Basic YTpi", "Bearer crr_nonsense", "Bearer crk0", "Bearer é"],
)
async def test_without_a_valid_credential_there_is_only_401(stranger, workspace, header):
    """No credential, a wrong one, or a scheme that we do not have: 401, which names the schemes."""
    headers = {} if header is None else {b"Authorization": header.encode()}
    answer = await stranger.get(f"/api/v1/workspaces/{workspace}", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
    assert "RC-WSKEY" in answer.headers["www-authenticate"]


async def test_outsiders_see_no_workspace(cleo, workspace):
    """A key of another workspace is told that there is no such one, whatever it asks."""
    for path in ("", "/process-runs", "/work-items", f"/process-runs/{uuid4()}"):
        answer = await cleo.http.get(f"/api/v1/workspaces/{workspace}{path}")
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == "WORKSPACE_NOT_FOUND"


async def test_a_missing_permission_is_named(hire, workspace):
    """A key that lacks a permission is told which one, in the dialect's own words."""
    key = await hire("reader", workspace, frozenset({Permission.READ_PROCESSES}))

    answer = await key.call("GET", "/process-runs")

    assert answer.status_code == 403
    body = answer.json()
    assert body["error"]["code"] == "PERMISSION_MISSING"
    assert body["error"]["permission"] == "Processes.read_runs"
    assert "Processes.read_runs" in body["message"]


async def test_errors_say_it_twice(ada):
    """The message stands at the top and inside `error`, because clients look in either place."""
    body = (await ada.call("GET", f"/process-runs/{uuid4()}")).json()

    assert body["error"]["code"] == "PROCESS_RUN_NOT_FOUND"
    assert body["message"] == body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no-such-thing", 404, "NOT_FOUND"),
        ("GET", "/process-runs/no-uuid", 404, "NOT_FOUND"),
        ("PATCH", "/process-runs", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/process-runs?state=odd", 400, "INVALID"),
        ("GET", "/process-runs?process_id=odd", 400, "INVALID"),
        ("GET", "/step-runs", 400, "INVALID"),
        ("GET", "/process-runs?limit=0", 400, "INVALID_LIMIT"),
        ("GET", "/process-runs?limit=ten", 400, "INVALID"),
        ("GET", "/process-runs?cursor=odd", 400, "INVALID_CURSOR"),
        ("GET", "/process-runs?cursor=%00", 400, "INVALID_CURSOR"),
    ],
)
async def test_bad_requests_get_errors_in_the_dialects_form(ada, method, path, status, code):
    """Whatever is wrong with an address, method or parameter is said in the dialect's own form."""
    answer = await ada.call(method, path)

    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/work-items?state=odd", b"", "state: Invalid enum value 'odd'"),
        ("GET", "/process-runs?state=odd", b"", "state: Invalid enum value 'odd'"),
        ("POST", "/queues", b"", "The request needs a body, and has none."),
        ("POST", "/work-items", b"", "The request needs a body, and has none."),
        ("POST", "/work-items", b'{"payload": "\xe4"}', "Text must be UTF-8, without the character NUL."),
    ],
)
async def test_bad_requests_are_told_in_the_callers_words(ada, process, method, path, body, said):
    """Parameters by the names that were sent, a body that is missing, bytes that are no text.

    Before and after somebody has read the document, for which the framework writes into its own tables.
    """
    body = body.replace(b"{", b'{"process": {"id": "%s"}, ' % str(process).encode())
    for _ in range(2):
        answer = await ada.call(method, path, content=body)
        assert (answer.status_code, answer.json()["message"]) == (400, said)
        await ada.http.get("/api/v1/openapi.json")


async def test_malformed_workspace_ids_are_not_found(ada):
    """A workspace id that is no UUID is one that does not exist."""
    answer = await ada.http.get("/api/v1/workspaces/odd")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


async def test_large_bodies_are_refused_while_they_are_read(ada, process):
    """A body above the limit is refused, whether its length is announced or not."""
    path = f"/processes/{process}/process-runs"

    async def pieces():
        for _ in range(40):
            yield b" " * 100_000

    announced = await ada.call("POST", path, content=b" " * 4_000_000)
    streamed = await ada.call("POST", path, content=pieces())

    assert {announced.status_code, streamed.status_code} == {413}
    assert streamed.json()["error"]["code"] == "REQUEST_TOO_LARGE"


async def test_pages_of_any_origin_may_call(stranger, workspace):
    """Browsers are told that any page may call the API, before they do and in the answer."""
    path = f"/api/v1/workspaces/{workspace}"
    preflight = await stranger.options(path, headers={"Origin": "https://example.com"})
    answer = await stranger.get(path)

    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "x-authorization", "content-type"} <= set(allowed)
    assert "PATCH" in preflight.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["access-control-allow-origin"] == preflight.headers["access-control-allow-origin"] == "*"


async def test_requests_have_ids(stranger):
    """Every answer has an id to find the request in the log; a caller's own harmless one is kept."""
    made = (await stranger.get("/nowhere")).headers["x-request-id"]
    kept = (await stranger.get("/nowhere", headers={"x-request-id": "mine-1"})).headers["x-request-id"]
    refused = (await stranger.get("/nowhere", headers={"x-request-id": "a b"})).headers["x-request-id"]

    assert kept == "mine-1"
    assert len({made, kept, refused, "a b"}) == 4


async def test_a_part_that_is_away_is_unavailable_and_worth_another_try(broken):
    """A failure that will be over soon is 503, with a time to try again."""
    answer = await broken.get("/broken/away")

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "DATABASE_UNAVAILABLE"
    assert answer.headers["retry-after"] == "1"


async def test_a_bug_tells_its_requests_id_and_no_more(broken):
    """A bug is 500: the caller gets the id by which the log has the details, and none of them."""
    answer = await broken.get("/broken/bug")

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "UNEXPECTED_ERROR"
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    assert "secret detail" not in answer.text


async def test_health_pages_tell_who_lives(stranger):
    """The process lives, its parts work, and what it did is counted by route."""
    await stranger.get("/api/v1/workspaces/odd")

    assert (await stranger.get("/healthz")).json() == {"status": "alive"}
    ready = await stranger.get("/readyz")
    assert ready.json() == {
        "status": "ready",
        "parts": {"database": "ok", "database writes": "ok", "objects": "ok", "loops": "ok"},
    }
    counted = (await stranger.get("/metrics")).text
    assert 'controlroom_requests_total{method="GET",route="/api/v1",status="404"}' in counted


OUTSIDE = {"x-forwarded-for": "203.0.113.5"}


async def test_how_a_room_works_is_told_to_insiders(room, stranger, ada):
    """To this machine, to trusted networks, and to who has a key; everybody else learns whether it is ready."""
    key = {"authorization": f"Bearer {ada.key}"}
    wrong = {"authorization": "Bearer crk" + "a" * 102}
    for insider in ({}, OUTSIDE | key, {"x-forwarded-for": "198.18.0.9"}, {"x-forwarded-for": "::1"}):
        assert "parts" in (await stranger.get("/readyz", headers=insider)).json()
        assert (await stranger.get("/metrics", headers=insider)).status_code == 200
    for outsider in (OUTSIDE, OUTSIDE | wrong, {"x-real-ip": "203.0.113.5"}, {"via": "1.1 proxy"}):
        answer = await stranger.get("/readyz", headers=outsider)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
        refused = await stranger.get("/metrics", headers=outsider)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "RC-WSKEY, Bearer")
        assert "controlroom_" not in refused.text


async def test_a_session_tells_how_a_room_works_only_to_admins(stranger, ada):
    """A user of a workspace is no operator of the room."""
    user = {"username": f"dora-{uuid4()}", "password": "correct horse battery", "role": "owner"}
    await ada.post("/users", user)
    session = await stranger.post("/api/v1/login", json={each: user[each] for each in ("username", "password")})
    headers = OUTSIDE | {"authorization": f"Bearer {session.json()['token']}"}

    assert (await stranger.get("/metrics", headers=headers)).status_code == 401
    assert "parts" not in (await stranger.get("/readyz", headers=headers)).json()


async def test_a_room_answers_to_its_own_names(stranger):
    """Whatever is asked: a name that is not its own is misdirected."""
    for path in ("/healthz", "/api/v1/docs", "/api/v1/login", "/objects/a", "/worker/v1/link"):
        answer = await stranger.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "HOST_UNKNOWN")
        assert (await stranger.get(path, headers={"host": "localhost"})).status_code != 421


@pytest.mark.parametrize("path", ["/api/v1/docs", "/worker/v1/docs", "/api//v1/docs/"])
async def test_the_docs_page_has_the_headers_of_our_pages(stranger, path):
    """It loads and runs nothing but itself, and stands in nobody's frame; its policy fits what is in it."""
    page = await stranger.get(path)
    policy = page.headers["content-security-policy"]

    assert page.status_code == 200
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inline = page.text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        hashed = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{directive} 'sha256-{hashed}'" in policy
    wanted = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    assert {name: page.headers[name] for name in wanted} == wanted


async def test_the_api_is_documented_offline(stranger):
    """The document names every operation once, its failures and credentials; the page of it loads nothing."""
    document = (await stranger.get("/api/v1/openapi.json")).json()
    page = await stranger.get("/api/v1/docs")

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {"getWorkspace", "startProcessRun", "listWorkItems"} <= {each["operationId"] for each in operations}
    assert len(operations) == len({each["operationId"] for each in operations})
    assert all({"200", "400", "401", "403", "404"} <= each["responses"].keys() for each in operations)
    assert document["paths"]["/api/v1/workspaces/{workspace_id}/process-runs"]["get"]["responses"]["404"][
        "content"
    ] == {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    assert "WorkItemPage" in document["components"]["schemas"]
    assert not [name for name in document["components"]["schemas"] if "." in name]
    assert page.headers["content-type"].startswith("text/html")
    assert "listWorkItems" in page.text
    assert "src=" not in page.text
    assert "default-src 'none'" in page.text
