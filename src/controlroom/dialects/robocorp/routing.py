"""Route decorators with this dialect's habits (§1.5): every success is 200, and updates are POST as well as PUT."""

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import delete as _delete
from litestar import get, route
from litestar import post as _post
from litestar.handlers import HTTPRouteHandler

__all__ = ["BY_PUT", "delete", "get", "post", "update"]

BY_PUT = "ByPut"
"""The end of the ids of operations that are other names for their POST."""

post = partial(_post, status_code=200)
delete = partial(_delete, status_code=200)


def update(path: str, *, operation_id: str, **options: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A route that takes POST (the final generation of the API) and PUT (the one before) alike."""

    def named(_handler: HTTPRouteHandler, method: Any, _path: Any) -> str:
        return operation_id if method == "POST" else operation_id + BY_PUT

    return route(path, http_method=["POST", "PUT"], status_code=200, operation_id=named, **options)
