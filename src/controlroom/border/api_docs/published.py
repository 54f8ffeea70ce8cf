"""A grammar's document as it is published, from the one that the framework makes: tidy, with what each route needs."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.routes import HTTPRoute

from controlroom.border.api_docs import DocsPage
from controlroom.border.asking import NEEDS, Permission
from controlroom.border.routing import BY_PUT

Publish = Callable[[Litestar, dict[str, Any]], dict[str, Any]]
"""What makes the document of an app from the framework's."""


def drawn(publish: Publish) -> list[OpenAPIRenderPlugin]:
    """The document, and the page of it."""

    class Document(JsonRenderPlugin):
        def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
            return super().render(request, publish(request.app, openapi_schema))

    class Page(DocsPage):
        def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
            return super().render(request, publish(request.app, openapi_schema))

    return [Document(), Page()]


_PAGE_OF = re.compile(r"Page_[\w.]*?(\w+)_(?=\")")


def document_of(app: Litestar, schema: dict[str, Any], *, path: str, names: Mapping[Permission, str]) -> dict[str, Any]:
    """The document of what lies below a path; permissions are called as the grammar does."""
    handlers = _handlers(app, path)
    tidy = _tidy(schema, closed=_closed(handlers))
    needs = {handler.fn.__name__: handler.opt[NEEDS] for handler in handlers if NEEDS in handler.opt}
    for item in tidy["paths"].values():
        for operation in item.values():
            permissions = needs.get(re.sub("([A-Z])", r"_\1", operation["operationId"]).lower(), ())
            for permission in permissions if isinstance(permissions, tuple) else (permissions,):
                operation["description"] += f"\n\nNeeds the permission `{names[permission]}`."
    return tidy


def _handlers(app: Litestar, path: str) -> list[HTTPRouteHandler]:
    routes = [each for each in app.routes if isinstance(each, HTTPRoute) and each.path.startswith(path)]
    return [handler for route in routes for handler in route.route_handlers]


def _closed(handlers: list[HTTPRouteHandler]) -> set[str]:
    """The names of the types of bodies that are refused for a key which they do not have."""
    bodies = [handler.parsed_data_field.annotation for handler in handlers if handler.parsed_data_field is not None]
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
