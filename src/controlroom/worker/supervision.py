"""Runs the programs of an attempt one after the other, and obeys orders and the time limit meanwhile.

Only the attempt's own task calls it. A program's whole tree is ended before the next one begins.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from controlroom.protocol import ErrorCode, PhaseState
from controlroom.tasks import cancelled
from controlroom.worker import launch
from controlroom.worker.console import Console
from controlroom.worker.environments.environment import Environment
from controlroom.worker.launch import Command, CommandNotFound, Running
from controlroom.worker.orders import EndReason, Orders
from controlroom.worker.outcomes import Ended, Failure
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place
from controlroom.worker.spare import Spare
from controlroom.worker.time_limit import TimeLimit
from controlroom.worker.variables import RobotFolders
from controlroom.worker.workbench import Workbench

Result = TypeVar("Result")

_TAIL_BYTES = 1500
_LOOK_SECONDS = 1.0
"""How often a running program is looked after."""


class Stage(Struct, frozen=True):
    """Where the programs of an attempt run."""

    place: Place
    folders: RobotFolders
    environment: Environment


class Supervisor:
    """The programs of one attempt."""

    def __init__(self, bench: Workbench, orders: Orders, console: Console, phases: Phases) -> None:
        self._bench = bench
        self._orders = orders
        self._console = console
        self._phases = phases
        self._overrun_before = ""
        self.limit = TimeLimit(None)
        """What is left of the time that all of them have together."""
        self.may_have_run = False
        """Whether any code of the package's may have run."""
        self.was_in_spare = False
        self.patience_after_interrupt = 0.0
        """How long a program that is to end may take after a SIGINT, before it is terminated; 0: none is sent."""

    async def run(self, words: Sequence[str], variables: dict[str, str], stage: Stage, *, spare: Spare | None) -> int:
        """Run one program to its end; its exit code.

        Raises Ended, Failure (TIMEOUT; WORKER_LOST when what it ran below was killed) and CommandNotFound.
        """
        place = stage.place
        self._overrun_before = place.limits.overrun
        try:
            command = Command.resolve(words, variables, stage.folders.root, place=place)
        except CommandNotFound:
            if spare is not None:
                await spare.discard()
            raise
        before, self.may_have_run = self.may_have_run, spare is not None or self.may_have_run
        running = await self.unless_ended(spare.become(command)) if spare is not None else None
        self.was_in_spare = running is not None
        if running is None:
            self.may_have_run = before
            running = launch.start(self._bench.sandbox, command, place=place, environment=stage.environment)
        self.may_have_run = True
        self._bench.health.succeeded()
        running.show_in(self._console)
        try:
            exit_code = await self._supervise(running)
            await running.drain()
        finally:
            await running.tree.kill()
            running.close()
        if running.tree.was_lost and not self._overrun(place):
            raise self._lost()
        return exit_code

    def last_words(self, place: Place) -> str:
        """For the message of a program's failure: what it used too much of, and the end of its stderr (else stdout)."""
        overrun = self._overrun(place)
        for name in ("stderr.log", "stdout.log"):
            if lines := _tail(place.folder / name):
                return f"{overrun} Last lines:\n{lines}"
        return overrun

    def _overrun(self, place: Place) -> str:
        return place.limits.overrun.removeprefix(self._overrun_before)

    async def unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
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
            await cancelled(task)

    async def may_go_on(self) -> None:
        """Returns when no pause is ordered, so that nothing is begun in one; the time limit rests. Raises Ended."""
        if self._orders.paused:
            self.limit.rest()
            await self._orders.unpaused()
            self.limit.go_on()
        if self._orders.end is not None:
            raise Ended(self._orders.end)

    async def _supervise(self, running: Running) -> int:
        """Wait for the end of the program."""
        tree, ended = running.tree, asyncio.ensure_future(running.tree.wait())
        paused = held_up = False
        while not tree.has_ended:
            if self._orders.end is not None or self.limit.is_over:
                abandoned = self._orders.end is EndReason.ABANDONED
                if self.patience_after_interrupt and not abandoned:
                    await tree.interrupt(self.patience_after_interrupt)
                await tree.terminate(0.0 if abandoned else self._bench.settings.kill_grace_seconds)
                await running.drain()
                self._raise_end()
            if self._orders.paused != paused:
                paused = self._orders.paused
                _pause_or_resume(running, self.limit, paused=paused)
            changed = asyncio.ensure_future(self._orders.changed())
            patience = min(_LOOK_SECONDS, self.limit.remaining or _LOOK_SECONDS)
            done, _ = await asyncio.wait({ended, changed}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            held_up, was = not done and tree.is_held_up, held_up
            if held_up and was:
                self._console.say("The robot was ended because it held up the process that watches over it.")
                await tree.kill()
        return await ended

    def _lost(self) -> Failure:
        message = "A process of the worker's was killed from outside, and the robot with it."
        self._console.say(message)
        self._phases.end(PhaseState.FAILED, message)
        return Failure(ErrorCode.WORKER_LOST, message)

    def _raise_end(self) -> None:
        if self._orders.end is not None:
            self._phases.end(PhaseState.FAILED, "ended from outside")
            raise Ended(self._orders.end)
        message = f"The robot was ended because its time limit of {self.limit.seconds:g} s was over."
        self._console.say(message)
        self._phases.end(PhaseState.FAILED, message)
        raise Failure(ErrorCode.TIMEOUT, message)


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
