"""API Task execution v1, the real-time "hotbot" (§2.6): a task that is kept ready is called, and answers.

Access details give an address and headers, whose token opens the one call and lives for a quarter of an hour; clients
that send their own token in its place are let in by that. A call that fails is told by its status and `message`; one
that takes longer than ten minutes goes on, and is told by 504 with its `deploymentId`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response
from litestar.params import HeaderParameter
from litestar.types import Scope
from msgspec import Raw

from controlroom.border.asking import entrance, welcome
from controlroom.border.columns import As
from controlroom.border.long_polls import Hold
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.auth import USER, token_of
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Sought, listed
from controlroom.dialects.automation360.paths import PATHS, path_of, path_read, task_at, task_called, task_numbered
from controlroom.dialects.automation360.routing import Pair, post, put
from controlroom.dialects.automation360.values import payload_of, plain, values_of
from controlroom.engine.access import call_tokens
from controlroom.engine.access.call_tokens import Caller
from controlroom.engine.access.model import Actor
from controlroom.engine.access.nouns import USER as USER_NOUN
from controlroom.engine.access.scope import Of, scope_of
from controlroom.engine.allocations import actions, store
from controlroom.engine.allocations.listings import with_paths
from controlroom.engine.allocations.model import Allocation
from controlroom.engine.callers import resolve
from controlroom.engine.engine import Engine
from controlroom.engine.lists.words import PATH
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.packages.store import Named
from controlroom.engine.repository.errors import RightMissing
from controlroom.engine.repository.model import Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.runs.calls import Called
from controlroom.engine.runs.deployments import to_run
from controlroom.engine.runs.model import Result, RunState
from controlroom.engine.wakes import Watch
from controlroom.errors import Forbidden, Invalid, NotFound

_HOTBOT: Final = "/orchestrator/v1/hotbot"
_ALONE: Final = "/api-task-real-time-endpoint"
_TOKENS_LIVE: Final = timedelta(minutes=15)
"""Why: clients are told to renew every five minutes."""
_PATIENCE: Final = 600.0
_TASK: Final = "call"
"""Where the entrance leaves whom a call's own token is for."""
_FAILED: Final = "bot.execution.error"

TaskName = Annotated[str | None, HeaderParameter(name="API-Task-Name", required=False)]


@entrance
async def _caller(engine: Engine, scope: Scope) -> Actor:
    """Let in who shows a token for a call, or a user's."""
    token = token_of(scope)
    found = await call_tokens.authenticate(engine, token)
    if found is None:
        return welcome(scope, await resolve(engine, token, USER))
    state: dict[str, Any] = scope["state"]
    state[_TASK] = found
    return welcome(scope, found.actor)


class AllocationAsked(Shape, frozen=True, kw_only=True):
    """A task to be kept ready: as whom it is called, and how many calls run at once."""

    file_id: int
    run_as_user_or_none: int | None = None
    concurrency_limit: int = 1


class AllocationMade(Shape, frozen=True, kw_only=True):
    """A task that is kept ready, as it was asked for."""

    file_id: str
    run_as_user_or_none: int | None
    concurrency_limit: int


class AllocationTold(Shape, frozen=True, kw_only=True):
    """A task that is kept ready."""

    file_id: str
    file_path: str
    file_name: str
    run_as_user: int | None
    concurrency_limit: int


class PageOfAllocations(Shape, frozen=True):
    """The rows stand in the page here (§1.5)."""

    offset: int
    total: int
    total_filter: int
    list: Sequence[AllocationTold]


class AllocationsTold(Shape, frozen=True):
    """Rows within the page, and beside it for those who look there."""

    page: PageOfAllocations
    list: Sequence[AllocationTold]


class AccessAsked(Shape, frozen=True):
    """The repository paths of tasks to be called."""

    bot_repository_path: tuple[str, ...]


class AccessTold(Shape, frozen=True):
    """By path the address and the headers of a call; those of the first one beside its path, for clients of one."""

    access_details: dict[str, Any] | None
    errors: dict[str, dict[str, str]]


class CallAsked(Shape, frozen=True):
    """The inputs of a call; `BotInput` is the same."""

    bot_input: Any = None
    bot_repository_path: tuple[str, ...] = ()
    """Where no task is named by header or token: whose address and headers are asked for (§3.1)."""


class ExecutionTold(Shape, frozen=True):
    """The address and the headers of a call, as a pipeline reads them."""

    execution_result: dict[str, Any]


class HotBotResult(Shape, frozen=True):
    """What a task put out."""

    bot_output: dict[str, Any]


class CallTold(Shape, frozen=True):
    """What a call is answered with, and which run it was."""

    hot_bot_result: HotBotResult
    deployment_id: str


_COLUMNS: Final = Columns(
    with_paths(PATHS),
    {
        "id": "number",
        "fileId": "task_number",
        "fileName": "task_name",
        "filePath": As(PATH, read=path_read),
        "runAsUser": As("run_as_number", sort=""),
        "concurrencyLimit": "most",
    },
)
_ADMIN: Final = Pair("apitasks", "manage")


@put(f"{_HOTBOT}/config/create", needs=Permission.WRITE_WORKSPACE, pair=_ADMIN)
async def create_allocation(request: Asking, data: Body[AllocationAsked]) -> AllocationMade:
    """Keep a task ready to be called; once more for the same task says it anew."""
    task = await task_numbered(request, data.file_id)
    user = None
    if data.run_as_user_or_none:
        user = (await find(request, USER_NOUN, data.run_as_user_or_none)).id
    made = await actions.allocate(
        request.engine, request.actor, task.workspace_id, task.id, run_as=user, most=data.concurrency_limit or 1
    )
    return AllocationMade(
        file_id=str(made.task_number), run_as_user_or_none=made.run_as_number, concurrency_limit=made.most
    )


@post(f"{_HOTBOT}/config", needs=Permission.READ_PROCESSES, pair=Pair("apitasks", "view"))
async def list_allocations(request: Asking, data: Sought = None) -> AllocationsTold:
    """List the tasks that are kept ready."""
    found = await listed(request, data, _COLUMNS, Allocation, _show)
    page = found.page
    return AllocationsTold(PageOfAllocations(page.offset, page.total, page.total_filter, found.list), found.list)


@post(f"{_HOTBOT}/config/accessdetails", pair=Pair("repositorymanager", "run"))
async def get_access_details(request: Asking, data: Body[AccessAsked]) -> AccessTold:
    """Give the address and the headers by which tasks are called."""
    seen = await _where_runs(request)
    details: dict[str, Any] = {}
    errors: dict[str, dict[str, str]] = {}
    for path in data.bot_repository_path:
        try:
            task = await task_at(request, path, seen)
            details[path] = await _access(request, task)
        except (NotFound, RightMissing) as missing:
            errors[path] = {"code": missing.code, "message": missing.message}
    if not details:
        return AccessTold(None, errors)
    return AccessTold({**details, **next(iter(details.values()))}, errors)


@post(f"{_HOTBOT}/{{task:str}}/execute", is_open=True, middleware=[_caller])
async def execute_task(request: Asking, task: Id, data: Body[CallAsked | None] = None) -> CallTold | Response[bytes]:
    """Call a task that is kept ready, and wait for its end."""
    return await _call(request, await _callable(request, task), data)


@post(_ALONE, f"{_ALONE}/execute", is_open=True, middleware=[_caller])
async def execute_named_task(
    request: Asking, data: Body[CallAsked | None] = None, task: TaskName = None
) -> CallTold | ExecutionTold | Response[bytes]:
    """Call the task that the header API-Task-Name names, by its path or id; without it, the one of the token.

    With `botRepositoryPath` and neither: give the address and the headers by which that task is called.
    """
    if data is not None and data.bot_repository_path and task is None and _TASK not in request.scope["state"]:
        named = await task_at(request, data.bot_repository_path[0], await _where_runs(request))
        return ExecutionTold(await _access(request, named))
    return await _call(request, await _callable(request, task), data)


async def _where_runs(request: Asking) -> Of:
    """The workspaces in which the caller may run something, by a permission or by a right in a folder."""
    seen = (await rights_of(request.db, request.actor)).scope(Right.RUN)
    if not seen.workspaces:
        scope_of(request.actor, Permission.START_RUNS)  # raises, and names what is missing
    return seen


async def _access(request: Asking, task: Named) -> dict[str, Any]:
    """The address and headers of a task that is kept ready. Raises NotFound for another, RightMissing."""
    runnable = await to_run(request.engine, request.actor, task.id)
    scope = scope_of(runnable.actor, Permission.START_RUNS, task.workspace_id)
    if await store.of_task(request.db, scope, task.id) is None:
        raise TaskNotFound(path_of(task.workspace_name, *task.folders, task.package_name, task.name))
    claims = {
        "clientType": "WEB",
        "sub": str(request.actor.id),
        "botId": task.number,
        "tenantUuid": str(request.actor.organization_id),
        "iss": "AutomationAnywhere",
    }
    token = await call_tokens.mint(
        request.engine, request.actor, task.workspace_id, task.id, life=_TOKENS_LIVE, claims=claims
    )
    path = path_of(task.workspace_name, *task.folders, task.package_name, task.name)
    named = path if path.isascii() and path.isprintable() else str(task.number)
    return {
        "url": f"{request.origin}{_HOTBOT}/{task.number}/execute",
        "headers": {"X-Authorization": token, "API-Task-Name": named},
    }


async def _callable(request: Asking, named: str | None) -> Named:
    """The task that is to be called. Raises TaskNotFound; Forbidden where the token is for another one."""
    meant: Caller | None = request.scope["state"].get(_TASK)
    seen = await _where_runs(request)
    if named is None:
        if meant is None:
            raise Invalid("the header API-Task-Name names no task", code="API_TASK_NOT_NAMED")
        found = await packages.task_with_id(request.db, seen, meant.task)
        if found is None:
            raise TaskNotFound(meant.task)
    else:
        found = await task_called(request, seen, named)
    if meant is not None and meant.task != found.id:
        raise Forbidden("this token is for another task", code="TOKEN_OF_ANOTHER_TASK")
    return found


async def _call(request: Asking, task: Named, data: CallAsked | None) -> CallTold | Response[bytes]:
    def waiting(watch: Watch) -> AbstractAsyncContextManager[Hold]:
        return request.holds.hold(request, watch, _PATIENCE)

    payload = _payload(data)
    runnable = await to_run(request.engine, request.actor, task.id)
    called = await actions.call(
        request.engine, runnable.actor, task.workspace_id, task.id, payload, name=task.name, waiting=waiting
    )
    if called.outputs is None:
        return _refused(504, "API_TASK_TIMEOUT", "the task has not ended in time; it goes on", called)
    if called.run.state is not RunState.COMPLETED or called.run.result is not Result.SUCCEEDED:
        return _refused(500, _FAILED, _reason(called), called)
    outputs = {name: msgspec.json.decode(value) for name, value in called.outputs.values.items()}
    return CallTold(HotBotResult(values_of(outputs)), str(called.run.id))


def _payload(data: CallAsked | None) -> Raw | None:
    inputs = None if data is None else data.bot_input
    if not inputs:
        return None
    return Raw(msgspec.json.encode(payload_of(inputs) if isinstance(inputs, dict) else plain(inputs)))


def _reason(called: Called) -> str:
    exception = called.exception
    if exception is not None and exception.message:
        return exception.message
    return f"the task has {called.run.result.value if called.run.result else 'failed'}"


def _refused(status: int, code: str, message: str, called: Called) -> Response[bytes]:
    run = str(called.run.id)
    body = {"code": code, "message": message, "details": f"deploymentId: {run}", "deploymentId": run}
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def _show(allocation: Allocation) -> AllocationTold:
    return AllocationTold(
        file_id=str(allocation.task_number),
        file_path=path_of(
            allocation.workspace_name, *allocation.folders, allocation.package_name, allocation.task_name
        ),
        file_name=allocation.task_name,
        run_as_user=allocation.run_as_number,
        concurrency_limit=allocation.most,
    )
