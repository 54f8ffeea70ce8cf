"""The options that commands share."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

_GROUP = Group("Room")


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True, slots=True)
class RoomOptions:
    """The options of every command that speaks to a room."""

    url: Annotated[str | None, Parameter(env_var="CONTROLROOM_URL", show_env_var=True)] = None
    """Address of the room."""
    workspace: Annotated[str | None, Parameter(env_var="CONTROLROOM_WORKSPACE", show_env_var=True)] = None
    """Id of the workspace."""
    api_key: Annotated[str | None, Parameter(env_var="CONTROLROOM_API_KEY", show_env_var=True)] = None
    """Value of an API key of the workspace."""
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False
    """Print JSON instead of tables and sentences."""


HERE = RoomOptions()
"""A room that runs on this machine, or that the environment names."""

Yes = Annotated[bool, Parameter(alias="-y", negative=(), show_default=False, help="Don't ask.")]
"""Whether what cannot be undone is done without a question."""
Many = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
"""An option that may be given several times."""
