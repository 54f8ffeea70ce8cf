"""A live server on a free port, and the cast: `ada` owns, `ben` operates, `cleo` is an outsider, `walt` is a worker."""

import asyncio
import contextlib
import io
import shutil
import socket
import ssl
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from controlroom.app import Room, asgi, build
from controlroom.border.strangers import Strangers
from controlroom.engine.access.actions import create_api_key
from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import (
    EVERYTHING,
    PERMISSIONS_OF_ROLE,
    Actor,
    ActorKind,
    Permission,
    Role,
    WorkerActor,
    system,
)
from controlroom.engine.access.scope import Of
from controlroom.engine.access.scope import Room as EveryTenant
from controlroom.engine.engine import Engine
from controlroom.engine.packages.actions import push
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, ProcessDefinition, StepDefinition
from controlroom.engine.runs import claims, leases, reports
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.workers.linking import create_link_token, link
from controlroom.engine.workers.waiting import waiting
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.host.listeners import Listener
from controlroom.ids import OrganizationId, ProcessId, RunId, WorkspaceId, uuid7
from controlroom.protocol import (
    ABILITIES,
    Assignment,
    Claim,
    ErrorCode,
    Finish,
    Link,
    OpenSession,
    SandboxKind,
    Session,
    StepRunError,
)
from controlroom.settings import Limits, Settings
from crowd import crowd
from memory_folders import memory_folder


@dataclass
class Live:
    """A server that answers at `url`."""

    room: Room
    url: str
    organization: OrganizationId

    @property
    def engine(self) -> Engine:
        return self.room.engine

    @property
    def admin(self) -> Actor:
        return system(self.organization)

    async def number(self) -> int:
        """Of the organization; tests make others, too."""
        of_it = "select number from organization where id = %(id)s"
        return int(await self.engine.database.value(of_it, id=self.organization))


class _Server(Listener):
    """A listener inside the test's process, which says when it listens."""

    listening: asyncio.Event

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listening.set()


@contextlib.asynccontextmanager
async def serving(app, limits=None, origins=None):
    """Serve an ASGI app on a free port of this machine, and give its address."""
    server = _Server(app, Strangers(limits, origins))
    server.listening = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve([listening]))
        await server.listening.wait()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def room(shared_room: Live) -> Live:
    """The server for the tests of all borders; each test has its own workspace in it, beside those of a crowd."""
    return shared_room


@contextlib.asynccontextmanager
async def a_crowded_room(new_database: Callable[..., Awaitable[str]]):
    """A server in which many have been."""
    async with a_room(new_database) as live:
        default = WorkspaceId(await live.engine.database.value("select id from workspace order by number limit 1"))
        await crowd(live.room, live.organization, default, robot_zip("Read"))
        yield live


@contextlib.asynccontextmanager
async def a_room(new_database: Callable[..., Awaitable[str]]):
    """A server in which nobody has been yet."""
    folder = memory_folder("controlroom-dialects-")
    settings = Settings(
        data=folder,
        database_url=await new_database(),
        objects_url=f"file://{folder}/objects?fsync=off",
        trusted_networks=("198.18.0.0/15",),
        allowed_hosts=("room.example", "room.example.com"),
        limits=Limits(
            request_bytes=2_000_000,
            payload_bytes=1_000_000,
            page_bytes=500_000,
            file_bytes=20_000_000,
            asset_bytes=20_000_000,
            mail_bytes=2_000_000,
            git_hook_bytes=3_000_000,
        ),
    )
    room = await build(settings)
    organization = OrganizationId(await room.engine.database.value("select id from organization"))
    async with serving(asgi(room), settings.limits, room.origins) as url:
        yield Live(room, url, organization)
    await room.close()
    shutil.rmtree(folder)


# ---------------------------------------------------------------------------------------------------- people
_PAGE = {"limit", "cursor"}
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Why: by itself each client reads those of the world, 25 ms of a processor, and there are thousands."""


def client_of(url: str, **headers: str) -> httpx2.AsyncClient:
    """A client that calls a server of a test, which speaks plainly."""
    return httpx2.AsyncClient(base_url=url, headers=headers, timeout=120, trust_env=False, verify=_NO_AUTHORITIES)


@dataclass
class Person:
    """Somebody with an API key of one workspace, and a client that sends it."""

    actor: Actor
    key: str
    workspace: WorkspaceId
    http: httpx2.AsyncClient

    @property
    def seen(self) -> Of:
        """The workspace as they see it."""
        return Of(self.actor.organization_id, (self.workspace,))

    async def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Call the public API below the workspace, or whatever a whole address names."""
        url = path if "://" in path else f"/api/v1/workspaces/{self.workspace}{path}"
        return await self.http.request(method, url, **options)

    async def get(self, path: str, **params: Any) -> Any:
        """The answer of a GET that must succeed. Who asks for no page of a list must get all: others share the room."""
        answer = await self.call("GET", path, **({"params": params} if params else {}))
        assert answer.status_code == 200, answer.text
        told = answer.json()
        is_cut = isinstance(told, dict) and told.get("has_more")
        assert not is_cut or _PAGE & answer.request.url.params.keys(), f"{path} is cut: ask for a page, or for `every`"
        return told

    async def post(self, path: str, body: Any = None) -> Any:
        """The answer of a POST that must succeed."""
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def every(self, path: str, **params: Any) -> list[Any]:
        """All rows of a list, over its pages."""
        rows: list[Any] = []
        answer = await self.call("GET", path, **({"params": params} if params else {}))
        while True:
            assert answer.status_code == 200, answer.text
            page = answer.json()
            rows += page["data"]
            if not page["has_more"]:
                assert page["next"] is None
                return rows
            answer = await self.call("GET", page["next"])


Hire = Callable[..., Awaitable[Person]]


@pytest.fixture
async def hire(room: Live):
    """Makes people: a key with some permissions in a workspace, and a client."""
    clients: list[httpx2.AsyncClient] = []

    async def create(name: str, workspace: WorkspaceId, permissions: frozenset[Permission]) -> Person:
        key, value = await create_api_key(room.engine, room.admin, workspace, name=name, permissions=permissions)
        actor = Actor(
            kind=ActorKind.API_KEY,
            id=key.id,
            name=name,
            organization_id=room.organization,
            grants={workspace: permissions},
        )
        client = client_of(room.url, Authorization=f"RC-WSKEY {value}")
        clients.append(client)
        return Person(actor, value, workspace, client)

    yield create
    for client in clients:
        await client.aclose()


async def _new_workspace(room: Live) -> WorkspaceId:
    return (await create_workspace(room.engine, room.admin, f"workspace {uuid7()}")).id


@pytest.fixture
async def workspace(room: Live) -> WorkspaceId:
    """A workspace of this test alone."""
    return await _new_workspace(room)


@pytest.fixture
async def ada(hire: Hire, workspace: WorkspaceId) -> Person:
    """Owns the workspace: her key has every permission."""
    return await hire("ada", workspace, EVERYTHING)


@pytest.fixture
async def ben(hire: Hire, workspace: WorkspaceId) -> Person:
    """Operates in the same workspace."""
    return await hire("ben", workspace, PERMISSIONS_OF_ROLE[Role.OPERATOR])


@pytest.fixture
async def cleo(hire: Hire, room: Live) -> Person:
    """An outsider: owns another workspace of the same organization."""
    return await hire("cleo", await _new_workspace(room), EVERYTHING)


@pytest.fixture
async def stranger(room: Live):
    """A client without any credential."""
    async with client_of(room.url) as client:
        yield client


# ---------------------------------------------------------------------------------------------------- work
def robot_zip(*tasks: str) -> bytes:
    """A robot that has these tasks, each of which does nothing."""
    lines = [f'  "{task}":\n    shell: "true"' for task in tasks]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("robot.yaml", "tasks:\n" + "\n".join(lines) + "\nartifactsDir: output\n")
    return buffer.getvalue()


@pytest.fixture
async def process(room: Live, ada: Person) -> ProcessId:
    """A process of two steps, `read` and `write`."""
    blob = await room.engine.objects.put_bytes(robot_zip("Read", "Write"))
    await push(room.engine, ada.actor, ada.workspace, "robot", blob)
    steps = tuple(
        StepDefinition(name=task.lower(), work=NamedTask("robot", task), max_parallel=1) for task in ("Read", "Write")
    )
    definition = ProcessDefinition(name="Invoices", steps=steps)
    return (await processes.create(room.engine, ada.actor, ada.workspace, definition)).id


@dataclass
class Worker:
    """A worker process, as the engine knows one."""

    engine: Engine
    actor: WorkerActor
    session: Session

    async def take(self) -> Assignment:
        """Claim a step run, which must be there or be about to be: the room's own loops may be the ones to open it."""
        claim = Claim(session=self.session.session, free=1, wait_seconds=0)
        with waiting(self.engine, self.actor) as watch:
            async with asyncio.timeout(20):
                while not (found := (await claims.claim(self.engine, self.actor, claim)).assignments):
                    await watch.wait(1)
        [assignment] = found
        return assignment

    async def finish(self, assignment: Assignment, error: ErrorCode | None = None, message: str = "it broke") -> None:
        """Report the robot's end, upon which the run goes on."""
        end = Finish(exit_code=1 if error else 0, error=StepRunError(error, message) if error else None)
        await reports.finish(self.engine, self.actor, assignment.step_run_id, assignment.attempt, end)
        await dispatch(self.engine, EveryTenant(), RunId(assignment.run_id))


@pytest.fixture
async def walt(room: Live, ada: Person) -> Worker:
    """A worker of the workspace, with one slot."""
    engine = room.engine
    token = await create_link_token(engine, ada.actor, ada.workspace, expires_at=datetime.now(UTC) + timedelta(hours=1))
    linked = await link(engine, Link(token.value, "walt"))
    actor = await authenticate_worker(engine, linked.token)
    info = OpenSession(slots=1, version="1", platform="test", sandbox=SandboxKind.OFF, abilities=ABILITIES)
    return Worker(engine, actor, await leases.open_session(engine, actor, info))


@pytest.fixture
def robot_content() -> bytes:
    """The zip of a robot with one task."""
    return robot_zip("Read")
