"""`controlroom retention …`: how long a workspace keeps what."""

from typing import Any

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed, number
from controlroom.cli.verbs import tell

app = App(name="retention")

_FOREVER = "forever"
_DEFAULT = "default"
_NOUNS = {
    "process_runs": "runs",
    "assistant_runs": "runs of assistants",
    "console": "console output",
    "artifacts": "artifacts",
    "events": "audit log",
}


@app.command
def show(*, room: RoomOptions = HERE) -> None:
    """Show for how many days the workspace keeps what."""
    with Client(address(room)) as client:
        found = client.get("/retention")
    if room.json:
        show_json(found)
        return
    show_table(
        [{"what": what, "days": days, "own": found["own"][what]} for what, days in found["days"].items()],
        [
            ("what", lambda row: _NOUNS.get(row["what"], row["what"])),
            ("days", lambda row: row["days"] or _FOREVER),
            ("as set for", lambda row: "the room" if row["own"] is None else "this workspace"),
        ],
    )


@app.command(name="set")
def set_(
    *,
    runs: str | None = None,
    assistant_runs: str | None = None,
    console: str | None = None,
    artifacts: str | None = None,
    events: str | None = None,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Change for how many days the workspace keeps what: a number, `forever`, or `default` for what the room does.

    What is older than a new, shorter time is deleted within the hour.

    Parameters
    ----------
    runs
        Runs of processes, with their work items.
    assistant_runs
        Runs of assistants.
    console
        What robots print.
    artifacts
        Files that robots leave.
    events
        The record of events: the audit log.
    """
    given = {
        "process_runs": runs,
        "assistant_runs": assistant_runs,
        "console": console,
        "artifacts": artifacts,
        "events": events,
    }
    asked = changes("--runs, --assistant-runs, --console, --artifacts or --events", **given)
    body = {what: _days(what, str(text)) for what, text in asked.items()}
    with Client(address(room)) as client:
        shorter = _shorter(client.get("/retention"), body)
        if shorter:
            confirmed(f"What is older will be deleted: {', '.join(shorter)}. Go on?", yes=yes)
        answer = client.post("/retention", body)
    tell(room, answer)


def _days(what: str, text: str) -> int | None:
    """Days as the API takes them: 0 is for ever, None as the room does. Raises Misused."""
    match text:
        case "forever":
            return 0
        case "default":
            return None
        case _:
            try:
                return number(text, option=_option(what), least=1)
            except Misused as wrong:
                raise Misused(f"{wrong.message}; `{_FOREVER}` and `{_DEFAULT}` are the other answers") from wrong


def _shorter(before: dict[str, Any], body: dict[str, int | None]) -> list[str]:
    """What would be kept for a shorter time, or perhaps so: what the room does is not known from here."""
    told = []
    for what, days in body.items():
        now = before["days"][what]
        if days is None and before["own"][what] is not None:
            told.append(f"{_NOUNS[what]} ({now or _FOREVER} → as the room does)")
        elif days and (now == 0 or days < now):
            told.append(f"{_NOUNS[what]} ({now or _FOREVER} → {days} days)")
    return told


def _option(what: str) -> str:
    return "--runs" if what == "process_runs" else f"--{what.replace('_', '-')}"
