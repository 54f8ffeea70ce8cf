"""The old Process API as routers: by key in the header, by key in the query, and by the secret of one process.

It shares the path tree `/process-v1` with what robots do with their tokens (`runtime_work_items`): two kinds of
credential with different rights on different routes of one tree (§0.1).
"""

from litestar import Router

from controlroom.border.routing import handlers_of
from controlroom.dialects.robocorp import auth
from controlroom.dialects.robocorp.old_process_api import oldest, robot_runs, runs, work_items
from controlroom.dialects.robocorp.paging import PAGED
from controlroom.dialects.robocorp.query_key import key_in_query

_WORKSPACE = "/process-v1/workspaces/{workspace_id:uuid}"
_PROCESS = f"{_WORKSPACE}/processes/{{process_id:uuid}}"


def routers() -> list[Router]:
    """All of it. No OpenAPI document describes it: its clients are fixed."""
    by_key = Router(
        _PROCESS,
        route_handlers=[*runs.handlers, *robot_runs.handlers, *handlers_of([work_items])],
        middleware=[auth.somebody],
        dependencies=PAGED,
        include_in_schema=False,
    )
    of_workspace = Router(
        _WORKSPACE,
        route_handlers=runs.handlers_of_workspace,
        middleware=[auth.somebody],
        dependencies=PAGED,
        include_in_schema=False,
    )
    by_query = Router(
        _PROCESS,
        route_handlers=[runs.start_run_by_query],
        middleware=[key_in_query],
        dependencies=PAGED,
        include_in_schema=False,
    )
    return [by_key, of_workspace, by_query, oldest.router()]
