"""What commands leave is taken out without following links."""

from pathlib import Path

import pytest

from controlroom.worker.dbt.leavings import listed, put_parsed, take
from controlroom.worker.dbt.masks import Masks
from controlroom.worker.places import Place
from controlroom.worker.reaching import put


@pytest.fixture
def place(tmp_path) -> Place:
    """A place of a run, with a project in it."""
    found = Place(folder=tmp_path, user=None, work=tmp_path / "work", seen=Path("/robot"))
    for folder in (found.robot / "target", found.work / "dbt" / "logs"):
        folder.mkdir(parents=True)
    (found.work / "dbt" / "logs" / "dbt.log").write_text("debug\n")
    (found.robot / "target" / "manifest.json").write_text('{"password": "s3cret"}')
    return found


@pytest.fixture
def outside(tmp_path) -> Path:
    """A folder of the worker's."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "key").write_text("worker's")
    return folder


def left(place: Place, *secrets: str) -> tuple[dict[str, bytes], list[str]]:
    """The artifacts that a command left by name, and the complaints."""
    taken = take(place, place.robot, place.work / "dbt" / "logs", place.folder / "left" / "3")
    found = listed(taken, Masks(secrets), 3)
    assert all(artifact.phase == 3 for artifact in found.artifacts)
    return {artifact.name: artifact.path.read_bytes() for artifact in found.artifacts}, found.complaints


def test_target_and_log_are_taken(place):
    """Artifacts have their paths in the target folder, the log has its own; a parse is kept apart, and none."""
    (place.robot / "target" / "compiled").mkdir()
    (place.robot / "target" / "compiled" / "a.sql").write_text("select 1")
    (place.robot / "target" / "partial_parse.msgpack").write_bytes(b"parsed")

    found, complaints = left(place)

    assert sorted(found) == ["compiled/a.sql", "logs/dbt.log", "manifest.json"]
    assert not complaints
    assert not (place.robot / "target").exists()
    assert (place.folder / "left" / "3" / "partial_parse.msgpack").read_bytes() == b"parsed"


def test_secrets_are_masked_and_what_cannot_be_is_not_kept(place):
    """A text is kept without them; of another file only the name is told."""
    (place.robot / "target" / "data.bin").write_bytes(b"\0s3cret")

    found, complaints = left(place, "s3cret")

    assert found["manifest.json"] == b'{"password": "*****"}'
    assert "data.bin" not in found
    assert "data.bin" in complaints[0]


def test_links_lead_nowhere(place, outside):
    """Not as target, not in it, not above it."""
    (place.robot / "target" / "inner").symlink_to(outside)
    (place.robot / "target" / "key").symlink_to(outside / "key")

    found, _ = left(place)
    assert sorted(found) == ["logs/dbt.log", "manifest.json"]

    (place.robot / "target").symlink_to(outside)
    taken = take(place, place.robot, place.work / "dbt" / "logs", place.folder / "left" / "4")
    assert not listed(taken, Masks(()), 4).artifacts
    assert "behind a link" in taken.complaints[0]
    assert (outside / "key").exists()

    (outside / "target").mkdir()
    place.robot.rename(place.work / "moved")
    (place.robot).symlink_to(outside)
    taken = take(place, place.robot, place.work / "dbt" / "logs", place.folder / "left" / "5")
    assert "behind a link" in taken.complaints[0]
    assert (outside / "target").is_dir()


def test_nothing_is_written_behind_a_link(place, outside):
    """Files that are put into a place replace links, and go through none."""
    (place.folder / "mine").write_text("new")
    (place.robot / "file").symlink_to(outside / "key")

    put(place, place.folder / "mine", place.robot, "file")
    assert ((place.robot / "file").read_text(), (outside / "key").read_text()) == ("new", "worker's")

    (place.robot / "linked").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        put(place, place.folder / "mine", place.robot / "linked", "key")
    put_parsed(place, place.robot / "linked", place.folder / "mine")
    assert [entry.name for entry in outside.iterdir()] == ["key"]


def test_a_left_file_that_is_a_link_is_not_read(place, outside):
    """What one command left may be given to the next, but not what a link of it leads to."""
    (place.folder / "left").mkdir()
    (place.folder / "left" / "manifest.json").symlink_to(outside / "key")

    with pytest.raises(OSError, match="manifest"):
        put(place, place.folder / "left" / "manifest.json", place.robot, "state.json")
