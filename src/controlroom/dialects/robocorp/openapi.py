"""The document of the public API and of our management API: `/api/v1/openapi.json`, and `/api/v1/docs` for people."""

from collections.abc import Sequence
from functools import partial

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme

from controlroom.border.api_docs.failures import with_failures
from controlroom.border.api_docs.published import document_of, drawn
from controlroom.border.asking import Entrance
from controlroom.border.routing import operation_id
from controlroom.border.sections import Section
from controlroom.dialects.robocorp.paging import PAGED
from controlroom.dialects.robocorp.permissions import NAMES

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


def documented(path: str, handlers: Sequence[HTTPRouteHandler], *entrances: Entrance) -> Section:
    """Routes that the document describes: they fail as all do, and each stands under the noun of its module."""
    for handler in with_failures(handlers, _FAILURES):
        handler.tags = [_noun(handler.fn.__module__)]
    return Section(path, route_handlers=handlers, middleware=entrances, dependencies=PAGED)


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


published = partial(document_of, path=_PATH, names=NAMES)
"""The document of an app as it is published, from the one that the framework makes."""


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
        render_plugins=drawn(published),
    )
