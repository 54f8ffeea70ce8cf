"""A shop floor for tests of runs: processes without real robots, and workers that claim and report like real ones."""

from dataclasses import dataclass, field

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from controlroom.engine.access.model import EVERYTHING, Actor, StepRunActor, WorkerActor
from controlroom.engine.access.scope import Of, Room, scoped
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.engine import Engine
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import claims, held_items, leases, reports
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.model import DefaultInput, Inputs, Run, WithPayloads
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.engine.workers import store as workers
from controlroom.engine.workers.model import TheseWorkspaces
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkItemId, WorkspaceId, uuid7
from controlroom.maintenance import rescuer
from controlroom.protocol import (
    ABILITIES,
    Assignment,
    Claim,
    ErrorCode,
    Finish,
    Heartbeat,
    Held,
    OpenSession,
    Order,
    PhaseKind,
    PhaseReport,
    PhaseReports,
    PhaseState,
    SandboxKind,
    Session,
    StepRunError,
)


@dataclass
class Worker:
    """A worker as the engine sees one."""

    engine: Engine
    actor: WorkerActor
    session: Session
    held: dict[StepRunId, Assignment] = field(default_factory=dict)

    async def claim(self, *, free: int = 1, knows: bool = True) -> list[Assignment]:
        """Ask for work; with `knows=False` as if earlier answers had been lost."""
        running = tuple(self.held) if knows else ()
        request = Claim(session=self.session.session, free=free, wait_seconds=0, running=running)
        taken = (await claims.claim(self.engine, self.actor, request)).assignments
        self.held |= {one.step_run_id: one for one in taken}
        return list(taken)

    async def take(self) -> tuple[Assignment, StepRunActor]:
        """Claim one step run, which must be there; with the actor of its token."""
        [assignment] = await self.claim()
        return assignment, read_step_run_token(self.engine.keys, assignment.token)

    async def begin(self, assignment: Assignment) -> None:
        """Report that robot code may run."""
        phase = PhaseReport(position=1, kind=PhaseKind.TASK, name="task", state=PhaseState.IN_PROGRESS)
        await reports.report_phases(
            self.engine, self.actor, assignment.step_run_id, assignment.attempt, PhaseReports((phase,))
        )

    async def finish(self, assignment: Assignment, error: ErrorCode | None = None) -> None:
        """Report the end of the robot."""
        self.held.pop(assignment.step_run_id, None)
        report = Finish(
            exit_code=0 if error is None else 1,
            error=None if error is None else StepRunError(error, "it broke"),
        )
        await reports.finish(self.engine, self.actor, assignment.step_run_id, assignment.attempt, report)

    async def beat(self, *assignments: Assignment) -> list[Order]:
        """Keep the leases of some assignments; the orders that come back."""
        held = tuple(Held(one.step_run_id, one.attempt) for one in assignments)
        answer = await leases.heartbeat(self.engine, self.actor, Heartbeat(self.session.session, held))
        return [one.order for one in answer.orders]

    async def restart(self) -> None:
        """Open a new session, as a worker does that was killed."""
        self.held.clear()
        info = OpenSession(slots=1, version="1", platform="test", sandbox=SandboxKind.OFF)
        self.session = await leases.open_session(self.engine, self.actor, info)


@dataclass
class Floor:
    """The shop floor."""

    engine: Engine
    ada: Actor
    workspace: WorkspaceId
    organization: OrganizationId

    @property
    def scope(self) -> Of:
        """The workspace as ada sees it."""
        return Of(self.organization, (self.workspace,))

    async def process(self, *steps: dict) -> ProcessId:
        """A process of so many steps (columns of `step` may be given)."""
        db = self.engine.database
        package, version, task = uuid7(), uuid7(), uuid7()
        await db.execute(
            "insert into package (id, workspace_id, name) values (%(id)s, %(ws)s, gen_random_uuid()::text)",
            id=package,
            ws=self.workspace,
        )
        await db.execute(
            """
            insert into package_version (id, package_id, version, hash, size, robot)
            values (%(id)s, %(package)s, 1, 'beef', 4, '{}')
            """,
            id=version,
            package=package,
        )
        await db.execute(
            "insert into task (id, package_id, name) values (%(id)s, %(package)s, 'Do')", id=task, package=package
        )
        process = ProcessId(uuid7())
        await db.execute(
            "insert into process (id, workspace_id, name) values (%(id)s, %(ws)s, 'Invoices')",
            id=process,
            ws=self.workspace,
        )
        for position, columns in enumerate(steps):
            await self._step(process, task, position, **columns)
        return process

    async def _step(self, process, task, position, **columns) -> None:
        queue, step = uuid7(), uuid7()
        await self.engine.database.execute(
            "insert into queue (id, workspace_id, name) values (%(id)s, %(ws)s, 'in')", id=queue, ws=self.workspace
        )
        await self.engine.database.execute(
            """
            insert into step (id, workspace_id, process_id, position, name, task_id, package_id, commands, queue_id,
                              max_parallel, starts_after_previous, one_item_per_step_run, retry, placement)
            select %(id)s, %(ws)s, %(process)s, %(position)s, %(name)s,
                   case when %(commands)s::jsonb is null then id end,
                   case when %(commands)s::jsonb is not null then package_id end, %(commands)s, %(queue)s,
                   %(max_parallel)s, %(after)s, %(single)s, %(retry)s, %(placement)s
              from task where id = %(task)s
            """,
            id=step,
            ws=self.workspace,
            process=process,
            position=position,
            name=f"step {position}",
            task=task,
            queue=queue,
            commands=msgspec.Raw(msgspec.json.encode(columns["commands"])) if "commands" in columns else None,
            max_parallel=columns.get("max_parallel", 1),
            after=columns.get("starts_after_previous", False),
            single=columns.get("one_item_per_step_run", False),
            retry=columns.get("retry", RetryPolicy()),
            placement=columns.get("placement", {}),
        )

    async def worker(self, name: str = "walt", *others: "Floor", abilities: tuple[str, ...] = ABILITIES) -> Worker:
        """A worker with an open session; of several floors."""
        worker = uuid7()
        serves = TheseWorkspaces((self.workspace, *(each.workspace for each in others)))
        async with scoped(self.engine.database, self.organization) as tx:
            await workers.insert(
                tx, self.organization, worker=worker, name=name, slots=1, lookup=worker.bytes, serves=serves
            )
        actor = WorkerActor(
            worker_id=worker,
            organization_id=self.organization,
            workspaces=serves.workspaces,
            serves_all=False,
            name=name,
        )
        info = OpenSession(
            slots=1,
            version="1",
            platform="test",
            sandbox=SandboxKind.OFF,
            mixes=bool(others),
            abilities=abilities,
        )
        return Worker(self.engine, actor, await leases.open_session(self.engine, actor, info))

    async def start(self, process: ProcessId, inputs: Inputs | None = None, **given) -> Run:
        """Start a run, which must start."""
        asked = RunParameters(**given)
        run = await runs.start(self.engine, self.ada, self.workspace, process, inputs or DefaultInput(), asked)
        assert run is not None
        return run

    async def run(self, run: Run | RunId) -> Run:
        """The run as it stands, after its dispatch, which goes on while a stopped run has more to settle."""
        id_ = run.id if isinstance(run, Run) else run
        left = await dispatch(self.engine, Room(), id_)
        while left is not None:
            left = await dispatch(self.engine, Room(), id_, after=left)
        return await run_store.get(self.engine.database, self.scope, id_)

    async def items(self, run: Run) -> list[WorkItem]:
        """The items of a run, oldest first."""
        found = await work_items.list_items(self.engine.database, self.scope, run=run.id, limit=1000)
        return found[::-1]

    async def states(self, run: Run) -> list[str]:
        """The states of a run's items, oldest first."""
        return [item.state.value for item in await self.items(run)]

    async def item(self, item: WorkItemId) -> WorkItem:
        """One item."""
        return await work_items.get(self.engine.database, self.scope, item)

    async def drain(self, robot: StepRunActor, first: WorkItemId | None) -> list[WorkItemId]:
        """Work as the libraries do: release each item as done and reserve until none is left."""
        done = []
        item = first
        while item is not None:
            await held_items.release(self.engine, robot, item, held_items.Done())
            done.append(item)
            item = await held_items.reserve(self.engine, robot)
        return done


def payloads(*values: object) -> WithPayloads:
    """One new item for each value."""
    return WithPayloads(Raw(msgspec.json.encode(values)), len(values))


async def expire_leases(floor: Floor) -> None:
    """The workers have been silent for too long."""
    await floor.engine.database.execute(
        "update step_run set lease_until = clock_now() - interval '1 second' where lease_until is not null"
    )
    await rescuer.rescue(floor.engine)


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


@pytest.fixture
def floors(engine, ada, team):
    """Makes shop floors of as many workspaces of the organization, all of them ada's."""

    async def make(count: int) -> list[Floor]:
        workspaces = [WorkspaceId(uuid7()) for _ in range(count)]
        for each in workspaces:
            await engine.database.execute(
                "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, %(name)s)",
                id=each,
                organization=team.organization,
                name=str(each),
            )
        owner = replace(ada, grants=ada.grants | dict.fromkeys(workspaces, EVERYTHING))
        return [Floor(engine, owner, each, team.organization) for each in workspaces]

    return make
