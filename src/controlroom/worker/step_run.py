"""One attempt of one step run, from the assignment to its last report.

Nobody else runs this attempt: the server leased it to this worker. When the worker dies half-way, its robots die with
it and the lease runs out; what was acknowledged (phases, console, artifacts) stays. It costs the robot and some six
requests.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from msgspec import structs

from controlroom.errors import ControlRoomError
from controlroom.protocol import (
    Assignment,
    Command,
    Commands,
    DatabaseFile,
    ErrorCode,
    Finish,
    PhaseKind,
    PhaseState,
    ProjectCommands,
    RobotTask,
    SandboxKind,
)
from controlroom.robots.definition import (
    command_line,
    find_task,
    fits_platform,
    machine_name,
    split_command,
)
from controlroom.robots.environment_spec import dated
from controlroom.worker import artifacts, databases, outcomes, results, variables
from controlroom.worker.command_list import CommandList
from controlroom.worker.console import Console
from controlroom.worker.databases import DatabaseCopy
from controlroom.worker.dbt.run import ProjectRun
from controlroom.worker.environments.cache import Lease
from controlroom.worker.environments.environment import EnvironmentKind
from controlroom.worker.launch import CommandNotFound
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.outcomes import Ended, Failure, NotBegun
from controlroom.worker.packages import Package
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place, make_space
from controlroom.worker.results import Results
from controlroom.worker.server import Refused, Superseded
from controlroom.worker.spare import Spare
from controlroom.worker.supervision import Stage, Supervisor
from controlroom.worker.time_limit import TimeLimit
from controlroom.worker.workbench import Workbench

log = structlog.get_logger(__name__)

_SLOW_SECONDS = 0.1
"""An environment that takes longer is reported as being built; others appear finished at once."""


class StepRun:
    """Runs one attempt."""

    def __init__(self, bench: Workbench, assignment: Assignment, orders: Orders) -> None:
        self._bench = bench
        self._assignment = assignment
        self._orders = orders
        self._reports = bench.server.attempt(assignment)
        self._console = Console(self._reports.console)
        self._phases = Phases(self._reports, self._console)
        self._supervisor = Supervisor(bench, orders, self._console, self._phases)
        self._started = time.monotonic()
        self._place: Place | None = None
        self._lease: Lease | None = None
        self._spare: Spare | None = None
        self._results: Results | None = None
        self._database: DatabaseCopy | None = None
        """What its programs work on, if its step says so."""
        self._stage: Stage | None = None
        self._variables: dict[str, str] = {}
        """What any program of it has."""
        self._project: ProjectRun | None = None
        """What runs it, if it is a project's."""
        self._knows_phases = False
        self._has_entered = False
        self.given_back = ""
        """Why this worker could not begin it; empty if it did."""

    async def execute(self) -> None:
        """Run it and report its end. Only bugs are raised; they are logged and reported too."""
        log_fields: dict[str, Any] = {
            "step_run": str(self._assignment.step_run_id),
            "attempt": self._assignment.attempt,
        }
        try:
            finish = await self._result()
            await self._finish(finish)
            error = finish.error.code if finish.error else None
            log_fields |= {"exit_code": finish.exit_code, "error": error, "lines": self._console.lines}
            log_fields["spare"] = self._supervisor.was_in_spare
        except NotBegun as reason:
            self.given_back = str(reason)
            log_fields |= {"given_back": self.given_back}
            with suppress(Superseded):  # the answer was lost, or the lease
                await self._reports.give_back(self.given_back)
        except Superseded:
            log_fields |= {"superseded": True}
        except Ended as end:
            log_fields |= {"ended": end.reason.name}
        finally:
            await self._console.abandon()
            log.info("step run ended", seconds=round(time.monotonic() - self._started, 3), **log_fields)

    async def _result(self) -> Finish:
        """What became of the work. Raises Ended when it is nobody's business any more, and NotBegun."""
        try:
            return Finish(exit_code=await self._run())
        except Superseded:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a step run: bugs are logged by the next line's function
            trouble = self._bench.health.look
            return outcomes.after(error, may_have_run=self._supervisor.may_have_run, trouble=trouble)

    async def _run(self) -> int:
        """Everything from the package to the last exit code. Raises Failure, Ended and what the parts raise."""
        if isinstance(self._assignment.work, ProjectCommands):
            self._knows_phases = True
            self._project = ProjectRun(
                self._bench,
                self._assignment,
                self._orders,
                self._reports,
                self._console,
                self._phases,
                self._supervisor,
            )
            return await self._project.run()
        with self._phases.running(PhaseKind.ENVIRONMENT, "environment"):
            package = await self._environment_phase()
        scripts = [script for script in package.definition.pre_run_scripts if _fits(script)]
        self._expect_phases(scripts, package)
        await self._supervisor.may_go_on()
        stage = self._stage = self._set_stage(package)
        self._phases.begin_next()
        # Why together: the server's word that the robot may begin takes about as long as to copy the robot
        copying = asyncio.create_task(self._furnish(package, stage))
        try:
            await self._supervisor.unless_ended(self._phases.report())
            machine = self._variables = await copying
        finally:
            copying.cancel()
        self._supervisor.limit = TimeLimit(self._assignment.timeout_seconds)

        def variables_of(command: Command | None = None) -> dict[str, str]:
            of_command = {} if command is None else command.variables
            assignment = structs.replace(self._assignment, variables={**self._assignment.variables, **of_command})
            url, robot = self._bench.server.url, package.definition
            own = variables.of_step_run(
                machine,
                assignment,
                url=url,
                folders=stage.folders,
                definition=robot,
                fast_adapter=self._bench.settings.fast_adapter and stage.environment.has_adapter,
            )
            return own | {name: machine[name] for name in (databases.VARIABLE,) if name in machine}

        for position, script in enumerate(scripts):
            if position:
                self._phases.begin_next()
            await self._pre_run_script(script, stage, variables_of())
        match self._assignment.work:
            case RobotTask():
                if scripts:
                    self._phases.begin_next()
                words = self._words(package, artifacts_dir=str(stage.folders.artifacts))
                exit_code = await self._task(words, stage, variables_of())
            case Commands(commands):
                succession = CommandList(self._supervisor, self._phases, self._console, self._hand_in)
                exit_code = await succession.run(commands, stage, variables_of)
        await self._keep_database()
        return exit_code

    async def _environment_phase(self) -> Package:
        """Have the package and the environment, and show what that takes when it takes long."""
        slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._report_soon)
        try:
            if self._bench.sandbox.kind is SandboxKind.UNAVAILABLE:
                self._console.say(f"Warning: this robot runs without a sandbox ({self._bench.sandbox.note})")
            package = await self._supervisor.unless_ended(self._bench.packages.get(self._assignment.package))
            self._task_name(package)
            environment = dated(package.environment, self._assignment.exclude_newer)
            package = structs.replace(package, environment=environment)
            self._lease = await self._supervisor.unless_ended(self._take_lease(package))
            if self._assignment.database is not None:
                self._database = self._copy_of(self._assignment.database)
                await self._supervisor.unless_ended(self._database.fetch())
        finally:
            slow.cancel()
        return package

    def _copy_of(self, database: DatabaseFile) -> DatabaseCopy:
        return DatabaseCopy(self._bench, self._assignment, self._reports, self._console, self._phases, database)

    def _report_soon(self) -> None:
        task = asyncio.ensure_future(self._phases.report())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _task_name(self, package: Package) -> str:
        """The task's name as the robot writes it; empty for commands. Raises Failure (TASK_NOT_FOUND)."""
        match self._assignment.work:
            case RobotTask(name):
                try:
                    return find_task(package.definition, name).name
                except ControlRoomError as error:
                    raise Failure(ErrorCode.TASK_NOT_FOUND, error.message) from error
            case Commands() | ProjectCommands():
                return ""

    def _expect_phases(self, scripts: Sequence[str] = (), package: Package | None = None) -> None:
        """Say which phases are to come behind the environment's; once."""
        if self._knows_phases:
            return
        self._knows_phases = True
        self._phases.expect(PhaseKind.PRE_RUN_SCRIPT, scripts)
        match self._assignment.work:
            case RobotTask(name):
                self._phases.expect(PhaseKind.TASK, [self._task_name(package) if package else name])
            case Commands(commands) | ProjectCommands(commands):
                self._phases.expect(PhaseKind.COMMAND, [command.name for command in commands])

    async def _take_lease(self, package: Package) -> Lease:
        share, say = self._assignment.share, self._console.say
        return await self._bench.environments.lease(package.environment, progress=say, share_key=share)

    def _words(self, package: Package, *, artifacts_dir: str) -> list[str]:
        """The words of the task's command."""
        return command_line(find_task(package.definition, self._task_name(package)), artifacts_dir=artifacts_dir)

    def _set_stage(self, package: Package) -> Stage:
        """Where it will run: in the place of a spare that serves the task and is put aside for it, or its own."""
        assert self._lease is not None  # noqa: S101 - the environment phase has ended
        environment = self._lease.environment
        if isinstance(self._assignment.work, RobotTask):
            words = self._words(package, artifacts_dir=package.definition.artifacts_dir)
            self._spare = self._bench.spares.take(words, package.environment, environment, self._assignment)
        workspace = str(self._assignment.workspace_id)
        self._place = self._spare.place if self._spare else self._bench.places.make(workspace)
        folders = variables.RobotFolders.of(self._place, package.root, package.definition)
        return Stage(self._place, folders, environment)

    async def _enter_kept_home(self, place: Place) -> None:
        await self._bench.places.kept_homes.enter(str(self._assignment.workspace_id), place.user)
        self._has_entered = True

    async def _furnish(self, package: Package, stage: Stage) -> dict[str, str]:
        """Copy the robot to its place; returns the variables that any program has there."""
        place, folders, environment = stage.place, stage.folders, stage.environment
        await self._enter_kept_home(place)
        await self._bench.packages.copy_to(package, place)
        if environment.kind is not EnvironmentKind.MACHINE:
            make_space(place, environment.prefix)
        artifacts_folder, root = place.outside(folders.artifacts), place.outside(folders.root)
        brought: artifacts.Brought = {}
        if artifacts_folder.exists():
            brought = await asyncio.to_thread(artifacts.brought_in, artifacts_folder)
        else:
            artifacts_folder.mkdir(parents=True)
            for folder in (artifacts_folder, *artifacts_folder.parents):
                if folder == root:
                    break
                place.own(folder)
        self._results = Results(place, artifacts_folder, brought)
        of_place = variables.of_place(place, environment, variables.of_machine())
        if self._database is not None:
            of_place[databases.VARIABLE] = await self._database.lay_out(place)
        return of_place

    async def _pre_run_script(self, script: str, stage: Stage, script_variables: dict[str, str]) -> None:
        words = split_command(script, "preRunScripts")
        try:
            exit_code = await self._supervisor.run(words, script_variables, stage, spare=None)
        except CommandNotFound as error:
            self._phases.end(PhaseState.FAILED, error.message)
            raise Failure(ErrorCode.PRE_RUN_SCRIPT_FAILED, f"{script}: {error.message}") from error
        if exit_code != 0:
            last_words = self._supervisor.last_words(stage.place)
            message = f"The script `{script}` ended with exit code {exit_code}.{last_words}"
            self._phases.end(PhaseState.FAILED, message, exit_code)
            raise Failure(ErrorCode.PRE_RUN_SCRIPT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED, exit_code=0)

    async def _task(self, words: list[str], stage: Stage, robot_variables: dict[str, str]) -> int:
        spare, self._spare = self._spare, None
        try:
            exit_code = await self._supervisor.run(words, robot_variables, stage, spare=spare)
        except CommandNotFound as error:
            self._console.say(error.message)
            self._phases.end(PhaseState.FAILED, error.message)
            raise Failure(ErrorCode.ROBOT_FAILED, error.message) from error
        if exit_code != 0:
            last_words = self._supervisor.last_words(stage.place)
            message = f"The robot ended with exit code {exit_code}.{last_words}"
            self._phases.end(PhaseState.FAILED, message, exit_code)
            raise Failure(ErrorCode.ROBOT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED, exit_code=0)
        return exit_code

    async def _hand_in(self) -> None:
        """Send what the last phase has left, before the next one writes over it."""
        assert self._results is not None  # noqa: S101 - a program ran in it
        await self._upload(await asyncio.to_thread(self._results.of_phase, self._phases.position))

    async def _keep_database(self) -> None:
        """Give the database back, once. Raises Failure if it can't be kept."""
        if self._database is None or self._stage is None or not self._supervisor.may_have_run:
            return
        if self._orders.end is not EndReason.WORKER_STOPS:
            await self._database.give_back(self._stage, self._variables)

    async def _upload(self, left: artifacts.Left) -> None:
        """Send artifacts, and say in the console what could not be."""
        uploaded = await artifacts.upload_obeying(self._orders, left.artifacts, self._reports)
        for complaint in left.complaints + uploaded:
            self._console.say(complaint)

    async def _finish(self, finish: Finish) -> None:
        """Send the rest of the console and the artifacts, then the end."""
        why = finish.error.message if finish.error else ""
        self._phases.end(PhaseState.FAILED, why)
        self._expect_phases()
        self._phases.skip_rest(f"Skipped, because of {finish.error.code}." if finish.error else "")
        self._console.hurry()
        if self._project is not None:
            await self._in_any_case(self._project.finish(), "What the project keeps could not be put away")
        await self._in_any_case(self._keep_database(), "The database could not be given back")
        await self._in_any_case(self._hand_in_rest(), "The artifacts could not be gathered")
        await self._console.close()
        report = Finish(
            exit_code=finish.exit_code,
            error=finish.error,
            phases=self._phases.unreported,
            console_lines=self._console.lines,
        )
        try:
            await self._reports.finish(report)
        except Refused as refusal:
            if refusal.code != "CONSOLE_INCOMPLETE":
                raise
            log.warning("the server lost console lines", have=refusal.details.get("have"), sent=report.console_lines)
            have = refusal.details.get("have")
            await self._reports.finish(
                Finish(
                    exit_code=report.exit_code,
                    error=report.error,
                    phases=report.phases,
                    console_lines=have if isinstance(have, int) else 0,
                )
            )

    async def _in_any_case(self, last: Awaitable[None], complaint: str) -> None:
        """Do something that belongs to the end, which is told whatever becomes of it: a failure is a console line."""
        try:
            await last
        except (Ended, Refused, Superseded):  # there is nobody to tell
            raise
        except Failure as failure:
            self._console.say(str(failure))
        except Exception as error:
            log.exception("the end of a step run broke in the worker", complaint=complaint)
            self._console.say(f"{complaint}: {error}")

    async def _hand_in_rest(self) -> None:
        await self._upload(await asyncio.to_thread(self._artifacts))

    def _artifacts(self) -> artifacts.Left:
        """What has not been sent of what the programs left, the raw logs, and what the environment was made of."""
        if self._results is None or self._lease is None:
            return artifacts.Left([])
        freezes = self._bench.freezes.of(self._lease.environment)
        match self._assignment.work:
            case RobotTask():
                return self._results.of_robot(freezes)
            case Commands() | ProjectCommands():
                last, whole = self._results.of_phase(self._phases.position), results.kept(freezes)
                return artifacts.Left(whole.artifacts + last.artifacts, last.complaints)

    async def clean_up(self) -> None:
        """Give everything back. Its reports are over: nobody waits for this."""
        if self._project is not None:
            await self._project.clean_up()
        if self._spare is not None:
            await self._spare.discard()
        if self._lease is not None:
            self._lease.release()
        if self._place is not None:
            await self._bench.places.clear(self._place, keep=True)
        if self._has_entered:
            await self._bench.places.kept_homes.leave(str(self._assignment.workspace_id))


def _fits(script: str) -> bool:
    return fits_platform(script, machine=machine_name())
