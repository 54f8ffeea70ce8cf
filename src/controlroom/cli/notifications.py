"""`controlroom notifications …`."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.deliveries import COLUMNS, NONE_YET
from controlroom.cli.display import moments, show_fields, show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find, is_id
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed, line
from controlroom.cli.verbs import show_rows, tell

app = App(name="notifications")

End = Literal["completed", "unresolved"]
_Ends = Annotated[tuple[End, ...], Parameter(negative=(), show_default=False)]
_LAST = 10


@app.command(name="list")
def list_(*, process: str | None = None, room: RoomOptions = HERE) -> None:
    """List whom the processes tell how their runs end.

    Parameters
    ----------
    process
        Only those of a process, by name or id.
    """
    with Client(address(room)) as client:
        processes = [find(client, "processes", process)] if process else list(client.each("/processes"))
        names = {each["id"]: each["name"] for each in processes}
        rows = [row for id_ in names for row in client.each(f"/processes/{id_}/notifications")]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("process", lambda row: names[row["process"]["id"]]),
            ("by", lambda row: row["type"]),
            ("to", lambda row: ", ".join(row["recipients"])),
            ("on", lambda row: ", ".join(map(_end, row["enabled_events"]))),
            ("enabled", lambda row: row["disabled_reason"] or row["enabled"]),
        ],
        empty="There is no notification yet: controlroom notifications create PROCESS --mail ADDRESS",
    )


@app.command
def show(notification: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a notification and what was sent for it last. A chat's address is a secret, and never shown."""
    with Client(address(room)) as client:
        found = client.get(_path(notification))
        last = list(client.each(f"{_path(notification)}/deliveries", at_most=_LAST))
    if room.json:
        show_json({**found, "deliveries": last})
        return
    readable = {
        "process": found["process"]["id"],
        "recipients": "\n".join(found["recipients"]),
        "enabled_events": "\n".join(found["enabled_events"]),
    }
    show_fields({**found, **moments(found, "created_at"), **readable})
    print()
    show_table(last, COLUMNS, empty=NONE_YET)


@app.command
def create(
    process: str,
    /,
    *,
    mail: Many = (),
    chat: str | None = None,
    on: _Ends = ("unresolved",),
    room: RoomOptions = HERE,
) -> None:
    """Tell people how the runs of a process end, from now on, and print the notification's id.

    Parameters
    ----------
    process
        Name or id of the process.
    mail
        Mail address of somebody; may be given several times.
    chat
        Address of a chat's webhook in Slack's form; @file or @- (standard input) keeps it out of the shell's history.
    on
        How a run ends: unresolved (if nothing is said) or completed; may be given several times.
    """
    if bool(mail) == (chat is not None):
        raise Misused("say whom to tell, in one way: --mail ADDRESS or --chat URL")
    body = {"enabled_events": _events(on), **_way(mail, chat)}
    with Client(address(room)) as client:
        made = client.post(f"/processes/{find(client, 'processes', process)['id']}/notifications", body)
    tell(room, made, "id")


@app.command
def edit(
    notification: str,
    /,
    *,
    mail: Many = (),
    chat: str | None = None,
    on: _Ends = (),
    room: RoomOptions = HERE,
) -> None:
    """Change whom a notification tells, or of what; one by mail stays one by mail.

    Parameters
    ----------
    notification
        Its id.
    mail
        All mail addresses from now on.
    chat
        The new address of the chat's webhook; @file or @- (standard input) keeps it out of the shell's history.
    on
        All ends that are told from now on.
    """
    body = changes("--mail, --chat or --on", enabled_events=_events(on) or None, **_way(mail, chat))
    _change(room, notification, body)


@app.command
def enable(notification: str, /, *, room: RoomOptions = HERE) -> None:
    """Tell again; of runs that ended meanwhile nobody is told."""
    _change(room, notification, {"enabled": True})


@app.command
def disable(notification: str, /, *, room: RoomOptions = HERE) -> None:
    """Tell no more; what is still to be sent is given up."""
    _change(room, notification, {"enabled": False})


@app.command
def delete(notification: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a notification; what is still to be sent is given up.

    Parameters
    ----------
    notification
        Its id.
    """
    with Client(address(room)) as client:
        found = client.get(_path(notification))
        whom = ", ".join(found["recipients"]) or "a chat"
        confirmed(f"Delete the notification of {whom}?", yes=yes)
        answer = client.delete(_path(notification))
    tell(room, answer)


def _change(room: RoomOptions, notification: str, body: dict[str, object]) -> None:
    with Client(address(room)) as client:
        answer = client.post(_path(notification), body)
    tell(room, answer)


def _path(notification: str) -> str:
    if not is_id(notification):
        raise Misused(f"{notification!r} is no id: notifications have no name", hint="controlroom notifications list")
    return f"/notifications/{notification}"


def _way(mail: tuple[str, ...], chat: str | None) -> dict[str, Any]:
    way: dict[str, Any] = {}
    if mail:
        way["recipients"] = list(mail)
    if chat is not None:
        way["endpoint"] = line(chat)
    return way


def _events(ends: tuple[End, ...]) -> list[str]:
    return [f"process_run.{end}" for end in ends]


def _end(event: str) -> str:
    return event.removeprefix("process_run.")
