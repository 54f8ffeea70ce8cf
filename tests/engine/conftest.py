"""A real engine for tests of the domain: its own database (migrated, copied), its own objects, a fresh team each test.

The database lasts for a test module; every test has its own organization and workspace in it, so that no test sees what
another has left. A test that needs an empty database asks for `empty_engine`.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from controlroom.dialects.robocorp.messages import GRAMMAR, RobocorpGrammar
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.grants.store import add, add_membership
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, ActorKind, Role, StepRunActor
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.access.scope import Of
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.remarks import Remarks
from controlroom.engine.wakes import Wakes
from controlroom.ids import GrantId, OrganizationId, ProcessId, RunId, StepId, StepRunId, UserId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.postgres.clock import shift_clock
from controlroom.postgres.database import Database
from controlroom.postgres.notify import Listener, Notifier
from controlroom.scratch import Scratch
from controlroom.settings import Limits
from state_diagrams import DIAGRAMS


@asynccontextmanager
async def running_engine(dsn: str, objects: Path, *, keys: Keys | None = None, limits: Limits | None = None):
    """An engine as a server has it, on a migrated database; several with the same keys are the servers of one room."""
    keys = keys or Keys(secrets.token_bytes(32))
    database = await Database.connect(dsn, min_size=1, max_size=8)
    notifier, listener = Notifier(database), Listener(dsn)
    wakes, remarks = Wakes(notifier, listener), Remarks(notifier, listener)
    await notifier.start()
    await listener.start()
    engine = Engine(
        database=database,
        objects=ObjectStore.open(objects, fsync="off"),
        keys=keys,
        links=Links(keys.link_key),
        wakes=wakes,
        remarks=remarks,
        limits=limits or Limits(),
        scratch=Scratch(objects.with_name("scratch")),
        grammars={GRAMMAR: RobocorpGrammar()},
    )
    yield engine
    await engine.aside.close()
    wakes.close()
    remarks.close()
    await listener.stop()
    await notifier.stop()
    await database.close()


@pytest.fixture(scope="session")
async def migrated(new_database, schema) -> str:
    """The address of a migrated database that keeps to the rules, to copy; nobody connects to it."""
    dsn = await new_database(schema)
    await refuse_other_edges(dsn)
    return dsn


async def refuse_other_edges(dsn: str) -> None:
    """Let the database refuse a change of state that no table of edges has: so every test tests them.

    What a test writes itself may begin in any state.
    """
    connection = await asyncpg.connect(dsn)
    for diagram in DIAGRAMS:
        edges = [f"'{before} {after}'" for before, following in diagram.edges.items() for after in following]
        await connection.execute(
            f"""
            create function edges_of_{diagram.table}() returns trigger language plpgsql as $$
            begin
                raise '{diagram.table} goes from % to %', old.state, new.state;
            end $$;
            create trigger edges before update of state on {diagram.table} for each row
               when (old.state <> new.state and old.state || ' ' || new.state not in ({", ".join(edges)}))
               execute function edges_of_{diagram.table}();
            """
        )
    await connection.close()


@pytest.fixture(scope="module")
async def engine_dsn(new_database, migrated) -> str:
    """The address of the module's database, migrated and empty at first."""
    return await new_database(migrated)


@pytest.fixture(scope="module")
async def engine(engine_dsn, tmp_path_factory) -> AsyncIterator[Engine]:
    """The module's engine."""
    async with running_engine(engine_dsn, tmp_path_factory.mktemp("objects")) as engine:
        yield engine


@pytest.fixture
async def empty_engine(new_database, migrated, tmp_path) -> AsyncIterator[Engine]:
    """An engine on a database in which nobody has done anything yet."""
    async with running_engine(await new_database(migrated), tmp_path / "objects") as engine:
        yield engine


@pytest.fixture
async def later(engine_dsn):
    """Sets the database's clock ahead, by more each time; right again after the test."""
    offset = timedelta()

    async def shift(**by) -> None:
        nonlocal offset
        offset += timedelta(**by)
        await shift_clock(engine_dsn, offset)

    yield shift
    await shift_clock(engine_dsn, timedelta())


@dataclass(frozen=True)
class Team:
    """An organization with one workspace, and a second organization beside it."""

    organization: OrganizationId
    workspace: WorkspaceId
    elsewhere: OrganizationId
    other_workspace: WorkspaceId


@pytest.fixture
async def team(engine) -> Team:
    """A fresh organization and workspace, and those of strangers."""
    return await new_team(engine)


async def new_team(engine: Engine) -> Team:
    """Write an organization with a workspace, twice."""
    team = Team(OrganizationId(uuid7()), WorkspaceId(uuid7()), OrganizationId(uuid7()), WorkspaceId(uuid7()))
    for organization, workspace in (
        (team.organization, team.workspace),
        (team.elsewhere, team.other_workspace),
    ):
        await engine.database.execute("insert into organization (id, name) values (%(id)s, 'Acme')", id=organization)
        await engine.database.execute(
            "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Default')",
            id=workspace,
            organization=organization,
        )
    return team


async def new_user(
    engine: Engine,
    name: str,
    organization: OrganizationId,
    workspace: WorkspaceId,
    role: Role,
) -> Actor:
    """Write a user with a place in a workspace, and give the actor that they are."""
    user = UserId(uuid7())
    await engine.database.execute(
        """
        insert into app_user (id, organization_id, username, first_name)
        values (%(id)s, %(organization)s, %(name)s, initcap(%(name)s))
        """,
        id=user,
        organization=organization,
        name=name,
    )
    await add_membership(
        engine.database, organization, grant=GrantId(uuid7()), workspace=workspace, user=user, role=role
    )
    return Actor(
        kind=ActorKind.USER,
        id=user,
        name=name,
        organization_id=organization,
        grants={workspace: PERMISSIONS_OF_ROLE[role]},
    )


@pytest.fixture
def workspace(team) -> WorkspaceId:
    """The workspace that ada owns."""
    return team.workspace


@pytest.fixture
def seen(team) -> Of:
    """The workspace as those see it who have a place in it."""
    return Of(team.organization, (team.workspace,))


@pytest.fixture
def strange(team) -> Of:
    """What cleo sees: another organization's workspace."""
    return Of(team.elsewhere, (team.other_workspace,))


@pytest.fixture
async def ada(engine, team) -> Actor:
    """Owns the workspace."""
    return await new_user(engine, "ada", team.organization, team.workspace, Role.OWNER)


@pytest.fixture
async def ben(engine, team) -> Actor:
    """Operates in the workspace."""
    return await new_user(engine, "ben", team.organization, team.workspace, Role.OPERATOR)


@pytest.fixture
async def cleo(engine, team) -> Actor:
    """An outsider: owns another organization's workspace and must see nothing of ours."""
    return await new_user(engine, "cleo", team.elsewhere, team.other_workspace, Role.OWNER)


@pytest.fixture
async def root(engine, team) -> Actor:
    """An admin of the organization."""
    user = await new_user(engine, "root", team.organization, team.workspace, Role.OWNER)
    await add(
        engine.database,
        team.organization,
        grant=GrantId(uuid7()),
        principal=Principal(PrincipalKind.USER, user.id),
        role=ADMIN,
        workspace=None,
    )
    return await actor_of_user(engine.database, UserId(user.id))


async def new_robot(engine: Engine, team: Team) -> StepRunActor:
    """Write a run with one step run in progress, and give the robot of its first attempt."""
    ids = {noun: uuid7() for noun in ("process", "queue", "step", "run", "worker", "step_run")}
    params = {"workspace": team.workspace, "organization": team.organization}
    for sql in (
        "insert into process (id, workspace_id, name) values (%(process)s, %(workspace)s, 'Invoices')",
        "insert into queue (id, workspace_id, name) values (%(queue)s, %(workspace)s, 'Invoices')",
        """
        insert into step (id, workspace_id, process_id, position, name, queue_id)
        values (%(step)s, %(workspace)s, %(process)s, 0, 'Read', %(queue)s)
        """,
        """
        insert into run (id, workspace_id, process_id, state, started_by)
        values (%(run)s, %(workspace)s, %(process)s, 'in_progress', 'api')
        """,
        """
        insert into worker (id, organization_id, serves_all, name, lookup)
        values (%(worker)s, %(organization)s, true, 'walt', %(lookup)s)
        """,
        """
        insert into step_run (id, workspace_id, run_id, step_id, state, attempt, worker_id, worker_session,
                              lease_until, started_at)
        values (%(step_run)s, %(workspace)s, %(run)s, %(step)s, 'in_progress', 1, %(worker)s, %(worker)s,
                clock_now() + interval '1 hour', clock_now())
        """,
    ):
        named = params | ids | {"lookup": ids["worker"].bytes}
        await engine.database.execute(sql, **{name: value for name, value in named.items() if f"%({name})s" in sql})
    return StepRunActor(
        step_run_id=StepRunId(ids["step_run"]),
        attempt=1,
        run_id=RunId(ids["run"]),
        step_id=StepId(ids["step"]),
        process_id=ProcessId(ids["process"]),
        workspace_id=team.workspace,
        organization_id=team.organization,
    )


@pytest.fixture
def overtake(engine) -> Callable[[StepRunActor], Awaitable[None]]:
    """Lets a further attempt of a robot's step run begin."""

    async def begin(robot: StepRunActor) -> None:
        await engine.database.execute(
            "update step_run set attempt = attempt + 1 where id = %(id)s", id=robot.step_run_id
        )

    return begin


@pytest.fixture
def end(engine) -> Callable[[StepRunActor], Awaitable[None]]:
    """Lets a robot's step run end."""

    async def complete(robot: StepRunActor) -> None:
        await engine.database.execute(
            """
            update step_run set state = 'completed', result = 'succeeded', ended_at = clock_now(), lease_until = null
             where id = %(id)s
            """,
            id=robot.step_run_id,
        )

    return complete


@pytest.fixture
async def robot(engine, team) -> StepRunActor:
    """A robot at work: the first attempt of a step run in ada's workspace."""
    return await new_robot(engine, team)
