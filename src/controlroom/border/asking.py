"""Who asks, and what: attributes of the request, so that a handler's parameters are what its URL and body say.

    @get("/work-items/{item_id:uuid}", needs=Permission.READ_WORK_ITEMS)
    async def get_work_item(request: Asking, item_id: Path[WorkItemId]) -> FullWorkItem:
        item = await store.get(request.engine.database, request.seen, item_id)

A route that reads declares the permission that it needs beside its path, and is handed a Scope as `request.seen`. A
route that writes declares none: its verb makes the Scope from `request.actor`. Nobody is let in but by an `entrance`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from litestar.exceptions import MethodNotAllowedException
from litestar.params import FromPath as Path
from litestar.params import FromQuery as Query
from litestar.params import JSONBody as Body
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Send

from controlroom.border.arrivals import known
from controlroom.border.bodies import JsonRequest
from controlroom.border.dispatcher import AS_HEAD
from controlroom.border.long_polls import Holds
from controlroom.border.networks import place_of
from controlroom.border.origin import Origins
from controlroom.engine.access.model import Actor, Permission, StepRunActor, WorkerActor
from controlroom.engine.access.scope import Scope as Seen
from controlroom.engine.access.scope import scope_of
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.ids import WorkspaceId
from controlroom.postgres.database import Database

__all__ = [
    "ACTS",
    "NEEDS",
    "OPEN_TO_ROBOTS",
    "Asking",
    "Body",
    "Caller",
    "Entrance",
    "Path",
    "Permission",
    "Query",
    "QueryParameter",
    "entrance",
    "welcome",
]

Caller: TypeAlias = Actor | StepRunActor
"""Who may ask for what belongs to a workspace."""

Entrance: TypeAlias = Callable[[ASGIApp], ASGIApp]
"""A middleware."""

NEEDS = "needs"
"""The option of a route that reads: the permission for which its Scope is made.

Several, where it reads of one noun what belongs to another in the workspace of its address.
"""

ACTS = "acts"
"""The option of a route by GET that does something: a HEAD, which is to be safe, does not open it."""

OPEN_TO_ROBOTS = "open_to_robots"
"""The option of a route that serves a step run's token as well."""


class Asking(JsonRequest):
    """A request, and what a handler may know of who asks."""

    __slots__ = ()

    @property
    def engine(self) -> Engine:
        """The engine."""
        engine: Engine = self.app.state.engine
        return engine

    @property
    def caller(self) -> Caller:
        """Who asks, where robots are served too."""
        caller: Caller = self.scope["state"]["caller"]
        return caller

    @property
    def actor(self) -> Actor:
        """Who asks; raises Forbidden for a robot, which has only its own work."""
        return _person(self.caller)

    @property
    def robot(self) -> StepRunActor:
        """Which robot asks, behind an entrance that lets in nobody else."""
        robot: StepRunActor = self.scope["state"]["caller"]
        return robot

    @property
    def workspace(self) -> WorkspaceId:
        """The workspace that the address names."""
        workspace: Any = self.scope["path_params"]["workspace_id"]  # read by the router: an id, not a text
        return WorkspaceId(workspace)

    @property
    def seen(self) -> Seen:
        """What the caller sees with the permission that the route declares."""
        seen: Seen = self.scope["state"]["seen"]
        return seen

    @property
    def governing(self) -> tuple[Engine, Actor]:
        """What every verb above the workspaces begins with: `roles.create_role(*request.governing, …)`."""
        return self.engine, self.actor

    @property
    def acting(self) -> tuple[Engine, Actor, WorkspaceId]:
        """What every verb of a workspace begins with: `runs.stop(*request.acting, run_id)`."""
        return self.engine, self.actor, self.workspace

    @property
    def calling(self) -> tuple[Engine, Caller, WorkspaceId]:
        """The same, for a verb that robots have, too."""
        return self.engine, self.caller, self.workspace

    @property
    def working(self) -> tuple[Engine, StepRunActor]:
        """What every verb of a robot begins with, behind an entrance for robots alone."""
        return self.engine, self.robot

    @property
    def reading(self) -> tuple[Database, Seen]:
        """What every list and look-up begins with: `store.get(*request.reading, item_id)`."""
        return self.engine.database, self.seen

    @property
    def db(self) -> Database:
        """The database, to read from."""
        return self.engine.database

    @property
    def place(self) -> str:
        """From where the caller came: an address, or the network that is one caller's."""
        origins: Origins = self.app.state.origins
        return place_of(origins.client_of(self.scope))  # type: ignore[arg-type]  # a scope is a dict

    @property
    def holds(self) -> Holds:
        """The requests that this server holds until there is something to say."""
        holds: Holds = self.app.state.holds
        return holds

    @property
    def origin(self) -> str:
        """By which address the caller reached us, as `https://host[:port]`."""
        origins: Origins = self.app.state.origins
        return origins.of(self.scope)  # type: ignore[arg-type]  # a scope is a dict


def entrance(let_in: Callable[[Engine, Any], Awaitable[Actor | StepRunActor | WorkerActor]]) -> Entrance:
    """The one way in: a grammar's `let_in` finds out who calls, and the route's declaration is kept.

    `let_in` raises Unauthenticated for nobody, and tells the arrival what the caller is worth (`arrivals.known`).
    A middleware and not the framework's guard, because it copies a route's handler for every call of a guard.
    """

    def middleware(app: ASGIApp) -> ASGIApp:
        async def entering(scope: Any, receive: Receive, send: Send) -> None:
            caller = await let_in(scope["litestar_app"].state.engine, scope)
            state = scope["state"]
            state["caller"] = caller
            declared = scope["route_handler"].opt
            if AS_HEAD in state and ACTS in declared:
                raise MethodNotAllowedException(headers={"allow": "GET"})
            needs: Permission | tuple[Permission, ...] = declared.get(NEEDS, ())
            for permission in needs if isinstance(needs, tuple) else (needs,):
                reader = caller if OPEN_TO_ROBOTS in declared and isinstance(caller, StepRunActor) else _person(caller)
                state["seen"] = scope_of(reader, permission, scope["path_params"].get("workspace_id"))
            await app(scope, receive, send)

        return entering

    return middleware


def welcome(scope: Any, actor: Actor) -> Actor:
    """An actor whose credential was found: no stranger from here on."""
    known(scope, f"{actor.kind.value}:{actor.id}")
    return actor


def _person(caller: Actor | StepRunActor | WorkerActor) -> Actor:
    if not isinstance(caller, Actor):
        raise Forbidden("A step run's token does not open this.", code="NOT_FOR_ROBOTS")
    return caller
