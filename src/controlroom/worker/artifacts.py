"""What a robot leaves behind in its folder for results."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from pathlib import Path

import structlog
from msgspec import Struct

from controlroom import file_names
from controlroom.protocol import SMALL_ARTIFACTS_BYTES, SmallArtifact, SmallArtifacts
from controlroom.worker.orders import Orders
from controlroom.worker.server import AttemptReports, Refused, Superseded

log = structlog.get_logger(__name__)

_AT_ONCE = 4
_CHUNK_BYTES = 1024 * 1024
_SMALL_BYTES = 256 * 1024
_MOST_TOGETHER = 64
_PATIENCE_SECONDS = 60.0
_OPENING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Artifact(Struct, frozen=True):
    """A file to be uploaded, under the name by which people will look for it."""

    name: str
    path: Path
    size: int
    phase: int | None = None
    """Position of the phase that left it; None for the step run as a whole."""


class Left(Struct, frozen=True):
    """What a folder for results holds, and complaints about what of it could not be read."""

    artifacts: list[Artifact]
    complaints: list[str] = []


Brought = Mapping[Path, tuple[int, ...]]
"""Files that lie in a folder for results before the robot begins, and what would tell that they have been changed."""


def brought_in(folder: Path) -> Brought:
    """What the package itself has in its folder for results: old ones, which are no run's, until a robot changes it."""
    return {
        artifact.path: seen for artifact in found_in(folder).artifacts if (seen := _seen(artifact.path)) is not None
    }


def left_in(folder: Path, brought: Brought, *, taken: Collection[str] = ()) -> Left:
    """What the robot left in its folder for results: all but what its package brought and it did not touch.

    No name is one of `taken`.
    """
    found = found_in(folder, taken=taken)
    left = [each for each in found.artifacts if each.path not in brought or _seen(each.path) != brought[each.path]]
    return Left(left, found.complaints)


def _seen(path: Path) -> tuple[int, ...] | None:
    """Whatever changes when a file is written, replaced or put back: nobody sets the time of its last change."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def found_in(folder: Path, *, taken: Collection[str] = ()) -> Left:
    """The files below a folder, named relative to it with forward slashes; names that cannot be kept stay apart.

    Only call it when no process of the robot is left. Links are not followed, whatever is neither file nor folder is
    passed over: a robot must not make the worker read for it what it can't read itself.
    """
    artifacts: list[Artifact] = []
    complaints: list[str] = []
    waiting = [(folder, "")] if folder.is_dir() else []
    while waiting:
        place, prefix = waiting.pop()
        try:
            files, folders = _listed(place, prefix, taken)
        except OSError as error:
            log.warning("folder of artifacts not read", folder=str(place), reason=str(error))
            complaints.append(f"Artifacts in {prefix or 'the folder'} could not be read: {error.strerror}")
            continue
        artifacts += files
        waiting += folders
    return Left(sorted(artifacts, key=lambda artifact: artifact.name), complaints)


def _listed(place: Path, prefix: str, taken: Collection[str]) -> tuple[list[Artifact], list[tuple[Path, str]]]:
    """The files of one folder, and the folders in it with the beginning of the names of what they hold."""
    with os.scandir(place) as listing:
        entries = {entry.name: entry for entry in listing}
    names = file_names.apart(entries, () if prefix else taken)
    files: list[Artifact] = []
    folders: list[tuple[Path, str]] = []
    for raw, entry in entries.items():
        name = prefix + names[raw]
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            folders.append((Path(entry.path), f"{name}/"))
        elif stat.S_ISREG(status.st_mode):
            shown = file_names.shortened_path(name)
            files.append(Artifact(shown, Path(entry.path), status.st_size))
    return files, folders


async def upload(artifacts: list[Artifact], reports: AttemptReports) -> list[str]:
    """Upload all, small ones of a phase together. Returns a complaint for each that could not; the others are there."""
    complaints: list[str] = []
    for phase in dict.fromkeys(artifact.phase for artifact in artifacts):
        complaints += await _upload_of_phase([each for each in artifacts if each.phase == phase], reports)
    return complaints


async def _upload_of_phase(artifacts: list[Artifact], reports: AttemptReports) -> list[str]:
    together, alone = _small_ones(artifacts)
    if len(together) < 2 or not await _upload_together(together, reports):  # noqa: PLR2004 - one alone is one alone
        alone = artifacts
    return await _upload_each(alone, reports)


async def upload_obeying(orders: Orders, artifacts: list[Artifact], reports: AttemptReports) -> list[str]:
    """Upload all; once an end is ordered only for a while longer. Returns complaints as `upload` does."""
    uploading = asyncio.create_task(upload(artifacts, reports))
    try:
        while not uploading.done():
            changed = asyncio.ensure_future(orders.changed())
            patience = None if orders.end is None else _PATIENCE_SECONDS
            done, _ = await asyncio.wait({uploading, changed}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            if not done:
                return ["Not all artifacts were uploaded: the step run was ended meanwhile."]
        return await uploading
    finally:
        uploading.cancel()


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
        await reports.small_artifacts(SmallArtifacts(tuple(files), artifacts[0].phase))
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
        await reports.artifact(artifact.name, len(content), content, phase=artifact.phase)
        return
    descriptor = os.open(artifact.path, _OPENING)
    try:
        chunks = partial(_chunks, descriptor, artifact.size)
        await reports.artifact(artifact.name, artifact.size, chunks, phase=artifact.phase)
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
