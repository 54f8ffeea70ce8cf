"""The dialect as one ASGI app: Control Room API v1 to v4. To add a noun: write a module (`routing.py` says how)."""

from litestar import Litestar
from litestar.datastructures import State

from controlroom.border.api_docs import framed
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.later import Later
from controlroom.border.long_polls import Holds
from controlroom.border.origin import Origins
from controlroom.border.routing import handlers_of, modules_in
from controlroom.dialects import automation360
from controlroom.dialects.automation360.answers import Told
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.auth import somebody
from controlroom.dialects.automation360.errors import HANDLERS
from controlroom.dialects.automation360.openapi import DOCUMENT, config, documented
from controlroom.dialects.automation360.routing import IS_OPEN
from controlroom.engine.engine import Engine

PREFIXES = (
    "/v1",
    "/v2",
    "/v3",
    "/v4",
    "/orchestrator/v1/hotbot",
    "/api-task-real-time-endpoint",
    "/gai/prompttools/v1",
    "/aari/v2",
    "/storage/v1/file",
    "/swagger",
)
"""Where the dispatcher mounts the dialect (DESIGN §5)."""


def routes(engine: Engine, origins: Origins, holds: Holds | None = None) -> Litestar:
    """All routes of the dialect."""
    found = handlers_of(modules_in(automation360, but=()))
    return Litestar(
        [
            documented([each for each in found if IS_OPEN in each.opt]),
            documented([each for each in found if IS_OPEN not in each.opt], somebody),
        ],
        state=State({"engine": engine, "origins": origins, "holds": holds or Holds()}),
        exception_handlers=HANDLERS,
        request_class=Asking,
        response_class=Told,
        request_max_body_size=max(engine.limits.request_bytes, engine.limits.file_bytes),
        openapi_config=config(found),
        logging_config=None,
    )


def application(engine: Engine, origins: Origins, holds: Holds | None = None) -> App:
    """The dialect over an engine. Give `holds` to be able to end calls that wait for a run when the server stops."""
    litestar = Later(lambda: routes(engine, origins, holds))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in {"/swagger", "/swagger/ui"}:
            path = scope["path"] = f"{DOCUMENT}/docs"
        await litestar(scope, receive, framed(send, path, DOCUMENT))

    return app
