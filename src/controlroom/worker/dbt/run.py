"""One attempt of a project's run: its files, its tool and profile, its commands one after the other.

It goes by the plan that the server makes (`ProjectPlan`), holds it in memory only, and writes of its secrets nothing
but the profile, which the run's user alone may read. What a command has left is sent while the next one runs. Whatever
ends the run, the database goes back before its end is told, unless the attempt is somebody else's by then.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar, assert_never

from controlroom.errors import Invalid
from controlroom.project_plans import PlannedPhase, ProjectPlan, Purpose
from controlroom.protocol import Assignment, Command, ErrorCode, PhaseKind, PhaseState
from controlroom.robots.dbt_commands import CommandRefused
from controlroom.worker import artifacts, reaching
from controlroom.worker.console import Console
from controlroom.worker.dbt import command_lines, leavings, project_file
from controlroom.worker.dbt.command_lines import Setting
from controlroom.worker.dbt.leavings import Leavings
from controlroom.worker.dbt.masks import Masks
from controlroom.worker.dbt.preparation import Preparation, Ready
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.outcomes import Failure
from controlroom.worker.phases import Phases
from controlroom.worker.server import AttemptReports
from controlroom.worker.spare import Spare
from controlroom.worker.succession import cause_of_skips, counts, is_due
from controlroom.worker.supervision import Supervisor
from controlroom.worker.time_limit import TimeLimit
from controlroom.worker.workbench import Workbench

Result = TypeVar("Result")

_INTERRUPT_SECONDS: Final = 10.0
"""How long dbt may take after a SIGINT: it cancels its queries and writes its results (protocols/dbt_cloud §9.5)."""


class ProjectRun:
    """Runs the phases of a plan."""

    def __init__(
        self,
        bench: Workbench,
        assignment: Assignment,
        orders: Orders,
        reports: AttemptReports,
        console: Console,
        phases: Phases,
        supervisor: Supervisor,
    ) -> None:
        self._bench = bench
        self._assignment = assignment
        self._orders = orders
        self._reports = reports
        self._console = console
        self._phases = phases
        self._supervisor = supervisor
        self._preparation = Preparation(bench, assignment, reports, console, phases, supervisor)
        self._masks = Masks(())
        self._ready: Ready | None = None
        self._last: Leavings | None = None
        """What the last command left that left results."""
        self._ran: int | None = None
        """The position of the command whose leavings have not been looked at."""
        self._sending: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Everything from the plan to the last command; 0. Raises Failure, Ended and what the parts raise."""
        plan = await self._supervisor.unless_ended(self._reports.plan())
        self._masks = Masks(plan.secrets)
        self._console.mask = self._masks.of if self._masks else None
        self._supervisor.patience_after_interrupt = _INTERRUPT_SECONDS
        for phase in plan.phases:
            self._phases.expect(phase.kind, [phase.name], is_preparation=phase.purpose is Purpose.DEPS)
        failed: list[Command] = []
        counted: list[Failure] = []
        for phase in plan.phases:
            command = _as_command(phase)
            if not is_due(command, failed):
                self._phases.skip_next(f"Skipped, because `{cause_of_skips(failed)}` failed.")
                continue
            await self._begin_next()
            try:
                await self._phase(phase, plan)
            except Failure as failure:
                self._end_failed(failure)
                if failure.error.code is ErrorCode.TIMEOUT:
                    raise
                failed.append(command)
                if counts(command):
                    counted.append(failure)
        await self._hand_in()  # sent while the database is
        await self._keep_database()
        if counted:
            raise counted[0]
        return 0

    async def finish(self) -> None:
        """Send what was not sent: what the last command left, and the database of a run that was ended."""
        if self._orders.end is EndReason.ABANDONED:
            return
        try:
            await self._hand_in()
            await self._sent()
            await self._keep_database()
        except (Failure, OSError) as error:  # the end is told all the same
            self._console.say(self._masks.of_text(str(error)))

    async def clean_up(self) -> None:
        """Give everything back."""
        if self._sending is not None:
            self._sending.cancel()
        await self._preparation.give_back()

    def _end_failed(self, failure: Failure) -> None:
        self._phases.end(PhaseState.FAILED, failure.message, failure.exit_code)

    async def _begin_next(self) -> None:
        limit = self._supervisor.limit
        limit.rest()
        await self._hand_in()
        await self._supervisor.may_go_on()
        self._phases.begin_next()
        await self._supervisor.unless_ended(self._phases.report())
        limit.go_on()

    async def _phase(self, phase: PlannedPhase, plan: ProjectPlan) -> None:
        """Run a phase to its end. Raises Failure for one that fails."""
        match phase.kind:
            case PhaseKind.SOURCE:
                await self._as_failure(self._preparation.source(plan), ErrorCode.PACKAGE_INVALID)
                self._phases.end(PhaseState.SUCCEEDED)
            case PhaseKind.PROFILE:
                preparing = self._preparation.profile(plan)
                self._ready = await self._as_failure(preparing, ErrorCode.ENVIRONMENT_FAILED)
                self._phases.end(PhaseState.SUCCEEDED)
                self._supervisor.limit = TimeLimit(self._assignment.timeout_seconds)
            case PhaseKind.COMMAND:
                await self._command(phase)
            case PhaseKind.ENVIRONMENT | PhaseKind.PRE_RUN_SCRIPT | PhaseKind.TASK:
                raise Failure(ErrorCode.PACKAGE_INVALID, f"A project has no phase of the kind {phase.kind.value}.")
            case _ as unknown:
                assert_never(unknown)

    async def _as_failure(self, work: Awaitable[Result], code: ErrorCode) -> Result:
        """Do some work; what the project or its settings are to blame for is said in the console, and is a Failure.

        Raises it as it is where the worker may be to blame, and another may do better.
        """
        try:
            return await work
        except Invalid as error:
            message = self._masks.of_text(error.message)
            self._console.say(message)
            if self._bench.health.look():
                raise
            raise Failure(code, message) from error

    async def _command(self, phase: PlannedPhase) -> None:
        ready = self._ready
        assert ready is not None  # noqa: S101 - nothing comes before the profile
        if phase.purpose is Purpose.DEPS and not project_file.has_packages(self._preparation.project):
            self._console.say("Nothing to install: the project names no packages.")
            self._phases.end(PhaseState.SUCCEEDED, exit_code=0)
            return
        try:
            words = command_lines.words(phase.words, self._setting_for(phase, ready))
        except CommandRefused as refusal:
            self._console.say(refusal.message)
            raise Failure(ErrorCode.ROBOT_FAILED, refusal.message) from refusal
        exit_code = await self._run(words, ready, phase)
        if exit_code != 0:
            last = self._masks.of_text(self._supervisor.last_words(ready.stage.place))
            message = f"`{_as_command(phase).name}` ended with exit code {exit_code}.{last}"
            raise Failure(ErrorCode.ROBOT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED, exit_code=0)

    async def _run(self, words: Sequence[str], ready: Ready, phase: PlannedPhase) -> int:
        stage = ready.stage
        for name in ("stdout.log", "stderr.log"):  # the last words are to be this command's
            (stage.place.folder / name).unlink(missing_ok=True)
        self._ran = self._phases.position
        spare = await self._spare(ready)
        argv = [str(stage.environment.python), str(ready.dbt), *words]
        try:
            return await self._supervisor.run(argv, ready.variables, stage, spare=spare)
        except Failure as failure:  # the time limit
            message = f"While `{_as_command(phase).name}` ran: {failure.message}"
            raise Failure(failure.error.code, message) from failure

    async def _spare(self, ready: Ready) -> Spare | None:
        zygote = self._preparation.zygote
        if zygote is None or not ready.own_spares or not (zygote.is_alive and zygote.is_ready):
            return None
        return await self._bench.workshop.zygotes.bear(zygote, ready.stage.place, ready.stage.environment)

    def _setting_for(self, phase: PlannedPhase, ready: Ready) -> Setting:
        """What the run says to a command: one that goes on from results is told where they are."""
        if "retry" not in phase.words:
            return ready.setting
        place = ready.stage.place
        state = place.work / "dbt" / "state"
        if phase.purpose is not Purpose.RETRY and self._last is not None:
            for name in ("run_results.json", "manifest.json"):
                if (left := self._last.target / name).is_file() and not left.is_symlink():
                    reaching.put(place, left, state, name)
        return command_lines.going_on_from(ready.setting, str(place.inside(state)))

    async def _hand_in(self) -> None:
        """Take what the last command left out of its place, and send it aside."""
        position, self._ran = self._ran, None
        if self._ready is None or position is None:
            return
        place = self._ready.stage.place
        into = place.folder / "left" / str(position)
        logs = place.work / "dbt" / leavings.LOGS
        left = leavings.take(place, self._preparation.project, logs, into)
        if left.parsed.is_file():
            leavings.put_parsed(place, self._preparation.project, left.parsed)
            self._bench.workshop.parses.keep(self._preparation.parse_key, left.parsed)
        if (left.target / "run_results.json").is_file():
            self._last = left
        await self._sent()
        self._sending = asyncio.create_task(self._send(left, position))

    async def _send(self, left: Leavings, position: int) -> None:
        found = await asyncio.to_thread(leavings.listed, left, self._masks, position)
        uploaded = await artifacts.upload_obeying(self._orders, found.artifacts, self._reports)
        for complaint in found.complaints + uploaded:
            self._console.say(complaint)

    async def _sent(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending

    async def _keep_database(self) -> None:
        """Give the database back, once. Raises Failure if it can't be kept."""
        database = self._preparation.database
        if database is None or self._ready is None or self._orders.end is EndReason.WORKER_STOPS:
            return
        if not self._supervisor.may_have_run:
            return
        await database.give_back(self._ready.stage, self._ready.variables)


def _as_command(phase: PlannedPhase) -> Command:
    """A phase as rules of succession know it."""
    name = " ".join(phase.words) if phase.words else phase.name
    return Command(name=name, words=phase.words or (phase.kind.value,), on_failure=phase.on_failure)
