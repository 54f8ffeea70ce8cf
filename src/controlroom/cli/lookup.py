"""Finding what a person calls by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from controlroom.cli.client import Client
from controlroom.cli.errors import CommandFailed


def find(client: Client, kind: str, named: str) -> dict[str, Any]:
    """The one object of a kind (`processes`, `task-packages`, `workers` …) with this id or name.

    Raises CommandFailed if there is none, or more than one of that name.
    """
    if is_id(named):
        found: dict[str, Any] = client.get(f"/{kind}/{named}")
        return found
    same = [each for each in client.each(f"/{kind}") if each["name"] == named]
    noun = NOUNS.get(kind, kind)
    if not same:
        raise CommandFailed(f"there is no {noun} called {named!r} in this workspace", hint=_existing(client, kind))
    if len(same) > 1:
        ids = ", ".join(str(each["id"]) for each in same)
        raise CommandFailed(f"several are called {named!r}", hint=f"Name one by its id: {ids}")
    return same[0]


def find_id(client: Client, kind: str, named: str) -> str:
    """The id of the one object with this id or name; an id is believed."""
    return named if is_id(named) else str(find(client, kind, named)["id"])


def is_id(text: str) -> bool:
    """Whether a word is an id, so that it cannot be a name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


NOUNS: Mapping[str, str] = {
    "processes": "process",
    "task-packages": "task package",
    "workers": "worker",
    "worker-groups": "worker group",
    "api-keys": "API key",
    "assets": "asset",
    "schedules": "schedule",
}
_SHOWN = 10


def _existing(client: Client, kind: str) -> str:
    names = [str(each["name"]) for each in client.each(f"/{kind}", at_most=_SHOWN + 1)]
    if not names:
        return "There is none at all yet."
    more = " …" if len(names) > _SHOWN else ""
    return f"There are: {', '.join(names[:_SHOWN])}{more}"
