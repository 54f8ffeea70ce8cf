"""What stands on the pages of runs and work items: addresses for the walk, and a run whose items went in many ways."""

import json
from pathlib import Path
from typing import Any

from rooms import Room, until

ROBOT = Path(__file__).with_name("console_robot")

PAGES = {
    "run-flow": "/runs/{flown}",
    "run-items": "/runs/{flown}/items",
    "run-artifacts": "/runs/{flown}/artifacts",
    "run-artifact-table": "/runs/{flown}/artifacts?show={table}",
    "run-artifact-json": "/runs/{flown}/artifacts?show={json}",
    "run-data": "/runs/{flown}/data",
    "run-events": "/runs/{flown}/events",
    "run-step-run": "/runs/{flown}/steps/{step_run}",
    "run-stop": "/runs/{flown}/stop",
    "run-again": "/runs/{flown}/again",
    "run-delete": "/runs/{flown}/delete",
    "items": "/items",
    "items-all": "/items?tab=all&process={invoices}",
    "items-found": "/items?tab=all&payload=$.supplier.country%20=%20SE",
    "items-group": "/items?failure={failure}",
    "items-drawer": "/items?item={item}",
    "item": "/items/{item}",
    "item-edit": "/items/{item}/edit",
    "item-delete": "/items/{item}/do/delete",
    "item-new": "/items/new",
    "items-bulk": "/items/bulk?tab=failed&all=1&operation=retry",
    "items-bulk-ask": "/items/bulk?tab=failed&all=1",
    "items-jobs": "/items/jobs",
}


def fill(running: Room) -> dict[str, str]:
    """A run of three steps: some of its items fail in each, and one payload was edited since."""
    running.cli("push", ROBOT, "--name", "invoices")
    steps = ("Collect invoices", "Extract fields", "Post to ledger")
    running.cli(
        *("process", "create", "Supplier invoices"),
        *[word for step in steps for word in ("--step", f"{step}=invoices:{step}")],
        *("--max-parallel", "Extract fields=2"),
    )
    running.cli("run", "Supplier invoices", "--input", json.dumps({"invoices": 24}))
    found: list[Any] = []

    def is_told() -> bool:
        found[:] = running.get("/failure-groups")["groups"]
        return len(found) >= 3

    until(is_told, "the failures of a run are grouped")
    process = next(each for each in running.get("/processes")["data"] if each["name"] == "Supplier invoices")
    failed = running.get(f"/work-items?process_id={process['id']}&state=failed")["data"]
    item = failed[0]
    run = running.get(f"/process-runs?process_id={process['id']}")["data"][0]["id"]
    step_run = running.get(f"/step-runs?process_run_id={run}")["data"][0]["id"]
    left = {each["name"]: each["id"] for each in running.get(f"/step-runs/{step_run}/artifacts")["data"]}
    return {
        "flown": str(run),
        "step_run": str(step_run),
        "table": str(left["extracted.csv"]),
        "json": str(left["mailbox.json"]),
        "invoices": str(process["id"]),
        "failure": next(each["fingerprint"] for each in found if each["code"] == "INVALID_VAT_NUMBER"),
        "item": str(item["id"]),
    }
