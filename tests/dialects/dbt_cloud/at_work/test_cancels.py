"""Runs that are cancelled, wherever they stand: with real dbt, and what it leaves behind."""

import time

import pytest

from dbt_hub import Hub
from dbt_shop import SLOWLY, Shop

STUBBORN = """
import time

def model(dbt, session):
    dbt.config(materialized="table")
    print("STUBBORN", flush=True)
    end = time.monotonic() + 300
    while time.monotonic() < end:  # dbt waits for its threads, and this one heeds nobody
        time.sleep(0.2)
    return session.sql("select 1 as id")
"""


@pytest.fixture(scope="module")
def shop(opened) -> Shop:
    """A project whose environment is made already."""
    found = opened(name="cancelled")
    found.good(found.start())
    return found


def test_while_it_is_queued(shop):
    """It ends at once, and no worker ever has it; what it waited for goes on."""
    first = shop.start(SLOWLY)
    shop.says(first, "START sql table model")
    queued = shop.start()
    assert shop.run(queued)["blocked_by"] == [first]

    answer = shop.cancel(queued)

    found = shop.ended(queued)
    assert answer["id"] == queued
    assert (found["status"], found["is_cancelled"], found["run_steps"]) == (30, True, found["run_steps"])
    assert {step["status_humanized"] for step in found["run_steps"]} <= {"Cancelled", "Skipped"}
    assert shop.run(first)["status"] == 3
    shop.cancel(first)
    assert shop.ended(first)["status"] == 30


def test_while_its_environment_is_made(opened):
    """In the phase of the profile: the rest is skipped, and a later run makes the environment after all."""
    files = {
        "dbt_project.yml": "name: own\nprofile: own\nversion: '1.0'\n",
        "models/one.sql": "select 1 as id",
        "requirements.txt": "colorama==0.4.6\n",
    }
    own = opened(files, name="own")
    run = own.start()
    own.reaches(run, "Create profile")

    own.cancel(run)

    found = own.ended(run)
    assert found["status"] == 30
    assert [step["status_humanized"] for step in found["run_steps"]] == [
        "Success",
        "Cancelled",
        *["Skipped"] * (len(found["run_steps"]) - 2),
    ]
    own.good(own.start())


def test_while_packages_are_fetched(opened):
    """From a hub that never answers."""
    with Hub(hangs=True) as hub:
        files = {
            "dbt_project.yml": "name: far\nprofile: far\nversion: '1.0'\n",
            "models/one.sql": "select 1 as id",
            "packages.yml": f"packages: [{{tarball: '{hub.url}/never.tar.gz', name: never}}]\n",
        }
        far = opened(files, name="far")
        run = far.start()
        far.reaches(run, "Invoke dbt with `dbt deps`")
        hub.wait_until_asked()
        began = time.monotonic()

        far.cancel(run)

        found = far.ended(run)
    assert found["status"] == 30
    assert [step["status_humanized"] for step in found["run_steps"]] == ["Success", "Success", "Cancelled", "Skipped"]
    assert time.monotonic() - began < 30


def test_while_a_command_runs(shop):
    """Dbt is interrupted first: it writes its results, and keeps what was built before."""
    run = shop.start('dbt run --vars \'{"mark": "kept"}\'', SLOWLY, "dbt run")
    shop.reaches(run, 'Invoke dbt with `dbt run --vars \'{"rows"')
    began = time.monotonic()
    while "START sql table model" not in shop.run(run)["run_steps"][4]["logs"]:
        assert time.monotonic() - began < 120

    shop.cancel(run)

    found = shop.ended(run)
    assert found["status"] == 30
    assert [step["status_humanized"] for step in found["run_steps"]][3:] == ["Success", "Cancelled", "Skipped"]
    assert "run_results.json" in shop.call("GET", f"/runs/{run}/artifacts/?step=5")
    assert "kept" in shop.shown("select mark from rows")
    assert shop.run(run)["can_retry"] is False


def test_while_a_command_heeds_nobody(opened):
    """It is ended by force soon after, and with it all that it has started; the database is as good as it was."""
    files = {
        "dbt_project.yml": "name: stubborn\nprofile: stubborn\nversion: '1.0'\n",
        "models/one.sql": "{{ config(materialized='table') }} select 1 as id",
        "models/two.py": STUBBORN,
    }
    project = opened(files, name="stubborn", steps=("dbt run -s one", "dbt run -s two"))
    run = project.start()
    project.says(run, "STUBBORN")
    began = time.monotonic()

    project.cancel(run)

    found = project.ended(run)
    assert found["status"] == 30
    assert 8 < time.monotonic() - began < 60
    assert project.steps(run)[3:] == ["Success", "Cancelled"]
    assert "1" in project.shown("select id from one")


def test_when_it_has_ended(shop):
    """It stays as it is."""
    run = shop.good(shop.start())

    assert shop.cancel(run["id"])["status"] == 10
    assert shop.run(run["id"])["finished_at"] == run["finished_at"]
