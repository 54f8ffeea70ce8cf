"""What all of the grammar's routes have in common."""

import pytest

LIST = "/v1/audit/messages/list"


async def test_a_token_is_taken_in_either_header(root, stranger):
    """Bare in X-Authorization or as a Bearer; in both if it is the same, and not with a word before it."""
    token, bearer = root.token, f"Bearer {root.token}"

    async def status(**headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await stranger.post(LIST, json={}, headers=named)).status_code

    assert await status(X_Authorization=token) == 200
    assert await status(Authorization=bearer) == 200
    assert await status(X_Authorization=token, Authorization=bearer) == 200
    assert await status(X_Authorization=token, Authorization="Bearer eyJ.eyJ.x") == 401
    assert await status(X_Authorization=bearer) == 401


async def test_without_a_token_the_vendors_code_is_told(stranger):
    """By which clients know that they must log in."""
    answer = await stranger.post(LIST, json={})

    assert answer.status_code == 401
    assert answer.json()["details"] is None
    assert "X-Authorization" in answer.json()["message"]


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v2/nothing/list", "/v3/x", "/v4/y", "/aari/v2/z", "/swagger/api/q.yaml"]
)
async def test_an_unknown_path_is_told_as_json(root, stranger, path):
    """With code and message, to anybody."""
    for caller in (root.http, stranger):
        answer = await caller.get(path)

        assert answer.status_code == 404
        assert answer.json().keys() == {"code", "message", "details"}


async def test_doubled_slashes_are_one(room, root):
    """Clients join addresses by hand."""
    assert (await root.call("POST", f"{room.url}/{LIST}/", content=b"")).status_code == 200


@pytest.mark.parametrize(
    ("path", "successor", "sunset"),
    [
        ("/v3/wlm/queues/4711", "/v4/wlm/queues/4711", None),
        ("/v1/usermanagement/users/0", "/v2/usermanagement/users", None),
    ],
)
async def test_what_is_superseded_says_so(root, path, successor, sunset):
    """Also where it fails: `Deprecation`, the successor of this very address, and the end where one is published."""
    answer = await root.call("GET", path)

    assert answer.headers["deprecation"] == "true"
    assert answer.headers["link"] == f'<{successor}>; rel="successor-version"'
    assert answer.headers.get("sunset") == sunset


async def test_an_end_that_is_published_is_told(root):
    """The scheduler's first version ends on 31 January 2028."""
    answer = await root.call("POST", "/v1/schedule/automations/list", json={})

    assert answer.headers["sunset"] == "Mon, 31 Jan 2028 00:00:00 GMT"


async def test_the_document_and_its_page_are_there(stranger):
    """Without a credential."""
    document = (await stranger.get("/swagger/openapi.json")).json()

    assert LIST in document["paths"]
    for path in ("/swagger", "/swagger/", "/swagger/ui/?url=x", "/swagger/docs"):
        page = await stranger.get(path)
        assert page.status_code == 200
        assert "listAuditMessages" in page.text
