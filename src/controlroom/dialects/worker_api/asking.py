"""Who asks, and what: the worker of a token, and bodies decoded straight into the protocol's types."""

from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types.empty import Empty

from controlroom.border.arrivals import known
from controlroom.dialects.worker_api.long_polls import Holds
from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import WorkerActor
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid, Unauthenticated
from controlroom.json_limits import check_nesting

T = TypeVar("T")

_SCHEME = "bearer"


class WorkerRequest(Request[Any, Any, State]):
    """A request of a worker. What the guard and the app know of it are its attributes: no dependency is resolved."""

    __slots__ = ()

    @property
    def engine(self) -> Engine:
        """The engine."""
        engine: Engine = self.app.state.engine
        return engine

    @property
    def holds(self) -> Holds:
        """The requests that this server holds."""
        holds: Holds = self.app.state.holds
        return holds

    @property
    def worker(self) -> WorkerActor:
        """Who asks."""
        worker: WorkerActor = self.scope["state"]["worker"]
        return worker

    async def json(self) -> Any:
        """The body as the type that the handler declares for `data`; raises Invalid `INVALID_BODY`."""
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            self._json = _decode(await self.body(), field.annotation if field else Any)
        return self._json


async def authenticate(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:  # noqa: ARG001 - a guard's signature
    """Guard of everything but `link`: a worker's lasting token, before any body is read."""
    scheme, token = "", ""
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthenticated("Send the worker's token as `Authorization: Bearer <token>`.")
    worker = await authenticate_worker(connection.app.state.engine, token.strip())
    connection.scope["state"]["worker"] = worker
    known(connection.scope, f"worker:{worker.worker_id}")


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decode(body: bytes, into: Any) -> Any:
    decoder = _decoders.get(into)
    if decoder is None:
        decoder = _decoders[into] = msgspec.json.Decoder(into)
    check_nesting(body)
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise Invalid(f"The body is not as expected: {wrong}.", code="INVALID_BODY") from wrong
