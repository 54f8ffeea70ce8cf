"""Route decorators with this dialect's habits (§1.5): every success is 200, and updates are POST as well as PUT.

An operation is called as its function is, in camel case, unless it says otherwise.
"""

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from litestar import delete as _delete
from litestar import get, route
from litestar import post as _post
from litestar.handlers import HTTPRouteHandler

__all__ = ["BY_PUT", "delete", "get", "handlers_of", "operation_id", "post", "update"]

BY_PUT = "ByPut"
"""The end of the ids of operations that are other names for their POST."""

post = partial(_post, status_code=200)
delete = partial(_delete, status_code=200)


def update(path: str, **options: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A route that takes POST (the final generation of the API) and PUT (the one before) alike."""
    return route(path, http_method=["POST", "PUT"], status_code=200, **options)


def operation_id(handler: HTTPRouteHandler, method: Any, _path: Any) -> str:
    """What the document calls an operation."""
    first, *rest = handler.fn.__name__.split("_")
    name = first + "".join(word.capitalize() for word in rest)
    return name + BY_PUT if method == "PUT" and "POST" in handler.http_methods else name


def handlers_of(modules: Sequence[ModuleType]) -> list[HTTPRouteHandler]:
    """The routes of modules: those that a module names as `handlers` because it has others, too, else all of them."""
    return [handler for module in modules for handler in getattr(module, "handlers", None) or _defined_in(module)]


def _defined_in(module: ModuleType) -> list[HTTPRouteHandler]:
    defined = vars(module).values()
    return [each for each in defined if isinstance(each, HTTPRouteHandler) and each.fn.__module__ == module.__name__]
