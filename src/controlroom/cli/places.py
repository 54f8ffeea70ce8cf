"""On whom robots run, and as whom, as the command line writes it: places in their order."""

from collections.abc import Iterable
from typing import Any

from controlroom.cli.calling import Client
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find_id, is_id
from controlroom.cli.members import find_user

FORM = "worker:NAME, group:NAME or on-demand:PROVISIONER"

_KINDS = {"worker": ("workers", "workers"), "group": ("groups", "worker-groups")}


def placement_of(client: Client, places: Iterable[str], run_as: str | None) -> dict[str, Any]:
    """A placement as the API takes it; empty if nothing is said. Raises Misused, CommandFailed."""
    placement: dict[str, Any] = {}
    if listed := [_place(client, text) for text in places]:
        placement["places"] = listed
    if run_as is not None:
        placement["run_as"] = user_id(client, run_as)
    return placement


def user_id(client: Client, named: str) -> str:
    """The id of the user with this id or name. Raises CommandFailed."""
    return named if is_id(named) else str(find_user(client, "users", named)["id"])


def _place(client: Client, text: str) -> dict[str, Any]:
    kind, colon, name = text.partition(":")
    if colon and name and kind == "on-demand":
        return {"provisioner": find_id(client, "provisioners", name)}
    if not (colon and name and kind in _KINDS):
        raise Misused(f"{text!r} is no place", hint=f"Written as {FORM}.")
    field, path = _KINDS[kind]
    return {field: [find_id(client, path, name)]}
