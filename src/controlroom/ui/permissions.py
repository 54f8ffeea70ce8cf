"""Permissions as people read and tick them: a line a noun, a box a verb."""

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import EVERYTHING, Permission


class Box(Struct, frozen=True):
    """A permission, by the verb that it is within its noun."""

    permission: Permission
    verb: str
    hint: str = ""

    @property
    def name(self) -> str:
        """By which a form sends it."""
        return self.permission.value


class Line(Struct, frozen=True):
    """A noun, with the verbs that can be allowed."""

    noun: str
    boxes: tuple[Box, ...]


def _line(noun: str, *boxes: tuple[Permission, str] | tuple[Permission, str, str]) -> Line:
    return Line(noun, tuple(Box(*each) for each in boxes))


P = Permission
OF_A_WORKSPACE: Final[tuple[Line, ...]] = (
    _line(
        "Runs",
        (P.READ_RUNS, "read", "and delete, for keys"),
        (P.START_RUNS, "start"),
        (P.DELETE_RUNS, "delete"),
        (P.READ_RUN_OUTPUTS, "outputs", "Read consoles and artifacts"),
    ),
    _line("Running as", (P.START_AS, "others", "Start as another user"), (P.RUNTIME, "be run as")),
    _line("Work items", (P.READ_WORK_ITEMS, "read"), (P.WRITE_WORK_ITEMS, "write")),
    _line(
        "Processes",
        (P.READ_PROCESSES, "read"),
        (P.WRITE_PROCESSES, "write"),
        (P.GOVERN_QUEUES, "queues", "Do with every queue what its owners may"),
    ),
    _line("Schedules", (P.READ_SCHEDULES, "read"), (P.WRITE_SCHEDULES, "write")),
    _line("Packages", (P.READ_PACKAGES, "read"), (P.WRITE_PACKAGES, "write")),
    _line("Assets", (P.READ_ASSETS, "read"), (P.WRITE_ASSETS, "write")),
    _line("Secrets", (P.READ_SECRETS, "read", "Names, no values"), (P.WRITE_SECRETS, "write"), (P.USE_SECRETS, "use")),
    _line("Workers", (P.READ_WORKERS, "read"), (P.WRITE_WORKERS, "write")),
    _line("Assistants", (P.READ_ASSISTANTS, "read"), (P.WRITE_ASSISTANTS, "write")),
    _line("Targets", (P.READ_TARGETS, "read"), (P.WRITE_TARGETS, "write")),
    _line("Variables", (P.READ_VARIABLES, "read"), (P.WRITE_VARIABLES, "write")),
    _line("Webhooks", (P.READ_WEBHOOKS, "read"), (P.WRITE_WEBHOOKS, "write")),
    _line("Members", (P.READ_MEMBERS, "read"), (P.WRITE_MEMBERS, "write")),
    _line(
        "API keys",
        (P.READ_API_KEYS, "read", "Names, no values"),
        (P.WRITE_API_KEYS, "write"),
        (P.REVEAL, "view again", "Keys and webhook secrets; audited"),
    ),
    _line("Workspace", (P.WRITE_WORKSPACE, "settings"), (P.READ_AUDIT, "audit log")),
)
"""All that can be done in a workspace: a test sees that nothing is missing."""

OF_THE_ORGANIZATION: Final[tuple[Line, ...]] = (
    _line("Workspaces", (P.WRITE_WORKSPACES, "make")),
    _line("Roles", (P.WRITE_ROLES, "write")),
    _line("Shared secrets", (P.OWN_SECRETS, "own"), (P.GOVERN_LOCKERS, "govern")),
    _line("Models", (P.READ_MODELS, "ask"), (P.WRITE_MODELS, "write")),
    _line("Connections", (P.READ_CONNECTIONS, "read"), (P.WRITE_CONNECTIONS, "write")),
)
"""What means something in the organization alone."""

OF_KEYS: Final = tuple(
    Line(line.noun, tuple(box for box in line.boxes if box.permission is not P.DELETE_RUNS)) for line in OF_A_WORKSPACE
)
"""What an API key is given by name: to delete runs is part of reading them there."""

_BOXES: Final = {
    box.permission.value: (line.noun, box.verb)
    for line in (*OF_A_WORKSPACE, *OF_THE_ORGANIZATION)
    for box in line.boxes
}
_EXCEPTIONS: Final = {P.READ_RUN_OUTPUTS: "read outputs", P.START_AS: "start as others", P.RUNTIME: "be run as"}
_EXCEPTIONS_BY_NAME: Final = {permission.value: said for permission, said in _EXCEPTIONS.items()}


def said(permission: str) -> str:
    """A permission in two or three words: `start runs`. What has no name here is said as it is."""
    if permission in _EXCEPTIONS_BY_NAME:
        return _EXCEPTIONS_BY_NAME[permission]
    if permission not in _BOXES:
        return permission
    noun, verb = _BOXES[permission]
    noun = noun if noun.startswith("API") else noun[0].lower() + noun[1:]
    return f"{verb} {noun}" if " " not in verb and noun != "workspace" else f"{noun}: {verb}"


def tags_of(permissions: Collection[str], *, most: int = 5) -> tuple[list[str], int]:
    """The first few permissions as tags, those that do something first, and how many more there are."""
    named = {Permission(each) for each in permissions if each in _BOXES}
    if named >= EVERYTHING - {P.DELETE_RUNS}:
        return ["everything"], 0
    ordered = sorted(permissions, key=_weight)
    return [said(each) for each in ordered[:most]], max(0, len(ordered) - most)


def _weight(permission: str) -> tuple[int, str]:
    verb = permission.rpartition(".")[2]
    return ({"start": 0, "write": 1, "read": 2}.get(verb, 1), permission)


def ticked_of(ticked: Iterable[str]) -> frozenset[Permission]:
    """The permissions of boxes that were ticked; what is none is passed over."""
    known = {each.value for each in Permission}
    return frozenset(Permission(each) for each in ticked if each in known)
