"""Many real runs at once: which of them goes first, how many go together, and that none is left behind."""

import itertools
from datetime import datetime

import pytest

from dbt_shop import SLOWLY
from rooms import until

RUNS = 20
EACH_MINUTE = {"date": {"type": "custom_cron", "cron": "* * * * *"}, "time": {"type": "every_hour", "interval": 1}}


def moment(run: dict, field: str) -> datetime:
    return datetime.fromisoformat(run[field])


@pytest.fixture(scope="module")
def shop(opened):
    """A project whose environment is made already."""
    found = opened(name="left")
    found.good(found.start())
    return found


def test_twenty_runs_on_two_slots(shop, opened):
    """Two go at a time, those of one database in their order and never together; at the end nobody waits."""
    other = opened(name="right")
    jobs = [(each, each.make_job("dbt run")) for _ in range(RUNS // 4) for each in (shop, other)]
    started = [(each, each.start(job=job)) for _ in range(2) for each, job in jobs]

    ended = [(each, each.good(run)) for each, run in started]

    assert len(ended) == RUNS
    times = [(moment(run, "dequeued_at"), moment(run, "finished_at")) for _, run in ended]
    together = [sum(first <= begun < end for first, end in times) for begun, _ in times]
    assert max(together) == 2
    for each in (shop, other):
        mine = [run for owner, run in ended if owner is each]
        assert [run["id"] for run in sorted(mine, key=lambda run: moment(run, "dequeued_at"))] == sorted(
            run["id"] for run in mine
        )
        for before, after in itertools.pairwise(mine):
            assert moment(before, "finished_at") <= moment(after, "dequeued_at")
    assert shop.call("GET", "/runs/?status__in=[1,2,3]") == []
    took = max(end for _, end in times) - min(moment(run, "created_at") for _, run in ended)
    print(f"{RUNS} runs in {took.total_seconds():.1f} s")


def test_scheduled_runs_do_not_pile_up(shop):
    """Of those that wait only the newest stays, and the others say why; what somebody asked for stays, too."""
    triggers = {"schedule": True, "github_webhook": False, "git_provider_webhook": False, "on_merge": False}
    job = shop.make_job("dbt run", triggers=triggers, schedule=EACH_MINUTE)
    at_work = shop.start(SLOWLY, job=job)
    shop.says(at_work, "START sql table model")
    by_hand = shop.start(job=job)

    until(lambda: len(scheduled(shop, job)) >= 2, "two are due", seconds=180)
    until(lambda: scheduled(shop, job)[0]["status"] == 30, "the older one ends")
    shop.call("POST", f"/jobs/{job}/", triggers=triggers | {"schedule": False})

    *older, newest = scheduled(shop, job)
    assert [run["status"] for run in older] == [30] * len(older)
    assert all("only the newest" in run["status_message"] for run in older)
    assert newest["status"] == 1
    assert shop.run(by_hand)["status"] == 1
    assert at_work in shop.run(by_hand)["blocked_by"]
    shop.cancel(at_work)
    assert moment(shop.good(by_hand), "finished_at") <= moment(shop.good(newest["id"]), "dequeued_at")
    assert shop.run(newest["id"])["trigger"]["cause_category"] == "scheduled"


def scheduled(shop, job: int) -> list[dict]:
    """The runs of a job that its schedule has started, in their order."""
    runs = shop.call("GET", f"/runs/?job_definition_id={job}&order_by=id&include_related=trigger")
    return [run for run in runs if run["trigger"]["cause_category"] == "scheduled"]
