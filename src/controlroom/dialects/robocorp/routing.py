"""What a module of routes is written with: pages, and decorators with this dialect's habits (§1.5).

Every success is 200, and updates are POST as well as PUT.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from litestar import delete as _delete
from litestar import get, route
from litestar import post as _post
from litestar.handlers import HTTPRouteHandler

from controlroom.border.asking import Entrance, Query
from controlroom.border.sections import Section
from controlroom.dialects.robocorp.paging import PAGED, Page, Pages, Paging
from controlroom.ids import ProcessId

__all__ = ["OfProcess", "Page", "Pages", "Paging", "delete", "get", "post", "undocumented", "update"]

OfProcess: TypeAlias = Query[ProcessId | None]
"""`process_id` of a list: only what belongs to this process."""

post = partial(_post, status_code=200)
delete = partial(_delete, status_code=200)


def undocumented(path: str, handlers: Sequence[Any], entrance: Entrance | None = None, **options: Any) -> Section:
    """Routes that no OpenAPI document describes: their clients are fixed."""
    middleware = [] if entrance is None else [entrance]
    return Section(
        path, route_handlers=handlers, middleware=middleware, dependencies=PAGED, include_in_schema=False, **options
    )


def update(path: str, **options: Any) -> Callable[[Any], HTTPRouteHandler]:
    """A route that takes POST (the final generation of the API) and PUT (the one before) alike."""
    return route(path, http_method=["POST", "PUT"], status_code=200, **options)
