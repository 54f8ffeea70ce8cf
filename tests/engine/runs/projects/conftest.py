"""A shop floor with a project: jobs without real tools, whose phases and files a worker reports as a real one does."""

from dataclasses import dataclass

import pytest
from msgspec import Struct
from tests.engine.runs.conftest import Floor, Worker

from controlroom.engine.access.scope import scoped
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.model import ConnectionKind, DuckdbSettings, PostgresSettings
from controlroom.engine.jobs.model import JobKind, JobSettings
from controlroom.engine.projects import store as projects
from controlroom.engine.runs import reports
from controlroom.engine.runs.model import Overrides, Run
from controlroom.engine.runs.projects import plans, store
from controlroom.engine.runs.projects.model import ProjectOverrides, ProjectRun
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import ConnectionId, ProcessId, TargetId, uuid7
from controlroom.objects.store import Blob
from controlroom.project_plans import ProjectPlan, Purpose
from controlroom.protocol import (
    Assignment,
    Command,
    ErrorCode,
    Finish,
    PhaseReport,
    PhaseReports,
    PhaseState,
    StepRunError,
)

BUILD = "dbt build"


def command(line: str) -> Command:
    return Command(name=line, words=tuple(line.split()))


class Job(Struct, frozen=True):
    """A job of the shop."""

    process: ProcessId
    target: TargetId
    connection: ConnectionId


@dataclass
class Shop:
    """The project of a floor."""

    floor: Floor

    @property
    def engine(self):
        """The engine of the floor."""
        return self.floor.engine

    async def connection(self, kind: ConnectionKind = ConnectionKind.POSTGRES, **settings) -> ConnectionId:
        """A connection of the organization."""
        made = ConnectionId(uuid7())
        if kind is ConnectionKind.POSTGRES:
            given = PostgresSettings(**({"host": "db.example.org", "database": "dw"} | settings))
        else:
            given = DuckdbSettings(**settings)
        async with scoped(self.engine.database, self.floor.organization) as tx:
            await connections.add(
                tx, self.floor.organization, connection=made, name="W", kind=kind, settings=given, author=None
            )
        return made

    async def target(self, connection: ConnectionId | None, **definition) -> TargetId:
        """A target of the project."""
        made = TargetId(uuid7())
        given = TargetDefinition(name=str(made), connection_id=connection, **definition)
        async with scoped(self.engine.database, self.floor.scope) as tx:
            await projects.put(tx, self.floor.scope)
            await targets.add(tx, self.floor.scope, made, given, author=None)
        return made

    async def job(
        self,
        *lines: str,
        kind: JobKind = JobKind.OTHER,
        connection: ConnectionId | None = None,
        target: TargetId | None = None,
        settings: JobSettings | None = None,
    ) -> Job:
        """A job that runs commands."""
        connection = connection or await self.connection(ConnectionKind.DUCKDB)
        target = target or await self.target(connection)
        process = await self.floor.process({"commands": [command(line) for line in lines or (BUILD,)]})
        await self.engine.database.execute(
            """
            insert into job (process_id, workspace_id, target_id, kind, settings)
            values (%(process)s, %(place)s, %(target)s, %(kind)s, %(settings)s)
            """,
            process=process,
            place=self.floor.workspace,
            target=target,
            kind=kind,
            settings=settings or JobSettings(),
        )
        return Job(process, target, connection)

    async def start(self, job: Job, **overrides) -> Run:
        """Start a run, and let it be dispatched."""
        given = Overrides(project=ProjectOverrides(**overrides)) if overrides else Overrides()
        return await self.floor.run(await self.floor.start(job.process, overrides=given))

    async def known(self, run: Run) -> ProjectRun:
        """What is known of it as a project's, after its dispatch."""
        await self.floor.run(run)
        found = await store.find(self.engine.database, self.floor.scope, run.id)
        assert found is not None
        return found

    async def plan(self, worker: Worker, assignment: Assignment) -> ProjectPlan:
        """What the worker is told to do."""
        return await plans.plan_for(self.engine, worker.actor, assignment.step_run_id, assignment.attempt)

    async def report(self, worker: Worker, assignment: Assignment, *phases: PhaseReport) -> None:
        """Report phases."""
        await reports.report_phases(
            self.engine, worker.actor, assignment.step_run_id, assignment.attempt, PhaseReports(phases)
        )

    async def leave(self, worker: Worker, assignment: Assignment, phase: int, **files: bytes) -> dict[str, Blob]:
        """Leave files of a phase, `_` in a name for its dot."""
        blobs = {
            name[::-1].replace("_", ".", 1)[::-1]: await self.engine.objects.put_bytes(content)
            for name, content in files.items()
        }
        await reports.add_artifacts(
            self.engine, worker.actor, assignment.step_run_id, assignment.attempt, blobs, phase=phase
        )
        return blobs

    async def work(self, worker: Worker, *, fails_at: int | None = None, error: ErrorCode | None = None) -> Assignment:
        """Take the run that is to come, and work it to its end as a worker does: in its commands or in one of them."""
        [assignment] = await worker.claim()
        plan = await self.plan(worker, assignment)
        state, phases = PhaseState.SUCCEEDED, []
        for position, planned in enumerate(plan.phases):
            if state is PhaseState.FAILED:
                state = PhaseState.SKIPPED
            elif position == fails_at:
                state = PhaseState.FAILED
            phases.append(
                PhaseReport(
                    position=position,
                    kind=planned.kind,
                    name=planned.name,
                    state=state,
                    is_preparation=planned.purpose is Purpose.DEPS,
                )
            )
            if planned.purpose in {Purpose.OWN, Purpose.RETRY, Purpose.DOCS} and state is not PhaseState.SKIPPED:
                mark = f"{assignment.step_run_id} {position}".encode()
                await self.leave(worker, assignment, position, run_results_json=mark, manifest_json=b"m" + mark)
        await self.report(worker, assignment, *phases)
        if fails_at is not None:
            error = error or ErrorCode.ROBOT_FAILED
        worker.held.pop(assignment.step_run_id)
        finish = Finish(exit_code=1 if error else 0, error=StepRunError(error, "it broke") if error else None)
        await reports.finish(self.engine, worker.actor, assignment.step_run_id, assignment.attempt, finish)
        await self.floor.run(assignment.run_id)
        return assignment

    async def finish(self, worker: Worker, assignment: Assignment, error: ErrorCode | None = None) -> None:
        """Report its end, and dispatch what goes on then."""
        await worker.finish(assignment, error)
        await self.floor.run(assignment.run_id)


@pytest.fixture
def shop(floor) -> Shop:
    """The project of ada's workspace."""
    return Shop(floor)
