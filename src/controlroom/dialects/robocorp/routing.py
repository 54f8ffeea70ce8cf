"""What a module of routes is written with: pages, and decorators with this dialect's habits (§1.5).

Every success is 200, and updates are POST as well as PUT.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import delete as _delete
from litestar import get, route
from litestar import post as _post
from litestar.handlers import HTTPRouteHandler

from controlroom.dialects.robocorp.paging import Page, Pages, Paging

__all__ = ["Page", "Pages", "Paging", "delete", "get", "post", "update"]

post = partial(_post, status_code=200)
delete = partial(_delete, status_code=200)


def update(path: str, **options: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A route that takes POST (the final generation of the API) and PUT (the one before) alike."""
    return route(path, http_method=["POST", "PUT"], status_code=200, **options)
