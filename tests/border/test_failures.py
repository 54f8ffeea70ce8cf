"""Failures become statuses by one table, and a grammar has its own words for them."""

from typing import Any

import pytest
from litestar import Litestar, get
from litestar.params import FromPath, FromQuery
from litestar.testing import TestClient
from msgspec.structs import replace

from controlroom.border.failures import STATUS, Failure, handlers, status_of
from controlroom.errors import Conflict, ControlRoomError, Forbidden, Invalid, NotFound, Throttled, Unavailable


class NoSuchRun(NotFound):
    """A kind of its own below one of the table."""

    code = "RUN_NOT_FOUND"


RAISED: dict[str, Exception] = {
    "missing": NoSuchRun("there is no such run"),
    "invalid": Invalid("wrong", code="INVALID_BODY", place=3),
    "forbidden": Forbidden("no", code="FORBIDDEN"),
    "conflict": Conflict("it exists", code="TAKEN"),
    "away": Unavailable("the database is away", code="AWAY"),
    "throttled": Throttled("too many", code="THROTTLED", seconds=2.5),
    "bug": ValueError("a secret of ours"),
}


@get("/{kind:str}")
async def fail(kind: FromPath[str]) -> None:
    raise RAISED[kind]


@get("/number/{number:int}")
async def count(number: FromPath[int], limit: FromQuery[int]) -> int:
    return number * limit


def spoken(_: Any, failure: Failure) -> Failure:
    """A grammar that has its own word for one code."""
    return replace(failure, code={"TAKEN": "ALREADY_THERE"}.get(failure.code, failure.code))


@pytest.fixture
def client():
    app = Litestar([fail, count], exception_handlers=handlers(spoken), openapi_config=None)
    app.asgi_handler = stateful(app.asgi_handler)
    with TestClient(app) as client:
        yield client


def stateful(app):
    """As the dispatcher does: every request has an id."""

    async def with_id(scope, receive, send):
        scope.setdefault("state", {})["request_id"] = "the-id"
        await app(scope, receive, send)

    return with_id


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("missing", 404, "RUN_NOT_FOUND"),
        ("invalid", 400, "INVALID_BODY"),
        ("forbidden", 403, "FORBIDDEN"),
        ("conflict", 409, "ALREADY_THERE"),
        ("away", 503, "AWAY"),
        ("throttled", 429, "THROTTLED"),
        ("bug", 500, "INTERNAL"),
    ],
)
def test_a_kind_of_failure_has_one_status(client, kind, status, code):
    """Subclasses have that of the nearest kind; what has no kind is a bug, of which nothing is told."""
    answer = client.get(f"/{kind}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "a secret of ours" not in answer.text


def test_what_may_be_over_soon_says_when(client):
    """A part that is away, and what was too much at once."""
    assert client.get("/away").headers["retry-after"] == "1"
    assert client.get("/throttled").headers["retry-after"] == "3"


def test_failures_of_the_framework_have_the_same_form(client):
    """No such address, no such method, a parameter that is missing or wrong."""
    found = {
        "nothing": client.get("/a/b/c"),
        "method": client.post("/missing"),
        "missing": client.get("/number/1"),
        "wrong": client.get("/number/1", params={"limit": "many"}),
    }

    assert {name: (each.status_code, each.json()["error"]["code"]) for name, each in found.items()} == {
        "nothing": (404, "NOT_FOUND"),
        "method": (405, "METHOD_NOT_ALLOWED"),
        "missing": (400, "INVALID"),
        "wrong": (400, "INVALID"),
    }
    assert "limit" in found["wrong"].json()["message"]
    assert "GET" in found["method"].json()["message"]


def test_every_kind_of_the_engine_has_a_status():
    """Whoever adds a kind of failure says what it is over HTTP."""
    kinds = {kind for kind in ControlRoomError.__subclasses__() if kind.__module__ == "controlroom.errors"}

    assert kinds <= set(STATUS)
    assert status_of(ControlRoomError("no kind")) is None
