"""One attempt of one step run, from the assignment to its last report.

Nobody else runs this attempt: the server leased it to this worker. When the worker dies half-way, its robots die with
it and the lease runs out; what was acknowledged (phases, console, artifacts) stays. It costs the robot and some six
requests.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog
from msgspec import Struct, structs

from controlroom.errors import ControlRoomError
from controlroom.protocol import (
    Assignment,
    ErrorCode,
    Finish,
    PhaseKind,
    PhaseState,
    SandboxKind,
)
from controlroom.robots.definition import (
    TaskDefinition,
    command_line,
    find_task,
    fits_platform,
    machine_name,
    split_command,
)
from controlroom.robots.environment_spec import dated
from controlroom.worker import artifacts, launch, outcomes, variables
from controlroom.worker.console import Console
from controlroom.worker.environments.cache import EnvironmentCache, Lease
from controlroom.worker.environments.environment import EnvironmentKind
from controlroom.worker.freezes import Freezes
from controlroom.worker.health import Health
from controlroom.worker.launch import Command, CommandNotFound, Running
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.outcomes import Ended, Failure, NotBegun
from controlroom.worker.packages import Package, PackageCache
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place, Places, make_space
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.server import Refused, Server, Superseded
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.spare import Spare
from controlroom.worker.spares import Spares
from controlroom.worker.time_limit import TimeLimit

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_SLOW_SECONDS = 0.1
"""An environment that takes longer is reported as being built; others appear finished at once."""
_TAIL_BYTES = 1500
_LOOK_SECONDS = 1.0
"""How often a running robot is looked after."""


class Workbench(Struct, frozen=True):
    """What all step runs of a worker share."""

    settings: WorkerSettings
    server: Server
    sandbox: Sandbox
    packages: PackageCache
    environments: EnvironmentCache
    freezes: Freezes
    places: Places
    spares: Spares
    health: Health


class StepRun:
    """Runs one attempt."""

    def __init__(self, bench: Workbench, assignment: Assignment, orders: Orders) -> None:
        self._bench = bench
        self._assignment = assignment
        self._orders = orders
        self._reports = bench.server.attempt(assignment)
        self._console = Console(self._reports.console)
        self._phases = Phases(self._reports, self._console)
        self._started = time.monotonic()
        self._limit = TimeLimit(None)
        self._brought: artifacts.Brought = {}
        self._place: Place | None = None
        self._lease: Lease | None = None
        self._spare: Spare | None = None
        self._in_spare = False
        self._may_have_run = False
        self.given_back = ""
        """Why this worker could not begin it; empty if it did."""
        self._folders: variables.RobotFolders | None = None
        self._has_entered = False

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
            log_fields["spare"] = self._in_spare
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
        """What became of the robot. Raises Ended when it is nobody's business any more, and NotBegun."""
        try:
            return Finish(exit_code=await self._run())
        except Superseded:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a step run: bugs are logged by the next line's function
            trouble = self._bench.health.look
            return outcomes.after(error, may_have_run=self._may_have_run, trouble=trouble)

    async def _run(self) -> int:
        """Everything from the package to the robot's exit code. Raises Failure, Ended and what the parts raise."""
        with self._phases.running(PhaseKind.ENVIRONMENT, "environment"):
            package, task = await self._environment_phase()
        command_words = self._command_words(package, task)
        scripts = [script for script in package.definition.pre_run_scripts if _fits(script)]
        kinds = [PhaseKind.PRE_RUN_SCRIPT if scripts else PhaseKind.TASK]
        self._phases.begin(kinds[0], scripts[0] if scripts else task.name)
        # Why together: the server's word that the robot may begin takes about as long as to copy the robot
        copying = asyncio.create_task(self._furnish(package))
        try:
            await self._unless_ended(self._phases.report())
            robot_variables = await copying
        finally:
            copying.cancel()
        self._limit = TimeLimit(self._assignment.timeout_seconds)
        for position, script in enumerate(scripts):
            if position:
                self._phases.begin(PhaseKind.PRE_RUN_SCRIPT, script)
            await self._pre_run_script(script, robot_variables)
        if scripts:
            self._phases.begin(PhaseKind.TASK, task.name)
        return await self._task(command_words, robot_variables)

    async def _environment_phase(self) -> tuple[Package, TaskDefinition]:
        """Have the package and the environment, and show what that takes when it takes long."""
        slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._report_soon)
        try:
            if self._bench.sandbox.kind is SandboxKind.UNAVAILABLE:
                self._console.say(f"Warning: this robot runs without a sandbox ({self._bench.sandbox.note})")
            package = await self._unless_ended(self._bench.packages.get(self._assignment.package))
            try:
                task = find_task(package.definition, self._assignment.task)
            except ControlRoomError as error:
                raise Failure(ErrorCode.TASK_NOT_FOUND, error.message) from error
            environment = dated(package.environment, self._assignment.exclude_newer)
            package = structs.replace(package, environment=environment)
            self._lease = await self._unless_ended(self._take_lease(package))
        finally:
            slow.cancel()
        return package, task

    def _report_soon(self) -> None:
        task = asyncio.ensure_future(self._phases.report())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _take_lease(self, package: Package) -> Lease:
        share = "" if self._assignment.share_environments else str(self._assignment.workspace_id)
        return await self._bench.environments.lease(package.environment, progress=self._console.say, share_key=share)

    def _command_words(self, package: Package, task: TaskDefinition) -> list[str]:
        """The words of the task's command; and a spare that may serve it, put aside for this attempt."""
        assert self._lease is not None  # noqa: S101 - the environment phase has ended
        words = command_line(task, artifacts_dir=package.definition.artifacts_dir)
        spare = self._bench.spares.take(words, package.environment, self._lease.environment, self._assignment)
        self._spare, self._place = spare, spare.place if spare else self._make_place()
        root = package.root
        self._folders = variables.RobotFolders.of(self._place, root, package.definition)
        return command_line(task, artifacts_dir=self._folders.artifacts)

    def _make_place(self) -> Place:
        return self._bench.places.make(str(self._assignment.workspace_id))

    async def _enter_kept_home(self) -> None:
        assert self._place is not None  # noqa: S101 - as in _furnish
        await self._bench.places.kept_homes.enter(str(self._assignment.workspace_id), self._place.user)
        self._has_entered = True

    async def _furnish(self, package: Package) -> dict[str, str]:
        """Copy the robot to its place; returns its variables."""
        place, folders, lease = self._place, self._folders, self._lease
        assert place is not None and folders is not None and lease is not None  # noqa: PT018, S101 - set one step earlier
        await self._enter_kept_home()
        await self._bench.packages.copy_to(package, place)
        if lease.environment.kind is not EnvironmentKind.MACHINE:
            make_space(place, lease.environment.prefix)
        artifacts_folder, root = place.outside(folders.artifacts), place.outside(folders.root)
        if artifacts_folder.exists():
            self._brought = await asyncio.to_thread(artifacts.brought_in, artifacts_folder)
        else:
            artifacts_folder.mkdir(parents=True)
            for folder in (artifacts_folder, *artifacts_folder.parents):
                if folder == root:
                    break
                place.own(folder)
        machine = variables.of_place(place, lease.environment, variables.of_machine())
        return variables.of_step_run(
            machine, self._assignment, url=self._bench.server.url, folders=folders, definition=package.definition
        )

    async def _pre_run_script(self, script: str, robot_variables: dict[str, str]) -> None:
        try:
            exit_code, _ = await self._command(split_command(script, "preRunScripts"), robot_variables, spare=None)
        except CommandNotFound as error:
            self._phases.end(PhaseState.FAILED, error.message)
            raise Failure(ErrorCode.PRE_RUN_SCRIPT_FAILED, f"{script}: {error.message}") from error
        if exit_code != 0:
            message = f"The script `{script}` ended with exit code {exit_code}.{self._last_words()}"
            self._phases.end(PhaseState.FAILED, message)
            raise Failure(ErrorCode.PRE_RUN_SCRIPT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED)

    async def _task(self, words: list[str], robot_variables: dict[str, str]) -> int:
        spare, self._spare = self._spare, None
        try:
            exit_code, _ = await self._command(words, robot_variables, spare=spare)
        except CommandNotFound as error:
            self._console.say(error.message)
            self._phases.end(PhaseState.FAILED, error.message)
            raise Failure(ErrorCode.ROBOT_FAILED, error.message) from error
        if exit_code != 0:
            message = f"The robot ended with exit code {exit_code}.{self._last_words()}"
            self._phases.end(PhaseState.FAILED, message)
            raise Failure(ErrorCode.ROBOT_FAILED, message, exit_code)
        self._phases.end(PhaseState.SUCCEEDED)
        return exit_code

    async def _command(
        self, words: list[str], robot_variables: dict[str, str], *, spare: Spare | None
    ) -> tuple[int, Running]:
        """Run one command of the robot to its end. Raises Ended, Failure (TIMEOUT) and CommandNotFound."""
        place, folders, lease = self._place, self._folders, self._lease
        assert place is not None and folders is not None and lease is not None  # noqa: PT018, S101 - as in _furnish
        try:
            command = Command.resolve(words, robot_variables, folders.root, place=place)
        except CommandNotFound:
            if spare is not None:
                await spare.discard()
            raise
        before, self._may_have_run = self._may_have_run, spare is not None or self._may_have_run
        running = await self._unless_ended(spare.become(command)) if spare is not None else None
        self._in_spare = running is not None
        if running is None:
            self._may_have_run = before
            running = launch.start(self._bench.sandbox, command, place=place, environment=lease.environment)
        self._may_have_run = True
        self._bench.health.succeeded()
        running.show_in(self._console)
        try:
            exit_code = await self._supervise(running)
            await running.drain()
        finally:
            await running.tree.kill()
            running.close()
        return exit_code, running

    async def _supervise(self, running: Running) -> int:
        """Wait for the end of the robot, obeying orders and the time limit meanwhile."""
        tree, ended = running.tree, asyncio.ensure_future(running.tree.wait())
        paused = held_up = False
        while not tree.has_ended:
            if self._orders.end is not None or self._limit.is_over:
                abandoned = self._orders.end is EndReason.ABANDONED
                await tree.terminate(0.0 if abandoned else self._bench.settings.kill_grace_seconds)
                await running.drain()
                self._raise_end()
            if self._orders.paused != paused:
                paused = self._orders.paused
                _pause_or_resume(running, self._limit, paused=paused)
            changed = asyncio.ensure_future(self._orders.changed())
            patience = min(_LOOK_SECONDS, self._limit.remaining or _LOOK_SECONDS)
            done, _ = await asyncio.wait({ended, changed}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            held_up, was = not done and tree.is_held_up, held_up
            if held_up and was:
                self._console.say("The robot was ended because it held up the process that watches over it.")
                await tree.kill()
        return await ended

    def _raise_end(self) -> None:
        if self._orders.end is not None:
            self._phases.end(PhaseState.FAILED, "ended from outside")
            raise Ended(self._orders.end)
        message = f"The robot was ended because its time limit of {self._limit.seconds:g} s was over."
        self._console.say(message)
        self._phases.end(PhaseState.FAILED, message)
        raise Failure(ErrorCode.TIMEOUT, message)

    async def _unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of some work of the worker's. Raises Ended when that order comes first; the work is cancelled."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                if self._orders.end is not None:
                    raise Ended(self._orders.end)
                changed = asyncio.ensure_future(self._orders.changed())
                await asyncio.wait({task, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            return await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def _finish(self, finish: Finish) -> None:
        """Send the rest of the console and the artifacts, then the end."""
        self._phases.end(PhaseState.FAILED, finish.error.message if finish.error else "")
        self._console.hurry()
        left = await asyncio.to_thread(self._artifacts)
        uploaded = await artifacts.upload_obeying(self._orders, left.artifacts, self._reports)
        for complaint in left.complaints + uploaded:
            self._console.say(complaint)
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

    def _artifacts(self) -> artifacts.Left:
        """What the robot left, the raw logs, and what its environment was made of."""
        if self._place is None or self._folders is None or self._lease is None:
            return artifacts.Left([])
        own = [(path.name, path) for path in (self._place.folder / "stdout.log", self._place.folder / "stderr.log")]
        own += self._bench.freezes.of(self._lease.environment)
        found = [artifacts.Artifact(name, path, path.stat().st_size) for name, path in own if path.exists()]
        folder = self._place.outside(self._folders.artifacts)
        left = artifacts.left_in(folder, self._brought, taken={artifact.name for artifact in found})
        return artifacts.Left(found + left.artifacts, left.complaints)

    def _last_words(self) -> str:
        """For the message of its failure: what it used too much of, and the end of its stderr (else stdout)."""
        assert self._place is not None  # noqa: S101 - a robot ran in it
        overrun = self._place.limits.overrun
        for name in ("stderr.log", "stdout.log"):
            if lines := _tail(self._place.folder / name):
                return f"{overrun} Last lines:\n{lines}"
        return overrun

    async def clean_up(self) -> None:
        """Give everything back. Its reports are over: nobody waits for this."""
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


def _pause_or_resume(running: Running, limit: TimeLimit, *, paused: bool) -> None:
    if paused:
        running.tree.pause()
        limit.rest()
    else:
        limit.go_on()
        running.tree.resume()


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-10:])
