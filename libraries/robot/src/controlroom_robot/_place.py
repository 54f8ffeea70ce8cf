"""Where this robot works: in a room, if a worker has told it of one, else in its folder."""

from __future__ import annotations

import os

from controlroom_robot._local import Local
from controlroom_robot._room import Room

_TOLD = ("RC_API_WORKITEM_HOST", "RC_API_WORKITEM_TOKEN", "RC_ACTIVITY_RUN_ID")
_here: Room | Local | None = None


def is_in_room() -> bool:
    """Whether a worker has told this process of a step run."""
    return all(map(os.getenv, _TOLD))


def here() -> Room | Local:
    """The place, made when it is first asked for."""
    global _here  # noqa: PLW0603 - a process has one
    if _here is None:
        _here = Room() if is_in_room() else Local()
    return _here
