"""The document of the grammar: `/swagger/openapi.json`, and `/swagger/docs` for people."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme

from controlroom.border.api_docs.failures import with_failures
from controlroom.border.api_docs.published import drawn
from controlroom.border.asking import Entrance
from controlroom.border.routing import operation_id
from controlroom.border.sections import Section
from controlroom.dialects.automation360.errors import FAILURES, ErrorAnswer
from controlroom.dialects.automation360.routing import PAIR, SUPERSEDED, habits

DOCUMENT = "/swagger"


def documented(handlers: Sequence[HTTPRouteHandler], *entrances: Entrance) -> Section:
    """Routes that the document describes, each under the noun of its module, with what all of them have."""
    for handler in with_failures(handlers, FAILURES, ErrorAnswer):
        handler.tags = [handler.fn.__module__.rpartition(".")[2].replace("_", " ").capitalize()]
    return Section("/", route_handlers=handlers, middleware=[habits, *entrances])


def published(app: Litestar, schema: dict[str, Any]) -> dict[str, Any]:
    """The document as it is published: with the permission that a route needs, and what follows one that ends."""
    of_operation = {
        (path, method.lower()): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for path in (route.path_format,)
        for method in handler.http_methods
    }
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            handler = of_operation.get((path, method))
            if handler is None:
                continue
            if handler.parsed_fn_signature.return_type.is_subclass_of(Response):  # it says itself of which type it is
                for status, answer in operation["responses"].items():
                    if status.startswith("2"):
                        answer.pop("content", None)
            told = [operation.get("description") or ""]
            if (pair := handler.opt.get(PAIR)) is not None:
                told.append(f"Needs `{pair.action}` of `{pair.resource}`.")
            if (superseded := handler.opt.get(SUPERSEDED)) is not None:
                until = "" if superseded.sunset is None else f", which ends on {superseded.sunset:%d %B %Y}"
                told.append(f"Superseded by `{superseded.by}`{until}.")
            operation["description"] = "\n\n".join(filter(None, told))
    return schema


def _named(handlers: Sequence[HTTPRouteHandler]) -> Callable[[HTTPRouteHandler, Any, list[Any]], str]:
    """What the document calls an operation: as its function, and by the path where that does not tell it apart."""
    count = Counter(handler.fn.__name__ for handler in handlers)

    def name(handler: HTTPRouteHandler, method: Any, path: list[Any]) -> str:
        called = operation_id(handler, method, path)
        if len(handler.paths) == 1 and count[handler.fn.__name__] == 1:
            return called
        words = [word for part in path if isinstance(part, str) for word in re.findall(r"\w+", part)]
        return called + "At" + "".join(word.capitalize() for word in words)

    return name


def config(handlers: Sequence[HTTPRouteHandler]) -> OpenAPIConfig:
    """What is published of these routes."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "Token": SecurityScheme(
            type="apiKey",
            name="X-Authorization",
            security_scheme_in="header",
            description="The token that `POST /v2/authentication` gives, bare.",
        ),
        "Bearer": SecurityScheme(type="http", scheme="bearer", description="The same token."),
    }
    return OpenAPIConfig(
        title="Control Room: Automation 360",
        version="v4",
        description="Control Room API v1 to v4. Lists are asked by filter, sort and page; each part may be left out.",
        path=DOCUMENT,
        components=Components(security_schemes=schemes),
        security=[{"Token": []}, {"Bearer": []}],
        operation_id_creator=_named(handlers),
        use_handler_docstrings=True,
        render_plugins=drawn(published),
    )
