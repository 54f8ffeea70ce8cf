"""The dialect as one ASGI app: every surface of §0.1 under one origin.

The paths of a module's routes begin below `/workspaces/{workspace_id:uuid}`, or below `/api/v1` if they are declared to
lie `above_workspaces`. To add a noun: write the module.
"""

import asyncio

from litestar import Litestar
from litestar.datastructures import State

from controlroom.border import git_hooks
from controlroom.border.api_docs import framed
from controlroom.border.asking import Asking
from controlroom.border.bodies import JsonResponse
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.later import Later
from controlroom.border.long_polls import Holds
from controlroom.border.origin import Origins
from controlroom.border.routing import handlers_of, modules_in
from controlroom.border.verbs import Verbs
from controlroom.dialects import robocorp
from controlroom.dialects.robocorp import assets, auth, integrations, old_robots, runtime_work_items, sessions, vault
from controlroom.dialects.robocorp.errors import HANDLERS, SCHEMES, renamed
from controlroom.dialects.robocorp.old_process_api import surface as old_process_api
from controlroom.dialects.robocorp.openapi import config, documented
from controlroom.dialects.robocorp.rcc import surface as rcc
from controlroom.dialects.robocorp.routing import undocumented
from controlroom.engine.engine import Engine
from controlroom.outgoing import Outgoing

PREFIXES = (
    "/api/v1",
    "/v1/workspaces",
    "/process-v1",
    "/json-v1",
    "/secrets-v1",
    "/workspace-v1",
    "/robot-v1",
    "/robot-v2",
    "/assistant-v1",
    "/token-vendor-v1",
)
"""Where the dispatcher mounts the dialect (DESIGN §5)."""

_V1 = "/api/v1"
_OF_ROBOTS = ("/json-v1/", "/process-v1/")
"""Below which paths robots call their verbs, which the framework does not see."""
_OTHERS = (integrations, old_robots, runtime_work_items, sessions, vault)
"""Modules whose routes are for other callers than those of the public API and our own management API."""


def routes(
    engine: Engine,
    origins: Origins,
    *,
    mail_domain: str,
    holds: Holds | None = None,
    outgoing: Outgoing | None = None,
) -> Litestar:
    """All routes of the dialect."""
    public = handlers_of(modules_in(robocorp, but=_OTHERS))
    above = [handler for handler in public if "above_workspaces" in handler.opt]
    below = [handler for handler in public if handler not in above]
    hooks = asyncio.Semaphore(engine.limits.git_hooks)
    of_server = {"engine": engine, "origins": origins, "holds": holds or Holds()}
    state = State({**of_server, "mail_domain": mail_domain, "push_hooks": hooks, "outgoing": outgoing})
    return Litestar(
        [
            documented(f"{_V1}/workspaces/{{workspace_id:uuid}}", below, auth.somebody),
            documented(_V1, [*above, sessions.log_out], auth.somebody),
            documented(_V1, [sessions.log_in]),
            documented("/", handlers_of([integrations]), auth.key_in_query),
            git_hooks.router(),
            undocumented("/", handlers_of([vault]), auth.robot_anywhere),
            *old_process_api.routers(),
            undocumented("/", handlers_of([old_robots]), auth.somebody),
            *rcc.routers(),
        ],
        state=state,
        exception_handlers=HANDLERS,
        request_class=Asking,
        response_class=JsonResponse,
        request_max_body_size=engine.limits.request_bytes,
        openapi_config=config(),
        logging_config=None,
    )


def application(
    engine: Engine,
    origins: Origins,
    *,
    mail_domain: str,
    holds: Holds | None = None,
    outgoing: Outgoing | None = None,
) -> App:
    """The dialect over an engine; `mail_domain` is that of the processes' addresses.

    Give `holds` to be able to end the calls that wait for a run when the server stops.
    """
    litestar = Later(lambda: routes(engine, origins, mail_domain=mail_domain, holds=holds, outgoing=outgoing))
    of_robots = Verbs(engine, origins, runtime_work_items.VERBS, tell=renamed, schemes=SCHEMES)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # The host of robots serves the same resources under /v1 (§0.1). Links keep the path that the caller used.
        path = scope["path"]
        if path.startswith(_OF_ROBOTS) and (found := of_robots.at(path)) is not None:
            await of_robots.serve(found, scope, receive, send)
            return
        if path.startswith("/v1/"):
            path = "/api" + path
        if "/assets/" in path:
            path = assets.joined(path, scope["method"])
        scope["path"] = path
        send = framed(send, path, _V1)
        await litestar(scope, receive, send)

    return app
