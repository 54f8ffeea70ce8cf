"""A start that waits for the end of its run, so that a task is called like a function (DESIGN §4.11).

Who waits is woken by the end of the run, whichever server saw to it; nothing is asked of the database meanwhile but a
look now and then, as in every long poll. Whoever goes away, or waits no longer, leaves the run as it is.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, TypeAlias, assert_never

from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.runs import actions, store
from controlroom.engine.runs.model import Inputs, OfProcess, OfTask, Run, RunState
from controlroom.engine.runs.parameters import AS_USUAL, RunParameters
from controlroom.engine.runs.rules import merged
from controlroom.engine.wakes import Topic, Watch
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.model import ItemException, ItemState
from controlroom.ids import RunId, WorkspaceId

_MOST_OUTPUTS: Final = 1000
_ENDED: Final = frozenset({RunState.COMPLETED, RunState.UNRESOLVED})


class Patience(Protocol):
    """How long somebody waits."""

    async def goes_on(self) -> bool:
        """Wait for the next moment to look; False when there is none: answer with what there is."""


Waiting: TypeAlias = Callable[[Watch], AbstractAsyncContextManager[Patience]]
"""What makes somebody wait for a wake-up, for as long as they will."""


class Outputs(Struct, frozen=True):
    """What a run has put out, by name."""

    values: dict[str, Raw]
    is_whole: bool
    """False where there is more than an answer holds: the run's outputs are listed."""


class Called(Struct, frozen=True):
    """A run that was waited for. Outputs and exception are None while it goes on."""

    run: Run
    outputs: Outputs | None = None
    exception: ItemException | None = None
    """Why it is unresolved: of one of its items that failed."""


async def start_and_wait(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    what: OfProcess | OfTask,
    inputs: Inputs,
    parameters: RunParameters = AS_USUAL,
    *,
    waiting: Waiting,
) -> Called | None:
    """Start a run, wait for its end, and tell what it put out; None when nothing was started, as `start` says.

    The run goes on whether or not anybody waits for it. Needs the right to read work items beside that to start runs,
    asked before anything is started. Raises what `start` and `start_task` raise.
    """
    seen = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    match what:
        case OfProcess(process):
            run = await actions.start(engine, actor, workspace, process, inputs, parameters)
        case OfTask(task):
            run = await actions.start_task(engine, actor, workspace, task, inputs, parameters)
        case _:
            assert_never(what)
    return None if run is None else await _end_of(engine, seen, run.id, waiting)


async def _end_of(engine: Engine, scope: Scope, run: RunId, waiting: Waiting) -> Called:
    with engine.wakes.watch(Topic.RUN_ENDED, run) as watch:
        found = await store.get(engine.database, scope, run)
        async with waiting(watch) as patience:
            while found.state not in _ENDED and await patience.goes_on():
                found = await store.get(engine.database, scope, run)
    if found.state not in _ENDED:
        return Called(found)
    return Called(found, await _outputs(engine, scope, run), await _exception(engine, scope, found))


async def _outputs(engine: Engine, scope: Scope, run: RunId) -> Outputs:
    """What fits into an answer, oldest first, merged."""
    most = engine.limits.page_bytes
    items = await work_items.list_outputs(engine.database, scope, run, limit=_MOST_OUTPUTS, most_bytes=most)
    is_whole = not items or not await work_items.list_outputs(
        engine.database, scope, run, after=items[-1].id, limit=1, most_bytes=most
    )
    return Outputs(merged(item.payload for item in items), is_whole)


async def _exception(engine: Engine, scope: Scope, run: Run) -> ItemException | None:
    if run.state is not RunState.UNRESOLVED:
        return None
    for state in (ItemState.FAILED, ItemState.INVALID):
        for item in await work_items.list_items(engine.database, scope, run=run.id, state=state, limit=1):
            return item.exception
    return None
