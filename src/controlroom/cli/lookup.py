"""Finding what a person calls by name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed, Misused


def find(client: Client, kind: str, named: str) -> dict[str, Any]:
    """The one object of a kind (`processes`, `task-packages`, `workers` …) with this id or name.

    Raises CommandFailed if there is none, or more than one of that name.
    """
    if is_id(named):
        found: dict[str, Any] = client.get(f"/{kind}/{named}")
        return found
    place = "in this organization" if kind in _OF_THE_ORGANIZATION else "in this workspace"
    return among(client.each(f"/{kind}"), named, noun=NOUNS.get(kind, kind), place=place)


def among(
    rows: Iterable[dict[str, Any]],
    named: str,
    *,
    noun: str,
    name: Callable[[dict[str, Any]], str] = lambda row: row["name"],
    place: str = "in this workspace",
) -> dict[str, Any]:
    """The one of these objects with this id or name. Raises CommandFailed if there is none, or more than one."""
    known = list(rows)
    if is_id(named):
        same = [each for each in known if each["id"] == named.lower()]
    else:
        same = [each for each in known if name(each) == named]
    if not same:
        raise CommandFailed(f"there is no {noun} called {named!r} {place}", hint=existing(map(name, known)))
    if len(same) > 1:
        ids = ", ".join(str(each["id"]) for each in same)
        raise CommandFailed(f"several are called {named!r}", hint=f"Name one by its id: {ids}")
    return same[0]


def required(client: Client, path: str, *, missing: str, hint: str) -> dict[str, Any]:
    """What is at a path of the workspace. Raises CommandFailed that says what is missing, and how to make it."""
    found: dict[str, Any] | None = client.get_or_none(path)
    if found is None:
        raise CommandFailed(missing, hint=hint)
    return found


def package_called(client: Client, name: str) -> str | None:
    """The id of the task package of this name; None if there is none."""
    return next((str(each["id"]) for each in client.each("/task-packages", name=name) if each["name"] == name), None)


def find_id(client: Client, kind: str, named: str) -> str:
    """The id of the one object with this id or name; an id is believed."""
    return named if is_id(named) else str(find(client, kind, named)["id"])


def find_queue(client: Client, named: str) -> dict[str, Any]:
    """The queue of this id or name; the input queue of a step is called PROCESS:STEP. Raises CommandFailed."""
    process, colon, step = named.rpartition(":")
    if is_id(named) or not colon:
        return find(client, "queues", named)
    standing = [each for each in client.each("/queues") if each["name"] == named]
    if standing:
        return standing[0]
    steps = client.get(f"/processes/{find_id(client, 'processes', process)}")["steps"]
    found = among(steps, step, noun="step", place=f"in the process {process!r}")
    queue: dict[str, Any] = client.get(f"/queues/{found['queue']['id']}")
    return queue


def find_task(client: Client, named: str) -> str:
    """The id of the task that PACKAGE:TASK names. Raises CommandFailed, Misused."""
    package, colon, task = named.partition(":")
    if not colon or not package or not task:
        raise Misused(f"{named!r} is not of the form PACKAGE:TASK")
    tasks = client.get(f"/task-packages/{find_id(client, 'task-packages', package)}")["tasks"]
    return str(among(tasks, task, noun="task", place=f"in the package {package!r}")["id"])


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
    "roles": "role",
    "item-models": "item model",
    "user-groups": "group of users",
    "assets": "asset",
    "schedules": "schedule",
    "queues": "queue",
    "assistants": "assistant",
    "provisioners": "provisioner",
    "lockers": "locker",
    "shared-secrets": "secret",
    "service-tokens": "service token",
    "connections": "connection",
    "targets": "environment",
}
_OF_THE_ORGANIZATION = frozenset({"roles", "user-groups", "lockers", "shared-secrets", "service-tokens", "connections"})
_SHOWN = 10


def existing(all_names: Iterable[str]) -> str:
    """What there is, for who has named what there is not."""
    names = [name for name in all_names if name]
    if not names:
        return "There is none at all yet."
    more = " …" if len(names) > _SHOWN else ""
    return f"There are: {', '.join(names[:_SHOWN])}{more}"
