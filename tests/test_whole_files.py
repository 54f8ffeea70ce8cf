"""Files that are there whole or not at all."""

import os
import threading

import pytest

from controlroom import whole_files

WRITERS, ROUNDS = 8, 30


def in_threads(*works):
    """Run these at once, beginning together; what one raises is raised."""
    barrier, failures = threading.Barrier(len(works)), []

    def run(work):
        barrier.wait()
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_who_writes_at_once_meets_nobody_and_leaves_one_whole_file(tmp_path):
    """Each writer ends well, a reader sees one of the contents as a whole, and nothing is left beside the file."""
    path = tmp_path / "facts.json"
    contents = [bytes([65 + number]) * 200_000 for number in range(WRITERS)]
    path.write_bytes(contents[0])

    def write(content):
        for _ in range(ROUNDS):
            whole_files.write(path, content)

    def read():
        for _ in range(ROUNDS):
            assert path.read_bytes() in contents

    in_threads(*[lambda content=content: write(content) for content in contents], read)

    assert path.read_bytes() in contents
    assert [left.name for left in tmp_path.iterdir()] == ["facts.json"]


def test_who_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "facts.json"
    whole_files.write(path, b"old")

    def fail():
        with whole_files.written(path) as file:
            file.write(b"half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.iterdir()] == ["facts.json"]


def test_the_file_has_the_mode_that_was_asked_for_and_follows_no_link(tmp_path):
    """Whatever the umask is; where a link was put in its place, what it leads to stays as it is."""
    secret, path = tmp_path / "of-another", tmp_path / "key"
    secret.write_bytes(b"mine")
    path.symlink_to(secret)
    umask = os.umask(0o077)
    try:
        whole_files.write(path, b"new", 0o644)
    finally:
        os.umask(umask)

    assert (path.is_symlink(), path.read_bytes(), path.stat().st_mode & 0o777) == (False, b"new", 0o644)
    assert secret.read_bytes() == b"mine"


def test_a_name_as_long_as_names_can_be_has_room_beside_it(tmp_path):
    for name in ("n" * 255, "名" * 85):
        whole_files.write(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"
