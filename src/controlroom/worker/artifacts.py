"""What a robot leaves behind in its folder for results."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path

import structlog
from msgspec import Struct

from controlroom.protocol import SMALL_ARTIFACTS_BYTES, SmallArtifact, SmallArtifacts
from controlroom.worker.room import AttemptReports, Refused, Superseded

log = structlog.get_logger(__name__)

_AT_ONCE = 4
_CHUNK_BYTES = 1024 * 1024
_SMALL_BYTES = 256 * 1024
_DEEPEST = 64
_MOST_TOGETHER = 64
_OPENING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Artifact(Struct, frozen=True):
    """A file to be uploaded, under the name by which people will look for it."""

    name: str
    path: Path
    size: int


Brought = Mapping[Path, tuple[int, ...]]
"""Files that lie in a folder for results before the robot begins, and what would tell that they have been changed."""


def brought_in(folder: Path) -> Brought:
    """What the package itself has in its folder for results: old ones, which are no run's, until a robot changes it."""
    return {
        artifact.path: seen
        for artifact in (found_in(folder) if folder.is_dir() else [])
        if (seen := _seen(artifact.path)) is not None
    }


def left_in(folder: Path, brought: Brought) -> list[Artifact]:
    """What the robot left in its folder for results: all but what its package brought and it did not touch."""
    if not folder.is_dir():
        return []
    return [
        artifact
        for artifact in found_in(folder)
        if artifact.path not in brought or _seen(artifact.path) != brought[artifact.path]
    ]


def _seen(path: Path) -> tuple[int, ...] | None:
    """Whatever changes when a file is written, replaced or put back: nobody sets the time of its last change."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def found_in(folder: Path) -> list[Artifact]:
    """The files below a folder, named relative to it with forward slashes.

    Only call it when no process of the robot is left. Links are not followed, whatever is neither file nor folder is
    passed over: a robot must not make the worker read for it what it can't read itself.
    """
    return sorted(_walk(folder, "", 0), key=lambda artifact: artifact.name)


async def upload(artifacts: list[Artifact], reports: AttemptReports) -> list[str]:
    """Upload all, small ones together. Returns a complaint for each that could not be; the others are there."""
    together, alone = _small_ones(artifacts)
    if len(together) < 2 or not await _upload_together(together, reports):  # noqa: PLR2004 - one alone is one alone
        alone = artifacts
    return await _upload_each(alone, reports)


def _small_ones(artifacts: list[Artifact]) -> tuple[list[Artifact], list[Artifact]]:
    """What fits into one report of small artifacts, and the rest."""
    together: list[Artifact] = []
    room = SMALL_ARTIFACTS_BYTES
    for artifact in sorted(artifacts, key=lambda artifact: artifact.size)[:_MOST_TOGETHER]:
        if artifact.size > room:
            break
        room -= artifact.size
        together.append(artifact)
    return together, [artifact for artifact in artifacts if artifact not in together]


async def _upload_together(artifacts: list[Artifact], reports: AttemptReports) -> bool:
    """Whether all could be uploaded in one report. If not, each has to be tried by itself, to find which could not."""
    try:
        contents = await asyncio.to_thread(lambda: [_content(artifact) for artifact in artifacts])
        files = map(SmallArtifact, (artifact.name for artifact in artifacts), contents)
        await reports.small_artifacts(SmallArtifacts(tuple(files)))
    except Superseded:
        raise
    except (Refused, OSError):
        return False
    return True


async def _upload_each(artifacts: list[Artifact], reports: AttemptReports) -> list[str]:
    limit = asyncio.Semaphore(_AT_ONCE)
    complaints: list[str] = []

    async def one(artifact: Artifact) -> None:
        async with limit:
            try:
                await _upload_one(artifact, reports)
            except Superseded:
                raise
            except (Refused, OSError) as error:
                log.warning("artifact not uploaded", artifact=artifact.name, reason=str(error))
                complaints.append(f"Artifact {artifact.name} could not be uploaded: {error}")

    async with asyncio.TaskGroup() as group:
        for artifact in artifacts:
            group.create_task(one(artifact))
    return complaints


async def _upload_one(artifact: Artifact, reports: AttemptReports) -> None:
    if artifact.size <= _SMALL_BYTES:
        content = _content(artifact)
        await reports.artifact(artifact.name, len(content), content)
        return
    descriptor = os.open(artifact.path, _OPENING)
    try:
        await reports.artifact(artifact.name, artifact.size, partial(_chunks, descriptor, artifact.size))
    finally:
        os.close(descriptor)


def _content(artifact: Artifact) -> bytes:
    descriptor = os.open(artifact.path, _OPENING)
    try:
        return os.pread(descriptor, artifact.size, 0)
    finally:
        os.close(descriptor)


async def _chunks(descriptor: int, size: int) -> AsyncIterator[bytes]:
    position = 0
    while position < size:
        chunk = await asyncio.to_thread(os.pread, descriptor, min(_CHUNK_BYTES, size - position), position)
        if not chunk:
            raise OSError("the file became shorter while it was read")
        yield chunk
        position += len(chunk)


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[Artifact]:
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError as error:
        log.warning("folder of artifacts not read", folder=str(folder), reason=str(error))
        return
    for entry in entries:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode) and depth < _DEEPEST:
            yield from _walk(Path(entry.path), f"{prefix}{_printable(entry.name)}/", depth + 1)
        elif stat.S_ISREG(status.st_mode):
            yield Artifact(prefix + _printable(entry.name), Path(entry.path), status.st_size)


def _printable(name: str) -> str:
    """A name for URLs and pages: what is no UTF-8 or controls terminals, and a backslash, becomes `_`."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(character if character.isprintable() and character != "\\" else "_" for character in text)
