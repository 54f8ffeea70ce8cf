"""`controlroom audit`."""

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.verbs import show_rows


def audit(
    *,
    event: str | None = None,
    actor: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = 50,
    room: RoomOptions = HERE,
) -> None:
    """Show who did what in the workspace, newest first.

    Parameters
    ----------
    event
        Only events of this kind: api_key.revealed, say.
    actor
        Only what the user or API key with this id did.
    since
        From this time on (2030-01-31T07:30:00Z).
    until
        Before this time.
    limit
        How many at most.
    """
    asked = {"event_type": event, "actor_id": actor, "since": since, "until": until}
    with Client(address(room)) as client:
        rows = list(client.each("/audit-log", at_most=limit, **asked))
    show_rows(
        room,
        rows,
        [
            ("time", lambda row: moment(row["timestamp"])),
            ("event", lambda row: row["event_type"]),
            ("by", lambda row: row["actor"]["name"] or row["actor"]["type"]),
            ("about", lambda row: row["subject_id"] or (row["process_run"] or row["process"] or {}).get("id")),
        ],
        empty="Nothing of that kind has happened.",
    )
