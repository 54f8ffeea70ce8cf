"""The document of the public API and of our management API: `/api/v1/openapi.json`, and `/api/v1/docs` for people."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.routes import HTTPRoute
from msgspec import Struct

from controlroom.border.api_docs import DocsPage
from controlroom.border.asking import NEEDS
from controlroom.border.routing import BY_PUT, operation_id
from controlroom.dialects.robocorp.permissions import NAMES


class ErrorDetails(Struct, frozen=True):
    """What went wrong: a code for programs, a message for people; some have further fields."""

    code: str
    message: str


class ErrorAnswer(Struct, frozen=True):
    """Every answer that is no success (§1.3)."""

    error: ErrorDetails
    message: str


_PATH = "/api/v1"
_FAILURES = {
    400: "The request is wrong.",
    401: "There is no valid credential.",
    403: "The credential lacks a permission, which is named.",
    404: "There is no such thing, or the caller may not know of it.",
    409: "It contradicts what has happened meanwhile, or what exists already.",
    429: "That is too much at once; `Retry-After` says when to try again.",
    503: "A part that is needed is away; try again.",
}


def with_failures(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """The handlers, declared to fail as all of this dialect do, each under the noun that its module is named by."""
    documented = []
    for handler in handlers:
        handler.tags = [_noun(handler.fn.__module__)]
        handler.responses = {
            status: ResponseSpec(ErrorAnswer, description=text, generate_examples=False)
            for status, text in _FAILURES.items()
        }
        documented.append(handler)
    return documented


_NOUNS = {
    "api_keys": "API keys",
    "integrations": "Process runs",
    "sessions": "Logging in",
    "work_item_files": "Work items",
    "work_item_operations": "Work items",
    "workspace": "Workspaces",
}
"""What is not called as its module."""


def _noun(module: str) -> str:
    name = module.rpartition(".")[2]
    return _NOUNS.get(name) or name.replace("_", " ").capitalize()


def config() -> OpenAPIConfig:
    """What is published."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "ApiKey": SecurityScheme(
            type="apiKey",
            name="Authorization",
            security_scheme_in="header",
            description="`RC-WSKEY <key>`: an API key of the workspace, with permissions.",
        ),
        "Bearer": SecurityScheme(type="http", scheme="bearer", description="An API key, or a step run's token."),
    }
    return OpenAPIConfig(
        title="Control Room",
        version="v1",
        description=(
            "Everything of a workspace. Lists come in pages: follow `next` as it is, until it is null. The same paths "
            "are served under /v1. Where this goes beyond the API that clients were written for, it keeps its grammar."
        ),
        path=_PATH,
        components=Components(security_schemes=schemes),
        security=[{"ApiKey": []}, {"Bearer": []}],
        operation_id_creator=operation_id,
        use_handler_docstrings=True,
        render_plugins=[_Document(), _Page()],
    )


class _Document(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, published(request.app, openapi_schema))


class _Page(DocsPage):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, published(request.app, openapi_schema))


_PAGE_OF = re.compile(r"Page_[\w.]*?(\w+)_(?=\")")


def published(app: Litestar, schema: dict[str, Any]) -> dict[str, Any]:
    """The document of an app as it is published, from the one that the framework makes."""
    tidy = _tidy(schema, closed=_closed(app))
    needs = {handler.fn.__name__: handler.opt[NEEDS] for handler in _handlers(app) if NEEDS in handler.opt}
    for item in tidy["paths"].values():
        for operation in item.values():
            permissions = needs.get(re.sub("([A-Z])", r"_\1", operation["operationId"]).lower(), ())
            for permission in permissions if isinstance(permissions, tuple) else (permissions,):
                operation["description"] += f"\n\nNeeds the permission `{NAMES[permission]}`."
    return tidy


def _handlers(app: Litestar) -> list[HTTPRouteHandler]:
    routes = [each for each in app.routes if isinstance(each, HTTPRoute) and each.path.startswith(_PATH)]
    return [handler for route in routes for handler in route.route_handlers]


def _closed(app: Litestar) -> set[str]:
    """The names of the types of bodies that are refused for a key which they do not have."""
    fields = [handler.parsed_data_field for handler in _handlers(app)]
    bodies = [field.annotation for field in fields if field is not None]
    _, types = msgspec.json.schema_components(bodies)
    return {name for name, schema in types.items() if schema.get("additionalProperties") is False}


def _tidy(schema: dict[str, Any], *, closed: set[str]) -> dict[str, Any]:
    """The document with names that people would give: `WorkItemPage`, not the module path of what is in the page.

    With unions that mean what ours do: any of their members, not exactly one (null is a JSON value, too). And with the
    PUT of an update as what it is: another name for its POST. And with bodies that take no other keys told as such.
    """
    text = msgspec.json.encode(schema).decode().replace('"oneOf":', '"anyOf":')
    tidy: dict[str, Any] = msgspec.json.decode(
        _PAGE_OF.sub(lambda found: f"{found[1].removesuffix('Answer')}Page", text)
    )
    for item in tidy["paths"].values():
        if "put" in item and item["put"]["operationId"].endswith(BY_PUT):
            item["put"]["deprecated"] = True
    for name in closed & tidy["components"]["schemas"].keys():
        tidy["components"]["schemas"][name]["additionalProperties"] = False
    return tidy
