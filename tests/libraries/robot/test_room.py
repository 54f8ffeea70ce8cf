"""Robots of our own library at work in a room: real processes, with what a worker tells them."""

import sys
import textwrap
from pathlib import Path

import pytest

from controlroom.engine.vault import actions as vault
from controlroom.protocol import ErrorCode
from interpreters import needed
from work_item_robots import EVERY_VERB, NATIVE, Relay, seen, work

ITEMS = [{"name": name} for name in ("ä", "bad", "worse", "refused", "last")]
OURS = Path(__file__).with_name("every_verb.py")


@pytest.fixture
def taken(ada, process, walt):
    """Starts a run of these payloads, and gives what walt has taken of it, with the run's id."""

    async def take(payloads):
        run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})
        while str((assignment := await walt.take()).run_id) != run["id"]:  # what a run before has put out
            await walt.finish(assignment)
        return assignment, run["id"]

    return take


@pytest.fixture
def worked(room, walt, tmp_path):
    """Runs a robot of these lines on what walt has taken: its exit code, and what it printed."""

    async def work_(assignment, lines, python=sys.executable, **variables):
        script = tmp_path / "robot.py"
        script.write_text(textwrap.dedent(lines), "utf-8")
        return await work(python, script, assignment, room, walt, tmp_path, PYTHONPATH=str(NATIVE), **variables)

    return work_


@pytest.mark.parametrize("minor", ["3.9", "{}.{}".format(*sys.version_info[:2])])
async def test_it_leaves_what_the_vendors_library_leaves(room, ada, walt, taken, tmp_path, minor):
    """Payloads, files, outputs and failures are the same in the room, of a robot that dies with an item in hand."""
    pytest.importorskip("robocorp.workitems", reason="robocorp-workitems is not installed")
    there = []
    for script, python, path in ((EVERY_VERB, sys.executable, ""), (OURS, needed(minor), str(NATIVE))):
        folder = tmp_path / script.parent.name
        folder.mkdir()
        assignment, run = await taken(ITEMS)
        code, printed = await work(python, script, assignment, room, walt, folder, PYTHONPATH=path)
        assert code == 3, printed
        await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
        there.append(await seen(ada, run))

    theirs, ours = ([row for row in rows if "put out" not in row[1]] for rows in there)
    assert ours == theirs
    assert len(ours) == len(ITEMS) + 6
    [large] = [row for row in there[1] if "put out" in row[1]]
    assert large[3] == [("much.bin", b"\0" * 100_000)]


@pytest.mark.parametrize(
    ("block", "loses"),
    [
        ("with item:", [b"/outputs ", b"/release ", b"/reserve "]),
        ("if True:", [b"/reserve ", b"/outputs ", b"/release "]),
    ],
)
async def test_lost_answers_make_no_twins_over_one_connection(room, ada, taken, worked, block, loses):
    """Each answer is lost once: the robot asks again, and what it put out is there once."""
    assignment, run = await taken(ITEMS)
    async with Relay(room.url) as relay:
        relay.loses = loses.copy()
        code, printed = await worked(
            assignment,
            f"""
            from controlroom_robot import items, output
            for number, item in enumerate(items()):
                {block}
                    output({{"of": item.payload["name"]}}, files={{"a": b"x" * (100_000 if number == 0 else 10)}})
            """,
            url=relay.url,
        )

    assert (code, relay.loses, relay.connections) == (0, [], 4), printed
    states = sorted(row["state"] for row in await ada.every("/work-items", process_run_id=run))
    assert states == ["done"] * 5 + ["pending"] * 5


@pytest.mark.parametrize(("replaces", "reserves"), [((b"", b""), 1), ((b'"reserve": true', b'"unknown": true'), 4)])
async def test_a_plain_loop_is_one_call_an_item(room, ada, taken, worked, replaces, reserves):
    """A room that is older, and does not know what it is asked for with a release, is asked by itself."""
    assignment, run = await taken([1, 2, 3])
    async with Relay(room.url) as relay:
        relay.replaces = replaces
        code, printed = await worked(
            assignment,
            """
            from controlroom_robot import items
            for item in items():
                print(item.payload)
            """,
            url=relay.url,
        )

    assert (code, printed) == (0, "1\n2\n3\n")
    assert [call for call in relay.calls if b"/release" not in call] == [b"POST /robot/v1/items/reserve"] * reserves
    assert len(relay.calls) == reserves + 3
    rows = await ada.every("/work-items", process_run_id=run)
    assert [row["state"] for row in rows] == ["done"] * 3


@pytest.mark.parametrize(
    ("body", "code", "states"),
    [
        ("break", 0, ["done", "pending", "pending"]),
        ("raise SystemExit(1)", 1, ["failed", "pending", "pending"]),
        ("os._exit(4)", 4, ["failed", "pending", "pending"]),
        ("raise ValueError('no')", 1, ["failed", "pending", "pending"]),
        ("continue", 0, ["done", "done", "done"]),
    ],
)
@pytest.mark.parametrize("block", ["with item:", "if True:"])
async def test_an_item_is_released_by_how_its_block_ends(ada, walt, taken, worked, body, code, states, block):
    """Also where it has none; what the robot leaves is released by the room, by how its process ends."""
    assignment, run = await taken([1, 2, 3])

    exit_code, printed = await worked(
        assignment,
        f"""
        import os
        from controlroom_robot import items, output
        for item in items():
            {block}
                output(item.payload)
                {body}
        """,
    )
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED if exit_code else None)

    assert exit_code == code, printed
    rows = await ada.every("/work-items", process_run_id=run)
    inputs = [row for row in rows if row["step"]["id"] == str(assignment.step_id)]
    assert sorted(row["state"] for row in inputs) == states
    if body.startswith("raise ValueError") and block == "with item:":
        [failed] = [row for row in inputs if row["state"] == "failed"]
        assert failed["exception"] == {"type": "application", "code": "ValueError", "message": "no"}


async def test_secrets_assets_and_lines_are_the_rooms(room, ada, taken, worked):
    """Values by their keys, contents as they are, an asset that was not there, and levels that the console knows."""
    await vault.put(room.engine, ada.actor, ada.workspace, "mail", values={"password": "hunter22"})
    assignment, _ = await taken([1])

    code, printed = await worked(
        assignment,
        """
        from controlroom_robot import NotFound, asset, log, secret
        mail = secret("mail")
        assert mail["password"] == "hunter22"
        assert "hunter22" not in repr(mail), mail
        prices = asset("prices/eu.json")
        try:
            prices.read()
        except NotFound as missing:
            assert missing.code == "ASSET_NOT_FOUND"
        prices.write({"apple": 3})
        assert (prices.json(), prices.content_type) == ({"apple": 3}, "application/json")
        prices.write("ä")
        assert (prices.text(), prices.content_type) == ("ä", "text/plain")
        prices.write(b"\\0", "image/png")
        assert (prices.read(), prices.content_type) == (b"\\0", "image/png")
        log.debug("not told")
        log.info("order %s", 7)
        log.warning("slow")
        log.error("broken")
        """,
    )

    assert (code, printed) == (0, "INFO order 7\nWARNING slow\nERROR broken\n")


async def test_progress_is_told_once_a_second_and_the_last_word_at_the_end(room, ada, taken, worked):
    """However often a robot says it, and it costs the robot nothing."""
    assignment, _ = await taken([1])

    async with Relay(room.url) as relay:
        code, printed = await worked(
            assignment,
            """
            import time
            from controlroom_robot import progress
            began, count = time.monotonic(), 0
            while time.monotonic() - began < 2.5:
                count += 1
                progress(count, 10**9, "at work")
            progress(7, 8, "nearly")
            print(count, time.monotonic() - began)
            """,
            url=relay.url,
        )

    assert code == 0, printed
    count, seconds = map(float, printed.split())
    assert count > 20_000
    assert 2 <= relay.calls.count(b"PUT /robot/v1/progress") <= seconds + 2
    step_run = await ada.get(f"/step-runs/{assignment.step_run_id}")
    assert {**step_run["progress"], "at": ""} == {"done": 7, "total": 8, "message": "nearly", "at": ""}


async def test_a_room_that_cannot_be_reached_matters_to_no_progress(taken, worked):
    """But whatever needs the room says so by a code."""
    assignment, _ = await taken([1])

    code, printed = await worked(
        assignment,
        """
        from controlroom_robot import RoomError, progress, _place
        from controlroom_robot._room import Room
        progress(1, 2)
        _place._here = Room(tries=1)
        try:
            _place.here().reserve()
        except RoomError as refused:
            print(refused.code)
        """,
        url="http://127.0.0.1:9",
    )

    assert (code, printed) == (0, "UNREACHABLE\n")
