"""The workers' border as one ASGI app: `controlroom.protocol` under `/worker/v1`."""

from typing import cast

from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig

from controlroom.border.api_docs import RENDER, framed
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.long_polls import Holds
from controlroom.border.routing import handlers_of, operation_id
from controlroom.border.sections import Section
from controlroom.dialects.worker_api import code, databases, projects, reports, sessions
from controlroom.dialects.worker_api.asking import WorkerRequest, linked
from controlroom.dialects.worker_api.errors import HANDLERS, with_failures
from controlroom.engine.engine import Engine

PREFIX = "/worker/v1"


def application(engine: Engine, holds: Holds | None = None) -> App:
    """The app over an engine. Give `holds` to be able to end the long polls when the server stops."""
    litestar = cast("App", routes(engine, holds))  # the same ASGI, in other words

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await litestar(scope, receive, framed(send, scope["path"], PREFIX))

    return app


def routes(engine: Engine, holds: Holds | None = None) -> Litestar:
    """All routes of the dialect."""
    of_workers = Section(
        PREFIX,
        route_handlers=with_failures(handlers_of([sessions, reports, code, databases, projects])),
        middleware=[linked],
    )
    unlinked = Section(PREFIX, route_handlers=with_failures([sessions.link]))
    return Litestar(
        [of_workers, unlinked],
        state=State({"engine": engine, "holds": holds or Holds()}),
        exception_handlers=HANDLERS,
        request_class=WorkerRequest,
        request_max_body_size=max(engine.limits.request_bytes, engine.limits.console_batch_bytes),
        openapi_config=OpenAPIConfig(
            title="Control Room: workers",
            version="v1",
            description="What server and worker say to each other. All but `link` carry a worker's token as Bearer.",
            path=PREFIX,
            operation_id_creator=operation_id,
            render_plugins=RENDER,
        ),
        logging_config=None,
    )
