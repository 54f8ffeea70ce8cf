"""The oldest API, scoped to one process by the process's own secret (§2.4); switched on for each process by itself.

It maps one to one to the old Process API, but for the answer to a start.
"""

from typing import Any, Literal

from litestar.types import Scope

from controlroom.border.asking import Permission, entrance, welcome
from controlroom.border.credentials import header_of
from controlroom.dialects.robocorp.answers import OlderShape
from controlroom.dialects.robocorp.old_process_api import runs
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.access.model import Actor
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.engine.triggers import process_secrets
from controlroom.errors import Unauthenticated
from controlroom.ids import ProcessId, RunId, WorkspaceId

_SECRETS = Door[Actor](frozenset({Kind.PROCESS_SECRET}), Kind.PROCESS_SECRET)
_HEADER = b"robocloud-process-secret"


class OldestStarted(OlderShape, frozen=True, kw_only=True):
    """The run that was started; clients compare the message."""

    message: Literal["OK"] = "OK"
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_run_id: RunId


async def _process_secret(engine: Engine, scope: Scope) -> Actor:
    secret = header_of(scope, _HEADER)
    if not secret:
        raise Unauthenticated("Send the process's secret as `robocloud-process-secret: <secret>`.")
    named: dict[str, Any] = dict(scope["path_params"])  # read by the router: ids, not texts
    actor = await resolve(engine, secret, _SECRETS)
    process_secrets.ensure_of(actor, named["workspace_id"], named["process_id"])
    return welcome(scope, actor)


process_secret = entrance(_process_secret)
"""Let in who has the secret of the process in the address."""


@post("/runs", needs=Permission.START_RUNS)
async def start_run(request: Asking) -> OldestStarted:
    """Start a run of one item, whose payload is the whole body."""
    started = await runs.start(request, runs.whole_body(await request.body()))
    return OldestStarted(workspace_id=request.workspace, process_id=request.process, process_run_id=started.id)
