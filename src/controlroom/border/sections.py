"""Routes of an app that stand behind the same entrance: the framework's router, built once.

What the framework makes of a router costs a start most of its time: it builds each route for the router, copies router
and routes deeply, and builds them again for the app, with a further handler for the OPTIONS of each, whose signature it
reads anew. A section only keeps its routes until it is put into its app, which is why it stands in one app alone.
"""

import re
from collections import defaultdict
from copy import copy
from typing import Any, Self, cast

from litestar import Request, Response, Router
from litestar.handlers import HTTPRouteHandler
from litestar.handlers import route as any_route
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler
from litestar.types.internal_types import RouteHandlerMapItem
from litestar.utils import join_paths


class Section(Router):
    """Takes what a router takes; routes are all by HTTP."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self._handlers: list[HTTPRouteHandler] = []
        super().__init__(*given, **options)

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Keep a route for the app. The module's own handler stays as it is: other apps are made of it, too."""
        handler = copy(cast("HTTPRouteHandler", value))
        handler.owner = self
        self._handlers.append(handler)
        return []

    @property
    def route_handler_method_map(self) -> dict[str, RouteHandlerMapItem]:
        """What the app builds its routes of: by path and method."""
        found: dict[str, RouteHandlerMapItem] = defaultdict(dict)
        for handler in self._handlers:
            for path in handler.paths:
                found[join_paths([self.path, path])].update(dict.fromkeys(handler.http_methods, handler))
        allowed = {_told(path): ", ".join(sorted([*methods, "OPTIONS"])) for path, methods in found.items()}

        async def tell_methods(request: Request[Any, Any, Any]) -> Response[None]:
            return Response(None, status_code=204, headers={"Allow": allowed[request.scope["path_template"]]})

        for_all = any_route(http_method="OPTIONS", include_in_schema=False, media_type="text/plain")(tell_methods)
        for_all.owner = self
        for methods in found.values():
            methods.setdefault("OPTIONS", for_all)
        return found

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def _told(path: str) -> str:
    """A path as requests are told it: values without their types."""
    return re.sub(r":\w+\}", "}", path)
