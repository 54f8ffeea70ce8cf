"""A large file that a command leaves goes up and down in pieces: neither worker nor server ever holds it."""

import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

ROWS = 3_200_000
LEAST = 100_000_000
MOST_GROWTH = 40_000_000
"""What a process may hold in addition. Why: pieces of 1 MB, some of them on their way; a tenth of it is seen."""

FILES = {
    "dbt_project.yml": "name: large\nprofile: large\nversion: '1.0'\n",
    "models/one.sql": "select 1 as id",
    "macros/make_large.sql": '{% macro make_large() %}{% do run_query("copy (select md5(i::varchar) as word from range('
    + str(ROWS)
    + ") t(i)) to 'target/large.csv' (header false)\") %}{% endmacro %}\n",
}


class Watched:
    """How much processes hold, at most, beyond what they held before."""

    def __init__(self, *processes: psutil.Process) -> None:
        self._before = {each: each.memory_info().rss for each in processes}
        self.most = dict.fromkeys(processes, 0)

    def look(self) -> None:
        """Look once."""
        for each, before in self._before.items():
            with suppress(psutil.Error):
                self.most[each] = max(self.most[each], each.memory_info().rss - before)


@contextmanager
def watched(*processes: psutil.Process) -> Iterator[Watched]:
    """Look at processes again and again while the block lasts."""
    found, over = Watched(*processes), threading.Event()

    def looking() -> None:
        while not over.wait(0.02):
            found.look()

    thread = threading.Thread(target=looking)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "with-secrets"])
def test_a_hundred_megabytes(opened, masked):
    """Up from the worker, also where it is searched for secrets, and down to two callers: the same bytes each time."""
    large = opened(FILES, name=f"large{masked}", steps=("dbt run-operation make_large",))
    if masked:
        words = ("dbt", "variables", "set", "--project", f"large{masked}", "DBT_ENV_SECRET_WORD", "@-")
        large.room.cli(*words, stdin="c4ca4238a0b923820dcc509a6f75849b")  # md5 of 1
    large.good(large.start("dbt run"))  # what a first run makes and imports is not what is measured
    worker, server = large.room.child("worker"), large.room.child("server")

    with watched(worker, server) as upward:
        run = large.good(large.start())["id"]
    with watched(server) as downward:
        downloads = [_downloaded(large, run) for _ in range(2)]

    assert downloads[0] == downloads[1]
    assert downloads[0][0] > LEAST
    if not masked:
        expected = hashlib.sha256()
        for number in range(ROWS):
            expected.update(hashlib.md5(str(number).encode()).hexdigest().encode() + b"\n")  # noqa: S324 - as DuckDB
        assert downloads[0][1] == expected.hexdigest()
    held = {each.pid: most for watcher in (upward, downward) for each, most in watcher.most.items()}
    print(
        f"held beyond before: worker {upward.most[worker]:,}, server {upward.most[server]:,} up, "
        f"{downward.most[server]:,} down"
    )
    assert max(held.values()) < MOST_GROWTH


def _downloaded(large, run: int) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{large.room.url}/api/v2/accounts/{large.ids['account_id']}/runs/{run}/artifacts/large.csv",
        headers={"Authorization": f"Token {large.token}"},
    )
    size, digest = 0, hashlib.sha256()
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
        while piece := answer.read(1 << 18):
            size += len(piece)
            digest.update(piece)
        assert int(answer.headers["Content-Length"]) == size
    return size, digest.hexdigest()
