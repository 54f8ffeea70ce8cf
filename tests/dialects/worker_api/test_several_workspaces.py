"""A worker that serves several workspaces hears of what waits in each, also of those that are made while it waits."""

import asyncio
from dataclasses import dataclass

import pytest
from tests.live import robot_zip

from controlroom.border import long_polls
from controlroom.engine.access.model import Actor, system
from controlroom.engine.access.scope import Of
from controlroom.engine.packages.actions import push
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, ProcessDefinition, StepDefinition
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import actions, store
from controlroom.engine.workers.model import AllWorkspaces, TheseWorkspaces
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.ids import OrganizationId, WorkspaceId, uuid7
from controlroom.protocol import OpenSession, SandboxKind, Session


@dataclass
class House:
    """An organization of this test alone, with two workspaces."""

    actor: Actor
    workspace: WorkspaceId
    second: WorkspaceId

    @property
    def both(self) -> TheseWorkspaces:
        return TheseWorkspaces((self.workspace, self.second))


@pytest.fixture
async def house(room) -> House:
    """A house of two workspaces; the actor is the room itself."""
    organization = OrganizationId(uuid7())
    await room.engine.database.execute("insert into organization (id, name) values (%(id)s, 'o')", id=organization)
    actor = system(organization)
    first, second = [(await create_workspace(room.engine, actor, name)).id for name in ("first", "second")]
    return House(actor, first, second)


@pytest.fixture
def start_in(room, house):
    """Starts a run in a workspace."""

    async def run(workspace):
        blob = await room.engine.objects.put_bytes(robot_zip("Read"))
        await push(room.engine, house.actor, workspace, "robot", blob)
        steps = (StepDefinition(name="read", work=NamedTask("robot", "Read")),)
        definition = ProcessDefinition(name="p", steps=steps)
        process = await processes.create(room.engine, house.actor, workspace, definition)
        return await runs.start(room.engine, house.actor, workspace, process.id, DefaultInput())

    return run


@pytest.fixture
def serve(room, house):
    """Says what a worker serves."""

    async def change(wire, wanted):
        await actions.serve(room.engine, house.actor, house.workspace, wire.linked.worker_id, wanted)

    return change


@pytest.fixture
async def walt(hire_worker, house):
    """A worker of the first workspace, with a sandbox."""
    wire = await hire_worker(house, "walt")
    await come(wire)
    return wire


async def come(wire, sandbox=SandboxKind.BWRAP, *, mixes: bool = False) -> None:
    """Open a session anew."""
    info = OpenSession(slots=2, version="1", platform="test", sandbox=sandbox, mixes=mixes)
    wire.session = (await wire.ask("/sessions", info, Session)).session


async def until_given(wire):
    """What a worker gets that asks again whenever it is told to; news of its workspaces may still be under way."""
    for _ in range(5):
        if given := await wire.claim(wait=30):
            return given[0]
    raise AssertionError("nothing was given")


async def test_work_of_another_workspace_comes_at_once(house, walt, serve, start_in, watches, monkeypatch):
    """Who serves all waits at one place for all of them."""
    await serve(walt, AllWorkspaces())
    monkeypatch.setattr(long_polls, "LOOK_EVERY", 3600.0)  # only a wake-up can bring it
    claim = asyncio.create_task(until_given(walt))
    await watches.reach(Topic.STEP_RUNS_AWAIT, house.actor.organization_id, 1)

    run = await start_in(house.second)
    assignment = await claim

    assert (assignment.run_id, assignment.workspace_id) == (run.id, house.second)


async def test_a_workspace_that_is_made_meanwhile_is_served(room, house, walt, serve, start_in, watches):
    """The waiting claim is ended, so that the worker asks with what it serves now."""
    await serve(walt, AllWorkspaces())
    claim = asyncio.create_task(walt.claim(wait=30))
    await watches.reach(Topic.STEP_RUNS_AWAIT, house.actor.organization_id, 1)

    made = await create_workspace(room.engine, house.actor, "third")

    assert await claim == []
    run = await start_in(made.id)
    assert [assignment.run_id for assignment in await walt.claim(wait=30)] == [run.id]


async def test_a_change_of_what_is_served_is_heard(room, house, walt, serve, start_in, watches):
    """Given another workspace, a waiting worker asks anew; taken from one, it is told to leave what it runs there."""
    claim = asyncio.create_task(walt.claim(wait=30))
    await watches.reach(Topic.STEP_RUNS_AWAIT, house.workspace, 1)

    await serve(walt, house.both)
    assert await claim == []
    await start_in(house.second)
    [assignment] = await walt.claim(wait=30)
    beating = asyncio.create_task(walt.beat(assignment, hold=8))
    await watches.reach(Topic.ORDERS, walt.linked.worker_id, 1)
    await actions.delete(room.engine, house.actor, house.second, walt.linked.worker_id)

    assert await beating == ["continue"]
    assert await walt.beat(assignment) == ["abandon"]


async def test_without_a_sandbox_it_is_refused(room, house, walt, serve):
    """A clear error, told where people look at the worker, too; one that is let to mix workspaces comes."""
    await serve(walt, house.both)
    info = OpenSession(slots=1, version="1", platform="test", sandbox=SandboxKind.UNAVAILABLE)

    refused = await walt.call("POST", "/sessions", info)

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SANDBOX_MISSING")
    assert "CONTROLROOM_WORKER_MIX_WORKSPACES" in refused.json()["message"]
    assert "CONTROLROOM_WORKER_MIX_WORKSPACES" in (await _seen(room, house, walt)).sandbox_note
    await come(walt, SandboxKind.OFF, mixes=True)


async def test_without_a_sandbox_no_workspace_is_mixed_in(room, house, walt, serve, start_in):
    """Who has come while there was one workspace goes on with that one when a second is made, and says so."""
    await serve(walt, AllWorkspaces())
    await room.engine.database.execute("update worker set sandbox = 'off' where id = %(id)s", id=walt.linked.worker_id)
    await create_workspace(room.engine, house.actor, "third")
    await start_in(house.second)
    run = await start_in(house.workspace)

    assert [assignment.run_id for assignment in await walt.claim(free=5)] == [run.id]
    assert "first workspace alone" in (await _seen(room, house, walt)).sandbox_note


async def _seen(room, house, wire):
    scope = Of(house.actor.organization_id, (house.workspace,))
    return await store.get(room.engine.database, scope, wire.linked.worker_id)
