"""The dialect as one ASGI app: Administrative API v2 and v3. To add a noun: write a module (`routing.py` says how)."""

from litestar import Litestar
from litestar.datastructures import State

from controlroom.border.api_docs import framed
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.later import Later
from controlroom.border.long_polls import Holds
from controlroom.border.origin import Origins
from controlroom.border.routing import handlers_of, modules_in
from controlroom.dialects import dbt_cloud
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.auth import somebody
from controlroom.dialects.dbt_cloud.errors import HANDLERS
from controlroom.dialects.dbt_cloud.openapi import DOCUMENT, config, documented
from controlroom.engine.engine import Engine

PREFIXES = ("/api/v2", "/api/v3", "/graphql")
"""Where the dispatcher mounts the dialect (DESIGN §5). Of the last there is nothing: its 404 is in this form, too."""


def routes(engine: Engine, origins: Origins, holds: Holds | None = None, *, is_strict: bool = False) -> Litestar:
    """All routes of the dialect."""
    found = handlers_of(modules_in(dbt_cloud, but=()))
    return Litestar(
        [documented(found, somebody)],
        state=State({"engine": engine, "origins": origins, "holds": holds or Holds(), "is_strict": is_strict}),
        exception_handlers=HANDLERS,
        request_class=Asking,
        request_max_body_size=engine.limits.request_bytes,
        openapi_config=config(found),
        logging_config=None,
    )


def application(engine: Engine, origins: Origins, holds: Holds | None = None, *, is_strict: bool = False) -> App:
    """The dialect over an engine; a strict one refuses names of a query that a list does not have."""
    litestar = Later(lambda: routes(engine, origins, holds, is_strict=is_strict))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await litestar(scope, receive, framed(send, scope["path"], DOCUMENT))

    return app
