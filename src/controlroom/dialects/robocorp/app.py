"""The dialect as one ASGI app: every surface of §0.1 under one origin.

The paths of a module's routes begin below `/workspaces/{workspace_id:uuid}` (public API) or are
whole (runtime APIs). To add a noun: write the module, and name it here.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State

from controlroom.border.api_docs import framed
from controlroom.border.asking import Asking
from controlroom.border.bodies import JsonResponse
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.origin import Origins
from controlroom.border.routing import handlers_of
from controlroom.dialects.robocorp import (
    api_keys,
    assets,
    assistants,
    audit_log,
    auth,
    chains,
    email_triggers,
    git_packages,
    grants,
    integrations,
    link_tokens,
    members,
    notifications,
    old_robots,
    openapi,
    organization,
    outputs,
    process_runs,
    process_secrets,
    processes,
    provisioners,
    queues,
    retention,
    roles,
    runtime_work_items,
    schedules,
    secrets,
    step_runs,
    task_packages,
    user_groups,
    users,
    vault,
    webhooks,
    work_item_files,
    work_item_operations,
    work_items,
    worker_groups,
    workers,
    workspace,
)
from controlroom.dialects.robocorp.errors import HANDLERS
from controlroom.dialects.robocorp.old_process_api import surface as old_process_api
from controlroom.dialects.robocorp.paging import PAGED
from controlroom.dialects.robocorp.rcc import surface as rcc
from controlroom.dialects.robocorp.routing import undocumented
from controlroom.engine.engine import Engine

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

_PUBLIC: Sequence[Any] = (
    workspace,
    processes,
    process_runs,
    step_runs,
    work_items,
    work_item_files,
    outputs,
    task_packages,
    workers,
    worker_groups,
    link_tokens,
    assets,
    secrets,
    api_keys,
    members,
    users,
    roles,
    user_groups,
    grants,
    webhooks,
    notifications,
    provisioners,
    assistants,
    process_secrets,
    email_triggers,
    git_packages,
    audit_log,
    schedules,
    chains,
    queues,
    work_item_operations,
    retention,
)
"""Modules of the public API and of our own management API."""

_RUNTIME: Sequence[Any] = (runtime_work_items,)
"""Modules of the robots' APIs."""


def routes(engine: Engine, origins: Origins, *, mail_domain: str) -> Litestar:
    """All routes of the dialect."""
    public = Router(
        "/api/v1/workspaces/{workspace_id:uuid}",
        route_handlers=openapi.with_failures(handlers_of(_PUBLIC)),
        middleware=[auth.somebody],
        dependencies=PAGED,
    )
    hooks = asyncio.Semaphore(engine.limits.git_hooks)
    state = State({"engine": engine, "origins": origins, "mail_domain": mail_domain, "push_hooks": hooks})
    return Litestar(
        [
            public,
            *organization.routers(),
            integrations.router(),
            git_packages.hook_router(),
            undocumented("/", handlers_of(_RUNTIME), auth.robot),
            undocumented("/", handlers_of([vault]), auth.robot_anywhere),
            *old_process_api.routers(),
            old_robots.router(),
            *rcc.routers(),
        ],
        state=state,
        exception_handlers=HANDLERS,
        request_class=Asking,
        response_class=JsonResponse,
        request_max_body_size=engine.limits.request_bytes,
        openapi_config=openapi.config(),
        logging_config=None,
    )


def application(engine: Engine, origins: Origins, *, mail_domain: str) -> App:
    """The dialect over an engine; `mail_domain` is that of the processes' addresses."""
    litestar = routes(engine, origins, mail_domain=mail_domain)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # The host of robots serves the same resources under /v1 (§0.1). Links keep the path that the caller used.
        path = scope["path"]
        if path.startswith("/v1/"):
            path = "/api" + path
        if "/assets/" in path:
            path = assets.joined(path, scope["method"])
        scope["path"] = path
        send = framed(send, path, "/api/v1")
        await litestar(scope, receive, send)  # type: ignore[arg-type]  # the same ASGI, in other words

    return app
