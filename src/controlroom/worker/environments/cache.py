"""Environments, built once per content and kept for the next who asks."""

import asyncio
import hashlib
import os
import sysconfig
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from controlroom.robots.environment_spec import EnvironmentSpec, Source, dated, fingerprint
from controlroom.worker.environments import building, machine, offered, uv_builder
from controlroom.worker.environments.build_place import (
    BuildPlace,
    CommandFailed,
    Enclosure,
    RunAs,
    furnish,
    remove_tree,
    short_cause,
)
from controlroom.worker.environments.environment import Environment, EnvironmentFailed
from controlroom.worker.environments.folder import Entry, EnvironmentsFolder
from controlroom.worker.environments.interpreters import Interpreters
from controlroom.worker.environments.locks import FileLock

BUILDER_VERSION = "2"
"""Raised when environments of the same specification would come out differently: old ones are then not reused."""


class Lease:
    """An environment in use: it is not pruned until this is released or the process ends."""

    def __init__(self, environment: Environment, lock: FileLock | None) -> None:
        self.environment = environment
        self._lock = lock

    def release(self) -> None:
        """Give it back; a second call does nothing."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class EnvironmentCache:
    """Builds environments, keeps them, hands them out, and prunes those that were not used for longest.

    Safe from any number of tasks and processes on one folder. Nothing that a build runs sees the worker's variables,
    except those that say where packages come from.
    """

    def __init__(
        self,
        root: Path,
        *,
        max_bytes: int,
        strict_python: bool = False,
        uv: Path | None = None,
        enclosure: Enclosure | None = None,
        run_as: RunAs | None = None,
        own: Mapping[str, str] | None = None,
    ) -> None:
        """Use the folder, or make it; `own` are the worker's variables, by default the process's.

        Builds run in the sandbox, or, without one, as they are but as the user `run_as`, who then must be able to reach
        the folder. What is built belongs to that user in any case; robots should be others.
        """
        root = root.absolute()
        self._own = dict(os.environ if own is None else own)
        self._max_bytes = max_bytes
        self._strict = strict_python
        self._enclosure = enclosure
        self._run_as = run_as
        self._folder = EnvironmentsFolder(root, run_as)
        uv_binary = uv_builder.binary_for(run_as, root / "tools", uv)
        self._interpreters = Interpreters(own=self._own, downloads=root / "pythons", uv=uv_binary)
        self._offered = offered.folder_with_wheel(root / "tools")
        self._tools = building.Tools(uv_binary, self._interpreters)

    @asynccontextmanager
    async def use(
        self, spec: EnvironmentSpec | None, *, progress: Callable[[str], None], share_key: str = ""
    ) -> AsyncIterator[Environment]:
        """An environment for as long as the block lasts. See `lease`."""
        with await self.lease(spec, progress=progress, share_key=share_key) as lease:
            yield lease.environment

    async def lease(
        self, spec: EnvironmentSpec | None, *, progress: Callable[[str], None], share_key: str = ""
    ) -> Lease:
        """The environment of a specification, built if need be; without one, the machine's own tools.

        Only leases with the same share key (a workspace's id, or nothing for all) get the same environment. Progress
        lines are for the robot's author. Raises EnvironmentFailed with the short cause. Cancelling ends a build.
        """
        if spec is None or spec.source is Source.NONE:
            return Lease(await self._machine(progress), None)
        spec = dated(spec, self._own.get("UV_EXCLUDE_NEWER")) or spec
        name = fingerprint(spec, platform=sysconfig.get_platform(), builder_version=BUILDER_VERSION)
        key = hashlib.sha256(f"{name}\n{share_key}\n{self._strict}".encode()).hexdigest()[:12]
        while (lease := self._ready(key)) is None:
            lock = await FileLock.take(
                self._folder.key_lock(key),
                exclusive=True,
                waiting=lambda: progress(f"Another worker builds environment {name[:8]}: waiting for it"),
            )
            with lock:
                if self._entry(key) is None:
                    await self._build(spec, name=name, key=key, share_key=share_key, progress=progress)
        for warning in lease.environment.warnings:
            progress(f"Warning: {warning}")
        return lease

    async def prune(self) -> None:
        """Bring the environments below the size limit, the longest unused first; those in use stay.

        What builders left that died goes too, and a share's downloads when they alone exceed the limit.
        """
        await asyncio.to_thread(self._folder.prune, self._max_bytes)

    def _ready(self, key: str) -> Lease | None:
        """A lease on the environment if it is ready; costs a few system calls."""
        entry = self._entry(key)
        lock = self._folder.take(key, entry) if entry is not None else None
        return Lease(entry.environment, lock) if entry is not None and lock is not None else None

    def _entry(self, key: str) -> Entry | None:
        """What the index says of a key, unless its interpreter is no longer the one that it was built with."""
        entry = self._folder.read(key)
        if entry is None or not entry.interpreter.holds() or not entry.environment.python.exists():
            return None
        if entry.substituted_among and entry.substituted_among != self._interpreters.signature():
            return None  # interpreters came or went: the asked one may be among them now
        return entry

    async def _build(
        self, spec: EnvironmentSpec, *, name: str, key: str, share_key: str, progress: Callable[[str], None]
    ) -> None:
        """Build a new generation and publish it; the caller holds the key's lock. A failed one leaves nothing."""
        began = time.monotonic()
        await asyncio.to_thread(self._folder.remove_leavings, key)
        with self._folder.downloads_in_use(share_key):
            prefix = self._folder.new_prefix(key, share_key)
            order = building.Order(spec=spec, fingerprint=name, prefix=prefix, strict=self._strict, own=self._own)
            try:
                async with self._build_place(progress) as place:
                    built = await building.build(place, self._tools, order)
                self._folder.publish(key, self._entry_of(built))
            except CommandFailed as failure:
                await asyncio.to_thread(remove_tree, prefix)
                raise EnvironmentFailed(short_cause(failure), fingerprint=name) from failure
            except BaseException:
                await asyncio.to_thread(remove_tree, prefix)
                raise
        progress(f"Environment ready in {time.monotonic() - began:.1f} s")

    def _entry_of(self, built: building.Built) -> Entry:
        return Entry(
            environment=built.environment,
            generation=built.environment.prefix.name,
            bytes=built.bytes,
            interpreter=built.interpreter,
            substituted_among=self._interpreters.signature() if built.is_substitute else "",
        )

    async def _machine(self, progress: Callable[[str], None]) -> Environment:
        path = self._own.get("PATH", os.defpath)
        async with self._build_place(progress) as place:
            return await machine.environment(
                self._interpreters, place, path=path, aliases=self._folder.root / "aliases"
            )

    @asynccontextmanager
    async def _build_place(self, progress: Callable[[str], None]) -> AsyncIterator[BuildPlace]:
        with self._folder.new_home() as home:
            try:
                yield furnish(
                    home,
                    own=self._own,
                    enclosure=self._enclosure,
                    run_as=self._run_as,
                    readable=[self._folder.root / "pythons"],
                    offered=self._offered,
                    progress=progress,
                )
            finally:
                await asyncio.to_thread(remove_tree, home)
