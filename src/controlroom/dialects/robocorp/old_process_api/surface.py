"""The old Process API as routers: by key in the header, by key in the query, and by the secret of one process.

It shares the path tree `/process-v1` with what robots do with their tokens (`runtime_work_items`): two kinds of
credential with different rights on different routes of one tree (§0.1).
"""

from controlroom.border.routing import handlers_of
from controlroom.border.sections import Section
from controlroom.dialects.robocorp import auth
from controlroom.dialects.robocorp.old_process_api import oldest, robot_runs, runs, work_items
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.routing import undocumented

_WORKSPACE = "/process-v1/workspaces/{workspace_id:uuid}"
_OLDEST = "/workspace-v1/workspaces/{workspace_id:uuid}/processes/{process_id:uuid}"
_PROCESS = f"{_WORKSPACE}/processes/{{process_id:uuid}}"


def routers() -> list[Section]:
    """All of it. No OpenAPI document describes it: its clients are fixed."""
    of_secret = [oldest.start_run, runs.get_run]
    of_secret += [robot_runs.get_robot_run, robot_runs.list_artifacts, robot_runs.get_artifact_url]
    return [
        undocumented(_PROCESS, handlers_of([runs, robot_runs, work_items]), auth.somebody, request_class=Asking),
        undocumented(_WORKSPACE, runs.handlers_of_workspace, auth.somebody, request_class=Asking),
        undocumented(_PROCESS, [runs.start_run_by_query], auth.key_in_query, request_class=Asking),
        undocumented(_OLDEST, of_secret, auth.process_secret, request_class=Asking),
    ]
