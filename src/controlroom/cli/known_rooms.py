"""The rooms that a user's commands know: those that `up` started and those that somebody logged in to.

They stand in a file of the user's config folder (0600). Of a room on this machine it names the data folder only, whose
`ready.json` has the credentials, so that they lie in one place; of others address, workspace and the session's token.
A file of somebody else is neither read nor written.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from controlroom import whole_files

READY_FILE = "ready.json"
DATA_FOLDER = "controlroom-data"

Facts = dict[str, Any]
Told = TypeVar("Told")


class Book(NamedTuple):
    """What the file says."""

    used: str | None
    """The name of the room that was chosen by `use` or `login`."""
    rooms: dict[str, Facts]
    """By name, the one that was started or entered last at the end."""


def place() -> Path | None:
    """The file: $CONTROLROOM_ROOMS, else in the config folder. None if there is no such folder, or none is wanted."""
    if (named := os.environ.get("CONTROLROOM_ROOMS")) is not None:
        return Path(named) if named else None
    with suppress(RuntimeError):  # a user without a home
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "controlroom" / "rooms.json"
    return None


def book() -> Book:
    """The rooms that are known; none if the file is not ours, or says nothing that makes sense."""
    file = place()
    found = None if file is None else own_json(file)
    if found is None or not isinstance(found.get("rooms"), dict):
        return Book(None, {})
    rooms = {name: facts for name, facts in found["rooms"].items() if isinstance(facts, dict) and _is_there(facts)}
    used = found.get("used")
    return Book(used if used in rooms else None, rooms)


def facts_of(room: Facts) -> Facts:
    """What a call needs of a room: address, workspace, key, authority."""
    known = ready_facts_in(Path(room["data"])) or {} if "data" in room else {}
    known |= {name: room[name] for name in ("url", "workspace_id", "ca_file") if room.get(name)}
    if token := token_of(room):
        known["api_key"] = token
    return known


def token_of(room: Facts) -> str | None:
    """The token of a session that goes on."""
    try:
        ends = datetime.fromisoformat(room["expires_at"])
        return str(room["token"]) if ends > datetime.now(UTC) else None
    except (KeyError, TypeError, ValueError):
        return None


def ready_facts_in(data: Path) -> Facts | None:
    """What `up` wrote about the room of a data folder, if it is ours to read."""
    found = own_json(data / READY_FILE)
    return found if found is not None and isinstance(found.get("url"), str) else None


def own_json(file: Path) -> Facts | None:
    """The object in a file of ours. Why ours: another's could send our requests anywhere."""
    try:
        if file.stat().st_uid != os.getuid():
            return None
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def remember(data: Path) -> str | None:
    """Note a room that was started here, as the one meant from now on; its name, None if that cannot be."""
    wished = data.parent.name if data.name == DATA_FOLDER else data.name

    def write(known: Book) -> tuple[Book, str]:
        name = next((name for name, room in known.rooms.items() if room.get("data") == str(data)), None)
        before = known.rooms.pop(name) if name is not None else {}
        name = name or _free(wished or "room", known)
        return Book(None, {**known.rooms, name: {**before, "data": str(data)}}), name

    return _change(write)


def enter(facts: Facts, wished: str | None) -> str | None:
    """Note that somebody logged in to a room, as the one meant from now on; its name, None if that cannot be."""

    def write(known: Book) -> tuple[Book, str]:
        likeliest = [*([known.used] if known.used else []), *reversed(known.rooms)]  # only one of an address answers
        name = wished or next((name for name in likeliest if facts_of(known.rooms[name])["url"] == facts["url"]), None)
        before = known.rooms.pop(name, {}) if name is not None else {}
        if before and facts_of(before)["url"] != facts["url"]:
            before = {}
        told = (
            facts if "data" not in before else {name: facts[name] for name in facts if name not in {"url", "ca_file"}}
        )
        name = name or _free(facts["url"].partition("://")[2], known)
        return Book(name, {**known.rooms, name: {**before, **told}}), name

    return _change(write)


def leave(token: str) -> None:
    """Forget a token whose session has ended."""

    def write(known: Book) -> tuple[Book, None]:
        for room in known.rooms.values():
            if room.get("token") == token:
                room.pop("token")
        return known, None

    _change(write)


def use(name: str | None) -> bool:
    """Choose the room that commands speak to; whether that could be written."""
    return _change(lambda known: (Book(name, known.rooms), True)) is not None


def forget(name: str) -> bool:
    """Know a room no more; whether that could be written."""

    def write(known: Book) -> tuple[Book, bool]:
        known.rooms.pop(name, None)
        return Book(None if known.used == name else known.used, known.rooms), True

    return _change(write) is not None


def _change(write: Callable[[Book], tuple[Book, Told]]) -> Told | None:
    """Read, change and write the file, alone among our processes; None where there is no place for it."""
    file = place()
    if file is None:
        return None
    with suppress(OSError), _alone(file.parent):
        made, told = write(book())
        if file.exists() and file.stat().st_uid != os.getuid():
            return None
        whole_files.write(file, json.dumps(made._asdict(), indent=2).encode())
        return told
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, made if need be. Raises OSError where it is not ours to make or to use."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if there.stat().st_uid != os.getuid() and "CONTROLROOM_ROOMS" not in os.environ:
        # Why: `sudo` may leave us another user's home
        raise PermissionError(there)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _free(wished: str, known: Book) -> str:
    """The wished name, with a number if another room has it."""
    names = [wished, *(f"{wished}-{number}" for number in range(2, len(known.rooms) + 3))]
    return next(name for name in names if name not in known.rooms)


def _is_there(room: Facts) -> bool:
    """Whether a room can still be spoken to: one of this machine has its folder."""
    return ready_facts_in(Path(room["data"])) is not None if isinstance(room.get("data"), str) else "url" in room
