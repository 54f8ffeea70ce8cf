"""One origin, many apps."""

import httpx2
import pytest
import structlog.testing

from controlroom.border.answers import JSON, answer
from controlroom.border.dispatcher import Dispatcher, Mount, canonical
from controlroom.border.metrics import Metrics
from controlroom.border.origin import Origins


def _app(name: str):
    async def app(scope, receive, send):
        await answer(send, 200, f'"{name} {scope["path"]}"'.encode(), JSON)

    return app


async def _broken(scope, receive, send):
    raise RuntimeError("a bug")


async def _half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("a bug half-way")


async def _telling_method(scope, receive, send):
    await answer(send, 200, scope["method"].encode(), JSON, (b"x-method", scope["method"].encode()))


async def _streaming(scope, receive, send):
    """Sends a body without an end, until nobody listens."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
    while (await receive())["type"] != "http.disconnect":
        await send({"type": "http.response.body", "body": b"x", "more_body": True})


@pytest.fixture
async def client():
    """A client of a dispatcher over a few apps."""
    mounts = [
        Mount("/v1", _app("other")),
        Mount("/v1/workspaces", _app("ours"), is_public_api=True),
        Mount("/objects", _app("objects")),
        Mount("/broken", _broken),
        Mount("/healthz", _app("quiet"), is_quiet=True),
        Mount("/method", _telling_method),
        Mount("/own", _telling_method, answers_head=True),
        Mount("/stream", _streaming),
    ]
    dispatcher = Dispatcher(mounts, origins=Origins(None, []), metrics=Metrics())
    transport = httpx2.ASGITransport(dispatcher, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://room") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "app"),
    [
        ("/v1/workspaces/1", "ours /v1/workspaces/1"),
        ("//v1///workspaces//1/", "ours /v1/workspaces/1"),
        ("/v1/workspaces", "ours /v1/workspaces"),
        ("/v1/workspacesodd", "other /v1/workspacesodd"),
        ("/v1/files", "other /v1/files"),
        ("/v1", "other /v1"),
    ],
)
async def test_the_longest_prefix_wins(client, path, app):
    """A request goes to the app of the longest prefix in whole segments, with its path made canonical."""
    assert (await client.get(f"http://room{path}")).json() == app


@pytest.mark.parametrize("path", ["/", "/v2", "/v", "/objectsodd"])
async def test_what_nobody_serves_is_not_found(client, path):
    """Addresses below no prefix are answered 404 in plain JSON."""
    answered = await client.get(path)

    assert answered.status_code == 404
    assert answered.json()["error"]["code"] == "NOT_FOUND"


def test_canonical_paths_have_single_slashes_and_none_at_the_end():
    """Sloppy paths become the one that was meant; the root stays."""
    assert [canonical(path) for path in ("/", "//", "/a/", "//a//b///")] == ["/", "/", "/a", "/a/b"]


@pytest.mark.parametrize("path", ["/v1/files", "/v1/workspaces", "/unknown", "/method"])
async def test_a_head_is_answered_as_a_get_is_without_its_body(client, path):
    """Wherever a GET is, whatever its status, with the same headers."""
    got, head = await client.get(path), await client.head(path)

    def told(answer):
        return {name: value for name, value in answer.headers.items() if name != "x-request-id"}

    assert (head.status_code, told(head), head.content) == (got.status_code, told(got), b"")
    assert got.content


async def test_a_head_ends_a_stream(client):
    """Who streams is told that nobody listens; the head says how long it would be."""
    head = await client.head("/stream")

    assert (head.status_code, head.headers["content-length"], head.content) == (200, "7", b"")


async def test_a_head_is_logged_as_one_and_left_to_those_who_answer_it_themselves(client):
    """The line of a request has the method that was asked."""
    with structlog.testing.capture_logs() as lines:
        own, other = await client.head("/own"), await client.head("/method")

    assert (own.headers["x-method"], other.headers["x-method"]) == ("HEAD", "GET")
    assert [line["method"] for line in lines] == ["HEAD", "HEAD"]


async def test_a_bug_is_answered_and_logged_once(client):
    """A bug that an app lets pass is 500 with the request's id, and one line of the log has the rest."""
    with structlog.testing.capture_logs() as lines:
        answered = await client.get("/broken")

    assert answered.status_code == 500
    [line] = lines
    assert (line["event"], line["log_level"], line["status"]) == ("request failed", "error", 500)
    assert line["request"] == answered.json()["error"]["request_id"]
    assert isinstance(line["exc_info"], RuntimeError)


async def test_a_bug_half_way_is_logged_and_answered_no_more():
    """When the answer has begun, nothing can be added to it but the line in the log."""
    dispatcher = Dispatcher([Mount("/half", _half)], origins=Origins(None, []), metrics=Metrics())
    sent = []

    async def send(message):
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/half", "headers": [], "query_string": b"", "client": None}
    with structlog.testing.capture_logs() as lines:
        await dispatcher(scope, None, send)

    assert sent == ["http.response.start"]
    assert [line["event"] for line in lines] == ["request failed"]


async def test_no_credential_stands_in_the_log(client):
    """Tokens in queries, links and headers are in no line; the machine that asks for health is in none at all."""
    with structlog.testing.capture_logs() as lines:
        await client.get("/v1/workspaces/1?token=s3cret&limit=2&Signature=s3cret", headers={"Authorization": "s3cret"})
        await client.get("/objects/s3cret")
        await client.get("/v1/workspaces/1?%74oken=s3cret")
        await client.get(f"/v1/robots/crp_{'s3cret' * 6}")
        await client.get("/healthz")

    assert len(lines) == 4
    assert "s3cret" not in str(lines)
    assert lines[0]["query"] == "token=…&limit=2&Signature=…"
    assert lines[1]["path"] == "/objects"
    assert lines[2]["query"] == "%74oken=…"
    assert lines[3]["path"] == "/v1/robots/…"
