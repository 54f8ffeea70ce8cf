"""The Python interpreters of this machine that robots can run, and the choice among them.

An interpreter counts as had only if the user that builds and robots run as can execute it where they run: one below
another user's closed home folder is not had, whatever its version.
"""

import asyncio
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from controlroom.robots.python_versions import Version, best, nearest, satisfies, wished_minor, written
from controlroom.worker.environments.build_place import BuildPlace, CommandFailed, short_cause
from controlroom.worker.environments.environment import EnvironmentFailed

_PROBE = (
    "import sys; v = sys.version_info; "
    "print('%d %d %d' % v[:3]); print(sys.base_prefix); print(getattr(sys, '_base_executable', sys.executable)); "
    "print(v[3])"
)
_FOLDER_VERSION = re.compile(r"(?:cpython-)?(\d+)\.(\d+)\.(\d+)(?:-.*)?")
_COMMAND = re.compile(r"python(?:3(?:\.(\d+))?)?")
_DOWNLOAD_SECONDS = 180.0
"""An interpreter is 30 MB: longer than that takes on a slow line, shorter than a step run's usual limit."""

_ASK_AGAIN_SECONDS = 600.0
"""After a download that failed, builds do not try again for so long: without network each try costs seconds."""


class Interpreter(msgspec.Struct, frozen=True):
    """An interpreter that was run, and said this about itself."""

    path: Path
    version: Version
    base_prefix: Path


class PythonNotHad(EnvironmentFailed):
    """No interpreter answers a wish, on this machine or by uv; the message names what was asked and what there is."""


class Choice(msgspec.Struct, frozen=True):
    """The interpreter to build with, and what the author should know about it."""

    interpreter: Interpreter
    warning: str | None = None


class Interpreters:
    """Finds interpreters on the PATH, among pyenv's and uv's, and below the cache's own folder of downloaded ones."""

    def __init__(self, *, own: Mapping[str, str], downloads: Path, uv: Path) -> None:
        self._own = own
        self._downloads = downloads
        self._uv = uv
        self._probed: dict[tuple[str, int], Interpreter | None] = {}
        self._download_failed: dict[str, tuple[float, str]] = {}
        """When a download failed last, and why, by what was wished."""

    async def choose(self, wish: str | None, *, strict: bool, place: BuildPlace) -> Choice:
        """The interpreter for a wish: one that satisfies it, a downloaded one, else the nearest patch version.

        The nearest of this machine, else of those that can be downloaded. Raises PythonNotHad when there is none of the
        same minor version or, if strict, none of the very version.
        """
        found = {interpreter.version: interpreter for interpreter in reversed(await self.usable(wish, place))}
        own_minor = sys.version_info[:2]
        if (fitting := best(found, wish, preferred=own_minor)) is not None:
            return Choice(found[fitting])
        if wish and (downloaded := await self._download(wish, place)) is not None:
            return Choice(downloaded)
        if not strict and (near := await self._nearest(wish, found, place)) is not None:
            return Choice(near, f"Python {wish} cannot be had: using {written(near.version)} instead")
        raise PythonNotHad(await self._not_had(wish, strict=strict, place=place), wish=wish)

    async def _nearest(
        self, wish: str | None, found: Mapping[Version, Interpreter], place: BuildPlace
    ) -> Interpreter | None:
        """The interpreter of the same minor version: of those found, else a downloaded one."""
        if (near := nearest(found, wish)) is not None:
            return found[near]
        minor = wished_minor(wish)
        return await self._download(written(minor), place) if minor is not None else None

    async def usable(self, wish: str | None, place: BuildPlace) -> list[Interpreter]:
        """The interpreters that may matter for a wish and can be executed, the most particular place first."""
        minor = wished_minor(wish)

        def may_matter(known: tuple[int, ...]) -> bool:
            if minor is not None:
                return known[:2] == minor[: len(known)]
            return len(known) < 3 or satisfies((known[0], known[1], known[2]), wish)  # noqa: PLR2004 - major, minor, patch

        chosen = [path for path, known in self._candidates() if may_matter(known)]
        probed = await asyncio.gather(*(self.probe(path, place) for path in chosen))
        return [interpreter for interpreter in probed if interpreter is not None]

    async def probe(self, path: Path, place: BuildPlace) -> Interpreter | None:
        """What an interpreter says about itself when the build's user runs it.

        None if that user cannot run it, or if it is no final release.
        """
        mark = _mark(path)
        if mark is None:
            return None
        if mark not in self._probed:
            try:
                answer = await place.run(
                    [path, "-I", "-S", "-c", _PROBE], readable=(_installation(path), path.parent), quiet=True
                )
                self._probed[mark] = _read_probe(answer)
            except (CommandFailed, OSError):
                self._probed[mark] = None
        return self._probed[mark]

    def signature(self) -> str:
        """Changes when interpreters come or go; found without running any."""
        places = sorted(str(path) for path, _ in self._candidates())
        return hashlib.sha256("\n".join(places).encode()).hexdigest()[:16]

    async def _download(self, wish: str, place: BuildPlace) -> Interpreter | None:
        """An interpreter fetched by uv; None if the settings forbid it or the network does not give it soon."""
        allowed = self._own.get("UV_PYTHON_DOWNLOADS", "automatic").lower() in {"automatic", "auto", "true", "1"}
        failed_at, _ = self._download_failed.get(wish, (float("-inf"), ""))
        if not allowed or is_offline(self._own) or time.monotonic() - failed_at < _ASK_AGAIN_SECONDS:
            return None
        why = ""
        quick = {"UV_HTTP_RETRIES": "0", "UV_HTTP_CONNECT_TIMEOUT": "5", "UV_PYTHON_INSTALL_DIR": str(self._downloads)}
        command: list[str | Path] = [self._uv, "python", "install", "--no-bin", wish]
        place.progress(f"Python {wish} is not on this machine: trying to download it")
        try:
            async with asyncio.timeout(_DOWNLOAD_SECONDS):
                cache = {"UV_CACHE_DIR": str(place.home / "uv")}
                await place.run(
                    command,
                    writable=[self._downloads],
                    readable=[self._uv.parent],
                    variables=quick | cache,
                    quiet=True,
                )
        except CommandFailed as failure:
            why = short_cause(failure)
            place.progress(f"Not downloaded: {why}")
        except TimeoutError:
            why = f"it took longer than {_DOWNLOAD_SECONDS:.0f} s"
            place.progress(f"Not downloaded: {why}")
        found = [interpreter for interpreter in await self.usable(wish, place) if satisfies(interpreter.version, wish)]
        if not found:
            self._download_failed[wish] = (time.monotonic(), why or "what came does not run")
        return found[0] if found else None

    async def _not_had(self, wish: str | None, *, strict: bool, place: BuildPlace) -> str:
        """The message for a wish that nothing here answers."""
        places = list(self._candidates())
        probed = await asyncio.gather(*(self.probe(path, place) for path, _ in places))
        had = sorted({interpreter.version for interpreter in probed if interpreter is not None})
        minor = wished_minor(wish)
        closed = [
            str(path)
            for (path, known), interpreter in zip(places, probed, strict=True)
            if interpreter is None and (minor is None or known[:2] == minor)
        ]
        message = f"Python {wish or '3'} is asked for"
        message += " and nothing else is allowed (strict)" if strict and nearest(had, wish) else ""
        message += f"; this machine has {', '.join(map(written, had)) or 'none'}"
        message += f", and some that robots cannot run: {', '.join(closed)}" if closed else ""
        _, why = self._download_failed.get(written(minor) if minor and not strict else wish or "", (0.0, ""))
        return f"{message}; uv did not download it: {why}" if why else message

    def _candidates(self) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """Places of interpreters with what their names say of their version, each file once."""
        seen: set[Path] = set()
        for path, known in self._places():
            real = path.resolve()
            if real not in seen and os.path.isfile(real):  # noqa: PTH113 - unlike a path's method it is never refused
                seen.add(real)
                yield path, known

    def _places(self) -> Iterator[tuple[Path, tuple[int, ...]]]:
        home = Path(self._own.get("HOME", "/"))
        pyenv = Path(self._own.get("PYENV_ROOT") or home / ".pyenv")
        managed = Path(self._own.get("UV_PYTHON_INSTALL_DIR") or home / ".local" / "share" / "uv" / "python")
        for versions in (self._downloads, managed, pyenv / "versions"):
            yield from _versions_in(versions)
        yield Path(getattr(sys, "_base_executable", sys.executable)), tuple(sys.version_info[:3])
        for folder in self._own.get("PATH", os.defpath).split(os.pathsep):
            if Path(folder) != pyenv / "shims":  # they are scripts that start one of the versions seen above
                yield from _commands_in(Path(folder))


def is_offline(own: Mapping[str, str]) -> bool:
    """Whether the worker's variables forbid builds the network."""
    return own.get("UV_OFFLINE", "").lower() in {"1", "true", "yes", "on"}


def _versions_in(folder: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Interpreters in folders named by their version, newest first."""
    named = [(tuple(map(int, match.groups())), entry) for entry in _entries(folder) if (match := _version_of(entry))]
    for version, entry in sorted(named, reverse=True):
        yield entry / "bin" / f"python{version[0]}.{version[1]}", version


def _version_of(entry: Path) -> re.Match[str] | None:
    return _FOLDER_VERSION.fullmatch(entry.name)


def _commands_in(folder: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
    for entry in sorted(_entries(folder)):
        if match := _COMMAND.fullmatch(entry.name):
            yield entry, (3, int(match[1])) if match[1] else ()


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return ()


def _installation(path: Path) -> Path:
    """The folder in which an interpreter was installed, behind all links."""
    return path.resolve().parent.parent


def _mark(path: Path) -> tuple[str, int] | None:
    """An interpreter as it is now; None if there is none."""
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return None


def _read_probe(answer: str) -> Interpreter | None:
    version, base_prefix, executable, level = answer.splitlines()
    major, minor, patch = map(int, version.split())
    if level != "final":
        return None
    return Interpreter(Path(executable), (major, minor, patch), Path(base_prefix))
