"""The oldest API, scoped to one process by the process's own secret (§2.4); switched on for each process by itself.

It maps one to one to the old Process API, but for the answer to a start.
"""

from typing import Literal

from controlroom.border.asking import Permission
from controlroom.dialects.robocorp.answers import OlderShape
from controlroom.dialects.robocorp.old_process_api import runs
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.routing import post
from controlroom.ids import ProcessId, RunId, WorkspaceId


class OldestStarted(OlderShape, frozen=True, kw_only=True):
    """The run that was started; clients compare the message."""

    message: Literal["OK"] = "OK"
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_run_id: RunId


@post("/runs", needs=Permission.START_RUNS)
async def start_run(request: Asking) -> OldestStarted:
    """Start a run of one item, whose payload is the whole body."""
    started = await runs.start(request, runs.whole_body(await request.body()))
    return OldestStarted(workspace_id=request.workspace, process_id=request.process, process_run_id=started.id)
