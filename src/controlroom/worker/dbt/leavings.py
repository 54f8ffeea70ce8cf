"""What a command leaves, taken out of the place where projects run before anybody looks at it.

A project may put links in place of its folders, and a process of it may still be there. So each way into its place is
gone without following links (`reaching`), and what was left is moved to where no project reaches: there it is listed,
rid of secrets and sent while the next command runs.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from controlroom.worker import reaching
from controlroom.worker.artifacts import Artifact, Left, found_in
from controlroom.worker.dbt.command_lines import TARGET_FOLDER
from controlroom.worker.dbt.masks import Masks
from controlroom.worker.places import Place

LOGS: Final = "logs"
"""Where the debug log stands among the artifacts of a phase."""
PARSED: Final = "partial_parse.msgpack"
"""What dbt keeps of a parse for the next one: for the worker, and no artifact."""


class Leavings(Struct, frozen=True):
    """What one command has left, where only the worker reaches it."""

    folder: Path
    complaints: tuple[str, ...] = ()

    @property
    def target(self) -> Path:
        """Its target folder; it may be missing."""
        return self.folder / TARGET_FOLDER

    @property
    def parsed(self) -> Path:
        """What dbt keeps of its parse; it may be missing."""
        return self.folder / PARSED


def take(place: Place, project: Path, logs: Path, into: Path) -> Leavings:
    """Move what a command left in its project's folder and the folder of its log; both are the worker's paths."""
    into.mkdir(parents=True, mode=0o700)
    complaints = [
        f"Nothing of {name} is kept: it is no folder, or lies behind a link."
        for name, folder in ((TARGET_FOLDER, project / TARGET_FOLDER), (LOGS, logs))
        if not _move(place, folder, into / name)
    ]
    with suppress(OSError):
        parsed = into / TARGET_FOLDER / PARSED
        if stat.S_ISREG(parsed.lstat().st_mode):
            parsed.rename(into / PARSED)
    return Leavings(into, tuple(complaints))


def listed(leavings: Leavings, masks: Masks, position: int) -> Left:
    """The artifacts of a phase: its target folder by its paths there, and its log. None of them holds a secret."""
    own = found_in(leavings.folder / LOGS)
    logs = [structs.replace(each, name=f"{LOGS}/{each.name}") for each in own.artifacts if each.name == "dbt.log"]
    found = found_in(leavings.target)
    artifacts: list[Artifact] = []
    complaints = [*leavings.complaints, *found.complaints]
    for number, artifact in enumerate(logs + [each for each in found.artifacts if not _is_hidden(each)]):
        safe = _without_secrets(artifact, masks, leavings.folder / f"masked-{number}")
        if safe is None:
            complaints.append(f"{artifact.name} is not kept: it holds a secret, and is no text that could be masked.")
        else:
            artifacts.append(structs.replace(safe, phase=position))
    return Left(artifacts, complaints)


def _is_hidden(artifact: Artifact) -> bool:
    return artifact.name == PARSED or artifact.name.partition("/")[0] == LOGS


def _without_secrets(artifact: Artifact, masks: Masks, copy: Path) -> Artifact | None:
    if not masks:
        return artifact
    try:
        descriptor = os.open(artifact.path, reaching.FILE)
    except OSError:
        return artifact  # what cannot be read is told by the one who sends it
    try:
        if not masks.stand_in(descriptor):
            return artifact
        with copy.open("wb") as file:
            if not masks.copy(descriptor, file):
                return None
        return structs.replace(artifact, path=copy, size=copy.stat().st_size)
    finally:
        os.close(descriptor)


def put_parsed(place: Place, project: Path, parsed: Path) -> None:
    """Give the next command what dbt keeps of a parse, where it looks for it. It does without if that can't be."""
    with suppress(OSError):
        with reaching.opened(place, project) as parent:
            os.mkdir(TARGET_FOLDER, 0o755, dir_fd=parent)
            if place.user is not None:
                os.chown(TARGET_FOLDER, place.user.uid, place.user.uid, dir_fd=parent, follow_symlinks=False)
        reaching.put(place, parsed, project / TARGET_FOLDER, PARSED)


def _move(place: Place, folder: Path, to: Path) -> bool:
    """Move a folder out of a place; False if something is there and cannot be kept."""
    try:
        with reaching.opened(place, folder.parent) as parent:
            status = os.stat(folder.name, dir_fd=parent, follow_symlinks=False)
            os.rename(folder.name, to, src_dir_fd=parent)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if stat.S_ISDIR(status.st_mode) and to.is_dir() and not to.is_symlink():
        return True
    with suppress(OSError):
        to.unlink()
    return False
