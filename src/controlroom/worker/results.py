"""What an attempt leaves: the files in its folder for results, and the raw logs of its programs.

A robot is asked once, at its end. Commands are asked one after the other: what has come or changed in the folder since
the last time is the last one's, so that each leaves a `results.json` of its own though all write to the same place.
"""

from pathlib import Path

from msgspec import structs

from controlroom.worker.artifacts import Artifact, Brought, Left, brought_in, left_in
from controlroom.worker.places import Place

_LOGS = ("stdout.log", "stderr.log")


class Results:
    """The results of one attempt. Only ask when none of its processes is left."""

    def __init__(self, place: Place, folder: Path, brought: Brought) -> None:
        """`brought` is what lies in the folder for results before any program has run."""
        self._place = place
        self._folder = folder
        self._brought = brought

    def of_robot(self, more: list[tuple[str, Path]]) -> Left:
        """What a robot left, and these files of the worker's."""
        return self._left(_there([*self._logs(), *more]))

    def of_phase(self, position: int) -> Left:
        """What has come since the last time, as a phase's; its raw logs are put aside, so that the next has its own."""
        own = []
        for name, log in self._logs():
            if log.exists():
                own.append((name, log.rename(log.with_name(f"{position}-{name}"))))
        left = self._left(_there(own))
        self._brought = brought_in(self._folder)
        return Left([structs.replace(each, phase=position) for each in left.artifacts], left.complaints)

    def _left(self, own: list[Artifact]) -> Left:
        """What programs left, under names that are not the worker's own files'.

        A program may have put a link in place of the folder, or of one above it: what lies elsewhere is not its own.
        """
        if not self._folder.resolve().is_relative_to(self._place.work.resolve()):
            return Left(
                own, ["The folder for results is not kept: a link leads from it out of the robot's own folder."]
            )
        left = left_in(self._folder, self._brought, taken={artifact.name for artifact in own})
        return Left(own + left.artifacts, left.complaints)

    def _logs(self) -> list[tuple[str, Path]]:
        return [(name, self._place.folder / name) for name in _LOGS]


def kept(files: list[tuple[str, Path]]) -> Left:
    """Files of the worker's own that belong to the step run as a whole."""
    return Left(_there(files))


def _there(files: list[tuple[str, Path]]) -> list[Artifact]:
    return [Artifact(name, path, path.stat().st_size) for name, path in files if path.exists()]
