"""Files that commands write, of which no two of one command become one."""

import pytest

from controlroom.cli.errors import CommandFailed
from controlroom.cli.files import Downloads


def test_names_that_a_file_system_takes_for_one_stay_two(tmp_path):
    """Where two names lead to one file (case, accents, trailing dots), the second gets a number."""
    (tmp_path / "got" / "A").mkdir(parents=True)
    (tmp_path / "got" / "a").symlink_to("A")  # as a file system sees it that knows no case
    downloads = Downloads(tmp_path / "got")

    for name in ("A/r.txt", "a/r.txt", "a/R.txt", "A/r.txt"):
        with downloads.file(name) as (_, out):
            out.write(name.encode())

    found = sorted((path.name, path.read_text()) for path in (tmp_path / "got" / "A").iterdir())
    assert found == [("R.txt", "a/R.txt"), ("r (2).txt", "a/r.txt"), ("r (3).txt", "A/r.txt"), ("r.txt", "A/r.txt")]


def test_what_an_earlier_command_wrote_is_replaced(tmp_path):
    """The same download again gives the same files."""
    for content in (b"old", b"new"):
        with Downloads(tmp_path).file("sub/a") as (path, out):
            out.write(content)

    assert path.read_bytes() == b"new"
    assert [each.name for each in (tmp_path / "sub").iterdir()] == ["a"]


def test_nothing_is_written_outside_of_the_folder(tmp_path):
    """A name that leads out is refused."""
    with pytest.raises(CommandFailed, match="leads out"), Downloads(tmp_path / "got").file("../x"):
        pass

    assert list(tmp_path.iterdir()) == []
