"""What an attempt leaves is its own."""

from pathlib import Path

import pytest

from controlroom.worker.places import Place
from controlroom.worker.results import Results


@pytest.fixture
def place(tmp_path) -> Place:
    """A place of a robot that has left a result."""
    found = Place(folder=tmp_path / "1", user=None, work=tmp_path / "1" / "work", seen=Path("/robot"))
    (found.robot / "output").mkdir(parents=True)
    (found.robot / "output" / "result.txt").write_text("mine")
    return found


def names(place: Place) -> list[str]:
    left = Results(place, place.robot / "output", {}).of_robot([])
    return [*(artifact.name for artifact in left.artifacts), *left.complaints]


@pytest.mark.parametrize("replaced", ["output", "robot"])
def test_a_link_out_of_the_robots_folder_leads_nowhere(place, tmp_path, replaced):
    """Neither in place of the folder for results nor of one above it; a link within its own folder is its business."""
    assert names(place) == ["result.txt"]
    (tmp_path / "elsewhere" / "output").mkdir(parents=True)
    (tmp_path / "elsewhere" / "output" / "key").write_text("the worker's")
    folder = place.robot / "output" if replaced == "output" else place.robot
    moved = folder.rename(place.work / "moved")

    folder.symlink_to(moved)
    assert names(place) == ["result.txt"]

    folder.unlink()
    folder.symlink_to(tmp_path / "elsewhere" / ("output" if replaced == "output" else ""))
    assert names(place) == ["The folder for results is not kept: a link leads from it out of the robot's own folder."]
