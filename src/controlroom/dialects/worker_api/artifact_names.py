"""What an artifact may be called: a relative path that means the same, and nothing else, wherever it is unpacked."""

import re
from typing import Final

from controlroom.errors import Invalid
from controlroom.file_names import LONGEST, LONGEST_PATH

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def checked_artifact_name(name: str) -> str:
    """The name, if it is one; raises Invalid `ARTIFACT_NAME_INVALID` for one that could lead anywhere else."""
    parts = name.split("/")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise _invalid(name, "is no text") from None
    if name.startswith("/") or _DRIVE.match(name):
        raise _invalid(name, "is absolute")
    if any(part in {"", ".", ".."} for part in parts):
        raise _invalid(name, "has an empty part, or one that leads elsewhere")
    if "\\" in name or _CONTROL.search(name):
        raise _invalid(name, "has a backslash or a control character")
    if max(lengths) > LONGEST or sum(lengths) + len(parts) - 1 > LONGEST_PATH:
        raise _invalid(name, f"is longer than {LONGEST_PATH} bytes, or a part of it than {LONGEST}")
    return name


def _invalid(name: str, reason: str) -> Invalid:
    return Invalid(f"the artifact name {name[:120]!a} {reason}", code="ARTIFACT_NAME_INVALID")
