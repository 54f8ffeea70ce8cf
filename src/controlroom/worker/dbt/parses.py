"""What dbt keeps of a parse, told of another run.

dbt 1.11 takes the metadata of its manifest from the last parse, and of these makes only the id and the time anew: what
it had read of the variables would tell the run that parsed, maybe of another job. A file that reads as anything else
than such a parse stays what it is: dbt decides what it makes of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


def of_run(parsed: Path, copy: Path, told: Mapping[str, str]) -> Path:
    """A copy of a kept parse whose metadata tell this run, or the parse itself. Raises OSError."""
    try:
        parts = msgspec.msgpack.decode(parsed.read_bytes(), type=dict[str, msgspec.Raw])
        metadata = msgspec.msgpack.decode(parts["metadata"], type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, KeyError, ValueError):
        return parsed
    metadata["env"] = dict(told)
    parts["metadata"] = msgspec.Raw(msgspec.msgpack.encode(metadata))
    copy.write_bytes(msgspec.msgpack.encode(parts))
    return copy
