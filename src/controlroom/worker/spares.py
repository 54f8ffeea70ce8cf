"""Spare interpreters: started before anyone asks, so that a robot need not wait for Python and its library.

One loop keeps them: it starts spares for commands that were asked for lately, and takes them away when nobody
asks or memory runs short. Nobody else starts any. When the worker dies, its spares
do too. Where there is a sandbox, a zygote bears the spares of an environment (`zygotes.py`): then each costs a few
milliseconds and the memory that it does not share. Elsewhere, and where a zygote can't be had, a spare is a process of
its own: making it costs what starting the robot would have cost, but not while the robot's user waits.
"""

import asyncio
import shutil
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog

from controlroom.errors import ControlRoomError
from controlroom.protocol import Assignment
from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.worker import launch, preloads, variables
from controlroom.worker.environments.cache import Lease
from controlroom.worker.environments.environment import Environment
from controlroom.worker.launch import Command, Running
from controlroom.worker.places import Place, Places
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.spare import FIRST_GUESS_BYTES, Recipe, Spare
from controlroom.worker.zygotes import NotBorn, Programs, Zygote

log = structlog.get_logger(__name__)

TakeLease = Callable[[EnvironmentSpec | None, str], Awaitable[Lease]]
"""Takes one more lease of an environment that is built already."""

_RECENT_SECONDS = 3.0
_REFILL_PAUSE_SECONDS = 1.0
"""A robot that just took a spare has the processor to itself for this long, unless it ends earlier."""
_START_PATIENCE_SECONDS = 30.0
_MOST_FAILURES = 3


class _Demand:
    """How often a recipe was asked for."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.asked: deque[float] = deque()
        self.last = 0.0
        self.held = 0
        """So many are kept whether or not anybody asks."""
        self.not_before = 0.0
        self.failures = 0
        self.zygote: Zygote | None = None
        self.zygotes_failed = 0

    def note(self, now: float) -> None:
        self.last = now
        self.asked.append(now)
        while self.asked and self.asked[0] < now - _RECENT_SECONDS:
            self.asked.popleft()


class Spares:
    """The spares of one worker."""

    def __init__(self, settings: WorkerSettings, sandbox: Sandbox, places: Places, take_lease: TakeLease) -> None:
        self._settings = settings
        self._sandbox = sandbox
        self._places = places
        self._take_lease = take_lease
        self.programs = Programs.copy_to(settings.folder)
        self._spares: list[Spare] = []
        self._demands: dict[Recipe, _Demand] = {}
        self._awake = asyncio.Event()
        self._machine = variables.of_machine()

    def take(
        self, words: Sequence[str], spec: EnvironmentSpec | None, environment: Environment, assignment: Assignment
    ) -> Spare | None:
        """A spare for a command, None if there is none (then remember to have one next time)."""
        if self._settings.spares_memory_bytes <= 0:
            return None
        if "PATH" in assignment.variables:
            return None
        workspace = str(assignment.workspace_id)
        recipe = self.recipe(words, spec, environment, share=assignment.share, workspace=workspace)
        if recipe is None:
            return None
        demand = self._demands.setdefault(recipe, _Demand(environment))
        demand.environment = environment
        now = time.monotonic()
        demand.note(now)
        demand.not_before = now + _REFILL_PAUSE_SECONDS
        waiting = [spare for spare in self._spares if spare.recipe == recipe and spare.is_alive]
        self._awake.set()
        if not waiting:
            return None
        spare = max(waiting, key=lambda spare: spare.is_ready)
        self._spares.remove(spare)
        return spare

    def robot_ended(self) -> None:
        """A robot has ended, and left processor time for making spares."""
        for demand in self._demands.values():
            demand.not_before = 0.0
        self._awake.set()

    async def keep(self) -> None:
        """The loop that starts spares and takes them away, until cancelled."""
        try:
            while True:
                self._awake.clear()
                try:
                    await self._clear_dead()
                    await self._clear_zygotes()
                    await self._clear_idle()
                    pause = await self._fill()
                except Exception:
                    log.exception("keeping spares failed; robots start without them meanwhile")
                    pause = _START_PATIENCE_SECONDS
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._awake.wait()
        finally:
            for spare in list(self._spares):
                await self._remove(spare)
            for demand in list(self._demands.values()):
                await self._end_zygote(demand)

    def hold(self, counts: Mapping[Recipe, int], environments: Mapping[Recipe, Environment]) -> None:
        """Keep so many spares of these recipes, whether or not anybody asks for them; others are kept as is usual."""
        now = time.monotonic()
        for recipe, demand in self._demands.items():
            if demand.held and recipe not in counts:
                demand.held, demand.last = 0, now
        for recipe, count in counts.items():
            demand = self._demands.setdefault(recipe, _Demand(environments[recipe]))
            demand.environment = environments[recipe]
            demand.held = min(count, self._settings.slots)
        self._awake.set()

    def recipe(
        self,
        words: Sequence[str],
        spec: EnvironmentSpec | None,
        environment: Environment,
        *,
        share: str,
        workspace: str,
    ) -> Recipe | None:
        """What a spare for a command must be; None if none can serve it."""
        preload = preloads.for_command(words)
        if preload is None:
            return None
        path = environment.activate({"PATH": variables.SYSTEM_PATH})["PATH"]
        interpreter = shutil.which(words[0], path=path)
        if interpreter is None or not _belongs_to(Path(interpreter), environment):
            log.debug("no spare for a command", program=words[0], found=interpreter)
            return None
        return Recipe(interpreter, preload, share, workspace, spec)

    async def _fill(self) -> float:
        """Start one spare if one is missing; returns how long to sleep when nothing happens."""
        now = time.monotonic()
        pause = self._settings.spares_idle_seconds / 4
        for recipe, demand in sorted(self._demands.items(), key=lambda entry: -entry[1].last):
            if self._is_idle(demand, now):
                continue  # it is there for its zygote only, whose last robot still runs
            have = sum(spare.recipe == recipe for spare in self._spares)
            if have >= self._wanted(demand, now) or demand.failures >= _MOST_FAILURES:
                continue
            # In a rush every processor is busy anyway, and what a spare costs now the next robot need not pay
            is_cheap = demand.zygote is not None and demand.zygote.is_ready
            if now < demand.not_before and self._wanted(demand, now) == 1 and not is_cheap:
                pause = min(pause, demand.not_before - now)
                continue
            if not self._has_memory_for(recipe):
                continue
            if await self._start(recipe, demand):
                return 0.0
        return pause

    def _wanted(self, demand: _Demand, now: float) -> int:
        recent = sum(asked > now - _RECENT_SECONDS for asked in demand.asked)
        return max(1, demand.held, min(self._settings.slots, recent))

    def _has_memory_for(self, recipe: Recipe) -> bool:
        alike = [spare.memory_bytes for spare in self._spares if spare.recipe == recipe]
        needed = alike[0] if alike else FIRST_GUESS_BYTES
        return self._held_bytes() + needed <= self._settings.spares_memory_bytes

    def _held_bytes(self) -> int:
        zygotes = (demand.zygote.memory_bytes for demand in self._demands.values() if demand.zygote is not None)
        return sum(spare.memory_bytes for spare in self._spares) + sum(zygotes)

    async def _start(self, recipe: Recipe, demand: _Demand) -> bool:
        """Start a spare; False if it must wait for its zygote."""
        try:
            if not self._may_have_zygote(demand):
                self._put(recipe, *await self._start_alone(recipe), is_forked=False)
                return True
            if demand.zygote is None:
                lease = await self._take_lease(recipe.environment, recipe.share)
                demand.zygote = await Zygote.start(
                    self._sandbox,
                    self._places,
                    lease,
                    self.programs,
                    interpreter=recipe.interpreter,
                    preload=recipe.preload,
                    workspace=recipe.workspace,
                    when_ready=self._awake.set,
                )
            if not demand.zygote.is_ready:
                return False
            self._put(recipe, *await self._bear(demand.zygote, recipe), is_forked=True)
        except NotBorn as error:
            log.warning("not born", reason=str(error))
            demand.zygotes_failed += 1
        except (ControlRoomError, OSError) as error:
            demand.failures += 1
            log.warning("no spare", reason=repr(error))
        return True

    def _may_have_zygote(self, demand: _Demand) -> bool:
        return self._settings.spares_forked and self._sandbox.is_on and demand.zygotes_failed < _MOST_FAILURES

    def _put(
        self, recipe: Recipe, place: Place, lease: Lease, running: Running, line: socket.socket, *, is_forked: bool
    ) -> None:
        spare = Spare(recipe, place, lease, running, line, is_forked=is_forked)
        spare.variables = variables.of_place(place, lease.environment, self._machine)
        running.tree.when_ended(self._awake.set)
        self._spares.append(spare)

    async def _bear(self, zygote: Zygote, recipe: Recipe) -> tuple[Place, Lease, Running, socket.socket]:
        async with AsyncExitStack() as if_it_fails:
            lease = await self._take_lease(recipe.environment, recipe.share)
            if_it_fails.callback(lease.release)
            place = self._places.make(recipe.workspace, zygote.nest)
            if_it_fails.push_async_callback(self._places.clear, place)
            running, line = await zygote.bear(place)
            if_it_fails.pop_all()
            return place, lease, running, line

    async def _start_alone(self, recipe: Recipe) -> tuple[Place, Lease, Running, socket.socket]:
        async with AsyncExitStack() as if_it_fails:
            lease = await self._take_lease(recipe.environment, recipe.share)
            if_it_fails.callback(lease.release)
            place = self._places.make(recipe.workspace)
            if_it_fails.push_async_callback(self._places.clear, place)
            line, their_line = socket.socketpair()
            line.setblocking(False)  # noqa: FBT003 - a method of the standard library
            with their_line:
                if_it_fails.callback(line.close)
                words = [recipe.interpreter, str(self.programs.spare), str(their_line.fileno()), *recipe.preload]
                command = Command(
                    argv=tuple(words),
                    variables=variables.of_place(place, lease.environment, self._machine),
                    working_folder=place.inside(place.robot),
                )
                running = launch.start(
                    self._sandbox,
                    command,
                    place=place,
                    environment=lease.environment,
                    shown=[self.programs.spare],
                    passed=[their_line.fileno()],
                )
            if_it_fails.pop_all()
            return place, lease, running, line

    async def _end_zygote(self, demand: _Demand) -> None:
        zygote, demand.zygote = demand.zygote, None
        if zygote is not None:
            await zygote.discard()

    async def _clear_dead(self) -> None:
        for spare in [spare for spare in self._spares if not spare.is_alive]:
            demand = self._demands[spare.recipe]
            if spare.is_ready:
                demand.failures = 0
            elif spare.is_forked:
                demand.zygotes_failed += 1
            else:
                demand.failures += 1
            demand.not_before = time.monotonic() + _REFILL_PAUSE_SECONDS
            log.info("spare died", interpreter=spare.recipe.interpreter)
            await self._remove(spare)

    async def _clear_zygotes(self) -> None:
        """End zygotes that are of no use, though not those whose offspring runs."""
        for demand in list(self._demands.values()):  # robots that come meanwhile add to it
            zygote = demand.zygote
            if zygote is None:
                continue
            if not zygote.is_alive or zygote.has_failed:
                demand.zygotes_failed += 1
                await self._end_zygote(demand)
            elif not self._may_have_zygote(demand) and zygote.is_childless:
                await self._end_zygote(demand)

    async def _clear_idle(self) -> None:
        now = time.monotonic()
        for recipe in {spare.recipe for spare in self._spares}:
            demand = self._demands[recipe]
            alike = [spare for spare in self._spares if spare.recipe == recipe]
            keep = 0 if self._is_idle(demand, now) else self._wanted(demand, now)
            for spare in alike[keep:] if keep == 0 or _is_calm(demand, now) else []:
                await self._remove(spare)
        for recipe, demand in list(self._demands.items()):
            if self._is_idle(demand, now) and (demand.zygote is None or demand.zygote.is_childless):
                await self._end_zygote(demand)
                del self._demands[recipe]
        while len(self._spares) > 1 and self._held_bytes() > self._settings.spares_memory_bytes:
            await self._remove(min(self._spares, key=lambda spare: self._demands[spare.recipe].last))

    def _is_idle(self, demand: _Demand, now: float) -> bool:
        return not demand.held and now - demand.last > self._settings.spares_idle_seconds

    async def _remove(self, spare: Spare) -> None:
        self._spares.remove(spare)
        await spare.discard()
        await self._places.clear(spare.place)
        log.debug("spare given back", interpreter=spare.recipe.interpreter)


def _belongs_to(interpreter: Path, environment: Environment) -> bool:
    """Whether a command that was found is the environment's Python, under whichever of its names."""
    if interpreter.parent == environment.python.parent:
        return True
    # Why: where the machine has a `python3` only, `python` is a link beside the environments that leads to it
    return interpreter.resolve() == environment.python.resolve()


def _is_calm(demand: _Demand, now: float) -> bool:
    """Whether the last rush is over, so that the spares made for it can go."""
    return now - demand.last > 10 * _RECENT_SECONDS
