"""Runs of projects survive the death of worker and server in each of their phases, or end: none stays as it is.

One room for all, because the environment is made once. The project has one model whose query takes as long as a run
says, so that a death meets it at work.
"""

import pytest

from dbt_shop import COMPLETE, SECONDS, SLOWLY, Shop
from rooms import room, until

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The project of a room with two workers' slots; its environment is not made yet."""
    with room() as running:
        yield Shop(running, tmp_path_factory.mktemp("shop"))


def marks(shop: Shop) -> str:
    """What the database holds, as the next run reads it."""
    return shop.shown("select mark from rows")


def test_a_worker_that_dies_before_the_first_command_is_replaced(shop):
    """While it makes the environment: the run goes on as a new attempt, and ends well."""
    run = shop.start()
    shop.reaches(run, "Create profile")

    shop.room.child("worker").kill()

    found = shop.ended(run)
    assert found["status"] == 10, found["status_message"]


def test_a_worker_that_dies_at_a_command_fails_the_run(shop):
    """It is told so, with its steps; the database is as before, and the next run of the job comes at once."""
    before = marks(shop)
    run = shop.start('dbt run --vars \'{"mark": "half"}\'', SLOWLY)
    until(
        lambda: [step["status_humanized"] for step in shop.run(run)["run_steps"]][3:] == ["Success", "Running"],
        "the second command is at work",
        seconds=SECONDS,
    )

    shop.room.child("worker").kill()

    found = shop.ended(run)
    assert (found["status"], found["finished_at"] is not None) == (20, True)
    assert [step["status_humanized"] for step in found["run_steps"]][3:] == ["Success", "Error"]
    assert "half" not in marks(shop)
    assert before.split()[-1:] == marks(shop).split()[-1:]


@pytest.mark.parametrize("at", ["Clone", "Create profile", "Invoke dbt with `dbt run"])
def test_a_server_that_dies_in_a_phase_is_not_missed(shop, at):
    """Its worker goes on and tells the next server: the run ends well, and what it wrote is there."""
    mark = at.split()[0].lower()
    run = shop.start(f'dbt run --vars \'{{"rows": 20000000000, "mark": "{mark}"}}\'')
    if at != "Clone":  # which takes no time: it is met somewhere at its beginning
        until(lambda: shop.run(run)["status"] in COMPLETE or len(shop.run(run)["run_steps"]) > 0, "it begins")

    shop.room.child("server").kill()

    found = shop.ended(run)
    assert found["status"] == 10, found["status_message"]
    assert mark in marks(shop)


def test_a_room_that_dies_as_a_whole_leaves_no_run_running(shop):
    """Server and worker at once, with one run at work and one queued behind it: both end, the second one well."""
    first, second = shop.start(SLOWLY), shop.start()
    shop.reaches(first, "Invoke dbt with `dbt run")

    shop.room.child("worker").kill()
    shop.room.child("server").kill()

    assert shop.ended(first)["status"] == 20
    found = shop.ended(second)
    assert found["status"] == 10, found["status_message"]
