"""The old Process API as routers: by key in the header, by key in the query, and by the secret of one process.

It shares the path tree `/process-v1` with what robots do with their tokens (`runtime_work_items`): two kinds of
credential with different rights on different routes of one tree (§0.1).
"""

from litestar import Router

from controlroom.border.routing import handlers_of
from controlroom.dialects.robocorp import auth
from controlroom.dialects.robocorp.old_process_api import oldest, robot_runs, runs, work_items
from controlroom.dialects.robocorp.routing import undocumented

_WORKSPACE = "/process-v1/workspaces/{workspace_id:uuid}"
_PROCESS = f"{_WORKSPACE}/processes/{{process_id:uuid}}"


def routers() -> list[Router]:
    """All of it. No OpenAPI document describes it: its clients are fixed."""
    return [
        undocumented(_PROCESS, handlers_of([runs, robot_runs, work_items]), auth.somebody),
        undocumented(_WORKSPACE, runs.handlers_of_workspace, auth.somebody),
        undocumented(_PROCESS, [runs.start_run_by_query], auth.key_in_query),
        oldest.router(),
    ]
