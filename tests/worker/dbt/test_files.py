"""Databases on the worker's disk, and files that the worker keeps."""

import hashlib
from pathlib import Path

import pytest

from controlroom.errors import Invalid
from controlroom.protocol import DatabaseFile
from controlroom.worker.dbt.databases import DatabaseNotHad, file_name, has_unsaved, on_disk, take
from controlroom.worker.dbt.kept_files import KeptFiles
from controlroom.worker.places import Place


@pytest.fixture
def place(tmp_path) -> Place:
    """A place of a run, with a database in it."""
    found = Place(folder=tmp_path / "1", user=None, work=tmp_path / "1" / "work", seen=Path("/robot"))
    (found.work / "database").mkdir(parents=True)
    (found.work / "database" / "shop.duckdb").write_bytes(b"tables")
    return found


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.duckdb", "inner/../../x", "out/x.duckdb", "{allowed}", "/"])
def test_only_allowed_folders(tmp_path, place, path):
    """A path that leads elsewhere, also by a link, is refused; so is any where nothing is allowed."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "out").symlink_to(tmp_path)

    for folders in ([], [allowed]):
        with pytest.raises(DatabaseNotHad, match="database_folders"):
            on_disk(path.format(allowed=allowed), folders, place)


def test_an_allowed_file(tmp_path, place):
    """It need not be there yet; its folder must be."""
    assert on_disk(str(tmp_path / "x.duckdb"), [tmp_path], place) == tmp_path / "x.duckdb"
    assert on_disk("x.duckdb", [tmp_path], place) == tmp_path / "x.duckdb"
    with pytest.raises(DatabaseNotHad, match="does not exist"):
        on_disk("none/x.duckdb", [tmp_path], place)


def test_a_database_is_taken_if_it_is_a_file(place):
    """A link in its place, or in place of its folder, is no database."""
    folder = place.work / "database"
    assert not has_unsaved(place, folder, "shop.duckdb")
    (folder / "shop.duckdb.wal").write_bytes(b"more")
    assert has_unsaved(place, folder, "shop.duckdb")
    (folder / "link.duckdb").symlink_to("/etc/passwd")

    assert take(place, folder, "link.duckdb", place.folder) is None
    assert take(place, folder, "none.duckdb", place.folder) is None
    taken = take(place, folder, "shop.duckdb", place.folder)
    assert taken is not None
    assert taken.read_bytes() == b"tables"
    folder.rename(place.work / "moved")
    folder.symlink_to(place.work / "moved")
    assert take(place, folder, "shop.duckdb.wal", place.folder) is None


@pytest.mark.parametrize(
    ("name", "expected"), [("shop.duckdb", "shop.duckdb"), ("../x", "x"), ("", "database-7"), ("..", "database-7")]
)
def test_the_name_of_a_file_is_one_name(name, expected):
    """Whatever the connection calls it."""
    assert file_name(DatabaseFile(connection=7, name=name, hash=None, size=0, most_bytes=1)) == expected


async def test_files_are_kept_by_content(tmp_path):
    """They are fetched once; what arrives otherwise is refused and not kept; the longest unused go first."""
    files = KeptFiles(tmp_path / "kept", max_bytes=10)
    fetched = []

    async def fetch(content_hash, into):
        fetched.append(content_hash)
        into.write(b"12345678")

    key = hashlib.sha256(b"12345678").hexdigest()
    for _ in range(2):
        assert (await files.fetched(key, fetch)).read_bytes() == b"12345678"
    with pytest.raises(Invalid, match="did not arrive"):
        await files.fetched("0" * 64, fetch)
    with pytest.raises(Invalid):
        await files.fetched("../x", fetch)
    assert fetched == [key, "0" * 64]
    assert [entry.name for entry in (tmp_path / "kept").iterdir()] == [key]

    (tmp_path / "new").write_bytes(b"abcdef")
    files.keep("a name", tmp_path / "new")
    assert files.named("a name").read_bytes() == b"abcdef"
    assert not (tmp_path / "kept" / key).exists()
    assert files.named("another") is None
