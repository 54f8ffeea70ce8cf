"""Routes that stand behind one entrance: as the framework's router has them, for less."""

from typing import Any

import pytest
from litestar import Litestar, Request, Router, delete, get, post
from litestar.testing import create_test_client

from controlroom.border.sections import Section


@get("/notes", sync_to_thread=False)
def list_notes() -> str:
    """List notes."""
    return "notes"


@post(["/notes", "/notes/{at:int}/copy"], status_code=200, sync_to_thread=False)
def make_note() -> str:
    """Make a note."""
    return "made"


@delete("/notes/{at:int}", status_code=200, sync_to_thread=False)
def forget_note(request: Request[Any, Any, Any]) -> str:
    """Forget a note."""
    return f"{request.path_params['at']} forgotten"


NOTES = [list_notes, make_note, forget_note]


def entrance(name: str):
    def wrap(app):
        async def passing(scope, receive, send):
            async def named(message):
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"entrance", name.encode())]
                await send(message)

            await app(scope, receive, named)

        return passing

    return wrap


def routes_of(app: Litestar) -> set[tuple[Any, ...]]:
    return {
        (route.path, method, str(handler) if method != "OPTIONS" else "", len(handler.resolve_middleware()))
        for route in app.routes
        for method, (handler, _) in route.route_handler_map.items()  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("path", ["/", "/w/{workspace:str}"])
def test_a_section_has_the_routes_of_a_router(path):
    """With its methods, its entrance and its document."""
    router, section = (
        Litestar([kind(path, route_handlers=NOTES, middleware=[entrance("a")])]) for kind in (Router, Section)
    )

    assert routes_of(section) == routes_of(router)
    assert section.openapi_schema.to_schema() == router.openapi_schema.to_schema()


def test_who_asks_for_methods_is_told_those_of_the_path():
    """Behind the entrance, as every other call."""
    with create_test_client(
        [Section("/w/{workspace:str}", route_handlers=NOTES, middleware=[entrance("a")])]
    ) as client:
        told = {path: client.options(path) for path in ("/w/acme/notes", "/w/acme/notes/7", "/w/acme/notes/7/copy")}

    assert {path: answer.headers["allow"] for path, answer in told.items()} == {
        "/w/acme/notes": "GET, OPTIONS, POST",
        "/w/acme/notes/7": "DELETE, OPTIONS",
        "/w/acme/notes/7/copy": "OPTIONS, POST",
    }
    assert {(answer.status_code, answer.text, answer.headers["entrance"]) for answer in told.values()} == {
        (204, "", "a")
    }


def test_apps_of_the_same_routes_know_nothing_of_each_other():
    """Each has its own prefix and entrance."""
    first, second = (Section(path, route_handlers=NOTES, middleware=[entrance(path)]) for path in ("/a", "/b"))

    with create_test_client([first]) as one, create_test_client([second]) as other:
        answers = one.get("/a/notes"), other.get("/b/notes"), one.get("/b/notes"), one.delete("/a/notes/7")

    assert [answer.headers.get("entrance") for answer in answers] == ["/a", "/b", None, "/a"]
    assert answers[3].text == "7 forgotten"
