"""What a robot says of how far it is: kept at the step run, told by the API, forgotten by the next attempt."""

import pytest

from controlroom.engine.runs import reports
from controlroom.engine.vault import actions as vault
from robot_calls import Robot


@pytest.fixture
async def robot(ada, process, walt, stranger):
    """A robot at work."""
    run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1]})
    while str((assignment := await walt.take()).run_id) != run["id"]:
        await walt.finish(assignment)
    return Robot(stranger, assignment)


async def tell(robot, **told):
    return await robot.ask("PUT", "/progress", json=told)


async def told(ada, robot) -> dict | None:
    step_run = await ada.get(f"/step-runs/{robot.assignment.step_run_id}")
    progress = step_run.get("progress")
    return progress and {name: value for name, value in progress.items() if name != "at"}


async def test_the_last_word_counts(ada, robot):
    """A step run that has told nothing has no such field; then it has what was told last, numbers as they came."""
    assert await told(ada, robot) is None

    for done in (1, 2.5, 3):
        assert (await tell(robot, done=done, total=10, message="  the\n third ")).status_code == 200

    assert await told(ada, robot) == {"done": 3, "total": 10, "message": "the third"}
    assert (await tell(robot, done=4.5)).status_code == 200
    assert await told(ada, robot) == {"done": 4.5, "total": None, "message": ""}


@pytest.mark.parametrize(
    "wrong",
    [{}, {"done": -1}, {"done": "1"}, {"done": None}, {"done": 1, "total": -1}, {"done": 1, "message": "x" * 201}],
)
async def test_what_is_no_progress_changes_nothing(ada, robot, wrong):
    """It is refused by its field."""
    await tell(robot, done=1)

    answer = await tell(robot, **wrong)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY")
    assert await told(ada, robot) == {"done": 1, "total": None, "message": ""}


async def test_what_was_read_of_the_vault_is_masked(ada, robot, room):
    """As in the lines of the console."""
    await vault.put(room.engine, ada.actor, ada.workspace, "mail", values={"password": "hunter22"})
    await robot.ask("GET", "/secrets/mail")

    await tell(robot, done=1, message="logs in with hunter22")

    assert "hunter22" not in (await told(ada, robot))["message"]
    assert (await told(ada, robot))["message"].startswith("logs in with ")


async def test_it_stays_when_the_step_run_ends_and_who_is_over_tells_nothing(ada, robot, walt):
    """The token dies with the attempt."""
    await tell(robot, done=7)
    await walt.finish(robot.assignment)

    assert (await tell(robot, done=8)).status_code == 401
    assert await told(ada, robot) == {"done": 7, "total": None, "message": ""}


async def test_the_next_attempt_begins_without(ada, robot, walt, room):
    """Of a robot that its worker could not begin nothing is left but that it begins anew."""
    await tell(robot, done=7)
    of = robot.assignment

    await reports.give_back(room.engine, walt.actor, of.step_run_id, of.attempt, "no room")
    while (again := await walt.take()).step_run_id != of.step_run_id:
        await walt.finish(again)

    assert again.attempt == of.attempt + 1
    assert await told(ada, robot) is None
