"""A project in ada's workspace, and its runs worked as a worker does: what phases print and leave is handed in."""

import io
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from controlroom.engine.access.scope import Room as EveryTenant
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import PostgresSettings
from controlroom.engine.console import actions as console
from controlroom.engine.job_definitions import actions as jobs
from controlroom.engine.job_definitions.model import JobDefinition, ListedJob
from controlroom.engine.packages import actions as packages
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.runs import reports
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.projects import blocking, plans
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import Target, TargetDefinition
from controlroom.ids import RunId, uuid7
from controlroom.project_plans import Purpose
from controlroom.protocol import Assignment, ErrorCode, Finish, PhaseReport, PhaseReports, PhaseState, StepRunError
from live import Live, Person, Worker

_OUTPUTS = frozenset({Purpose.OWN, Purpose.RETRY, Purpose.DOCS, Purpose.FRESHNESS})


@dataclass
class Working:
    """A run that a worker has in hand."""

    site: "Site"
    assignment: Assignment
    lines: int = 0
    begins: dict[int, int] = field(default_factory=dict)

    @property
    def _attempt(self) -> tuple:
        walt = self.site.walt
        return walt.engine, walt.actor, self.assignment.step_run_id, self.assignment.attempt

    async def phase(
        self,
        position: int,
        name: str,
        state: PhaseState,
        *,
        prints: str = "",
        leaves: Mapping[str, bytes] | None = None,
        is_preparation: bool = False,
        kind: str = "command",
    ) -> None:
        """Report how a phase stands, after what it has printed and left."""
        first = self.begins.setdefault(position, self.lines)
        if prints:
            body = f"{prints}\n".encode()
            count = body.count(b"\n")
            await console.append(*self._attempt, first=self.lines, count=count, at=time.time(), body=body)
            self.lines += count
        if leaves:
            blobs = {each: await self.site.room.engine.objects.put_bytes(leaves[each]) for each in leaves}
            await reports.add_artifacts(*self._attempt, blobs, phase=position)
        is_over = state is not PhaseState.IN_PROGRESS
        has_begun = state not in {PhaseState.SKIPPED, PhaseState.WAITING}
        report = PhaseReport(
            position=position,
            kind=kind,
            name=name,
            state=state,
            started_at=time.time() - 1 if has_begun else None,
            ended_at=time.time() if is_over and has_begun else None,
            first_line=first if has_begun else None,
            last_line=self.lines - 1 if is_over and has_begun else None,
            is_preparation=is_preparation,
        )
        await reports.report_phases(*self._attempt, PhaseReports((report,)))

    async def finish(self, error: ErrorCode | None = None, message: str = "dbt has failed") -> None:
        """Report the end of the run."""
        why = StepRunError(error, message) if error else None
        await reports.finish(*self._attempt, Finish(exit_code=1 if error else 0, error=why))
        await self.site.dispatch(self.assignment.run_id)


@dataclass
class Site:
    """The project."""

    room: Live
    ada: Person
    walt: Worker
    target: Target

    async def job(self, *commands: str, **more) -> ListedJob:
        """A job that runs commands on it."""
        definition = JobDefinition(name="Nightly", target=self.target.id, commands=commands or ("dbt build",), **more)
        return await jobs.create(self.room.engine, self.room.admin, self.ada.workspace, definition)

    async def take(self) -> Working:
        """The next run, in a worker's hand."""
        for run in await self.room.engine.database.all(
            RunId,
            "select id from run where workspace_id = %(workspace)s and state = 'new' order by id",
            workspace=self.ada.workspace,
        ):
            await self.dispatch(run)
        return Working(self, await self.walt.take())

    async def work(
        self, *, fails_at: int | None = None, error: ErrorCode = ErrorCode.ROBOT_FAILED, **files: bytes
    ) -> Working:
        """Work the next run to its end: each command prints and leaves files, `catalog_json` as `catalog.json`."""
        working = await self.take()
        engine, actor, step_run, attempt = working._attempt
        plan = await plans.plan_for(engine, actor, step_run, attempt)
        has_failed = False
        for position, planned in enumerate(plan.phases):
            state = PhaseState.SKIPPED if has_failed else PhaseState.SUCCEEDED
            if position == fails_at:
                state, has_failed = PhaseState.FAILED, True
            leaves = None
            if planned.purpose in _OUTPUTS and state is not PhaseState.SKIPPED:
                leaves = {
                    "manifest.json": b'{"step": %d}' % position,
                    "run_results.json": b'{"results": [], "step": %d}' % position,
                    "compiled/jaffle/models/a.sql": b"select 1",
                    "logs/dbt.log": b"".join(b"line %d\n" % each for each in range(1_500)),
                } | {".".join(name.rsplit("_", 1)): content for name, content in files.items()}
            await working.phase(
                position,
                planned.name,
                state,
                prints="" if state is PhaseState.SKIPPED else f"doing {planned.name}\n12:00:00  done",
                leaves=leaves,
                is_preparation=planned.purpose in {None, Purpose.DEPS},
                kind=planned.kind,
            )
        await working.finish(error if has_failed else None)
        return working

    async def dispatch(self, run) -> None:
        """Look at a run, as the loops do."""
        await dispatch(self.room.engine, EveryTenant(), RunId(run))


async def make_site(room: Live, ada: Person, walt: Worker) -> Site:
    """Make ada's workspace a project with files, and a target of it."""
    engine, admin = room.engine, room.admin
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("dbt_project.yml", "name: jaffle\nversion: '1.0'\nprofile: jaffle\n")
    blob = await engine.objects.put_bytes(content.getvalue())
    package = (await packages.push(engine, ada.actor, ada.workspace, "jaffle", blob)).package
    settings = PostgresSettings(host="db.example.org", database="dw")
    connection = await connections.create(engine, admin, name=f"Warehouse {uuid7()}", settings=settings)
    await blocking.set_slots(engine, admin, 1_000)  # runs of other tests have some
    await projects.found(engine, admin, ada.workspace, ProjectChange(package_id=package.id))
    definition = TargetDefinition(name="Production", connection_id=connection.id)
    return Site(room, ada, walt, await targets.create(engine, admin, ada.workspace, definition))
