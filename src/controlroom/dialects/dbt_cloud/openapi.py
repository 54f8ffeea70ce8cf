"""The document of the grammar, v2 and v3: `/api/v3/openapi.json`, and `/api/v3/docs` for people."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme

from controlroom.border.api_docs.failures import with_failures
from controlroom.border.api_docs.published import drawn
from controlroom.border.asking import NEEDS, Entrance
from controlroom.border.columns import As, Words
from controlroom.border.routing import operation_id
from controlroom.border.sections import Section
from controlroom.dialects.dbt_cloud.answers import Listed, Told
from controlroom.dialects.dbt_cloud.errors import FAILURES, ErrorAnswer
from controlroom.dialects.dbt_cloud.lists import LENGTH, PROJECT, Columns, Numbered
from controlroom.dialects.dbt_cloud.related import NAME as RELATED
from controlroom.dialects.dbt_cloud.routing import ASKS, NOT_HAD, ROWS
from controlroom.engine.lists.model import Kind

DOCUMENT: Final = "/api/v3"
_OF_KIND: Final = {
    Kind.INTEGER: ("", "in", "gt", "gte", "lt", "lte", "range"),
    Kind.NUMBER: ("", "gt", "gte", "lt", "lte", "range"),
    Kind.INSTANT: ("range", "gt", "gte", "lt", "lte"),
    Kind.TEXT: ("", "in", "icontains"),
    Kind.ID: ("", "in"),
    Kind.TRUTH: ("",),
}
"""By what a field of each kind is usually asked for."""


def documented(handlers: Sequence[HTTPRouteHandler], *entrances: Entrance) -> Section:
    """Routes that the document describes, each under the noun of its module."""
    for handler in with_failures(handlers, FAILURES, ErrorAnswer):
        handler.tags = [handler.fn.__module__.rpartition(".")[2].replace("_", " ").capitalize()]
    return Section("/", route_handlers=handlers, middleware=entrances, response_class=Told)


def published(app: Litestar, schema: dict[str, Any]) -> dict[str, Any]:
    """The document as it is published: answers in their envelope, lists with their filters, what a route needs."""
    handlers = {
        (route.path_format, method.lower()): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
    }
    schema = deepcopy(schema)  # the framework's own is kept, and written for each of those who ask
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if (handler := handlers.get((path, method))) is not None:
                _complete(operation, handler, components, is_v3=path.startswith("/api/v3"))
    return schema


def _complete(operation: dict[str, Any], handler: HTTPRouteHandler, components: dict[str, Any], *, is_v3: bool) -> None:
    returned = handler.parsed_fn_signature.return_type
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if returned.is_subclass_of(Response):  # it says itself of which type it is
            answer.pop("content", None)
        for content in answer.get("content", {}).values():
            content["schema"] = _enveloped(content.get("schema", {}), returned.origin is Listed, components, is_v3)
    told = [operation.get("description") or ""]
    told += [f"Needs the permission {each}." for each in permissions_of(handler)]
    if (why := handler.opt.get(NOT_HAD)) is not None:
        told.append(f"Not had: {why}.")
    operation["description"] = "\n\n".join(filter(None, told))
    if (columns := handler.opt.get(ROWS)) is not None:
        operation.setdefault("parameters", []).extend(_parameters(columns))


def permissions_of(handler: HTTPRouteHandler) -> list[str]:
    """What a token must hold that calls a route: each of these, of which some leave a choice."""
    asked = [each if isinstance(each, tuple) else (each,) for name in (NEEDS, ASKS) if (each := handler.opt.get(name))]
    return list(dict.fromkeys(" or ".join(f"`{each}`" for each in several) for several in asked))


_STATUS: Final = {"$ref": "#/components/schemas/Status"}


def _enveloped(data: dict[str, Any], is_list: bool, components: dict[str, Any], is_v3: bool) -> dict[str, Any]:  # noqa: FBT001 - of this module alone
    """The schema of an answer, of that of its data."""
    properties: dict[str, Any] = {"status": _STATUS, "data": data}
    if is_list:
        of_page = components[data["$ref"].rpartition("/")[2]]["properties"]
        properties |= {"data": of_page["data"], "extra": of_page["extra"]}
    elif is_v3:
        properties |= {"extra": {"type": "object"}, "error_code": {"type": "null"}}
    return {"type": "object", "required": list(properties), "properties": properties}


def _parameters(columns: Columns) -> Iterator[dict[str, Any]]:
    yield _query("limit", {"type": "integer", "minimum": 0}, f"Rows of the page; {LENGTH} where nothing is said.")
    yield _query("offset", {"type": "integer", "minimum": 0}, "Rows to pass over.")
    yield _query("order_by", {"type": "string"}, f"One of {', '.join(columns.orders)}; with `-` before it, in reverse.")
    yield _query(RELATED, {"type": "string"}, "What is told beside the rows themselves, with commas.")
    for name in dict.fromkeys([*columns.filters, "state"]):
        if name != PROJECT:
            yield from (_query(f"{name}__{each}" if each else name) for each in _lookups(columns, name))
    yield _query(PROJECT)
    yield _query(f"{PROJECT}__in")


def _lookups(columns: Columns, name: str) -> tuple[str, ...]:
    match columns.column(name):
        case As(field) | (str() as field):
            return _OF_KIND[columns.listing.named[field].kind]
        case Numbered() | Words():
            return ("", "in")
        case _:
            return ()


def _query(name: str, schema: dict[str, Any] | None = None, said: str = "") -> dict[str, Any]:
    described = {"description": said} if said else {}
    return {"name": name, "in": "query", "required": False, "schema": schema or {"type": "string"}, **described}


def _named(handlers: Sequence[HTTPRouteHandler]) -> Callable[[HTTPRouteHandler, Any, list[Any]], str]:
    """What the document calls an operation: as its function, and by the path where that does not tell it apart."""
    count = Counter(handler.fn.__name__ for handler in handlers)

    def name(handler: HTTPRouteHandler, method: Any, path: list[Any]) -> str:
        called = operation_id(handler, method, path)
        if count[handler.fn.__name__] > 1:  # in several modules
            called += "Of" + "".join(each.capitalize() for each in handler.fn.__module__.rpartition(".")[2].split("_"))
        _, version, *parts = [part for part in path if isinstance(part, str)]
        twins = [each for each in handler.paths if f"/{version}/" in each]
        if len(twins) > 1:
            called += "At" + "".join(word.capitalize() for part in parts for word in re.findall(r"\w+", part))
        return called if len(handler.paths) == len(twins) else called + version.upper()

    return name


def config(handlers: Sequence[HTTPRouteHandler]) -> OpenAPIConfig:
    """What is published of these routes."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "Bearer": SecurityScheme(
            type="http", scheme="bearer", description="A token; `Token` in place of `Bearer` too."
        ),
    }
    return OpenAPIConfig(
        title="Control Room: dbt Cloud",
        version="v3",
        description="Administrative API v2 and v3. All answers but artifacts are `{status, data}`, lists have `extra`.",
        path=DOCUMENT,
        components=Components(security_schemes=schemes),
        security=[{"Bearer": []}],
        operation_id_creator=_named(handlers),
        use_handler_docstrings=True,
        render_plugins=drawn(published),
    )
