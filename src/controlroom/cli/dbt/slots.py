"""`controlroom dbt slots`: how many runs of projects the account may have at once."""

from typing import Any

from controlroom.cli.display import show_json
from controlroom.cli.errors import Misused
from controlroom.cli.governing import governing
from controlroom.cli.options import HERE, RoomOptions

WORKERS = "workers"
"""What is said to have as many as the workers can run."""


def slots(number: str = "", /, *, room: RoomOptions = HERE) -> None:
    """Show how many dbt runs the account may have at once, or set it.

    Runs of one job come one after the other whatever the number is, and CI runs take no slot.

    Parameters
    ----------
    number
        How many, or `workers`: as many as the workers can run.
    """
    with governing(room) as client:
        found = client.post("/run-slots", {"capacity": _capacity(number)}) if number else client.get("/run-slots")
    show_json(found) if room.json else print(_told(found))


def _capacity(number: str) -> int | None:
    if number == WORKERS:
        return None
    if not number.isdecimal():
        raise Misused(f"{number!r} is neither a number nor {WORKERS!r}")
    return int(number)


def _told(found: dict[str, Any]) -> str:
    how = "as many as the workers can run" if found["follows_workers"] else "as was set"
    runs = "run" if found["capacity"] == 1 else "runs"
    return f"{found['capacity']} dbt {runs} at once, {how}."
