"""The pages of the console that are walked in the browser, and of which `make shots` takes pictures.

Whoever makes a page adds a line: a name for its picture, and its address below `/w/{workspace}` (or whole, with two
slashes). `{run}` is a run with something to see.
"""

from pathlib import Path

import console_items
import console_nouns
import console_people
from rooms import Room

EXAMPLES = Path(__file__).parents[1] / "examples"

PAGES = {
    "overview": "",
    "overview-month": "?period=30d",
    "patterns": "//ui/patterns",
    "menu": "/more",
    "runs": "/runs",
    "runs-none-match": "/runs?trigger=email&since=1h",
    "run": "/runs/{run}",
    "run-console": "/runs/{run}/console",
    "processes": "/processes",
    "process": "/processes/{process}",
    "process-new": "/processes/new",
    "process-edit": "/processes/{process}/edit",
    "process-start": "/processes/{process}/start",
    "process-triggers": "/processes/{process}/triggers",
    "process-changes": "/processes/{process}/changes",
    "process-secret": "/processes/{process}/secret",
    "schedules": "/schedules",
    "schedules-week": "/schedules/calendar?view=week",
    "schedules-day": "/schedules/calendar?view=day",
    "schedule": "/schedules/{schedule}",
    "schedule-new": "/schedules/new",
    "schedule-edit": "/schedules/{schedule}/edit",
    "schedule-delete": "/schedules/{schedule}/delete",
    "process-delete": "/processes/{process}/delete",
    **console_people.PAGES,
    **console_items.PAGES,
    **console_nouns.PAGES,
    "me": "//me",
    "left-files": "//admin/left-files",
    "search": "/search?q=words",
    "search-consoles": "/search?q=words&in=consoles",
    "failure": "/runs?sort=nonsense",
    "workers": "/workers",
    "workers-all": "/workers/all",
    "workers-link": "/workers/link",
    "worker": "/workers/{worker}",
    "worker-serving": "/workers/{worker}/serving",
    "group": "/groups/{group}",
    "group-new": "/groups/new",
    "queues": "/queues",
    "queue": "/queues/{queue}",
    "item-models": "/item-models",
    "item-model-new": "/item-models/new",
    "queue-consumer": "/queues/{queue}/consumers/new",
    "queue-archives": "/queues/archives?queue={queue}",
    "queue-tables": "/queues/{queue}/tables",
    "packages": "/packages",
    "package": "/packages/words",
    "package-new": "/packages/new",
    "package-newest": "/packages/words/newest",
    "assets": "/assets",
    "asset": "/assets/prices",
    "asset-new": "/assets/new",
    "secrets": "/secrets",
    "secret": "/secrets/erp",
    "secret-edit": "/secrets/erp/edit",
    "lockers": "/lockers",
    "tasks": "/tasks",
    "jobs": "/jobs",
    "targets": "/targets",
    "target-new": "/targets/new",
    "job-new": "/jobs/new",
    "assistants": "/assistants",
    "assistant": "/assistants/Ask%20me",
    "provisioners": "/provisioners",
    "provisioner": "/provisioners/cloud",
}


def fill(running: Room) -> dict[str, str]:
    """Something to look at: robots, processes, runs that went well and runs that did not. What addresses need of it."""
    running.cli("push", EXAMPLES / "plain-script", "--name", "words")
    running.cli("process", "create", "Words", "--step", "count=words:Count words")
    for _ in range(3):
        running.cli("run", "Words", "--follow")
    running.cli("schedules", "create", "Words", "--cron", "30 7 * * 1-5", "--zone", "Europe/Oslo", "--overlap", "queue")
    return {
        "workspace": "default",
        "run": str(running.get("/process-runs")["data"][0]["id"]),
        "process": str(running.get("/processes")["data"][0]["id"]),
        "schedule": str(running.get("/schedules")["data"][0]["id"]),
        **_floor(running),
        **console_people.fill(running),
        **console_items.fill(running),
        **console_nouns.fill(running),
    }


def _floor(running: Room) -> dict[str, str]:
    """A group, a queue that waits, and the room's own worker."""
    group = running.post("/worker-groups", {"name": "linux-fin"})
    queue = running.post("/queues", {"name": "claims-inbox"})
    for number in range(3):
        running.post("/work-items", {"queue": {"id": queue["id"]}, "payload": {"n": number}})
    running.cli("assets", "set", "prices", '{"NO": 3.5}', "--content-type", "application/json")
    running.cli("secrets", "set", "erp", "username=ida", "password=secret")
    running.cli("assistant", "create", "Ask me", "words:Count words")
    running.post("/provisioners", {"name": "cloud", "endpoint": "https://provisioner.example.com/start"})
    return {
        "group": str(group["id"]),
        "queue": str(queue["id"]),
        "worker": str(running.get("/workers")["data"][0]["id"]),
    }
