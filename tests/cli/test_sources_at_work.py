"""A source that runs inside the room, by a real worker in an environment of its list, load after load."""

import json

import duckdb
import pytest

from rooms import Room

pytestmark = [pytest.mark.matrix, pytest.mark.network, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def running(at_work: Room) -> Room:
    """A room with a worker."""
    return at_work


def test_the_room_loads_itself_again_and_again(running, tmp_path):
    """Each load goes on in the next version of the file; console and report tell rows per table, and no secret."""
    process = running.cli("sources", "install", "robocorp", "--no-schedule", "-r", "process_runs").stdout.strip()
    first = running.cli("run", "Load robocorp", "--follow")
    second = running.cli("run", "Load robocorp", "--follow")

    key = running.json("keys", "reveal", "source Load robocorp")["value"]
    for followed, count in ((first, 1), (second, 2)):
        assert "Loading robocorp, of it process_runs into duckdb, dataset robocorp." in followed.stdout
        assert f"process_runs {count}" in followed.stdout.replace("  ", "")
        assert key not in followed.stdout + followed.stderr
    run = running.json("runs", "list", "--process", "Load robocorp")[0]
    running.cli("artifacts", "download", run["id"], "-o", tmp_path)
    [report] = [json.loads(each.read_text()) for each in tmp_path.rglob("load.json")]
    assert (report["source"], report["destination"], report["rows"]["process_runs"]) == ("robocorp", "duckdb", 2)
    assert all(key.encode() not in each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())

    [connection] = running.json("dbt", "connections", "list")
    versions = running.get(f"/connections/{connection['id']}/versions")
    assert [each["version"] for each in versions] == [2, 1]
    hash_ = versions[0]["hash"]
    file = running.data / "objects" / "blobs" / hash_[:2] / hash_[2:]
    with duckdb.connect(str(file), read_only=True) as database:
        rows = database.sql("select id, process_id, state from robocorp.process_runs order by created_at").fetchall()
    runs = running.get(f"/process-runs?process_id={process}")["data"]
    assert {row[:2] for row in rows} == {(each["id"], process) for each in runs}
    assert rows[0][2] == "completed"  # what was in progress at the first load
