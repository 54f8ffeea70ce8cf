"""What targets may be. Pure."""

from typing import Final

import msgspec

from controlroom.engine.access.names import checked_name
from controlroom.engine.targets.errors import TargetInvalid
from controlroom.engine.targets.model import TargetDefinition, TargetKind
from controlroom.robots import dbt_versions

_MOST_KEPT_BYTES: Final = 64 * 1024


def checked(target: TargetDefinition) -> TargetDefinition:
    """The target, if it can be one. Raises TargetInvalid, Invalid `NAME_INVALID`."""
    checked_name(target.name, what="target's name")
    if target.purpose is not None and target.kind is not TargetKind.DEPLOYMENT:
        raise TargetInvalid("purpose", "is said only of the type deployment")
    if target.branch is not None and (len(target.branch) > 255 or not _is_branch(target.branch)):  # noqa: PLR2004 - as of names
        raise TargetInvalid("branch", "is the name of a branch, tag or commit")
    if target.uses_branch and not target.branch:
        raise TargetInvalid("branch", "is named where one is used")
    if target.tool_version is not None and (fault := dbt_versions.fault_of(target.tool_version)):
        raise TargetInvalid("tool_version", fault)
    if target.subdirectory is not None and not _is_within(target.subdirectory):
        raise TargetInvalid("subdirectory", "is a folder within the project, without ..")
    if len(msgspec.json.encode(target.kept)) > _MOST_KEPT_BYTES:
        raise TargetInvalid("kept", f"has at most {_MOST_KEPT_BYTES:,} bytes")
    return target


def _is_branch(name: str) -> bool:
    return name == "" or (name.isprintable() and " " not in name and not name.startswith("-") and ".." not in name)


def _is_within(folder: str) -> bool:
    return folder.isprintable() and len(folder) <= 1000 and not folder.startswith("/") and ".." not in folder.split("/")  # noqa: PLR2004 - paths are shorter
