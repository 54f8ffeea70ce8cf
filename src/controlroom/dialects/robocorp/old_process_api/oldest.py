"""The oldest API, scoped to one process by the process's own secret (§2.4); switched on for each process by itself.

It maps one to one to the old Process API, but for the answer to a start.
"""

from typing import Any, Literal

from litestar import Router
from litestar.types import Scope

from controlroom.border.asking import Asking, Path, Permission, entrance, welcome
from controlroom.dialects.robocorp.answers import OlderShape
from controlroom.dialects.robocorp.old_process_api import robot_runs, runs
from controlroom.dialects.robocorp.routing import post, undocumented
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
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    if not given:
        raise Unauthenticated("Send the process's secret as `robocloud-process-secret: <secret>`.")
    named: dict[str, Any] = dict(scope["path_params"])  # read by the router: ids, not texts
    secret = given.decode("latin-1").strip()
    actor = await resolve(engine, secret, _SECRETS)
    process_secrets.ensure_of(actor, named["workspace_id"], named["process_id"])
    return welcome(scope, actor)


process_secret = entrance(_process_secret)
"""Let in who has the secret of the process in the address."""


@post("/runs", needs=Permission.START_RUNS)
async def start_run(request: Asking, process_id: Path[ProcessId]) -> OldestStarted:
    """Start a run of one item, whose payload is the whole body."""
    started = await runs.start(request, process_id, runs.whole_body(await request.body()))
    return OldestStarted(workspace_id=request.workspace, process_id=process_id, process_run_id=started.id)


def router() -> Router:
    """Its routes."""
    of_step_runs = [robot_runs.get_robot_run, robot_runs.list_artifacts, robot_runs.get_artifact_url]
    path = "/workspace-v1/workspaces/{workspace_id:uuid}/processes/{process_id:uuid}"
    return undocumented(path, [start_run, runs.get_run, *of_step_runs], process_secret)
