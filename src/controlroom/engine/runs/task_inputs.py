"""By what a task is called, as its interface says: named inputs, of which some have a default (DESIGN §4.11)."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from controlroom.engine.access.scope import Scope
from controlroom.engine.packages import interfaces
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.errors import Invalid
from controlroom.ids import TaskId
from controlroom.postgres.database import Statements
from controlroom.robots.interfaces import filled


class InputUnknown(Invalid):
    """A task that says what it takes is given something else."""

    def __init__(self, name: str, taken: Iterable[str]) -> None:
        told = ", ".join(sorted(taken))
        super().__init__(f"the task takes no input {name[:200]!r}: it takes {told}", code="INPUT_UNKNOWN")


async def inputs_of_task(
    db: Statements, scope: Scope, task: TaskId, given: Raw | None, *, label: str | None = None
) -> Raw:
    """The payload by which a task is called: what it was given, and the defaults of its other inputs.

    What is no object is left as it is; without any declared inputs, nothing is null. Raises InputUnknown for an input
    that the task does not take, if it says what it takes.
    """
    payload = bytes(given or b"null").strip()
    if payload != b"null" and not payload.startswith(b"{"):
        return Raw(payload)
    try:
        interface = (await interfaces.of_task(db, scope, task, label=label)).interface
    except TaskNotFound:  # there is no such version: the start says so in its own words
        return Raw(payload)
    if not interface.inputs:
        return Raw(payload)
    taken = {each.name for each in interface.inputs}
    named = msgspec.json.decode(payload, type=dict[str, Raw] | None) or {}
    if unknown := [name for name in named if name not in taken]:
        raise InputUnknown(unknown[0], taken)
    return Raw(msgspec.json.encode(filled(interface, named)))
