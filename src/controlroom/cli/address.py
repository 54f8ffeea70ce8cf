"""Which room a command speaks to, and where it found that out."""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from controlroom.cli.errors import CommandFailed

DATA_FOLDER = "controlroom-data"
READY_FILE = "ready.json"


class Asked(Protocol):
    """What the command line and the environment say about the room."""

    @property
    def url(self) -> str | None:
        """Address of the room."""

    @property
    def workspace(self) -> str | None:
        """Id of the workspace."""

    @property
    def api_key(self) -> str | None:
        """Value of an API key."""


class Address(NamedTuple):
    """All that a call needs to know."""

    url: str
    workspace: str
    api_key: str
    ca_file: str | None


def address(options: Asked, *, needs: Collection[str] = ("url", "workspace", "api_key")) -> Address:
    """Complete the options from the room that runs here. Raises CommandFailed that says what of `needs` is missing."""
    url, workspace, api_key = options.url, options.workspace, options.api_key
    ca_file = None
    if not (url and workspace and api_key):
        local = local_room()
        if local is not None and (url is None or url.rstrip("/") in {local.get("url"), local.get("https_url")}):
            url = url or str(local["url"])
            workspace = workspace or local.get("workspace_id")
            api_key = api_key or local.get("api_key")
            ca_file = local.get("ca_file")
    for name, value in (("url", url), ("workspace", workspace), ("api_key", api_key)):
        if name in needs and not value:
            option = name.replace("_", "-")
            raise CommandFailed(
                f"which room? --{option} is missing, and no room of yours was found in ./{DATA_FOLDER}",
                hint=f"Give --{option} (or CONTROLROOM_{name.upper()}), "
                "or call this where `controlroom up` was started.",
            )
    assert url is not None  # noqa: S101  # the loop above has seen to it
    if "://" not in url:
        url = f"http://{url}"
    return Address(url.rstrip("/"), workspace or "", api_key or "", ca_file)


def local_room() -> dict[str, Any] | None:
    """What `up` wrote about the room of this folder (or of CONTROLROOM_DATA), if it is ours to read."""
    file = Path(os.environ.get("CONTROLROOM_DATA") or DATA_FOLDER) / READY_FILE
    try:
        if file.stat().st_uid != os.getuid():  # Why: another's file could send our requests anywhere
            return None
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "url" in found else None
