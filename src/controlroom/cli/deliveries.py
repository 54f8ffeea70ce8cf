"""`controlroom deliveries …`: what webhooks, callbacks, notifications and provisioners were sent."""

import time
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment, moments, show_fields, show_json
from controlroom.cli.errors import FAILED, Misused
from controlroom.cli.lookup import find_id, is_id
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.verbs import show_one, show_rows

app = App(name="deliveries")

State = Literal["pending", "delivered", "failed"]
Wait = Annotated[bool, Parameter(negative="--no-wait", show_default=False)]
"""Whether to wait for what the receiver answers."""

_DEFAULT = 50
_LONGEST_SECONDS = 15.0
"""For one attempt: a receiver has ten seconds to answer."""
_PAUSE_SECONDS = 0.1
_SHOWN = 80

COLUMNS: list[Column] = [
    ("id", lambda row: row["id"]),
    ("event", lambda row: row["event"]),
    ("state", lambda row: row["state"]),
    ("attempts", lambda row: row["attempts"]),
    ("status", lambda row: row["last_status"]),
    ("error", lambda row: row["last_error"][:_SHOWN]),
    ("created", lambda row: moment(row["created_at"])),
    ("next attempt", lambda row: moment(row["next_attempt_at"])),
]
NONE_YET = "Nothing of that kind was sent within the last two weeks."


@app.command(name="list")
def list_(
    *,
    webhook: str | None = None,
    notification: str | None = None,
    run: str | None = None,
    provisioner: str | None = None,
    state: State | None = None,
    limit: int = _DEFAULT,
    room: RoomOptions = HERE,
) -> None:
    """List what was sent, newest first. The log is kept for two weeks.

    Parameters
    ----------
    webhook
        What a webhook was sent, by name or id.
    notification
        What was sent for a notification, by id.
    run
        What the callback of a run was sent.
    provisioner
        What a provisioner was asked, by name or id.
    state
        Only deliveries in a state: failed ones were given up.
    limit
        At most so many.
    """
    given = {"webhooks": webhook, "notifications": notification, "process-runs": run, "provisioners": provisioner}
    asked = [(kind, named) for kind, named in given.items() if named is not None]
    if len(asked) != 1:
        raise Misused("whose? Give one of --webhook, --notification, --run and --provisioner")
    [(kind, named)] = asked
    if kind in {"notifications", "process-runs"} and not is_id(named):
        raise Misused(f"{named!r} is no id, and this has no name")
    log = "callback-deliveries" if kind == "process-runs" else "deliveries"
    with Client(address(room)) as client:
        path = f"/{kind}/{find_id(client, kind, named)}/{log}"
        rows = list(client.each(path, at_most=limit, state=state))
    show_rows(room, rows, COLUMNS, empty=NONE_YET)


@app.command
def show(delivery: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a delivery: what is sent, and what the receiver last answered."""
    with Client(address(room)) as client:
        found = client.get(f"/deliveries/{delivery}")
    times = moments(found, "created_at", "last_attempt_at", "next_attempt_at", "ended_at")
    about = {noun: (found[noun] or {}).get("id") for noun in ("process", "process_run", "step_run")}
    show_one(room, found, {**found, **times, **about})


@app.command
def redeliver(delivery: str, /, *, wait: Wait = True, room: RoomOptions = HERE) -> int:
    """Send the same message once more, to where its webhook points now; succeeds only if it is delivered.

    Parameters
    ----------
    delivery
        Id of the delivery.
    wait
        Wait for what the receiver answers.
    """
    with Client(address(room)) as client:
        before = client.post(f"/deliveries/{delivery}/redeliver")
        after = outcome(client, delivery, attempts=before["attempts"]) if wait else before
    return tell_outcome(room, after, is_waited=wait)


def outcome(client: Client, delivery: str, *, attempts: int) -> dict[str, Any]:
    """The delivery after its next attempt, of which `attempts` went before; as it is if none comes in time."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        found: dict[str, Any] = client.get(f"/deliveries/{delivery}")
        # Why both: an attempt is counted when it begins, and what came of it is written when it has ended
        is_over = found["attempts"] > attempts and (found["last_status"] is not None or found["last_error"])
        if found["state"] != "pending" or is_over or time.monotonic() >= deadline:
            return found
        time.sleep(_PAUSE_SECONDS)


def tell_outcome(room: RoomOptions, delivery: dict[str, Any], *, is_waited: bool) -> int:
    """Say what came of a delivery; the exit code is a failure unless it was delivered or nobody waited."""
    if room.json:
        show_json(delivery)
    elif not is_waited:
        print(delivery["id"])
    else:
        told = {
            name: delivery[name] for name in ("id", "state", "destination", "last_status", "last_answer", "last_error")
        }
        told["next attempt"] = moment(delivery["next_attempt_at"])
        show_fields({name: value for name, value in told.items() if value not in (None, "")})
    return 0 if delivery["state"] == "delivered" or not is_waited else FAILED
