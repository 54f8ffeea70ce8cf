"""What a handler may ask for beside its path, query and body, by the name of the parameter and one of these types.

async def get_process_run(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, run_id: FromPath[RunId]
) -> ProcessRun: ...
"""

from typing import Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation

from controlroom.dialects.robocorp.paging import Paging, asked_paging
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.ids import WorkspaceId

AnyRequest: TypeAlias = Request[Any, Any, Any]
"""`request`: the request itself, for links that lead to where it came from."""

# Why SkipValidation: what our own providers give needs no check against its type.
TheEngine: TypeAlias = NamedDependency[SkipValidation[Engine]]
"""`engine`."""

Asker: TypeAlias = NamedDependency[SkipValidation[Actor]]
"""`actor`: who asks; robots are refused."""

AskerOrRobot: TypeAlias = NamedDependency[SkipValidation[Actor | StepRunActor]]
"""`caller`: who asks, where robots are served too."""

AskingRobot: TypeAlias = NamedDependency[SkipValidation[StepRunActor]]
"""`robot`: which robot asks, in the runtime APIs."""

Pages: TypeAlias = NamedDependency[SkipValidation[Paging]]
"""`paging`: how much of a list, and after which row."""

InWorkspace: TypeAlias = FromPath[WorkspaceId]
"""`workspace_id`."""


def asking_engine(request: AnyRequest) -> Engine:
    """The engine, for handlers that take it as `engine`."""
    engine: Engine = request.app.state.engine
    return engine


# Why the next three name `engine`, which they do not need: the framework resolves dependencies that wait for each other
# in turn, but siblings in a task group, which costs more than the whole rest of a request.


def asking_actor(engine: TheEngine, request: AnyRequest) -> Actor:  # noqa: ARG001 - see above
    """Who asks, for handlers that take it as `actor`; raises Forbidden for a robot, which has only its own work."""
    found: Actor | StepRunActor = request.scope["state"]["caller"]
    if isinstance(found, StepRunActor):
        raise Forbidden("A step run's token does not open this.", code="NOT_FOR_ROBOTS")
    return found


def asking_actor_or_robot(engine: TheEngine, request: AnyRequest) -> Actor | StepRunActor:  # noqa: ARG001
    """Who asks, for handlers that serve people and robots alike, as `caller` (assets, §5)."""
    found: Actor | StepRunActor = request.scope["state"]["caller"]
    return found


def asking_robot(engine: TheEngine, request: AnyRequest) -> StepRunActor:  # noqa: ARG001 - see above
    """Which robot asks, for handlers that take it as `robot`."""
    found: StepRunActor = request.scope["state"]["caller"]
    return found


def _in_turn(provider: Any) -> Provide:
    return Provide(provider, sync_to_thread=False)


EVERYWHERE = {"engine": _in_turn(asking_engine)}
IN_PUBLIC = {
    "actor": _in_turn(asking_actor),
    "caller": _in_turn(asking_actor_or_robot),
    "paging": _in_turn(asked_paging),
}
IN_RUNTIME = {"robot": _in_turn(asking_robot)}
