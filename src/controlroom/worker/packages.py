"""Packages that the worker has fetched, unpacked once for all step runs that use them."""

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.protocol import PackageRef
from controlroom.robots import archive
from controlroom.robots.definition import RobotDefinition, folder_source, read_robot_of
from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.robots.environments import read_environment
from controlroom.worker.places import Place

Fetch = Callable[[str, IO[bytes]], Awaitable[None]]
"""Writes the package of a hash into a file."""

_REMEMBERED = 256


def folder_name(ref: PackageRef) -> str:
    """The name of a package's folder: its hash, and which robot of several it is, whose links lead elsewhere."""
    if not ref.hash.isalnum():
        raise Invalid(f"The package's hash is none: {ref.hash!r}", code="PACKAGE_INVALID")
    return f"{ref.hash}-{hashlib.sha256(ref.folder.encode()).hexdigest()[:16]}" if ref.folder else ref.hash


class Package(Struct, frozen=True):
    """An unpacked package. Nobody writes into its folder."""

    folder: Path
    root: str
    """Where robot.yaml is, relative to the folder."""
    definition: RobotDefinition
    environment: EnvironmentSpec | None
    """What to install; None if the robot has no environment file."""


class PackageCache:
    """Unpacked packages by content, in a folder that belongs to this worker; the longest unused go when it grows."""

    def __init__(self, folder: Path, fetch: Fetch, *, max_bytes: int) -> None:
        self._folder = folder
        self._fetch = fetch
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, Package] = OrderedDict()
        self._fetching: dict[str, asyncio.Lock] = {}

    async def get(self, ref: PackageRef) -> Package:
        """The package, fetched and checked if it is new. Raises Invalid for one that can't be a robot."""
        name = folder_name(ref)
        if (known := self._known.get(name)) is not None and known.folder.exists():
            self._known.move_to_end(name)
            return known
        async with self._fetching.setdefault(name, asyncio.Lock()):
            folder = self._folder / name
            if not folder.exists():
                await self._unpack(ref, folder)
            package = await asyncio.to_thread(_read, folder, ref.folder)
        self._fetching.pop(name, None)
        self._known[name] = package
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return package

    async def copy_to(self, package: Package, place: Place) -> None:
        """Give a place its own copy of the robot."""
        await asyncio.to_thread(_copy_tree, package.folder, place.robot, place)

    async def copy_project_to(self, ref: PackageRef, place: Place, fetch: Fetch) -> None:
        """Give a place its own copy of a package in which no robot is looked for, fetched if it is new.

        Raises Invalid for one that can't be unpacked.
        """
        name = f"{folder_name(PackageRef(ref.hash, ref.size, ref.name))}-project"
        async with self._fetching.setdefault(name, asyncio.Lock()):
            folder = self._folder / name
            if not folder.exists():
                with tempfile.TemporaryFile(dir=self._folder) as zipped:
                    await fetch(ref.hash, zipped)
                    await asyncio.to_thread(_check, zipped, ref)
                    await asyncio.to_thread(archive.unpack, zipped, folder, robot="")
            await asyncio.to_thread(_copy_tree, folder, place.robot, place)
        self._fetching.pop(name, None)

    async def prune(self, in_use: AbstractSet[str]) -> None:
        """Bring the folder below its limit, the longest unused first; packages of running step runs stay."""
        sizes = await asyncio.to_thread(_sizes, self._folder)
        total = sum(sizes.values())
        order = {name: position for position, name in enumerate(self._known, start=1)}
        for name in sorted(sizes, key=lambda name: order.get(name, 0)):
            if total <= self._max_bytes:
                return
            if name not in in_use and name not in self._fetching:
                self._known.pop(name, None)
                await asyncio.to_thread(shutil.rmtree, self._folder / name, ignore_errors=True)
                total -= sizes[name]

    async def _unpack(self, ref: PackageRef, folder: Path) -> None:
        with tempfile.TemporaryFile(dir=self._folder) as zipped:
            await self._fetch(ref.hash, zipped)
            await asyncio.to_thread(_check, zipped, ref)
            await asyncio.to_thread(archive.unpack, zipped, folder, robot=ref.folder)


def _check(zipped: IO[bytes], ref: PackageRef) -> None:
    zipped.seek(0)
    found = _digest(zipped)
    if found != ref.hash:
        raise Invalid(
            f"The package {ref.name} did not arrive as it was stored (sha256 {found})", code="PACKAGE_INVALID"
        )
    zipped.seek(0)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _read(folder: Path, robot: str | None) -> Package:
    root, definition = read_robot_of(folder, robot)
    spec = read_environment(definition, folder_source(root))
    return Package(folder, root.relative_to(folder).as_posix(), definition, spec)


def _copy_tree(source: Path, target: Path, place: Place) -> None:
    """Copy files and folders; a robot may write into its copy, so links to the cache would not do."""
    with os.scandir(source) as entries:
        for entry in entries:
            copy = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                copy.mkdir(mode=0o755)
                place.own(copy)
                _copy_tree(Path(entry.path), copy, place)
            elif entry.is_file(follow_symlinks=False):
                _copy_file(entry.path, copy, entry.stat().st_mode & 0o777)
                place.own(copy)


def _copy_file(source: str, target: Path, mode: int) -> None:
    with open(source, "rb") as reading:  # noqa: PTH123 - a robot may have thousands of files
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode | 0o600)
        try:
            # Why this call: file systems that can share blocks do, and the others copy in the kernel
            with suppress(OSError):
                while os.copy_file_range(reading.fileno(), writing, 1 << 30):
                    pass
                return
            os.lseek(writing, 0, os.SEEK_SET)
            reading.seek(0)
            while chunk := reading.read(1 << 20):
                os.write(writing, chunk)
        finally:
            os.close(writing)


def _sizes(folder: Path) -> dict[str, int]:
    """How much each package holds."""
    return {
        entry.name: sum(path.lstat().st_size for path in entry.rglob("*") if path.is_file())
        for entry in folder.iterdir()
        if entry.is_dir()
    }
