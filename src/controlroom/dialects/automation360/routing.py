"""What a module of routes is written with. Paths are whole; a route may have several, for its older twins.

    @post("/v2/devices/list", needs=Permission.READ_WORKERS, pair=Pair("devices", "view"))
    async def list_devices(request: Asking, data: Sought = None) -> Listed[Device]:
        return await listed(request, data, _DEVICES, ...)

    @delete("/v1/devices/{device:str}")                                   # 204, without a body
    async def delete_device(request: Asking, device: Id) -> None:
        located = await find(request, WORKER, device)                     # `ids.py`
        await workers.unlink(request.engine, request.actor, located.scope.workspace, located.id)

    @post("/v2/authentication", is_open=True)                             # nobody needs to be known
    @put("/v2/usermanagement/roles/{role:str}", status=201)               # else 200, and 204 of `delete`
    @post("/v3/wlm/queues", number_codes=True)                            # `code` of its failures is a JSON integer
    @get("/v1/schedule/…", deprecated=Superseded("/v2/schedule/…", date(2028, 1, 31)))

    @post("/v2/blm/promoteBot", not_had="…")                              # raises `errors.NotSupported`; listed so

`needs` is the engine's permission: with it the handler has `request.seen` and `request.reading`. A handler that writes
declares none; its verb asks. `pair` is the vendor's permission of the same thing, which a 403 names. Query parameters
are declared as the vendor writes them (`from_date: Annotated[str, QueryParameter(name="fromDate")]`) and arrive in
whatever case they were sent. Modules are found by being here.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from litestar import delete as _delete
from litestar import get as _get
from litestar import patch as _patch
from litestar import post as _post
from litestar import put as _put
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

IS_OPEN: Final = "is_open"
"""The option of a route that asks for no credential."""
PAIR: Final = "pair"
NUMBER_CODES: Final = "number_codes"
SUPERSEDED: Final = "superseded"
NOT_HAD: Final = "not_had"
"""The option of a route that answers that we do not have this (`errors.NotSupported`): why, for the coverage table."""
_QUERY: Final = "query_names"
_VALUE: Final = re.compile(r"\{[^}]*\}")


class Pair(Struct, frozen=True):
    """A permission as the vendor has it (§2.11.4)."""

    resource: str
    action: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


class Superseded(Struct, frozen=True):
    """By which path a route is followed, and on which day it ends where that is published."""

    by: str
    sunset: date | None = None

    def headers(self, values: Iterable[Any]) -> list[tuple[bytes, bytes]]:
        """`Deprecation`, `Link` (RFC 5829) and, with a day, `Sunset` (RFC 8594); `values` are those of the path."""
        given = iter(values)
        by = _VALUE.sub(lambda _: quote(str(next(given, "")), safe=""), self.by)
        said = [(b"deprecation", b"true"), (b"link", f'<{by}>; rel="successor-version"'.encode())]
        if self.sunset is not None:
            end = datetime(self.sunset.year, self.sunset.month, self.sunset.day, tzinfo=UTC)
            said.append((b"sunset", format_datetime(end, usegmt=True).encode()))
        return said


Declared = Callable[[Any], HTTPRouteHandler]


def _declared(made: Callable[..., Declared], paths: tuple[str, ...], status: int, options: dict[str, Any]) -> Declared:
    superseded: Superseded | None = options.pop("deprecated", None)
    if superseded is not None:
        options |= {"deprecated": True, SUPERSEDED: superseded}
    return made(list(paths), status_code=status, **options)


def get(*paths: str, status: int = 200, **options: Any) -> Declared:
    """A route by GET; a body that comes with it is not looked at."""
    return _declared(_get, paths, status, options)


def post(*paths: str, status: int = 200, **options: Any) -> Declared:
    """A route by POST."""
    return _declared(_post, paths, status, options)


def put(*paths: str, status: int = 200, **options: Any) -> Declared:
    """A route by PUT."""
    return _declared(_put, paths, status, options)


def patch(*paths: str, status: int = 200, **options: Any) -> Declared:
    """A route by PATCH."""
    return _declared(_patch, paths, status, options)


def delete(*paths: str, status: int = 204, **options: Any) -> Declared:
    """A route by DELETE."""
    return _declared(_delete, paths, status, options)


def habits(app: ASGIApp) -> ASGIApp:
    """The middleware of all routes: query names in any case, and the headers of those that are superseded."""

    async def habit(scope: Scope, receive: Receive, send: Send) -> None:
        handler: Any = scope["route_handler"]
        if scope["query_string"]:
            scope["query_string"] = _renamed(handler, scope["query_string"])
        if (superseded := handler.opt.get(SUPERSEDED)) is not None:
            send = _with(send, superseded.headers(scope["path_params"].values()))
        await app(scope, receive, send)

    return habit


def _with(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *headers]
        await send(message)

    return sending


def _renamed(handler: Any, query: bytes) -> bytes:
    """The query with the names that the handler declares, whatever their case; `?&a=b` is `?a=b`."""
    names: dict[str, str] | None = handler.opt.get(_QUERY)
    if names is None:
        parameters = handler.parsed_fn_signature.parameters.items()
        declared = [getattr(each.kwarg_definition, "name", None) or name for name, each in parameters]
        names = handler.opt[_QUERY] = {name.casefold(): name for name in declared}
    found = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return urlencode([(names.get(name.casefold(), name), value) for name, value in found if name]).encode()
