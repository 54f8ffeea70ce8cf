"""Which room a command speaks to, and where it found that out."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from controlroom.cli import known_rooms
from controlroom.cli.errors import CommandFailed


class Asked(Protocol):
    """What the command line and the environment say about the room."""

    @property
    def url(self) -> str | None:
        """Address of the room."""

    @property
    def workspace(self) -> str | None:
        """Id of the workspace."""

    @property
    def api_key(self) -> str | None:
        """Value of an API key."""


class Address(NamedTuple):
    """All that a call needs to know."""

    url: str
    workspace: str
    api_key: str
    ca_file: str | None


def address(options: Asked, *, needs: Collection[str] = ("url", "workspace", "api_key")) -> Address:
    """Complete the options from a room known here. Raises CommandFailed that names what of `needs` is missing."""
    url, workspace, api_key = options.url, options.workspace, options.api_key
    if url and "://" not in url:
        url = f"http://{url}"
    ca_file = None
    if not (url and workspace and api_key):
        meant = known_room(url)
        if meant is not None:
            url = url or str(meant["url"])
            workspace = workspace or meant.get("workspace_id")
            api_key = api_key or meant.get("api_key")
            ca_file = meant.get("ca_file")
    for name, value in (("url", url), ("workspace", workspace), ("api_key", api_key)):
        if name in needs and not value:
            option = name.replace("_", "-")
            raise CommandFailed(
                f"which room? --{option} is missing, and no room was found that says it: "
                f"not in ./{known_rooms.DATA_FOLDER}, and not among those that `controlroom rooms` lists",
                hint=f"Give --{option} (or CONTROLROOM_{name.upper()}), start a room by `controlroom up`, "
                "or log in to one by `controlroom login USER --url URL`.",
            )
    assert url is not None  # noqa: S101  # the loop above has seen to it
    return Address(url.rstrip("/"), workspace or "", api_key or "", ca_file)


def local_room() -> dict[str, Any] | None:
    """What `up` wrote about the room of this folder (or of CONTROLROOM_DATA), if it is ours to read."""
    return known_rooms.ready_facts_in(Path(os.environ.get("CONTROLROOM_DATA") or known_rooms.DATA_FOLDER))


def known_room(url: str | None = None) -> dict[str, Any] | None:
    """What is known here of the room at an address; without one, of the room that a command means."""
    return next((each for each in _candidates() if url is None or url.rstrip("/") in _addresses(each)), None)


def data_folder() -> Path | None:
    """The data folder of the room that a command means which works on this machine; None where a setting names one."""
    from controlroom.settings import file_of  # noqa: PLC0415 - commands that speak to a room need none of it

    if os.environ.get("CONTROLROOM_DATA") or file_of(os.environ).get("data"):
        return None
    here, known = Path(known_rooms.DATA_FOLDER), known_rooms.book()
    names = [*([known.used] if known.used else []), *reversed(known.rooms)]
    kept = [Path(known.rooms[name]["data"]) for name in names if "data" in known.rooms[name]]
    return here if here.exists() or not kept else kept[0]


def _candidates() -> Iterator[dict[str, Any]]:
    """Rooms that a command may mean, the likeliest first.

    Named by a variable, chosen by `use` or `login`, of this folder, started last.
    """
    here, known = local_room(), known_rooms.book()
    if here is not None and os.environ.get("CONTROLROOM_DATA"):
        yield here
    if known.used is not None:
        yield known_rooms.facts_of(known.rooms[known.used])
    if here is not None:
        yield here
    for room in reversed(known.rooms.values()):
        yield known_rooms.facts_of(room)


def _addresses(room: dict[str, Any]) -> set[str]:
    return {str(room[name]).rstrip("/") for name in ("url", "https_url") if room.get(name)}
