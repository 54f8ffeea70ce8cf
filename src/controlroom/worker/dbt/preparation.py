"""What comes before the commands of a project's run: its files in a place, its tool, its profile, its database."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO, assert_never

from msgspec import Struct

from controlroom.project_plans import (
    FileRef,
    ProjectPlan,
    SourceComing,
    SourceHere,
    SourceRefused,
    WorkerFolder,
)
from controlroom.protocol import Assignment, DatabaseFile, ErrorCode, PackageRef, SandboxKind
from controlroom.robots.environment_spec import EnvironmentSpec, dated
from controlroom.worker import databases, reaching, variables
from controlroom.worker.console import Console
from controlroom.worker.databases import DatabaseCopy
from controlroom.worker.dbt import command_lines, leavings, parses, profiles, project_file, tools
from controlroom.worker.dbt import variables as own_variables
from controlroom.worker.dbt.command_lines import Setting
from controlroom.worker.environments.cache import Lease
from controlroom.worker.outcomes import Failure
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place
from controlroom.worker.server import AttemptReports
from controlroom.worker.supervision import Stage, Supervisor
from controlroom.worker.variables import RobotFolders
from controlroom.worker.workbench import Workbench
from controlroom.worker.zygotes import Zygote


class Ready(Struct, frozen=True):
    """What the commands run with."""

    stage: Stage
    setting: Setting
    variables: dict[str, str]
    dbt: Path
    own_spares: bool
    """Whether a zygote's spares may serve."""


class Preparation:
    """Prepares one run, and gives back at its end what that took."""

    def __init__(
        self,
        bench: Workbench,
        assignment: Assignment,
        reports: AttemptReports,
        console: Console,
        phases: Phases,
        supervisor: Supervisor,
    ) -> None:
        self._bench = bench
        self._assignment = assignment
        self._reports = reports
        self._console = console
        self._phases = phases
        self._supervisor = supervisor
        self._place: Place | None = None
        self._lease: Lease | None = None
        self._warms: tuple[EnvironmentSpec, str] | None = None
        """What later runs shall find a zygote for."""
        self.project = Path()
        """The folder of dbt_project.yml, as the worker sees it."""
        self.zygote: Zygote | None = None
        """Of what commands may be born, once it is ready."""
        self.database: DatabaseCopy | None = None
        """What is to be given back, if the database is a file of the room's."""
        self.parse_key = ""

    async def source(self, plan: ProjectPlan) -> None:
        """Have the project's files in a place of the run's own."""
        if self._bench.sandbox.kind is SandboxKind.UNAVAILABLE:
            self._console.say(f"Warning: this project runs without a sandbox ({self._bench.sandbox.note})")
        here = await self._source_here()
        zygotes = self._bench.workshop.zygotes
        try:
            spec = tools.recipe(plan.tool, added=self._bench.settings.dbt_requirements).spec
            self.zygote = zygotes.take(spec, plan.tool.adapter)
        except tools.ToolNotHad:
            pass  # told by the phase whose business it is
        nest = self.zygote.nest if self.zygote is not None else None
        place = self._place = self._bench.places.make("", nest, network=self._bench.settings.dbt_network)
        copying = self._bench.packages.copy_project_to(here.package, place, self._fetch)
        await self._supervisor.unless_ended(copying)
        self.project = _project_folder(place, here.package, plan.subdirectory)
        await asyncio.to_thread(shutil.rmtree, self.project / command_lines.TARGET_FOLDER, ignore_errors=True)
        at = f"commit {here.commit}" + (f" of {here.branch}" if here.branch else "") if here.commit else "a zip"
        self._console.say(f"Fetched {here.package.name}: {at}, {here.package.size:,} bytes.")
        if here.note:
            self._console.say(here.note)

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

    async def profile(self, plan: ProjectPlan) -> Ready:
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
        name, is_plain = project_file.profile_name(self.project)
        requirements = project_file.text_of(self.project / tools.REQUIREMENTS)
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
        folders = RobotFolders(place.inside(self.project), place.inside(self.project / command_lines.TARGET_FOLDER))
        place = self._place or place
        environment = lease.environment
        of_place = variables.of_place(place, environment, variables.of_machine())
        of_run = own_variables.of_project(plan.variables, plan.facts, of_place)
        of_run |= command_lines.variables(setting)
        self.parse_key = self._key_of_parse(plan, environment.fingerprint, place)
        if (kept := self._bench.workshop.parses.named(self.parse_key)) is not None:
            with suppress(OSError):
                kept = parses.of_run(kept, place.folder / leavings.PARSED, own_variables.in_artifacts(of_run))
            leavings.put_parsed(place, self.project, kept)
        ready = Ready(
            Stage(place, folders, environment),
            setting,
            of_run,
            dbt,
            own_spares=not recipe.is_own and not place.writable,
        )
        kind = plan.tool.adapter
        self._console.say(f"dbt {plan.tool.version} with {kind} on Python {environment.python_version}.")
        self._console.say(f"Profile {name}, target {plan.target_name}, {plan.threads} threads.")
        return ready

    def _key_of_parse(self, plan: ProjectPlan, fingerprint: str, place: Place) -> str:
        """What parses are kept by: dbt itself finds out which files have changed since."""
        project = str(place.inside(self.project))
        parts = (str(self._assignment.workspace_id), str(plan.facts.target), plan.subdirectory, fingerprint, project)
        return "\n".join(parts)

    async def _output(self, plan: ProjectPlan, place: Place) -> dict[str, object]:
        """The profile's output, with its database at hand. Raises what having it raises."""
        match plan.database:
            case None:
                return plan.output
            case DatabaseFile() as database:
                self.database = DatabaseCopy(
                    self._bench, self._assignment, self._reports, self._console, self._phases, database
                )
                await self._supervisor.unless_ended(self.database.fetch())
                return {**plan.output, "path": await self.database.lay_out(place)}
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
            reaching.make(place, folder)
        text = profiles.profile((name,), target=plan.target_name, output=output, threads=plan.threads)
        profile = place.folder / profiles.FILE
        profile.touch(mode=0o600)
        profile.write_bytes(text)
        reaching.put(place, profile, own / "profiles", profiles.FILE)
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
        reaching.put(place, await self._supervisor.unless_ended(fetching), folder, name)

    async def _fetch(self, content_hash: str, into: IO[bytes]) -> None:
        await self._reports.fetch_file(content_hash, into)

    async def give_back(self) -> None:
        """Give everything back, when no process of the run is left."""
        if self.zygote is not None:
            self._bench.workshop.zygotes.give_back(self.zygote)
        if self._warms is not None:  # only now: what it takes to make one was the run's
            self._bench.workshop.zygotes.have(*self._warms)
        if self._lease is not None:
            self._lease.release()
        if self._place is not None:
            await self._bench.places.clear(self._place, keep=True)


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
