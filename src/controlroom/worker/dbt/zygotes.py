"""Zygotes for dbt: interpreters that have imported it with an adapter, and bear one spare for each command.

A spare is born into the place of its run and becomes the one command, in a sandbox of its own, as robots' spares do
(`worker/zygotes.py`). A zygote holds nothing of anybody's: it has seen a project of the room's own, and serves all
workspaces. It is made when a project runs for which there is none, and ends when nobody has asked for a while. Where
it is missing, or cannot serve, commands are processes of their own and behave alike.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from msgspec import Struct

from controlroom.errors import ControlRoomError
from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.tasks import cancelled
from controlroom.worker import variables
from controlroom.worker.environments.cache import Lease
from controlroom.worker.environments.environment import Environment
from controlroom.worker.places import Place, Places
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.spare import Recipe, Spare
from controlroom.worker.zygotes import DBT_MODULE, NotBorn, Programs, Zygote

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS: Final = 120.0
"""Until one is ready: importing and reading take 4 s, on a machine with other work several times as long."""
_LOOK_SECONDS: Final = 15.0
_MOST_FAILURES: Final = 3
_MOST: Final = 3
"""Zygotes at once: each holds about 130 MB."""


class _Kept(Struct):
    """A zygote and who uses it."""

    zygote: Zygote
    last: float
    users: int = 0


class DbtZygotes:
    """The zygotes of one worker; one for each list of packages and adapter."""

    def __init__(
        self,
        settings: WorkerSettings,
        sandbox: Sandbox,
        places: Places,
        take_lease: Callable[[EnvironmentSpec | None, str], Awaitable[Lease]],
        programs: Programs,
    ) -> None:
        self._settings = settings
        self._sandbox = sandbox
        self._places = places
        self._take_lease = take_lease
        self._programs = programs
        self._kept: dict[tuple[EnvironmentSpec, str], _Kept] = {}
        self._failures: dict[tuple[EnvironmentSpec, str], int] = {}
        self._starting: set[asyncio.Task[None]] = set()

    @property
    def may_be(self) -> bool:
        """Whether this worker has any."""
        settings = self._settings
        return self._sandbox.is_on and settings.spares_forked and settings.spares_memory_bytes > 0

    def take(self, spec: EnvironmentSpec, adapter: str) -> Zygote | None:
        """The zygote for a run, which may not be ready yet; it is the run's to `give_back`."""
        kept = self._kept.get((spec, adapter))
        if kept is None or not kept.zygote.is_alive or kept.zygote.has_failed:
            return None
        kept.users += 1
        kept.last = time.monotonic()
        return kept.zygote

    def give_back(self, zygote: Zygote) -> None:
        """A run is over."""
        for kept in self._kept.values():
            if kept.zygote is zygote:
                kept.users -= 1
                kept.last = time.monotonic()

    def have(self, spec: EnvironmentSpec, adapter: str) -> None:
        """See to it that there is one for later runs. Its environment is built already."""
        key = (spec, adapter)
        if not self.may_be or self._failures.get(key, 0) >= _MOST_FAILURES:
            return
        kept = self._kept.get(key)
        if kept is not None and kept.zygote.is_alive and not kept.zygote.has_failed:
            return
        if any(task.get_name() == str(hash(key)) for task in self._starting):
            return
        task = asyncio.create_task(self._start(key), name=str(hash(key)))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def bear(self, zygote: Zygote, place: Place, environment: Environment) -> Spare | None:
        """A spare for the next command in a place; None if it could not be born."""
        try:
            running, line = await zygote.bear(place)
        except (NotBorn, OSError) as error:
            log.warning("no spare for dbt", reason=str(error))
            return None
        recipe = Recipe(str(environment.python), (), "", "", None)
        spare = Spare(recipe, place, Lease(environment, None), running, line, is_forked=True)
        spare.variables = variables.of_place(place, environment, variables.of_machine())
        return spare

    async def keep(self) -> None:
        """The loop that takes them away, until cancelled."""
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                await self._clear(time.monotonic() - self._settings.spares_idle_seconds)
        finally:
            await cancelled(*self._starting)
            for kept in list(self._kept.values()):
                await kept.zygote.discard()

    async def _clear(self, before: float) -> None:
        for key, kept in list(self._kept.items()):
            if not kept.zygote.is_alive or kept.zygote.has_failed:
                self._failures[key] = self._failures.get(key, 0) + 1
            elif kept.users or kept.last >= before:
                continue
            if kept.users == 0 and self._kept.get(key) is kept:
                del self._kept[key]
                await kept.zygote.discard()

    async def _start(self, key: tuple[EnvironmentSpec, str]) -> None:
        spec, adapter = key
        try:
            await self._clear(float("-inf"))  # those that have died
            if key in self._kept:
                return  # a dead one, which a run still holds
            if len(self._kept) >= _MOST:
                oldest = min((kept.last for kept in self._kept.values() if not kept.users), default=None)
                if oldest is None:
                    return
                await self._clear(oldest + 0.001)
            lease = await self._take_lease(spec, "")
            zygote = await Zygote.start(
                self._sandbox,
                self._places,
                lease,
                self._programs,
                interpreter=str(lease.environment.python),
                preload=("dbt.cli.main", f"dbt.adapters.{adapter}", DBT_MODULE),
                workspace="",
                when_ready=lambda: None,
                network=self._settings.dbt_network,
                patience=_PATIENCE_SECONDS,
            )
            self._kept[key] = _Kept(zygote, time.monotonic())
        except (ControlRoomError, OSError) as error:
            self._failures[key] = self._failures.get(key, 0) + 1
            log.warning("no zygote for dbt", reason=repr(error))
