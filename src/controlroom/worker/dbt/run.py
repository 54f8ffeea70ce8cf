"""One attempt of a project's run: its files, its tool and profile, its commands one after the other.

It goes by the plan that the server makes (`ProjectPlan`), holds it in memory only, and writes of its secrets nothing
but the profile, which the run's user alone may read. What a command has left is sent while the next one runs. Whatever
ends the run, the database goes back before its end is told, unless the attempt is somebody else's by then.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import IO, Final, assert_never

from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.protocol import (
    Assignment,
    Command,
    DatabaseFile,
    ErrorCode,
    FileRef,
    PackageRef,
    PhaseKind,
    PhaseState,
    PlannedPhase,
    ProjectPlan,
    Purpose,
    SandboxKind,
    SourceComing,
    SourceHere,
    SourceRefused,
    WorkerFolder,
)
from controlroom.robots.dbt_commands import CommandRefused
from controlroom.robots.environment_spec import EnvironmentSpec, dated
from controlroom.worker import artifacts, variables
from controlroom.worker.console import Console
from controlroom.worker.dbt import command_lines, databases, leavings, profiles, project_file, tools
from controlroom.worker.dbt import variables as own_variables
from controlroom.worker.dbt.command_lines import Setting
from controlroom.worker.dbt.kept_files import digest
from controlroom.worker.dbt.leavings import Leavings
from controlroom.worker.dbt.masks import Masks
from controlroom.worker.environments.cache import Lease
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.outcomes import Failure
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place
from controlroom.worker.server import AttemptReports
from controlroom.worker.spare import Spare
from controlroom.worker.succession import cause_of_skips, counts, is_due
from controlroom.worker.supervision import Stage, Supervisor
from controlroom.worker.time_limit import TimeLimit
from controlroom.worker.variables import RobotFolders
from controlroom.worker.workbench import Workbench
from controlroom.worker.zygotes import Zygote

_INTERRUPT_SECONDS: Final = 10.0
"""How long dbt may take after a SIGINT: it cancels its queries and writes its results (protocols/dbt_cloud §9.5)."""
_CHECKPOINT_SECONDS: Final = 60.0


class _Ready(Struct, frozen=True):
    """What the commands run with."""

    stage: Stage
    setting: Setting
    variables: dict[str, str]
    dbt: Path
    own_spares: bool
    """Whether a zygote's spares may serve."""


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
        self._place: Place | None = None
        self._project = Path()
        """The folder of dbt_project.yml, as the worker sees it."""
        self._lease: Lease | None = None
        self._zygote: Zygote | None = None
        self._warms: tuple[EnvironmentSpec, str] | None = None
        """What later runs shall find a zygote for."""
        self._masks = Masks(())
        self._ready: _Ready | None = None
        self._database: DatabaseFile | None = None
        self._parse_key = ""
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
        await self._keep_database()
        if counted:
            raise counted[0]
        return 0

    async def finish(self) -> None:
        """Send what was not sent: what the last command left, and the database of a run that was ended."""
        if self._orders.end is EndReason.ABANDONED:
            return
        await self._hand_in()
        await self._sent()
        try:
            await self._keep_database()
        except Failure as failure:
            self._console.say(failure.message)

    async def clean_up(self) -> None:
        """Give everything back."""
        if self._sending is not None:
            self._sending.cancel()
        if self._zygote is not None:
            self._bench.workshop.zygotes.give_back(self._zygote)
        if self._warms is not None:  # only now: what it takes to make one was the run's
            self._bench.workshop.zygotes.have(*self._warms)
        if self._lease is not None:
            self._lease.release()
        if self._place is not None:
            await self._bench.places.clear(self._place, keep=True)

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
                await self._as_failure(self._source(plan), ErrorCode.PACKAGE_INVALID)
                self._phases.end(PhaseState.SUCCEEDED)
            case PhaseKind.PROFILE:
                await self._as_failure(self._profile(plan), ErrorCode.ENVIRONMENT_FAILED)
                self._phases.end(PhaseState.SUCCEEDED)
                self._supervisor.limit = TimeLimit(self._assignment.timeout_seconds)
            case PhaseKind.COMMAND:
                await self._command(phase)
            case PhaseKind.ENVIRONMENT | PhaseKind.PRE_RUN_SCRIPT | PhaseKind.TASK:
                raise Failure(ErrorCode.PACKAGE_INVALID, f"A project has no phase of the kind {phase.kind.value}.")
            case _ as unknown:
                assert_never(unknown)

    async def _as_failure(self, work: Awaitable[None], code: ErrorCode) -> None:
        """Do some work; what the project or its settings are to blame for is said in the console, and is a Failure.

        Raises it as it is where the worker may be to blame, and another may do better.
        """
        try:
            await work
        except Invalid as error:
            message = self._masks.of_text(error.message)
            self._console.say(message)
            if self._bench.health.look():
                raise
            raise Failure(code, message) from error

    async def _source(self, plan: ProjectPlan) -> None:
        """Have the project's files in a place of the run's own."""
        if self._bench.sandbox.kind is SandboxKind.UNAVAILABLE:
            self._console.say(f"Warning: this project runs without a sandbox ({self._bench.sandbox.note})")
        here = await self._source_here()
        zygotes = self._bench.workshop.zygotes
        try:
            spec = tools.recipe(plan.tool, added=self._bench.settings.dbt_requirements).spec
            self._zygote = zygotes.take(spec, plan.tool.adapter)
        except tools.ToolNotHad:
            pass  # told by the phase whose business it is
        nest = self._zygote.nest if self._zygote is not None else None
        place = self._place = self._bench.places.make("", nest, network=self._bench.settings.dbt_network)
        copying = self._bench.packages.copy_project_to(here.package, place, self._fetch)
        await self._supervisor.unless_ended(copying)
        self._project = _project_folder(place, here.package, plan.subdirectory)
        await asyncio.to_thread(shutil.rmtree, self._project / command_lines.TARGET_FOLDER, ignore_errors=True)
        at = f"commit {here.commit}" + (f" of {here.branch}" if here.branch else "") if here.commit else "a zip"
        self._console.say(f"Fetched {here.package.name}: {at}, {here.package.size:,} bytes.")

    async def _source_here(self) -> SourceHere:
        was_told = False
        while True:
            match await self._supervisor.unless_ended(self._reports.source()):
                case SourceHere() as here:
                    return here
                case SourceComing(seconds):
                    if not was_told:
                        self._console.say("Waiting for the repository to be fetched.")
                        was_told = True
                    await self._supervisor.unless_ended(asyncio.sleep(seconds))
                case SourceRefused(message):
                    self._console.say(message)
                    raise Failure(ErrorCode.PACKAGE_INVALID, message)

    async def _profile(self, plan: ProjectPlan) -> None:
        """Have the tool, the profile, the database, and what commands compare themselves with."""
        place = self._place
        assert place is not None  # noqa: S101 - the source has been fetched
        if plan.trouble:
            raise tools.ToolNotHad(plan.trouble, code="NO_PROFILE")
        settings = self._bench.settings
        if not settings.dbt_network and not self._bench.sandbox.is_on:
            raise tools.ToolNotHad(
                "This worker keeps projects from the network (dbt_network), which it cannot without a sandbox."
            )
        name, is_plain = project_file.profile_name(self._project)
        requirements = project_file.text_of(self._project / tools.REQUIREMENTS)
        recipe = tools.recipe(plan.tool, requirements, added=settings.dbt_requirements)
        spec = dated(recipe.spec, self._assignment.exclude_newer) if recipe.is_own else recipe.spec
        share = self._assignment.share if recipe.is_own else ""
        lease = self._lease = await self._supervisor.unless_ended(
            self._bench.environments.lease(spec, progress=self._console.say, share_key=share)
        )
        dbt = lease.environment.prefix / "bin" / "dbt"
        if not dbt.is_file():
            raise tools.ToolNotHad(f"The project's {tools.REQUIREMENTS} installs no dbt.")
        self._warms = None if recipe.is_own else (recipe.spec, plan.tool.adapter)
        output = await self._output(plan, place)
        setting = await self._write(plan, place, output, name=name, is_plain=is_plain)
        folders = RobotFolders(place.inside(self._project), place.inside(self._project / command_lines.TARGET_FOLDER))
        place = self._place or place
        environment = lease.environment
        of_place = variables.of_place(place, environment, variables.of_machine())
        of_run = own_variables.of_project(plan.variables, plan.facts, of_place)
        of_run |= command_lines.variables(setting)
        self._parse_key = self._key_of_parse(plan, environment.fingerprint, place)
        if (kept := self._bench.workshop.parses.named(self._parse_key)) is not None:
            leavings.put_parsed(place, self._project, kept)
        self._ready = _Ready(
            Stage(place, folders, environment),
            setting,
            of_run,
            dbt,
            own_spares=not recipe.is_own and not place.writable,
        )
        kind = plan.tool.adapter
        self._console.say(f"dbt {plan.tool.version} with {kind} on Python {environment.python_version}.")
        self._console.say(f"Profile {name}, target {plan.target_name}, {plan.threads} threads.")

    def _key_of_parse(self, plan: ProjectPlan, fingerprint: str, place: Place) -> str:
        """What parses are kept by: dbt itself finds out which files have changed since."""
        project = str(place.inside(self._project))
        parts = (str(self._assignment.workspace_id), str(plan.facts.target), plan.subdirectory, fingerprint, project)
        return "\n".join(parts)

    async def _output(self, plan: ProjectPlan, place: Place) -> dict[str, object]:
        """The profile's output, with its database at hand. Raises what having it raises."""
        match plan.database:
            case None:
                return plan.output
            case DatabaseFile() as database:
                folder = place.work / databases.FOLDER
                leavings.make(place, folder)
                file = databases.file_name(database)
                if database.hash is not None:
                    fetching = self._bench.workshop.databases.fetched(database.hash, self._fetch)
                    kept = await self._supervisor.unless_ended(fetching)
                    await asyncio.to_thread(leavings.put, place, kept, folder, file)
                self._database = database
                return {**plan.output, "path": str(place.inside(folder / file))}
            case WorkerFolder(path):
                allowed = self._bench.settings.database_folders
                found = databases.on_disk(path, allowed, place)
                self._place = databases.with_folder(place, found.parent)
                return {**plan.output, "path": str(found)}
            case _ as unknown:
                assert_never(unknown)

    async def _write(
        self, plan: ProjectPlan, place: Place, output: dict[str, object], *, name: str, is_plain: bool
    ) -> Setting:
        """Write the profile and the files of states into the place."""
        own = place.work / "dbt"
        for folder in (own, own / "profiles", own / leavings.LOGS, own / "state", own / "deferred"):
            leavings.make(place, folder)
        text = profiles.profile((name,), target=plan.target_name, output=output, threads=plan.threads)
        profile = place.folder / profiles.FILE
        profile.touch(mode=0o600)
        profile.write_bytes(text)
        leavings.put(place, profile, own / "profiles", profiles.FILE)
        profile.unlink()
        if plan.defer is not None:
            await self._bring(place, plan.defer, own / "deferred", "manifest.json")
        for file in plan.retry:
            await self._bring(place, file, own / "state", Path(file.name).name)
        return Setting(
            profiles=str(place.inside(own / "profiles")),
            logs=str(place.inside(own / leavings.LOGS)),
            target=plan.target_name,
            threads=plan.threads,
            profile="" if is_plain else name,
            defers_to=str(place.inside(own / "deferred")) if plan.defer is not None else "",
        )

    async def _bring(self, place: Place, file: FileRef, folder: Path, name: str) -> None:
        fetching = self._bench.workshop.databases.fetched(file.hash, self._fetch)
        leavings.put(place, await self._supervisor.unless_ended(fetching), folder, name)

    async def _fetch(self, content_hash: str, into: IO[bytes]) -> None:
        await self._reports.fetch_file(content_hash, into)

    async def _command(self, phase: PlannedPhase) -> None:
        ready = self._ready
        assert ready is not None  # noqa: S101 - nothing comes before the profile
        if phase.purpose is Purpose.DEPS and not project_file.has_packages(self._project):
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
            message = f"`{phase.name}` ended with exit code {exit_code}.{last}"
            raise Failure(ErrorCode.ROBOT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED, exit_code=0)

    async def _run(self, words: Sequence[str], ready: _Ready, phase: PlannedPhase) -> int:
        stage = ready.stage
        for name in ("stdout.log", "stderr.log"):  # the last words are to be this command's
            (stage.place.folder / name).unlink(missing_ok=True)
        self._ran = self._phases.position
        spare = await self._spare(ready)
        argv = [str(stage.environment.python), str(ready.dbt), *words]
        try:
            return await self._supervisor.run(argv, ready.variables, stage, spare=spare)
        except Failure as failure:  # the time limit
            raise Failure(failure.error.code, f"While `{phase.name}` ran: {failure.message}") from failure

    async def _spare(self, ready: _Ready) -> Spare | None:
        if self._zygote is None or not ready.own_spares or not (self._zygote.is_alive and self._zygote.is_ready):
            return None
        return await self._bench.workshop.zygotes.bear(self._zygote, ready.stage.place, ready.stage.environment)

    def _setting_for(self, phase: PlannedPhase, ready: _Ready) -> Setting:
        """What the run says to a command: one that goes on from results is told where they are."""
        if "retry" not in phase.words:
            return ready.setting
        place = ready.stage.place
        state = place.work / "dbt" / "state"
        if phase.purpose is not Purpose.RETRY and self._last is not None:
            for name in ("run_results.json", "manifest.json"):
                if (left := self._last.target / name).is_file():
                    leavings.put(place, left, state, name)
        return command_lines.going_on_from(ready.setting, str(place.inside(state)))

    async def _hand_in(self) -> None:
        """Take what the last command left out of its place, and send it aside."""
        position, self._ran = self._ran, None
        if self._ready is None or position is None:
            return
        place = self._ready.stage.place
        into = place.folder / "left" / str(position)
        logs = place.work / "dbt" / leavings.LOGS
        left = leavings.take(place, self._project, logs, into)
        if left.parsed.is_file():
            leavings.put_parsed(place, self._project, left.parsed)
            self._bench.workshop.parses.keep(self._parse_key, left.parsed)
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
        database, self._database = self._database, None
        if database is None or self._ready is None or self._orders.end is EndReason.WORKER_STOPS:
            return
        if not self._supervisor.may_have_run:
            return
        place, stage = self._ready.stage.place, self._ready.stage
        folder, name = place.work / databases.FOLDER, databases.file_name(database)
        if databases.has_unsaved(place, folder, name):
            await self._checkpoint(stage, str(place.inside(folder / name)))
        file = databases.take(place, folder, name, place.folder)
        if file is None:
            return
        try:
            await databases.put(self._reports, file, database)
        except databases.DatabaseNotHad as error:
            raise Failure(ErrorCode.ROBOT_FAILED, error.message) from error
        found = await asyncio.to_thread(digest, file)
        await asyncio.to_thread(self._bench.workshop.databases.keep, found, file, moved=True)

    async def _checkpoint(self, stage: Stage, path: str) -> None:
        """Bring what a command that was killed has committed into the database's file."""
        argv = [str(stage.environment.python), "-c", databases.CHECKPOINT, path]
        aside = Supervisor(self._bench, Orders(self._assignment), self._console, self._phases)
        aside.limit = TimeLimit(_CHECKPOINT_SECONDS)
        assert self._ready is not None  # noqa: S101 - see above
        await aside.run(argv, self._ready.variables, stage, spare=None)


def _as_command(phase: PlannedPhase) -> Command:
    """A phase as rules of succession know it."""
    return Command(name=phase.name, words=phase.words or (phase.kind.value,), on_failure=phase.on_failure)


def _project_folder(place: Place, package: PackageRef, subdirectory: str) -> Path:
    """The folder of dbt_project.yml in a place. Raises NoProject."""
    for inner in dict.fromkeys([package.folder or subdirectory, subdirectory]):
        parts = [part for part in inner.split("/") if part not in {"", "."}]
        folder = place.robot.joinpath(*parts)
        if ".." not in parts and (folder / project_file.NAME).is_file():
            return folder
    raise project_file.NoProject(
        f"There is no {project_file.NAME} in the folder `{subdirectory or '.'}` of the source."
    )
