"""The verbs that most nouns share: list, change, delete, and telling what the room answered."""

from collections.abc import Iterable, Sequence
from typing import Any

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, Row, show_fields, show_json, show_table
from controlroom.cli.lookup import NOUNS, find, find_id
from controlroom.cli.options import RoomOptions
from controlroom.cli.values import confirmed


def show_list(
    room: RoomOptions, path: str, columns: Sequence[Column], *, empty: str = "", at_most: int | None = None
) -> None:
    """Print a whole list of the workspace: `empty` is said to people where there is nothing."""
    with Client(address(room)) as client:
        rows = list(client.each(path, at_most=at_most))
    show_rows(room, rows, columns, empty=empty)


def show_rows(room: RoomOptions, rows: Iterable[Row], columns: Sequence[Column], *, empty: str = "") -> None:
    """Print rows as the API's own objects if JSON is asked for, else as a table."""
    if room.json:
        show_json(list(rows))
    else:
        show_table(rows, columns, empty=empty)


def show_one(room: RoomOptions, found: Row, readable: Row) -> None:
    """Print an object as the API's own if JSON is asked for, else its readable form, a field a line."""
    if room.json:
        show_json(found)
    else:
        show_fields(readable)


def tell(room: RoomOptions, answer: Any, field: str | None = None) -> None:
    """Print the room's answer if JSON is asked for, else the one field of it that is of use: nothing if None."""
    if room.json:
        show_json(answer)
    elif field is not None:
        print(answer[field])


def change(room: RoomOptions, kind: str, named: str, body: object) -> None:
    """Change the one object of a kind (`processes`, `workers` …) with this id or name."""
    with Client(address(room)) as client:
        answer = client.post(f"/{kind}/{find_id(client, kind, named)}", body)
    tell(room, answer)


def set_enabled(room: RoomOptions, kind: str, named: str, *, is_enabled: bool) -> None:
    """Switch an object on or off."""
    change(room, kind, named, {"enabled": is_enabled})


def delete_named(room: RoomOptions, kind: str, named: str, *, yes: bool) -> None:
    """Delete the one object of a kind with this id or name, once a person has agreed."""
    delete_part(room, kind, named, "", f"Delete the {NOUNS[kind]} {{!r}}?", yes=yes)


def delete_part(room: RoomOptions, kind: str, named: str, part: str, question: str, *, yes: bool) -> None:
    """Delete what an object has at a path below its own, once a person has said yes; `{!r}` is the object's name."""
    with Client(address(room)) as client:
        found = find(client, kind, named)
        confirmed(question.format(found["name"]), yes=yes)
        answer = client.delete(f"/{kind}/{found['id']}{part}")
    tell(room, answer)


def delete_at(room: RoomOptions, path: str, question: str, *, yes: bool) -> None:
    """Delete what is at a path of the workspace, once a person has said yes to the question."""
    confirmed(question, yes=yes)
    with Client(address(room)) as client:
        answer = client.delete(path)
    tell(room, answer)
