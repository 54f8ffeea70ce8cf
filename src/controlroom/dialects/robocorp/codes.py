"""The engine's words for what went wrong, as this dialect's clients know them (§1.3): one table.

The engine says run, package and purpose where these clients read process run, task package and capability. Programs
decide by the code, people read the message: both stay what they were when the engine itself spoke so.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.work_items.model import ExceptionType, ItemException


class Said(Struct, frozen=True):
    """How a failure of the engine is told."""

    code: str
    here: str
    """The engine's words at the beginning of its message …"""
    ours: str
    """… and what is said in their place."""


RENAMED: Final[Mapping[str, Said]] = {
    "INTERNAL": Said("UNEXPECTED_ERROR", "", ""),
    "RUN_NOT_FOUND": Said("PROCESS_RUN_NOT_FOUND", "no run", "no process run"),
    "RUN_NOT_ENDED": Said("PROCESS_RUN_NOT_ENDED", "run", "process run"),
    "RUN_HAS_NO_INPUTS": Said("PROCESS_RUN_HAS_NO_INPUTS", "run", "process run"),
    "RUN_STOPPED": Said("PROCESS_RUN_STOPPED", "The run", "The process run"),
    "PACKAGE_NOT_FOUND": Said("TASK_PACKAGE_NOT_FOUND", "no package", "no task package"),
    "PACKAGE_EMPTY": Said("TASK_PACKAGE_EMPTY", "", ""),
    "PACKAGE_NAME_TAKEN": Said("PACKAGE_NAME_TAKEN", "a package", "a task package"),
    "PACKAGE_IN_USE": Said("PACKAGE_IN_USE", "the package", "the task package"),
    "PACKAGE_SOURCE_NOT_FOUND": Said("PACKAGE_SOURCE_NOT_FOUND", "package", "task package"),
    "NAME_INVALID": Said("NAME_INVALID", "a package's", "a task package's"),
    "PURPOSE_WRONG": Said("CAPABILITY_WRONG", "", ""),
    "PURPOSE_NEEDS_WORKSPACE": Said("CAPABILITY_NEEDS_WORKSPACE", "", ""),
}
"""By the engine's code; what is not here is told as the engine says it."""


def told(code: str, message: str) -> tuple[str, str]:
    """A code and a message of the engine, as clients are told them."""
    said = RENAMED.get(code)
    if said is None:
        return code, message
    return said.code, message.replace(said.here, said.ours, 1) if said.here else message


def told_exception(exception: ItemException) -> ItemException:
    """Why an item failed: what the engine itself decided in these clients' words, what a robot said as it is."""
    if exception.type is not ExceptionType.ORCHESTRATOR:
        return exception
    code, message = told(exception.code, exception.message)
    return msgspec.structs.replace(exception, code=code, message=message)


def asked_codes(code: str) -> tuple[str, ...]:
    """The codes of items that a client means by one: the engine's, and the word itself.

    It is a robot's own, or one that was written when the engine still spoke so.
    """
    return (*(engine for engine, said in RENAMED.items() if said.code == code != engine), code)
