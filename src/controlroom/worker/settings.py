"""The settings of a worker, in one place.

Every field is a variable, `CONTROLROOM_WORKER_` and its name in upper case (some have older names, too), and a key of
the table `[worker]` in the file that CONTROLROOM_CONFIG names. `controlroom worker` and `up`'s worker read them alike.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, get_origin
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from controlroom.errors import Invalid
from controlroom.settings import file_of

MEGABYTE = 1024 * 1024
GIGABYTE = 1024 * MEGABYTE


class SandboxMode(StrEnum):
    """Whether robots are enclosed (DESIGN §6)."""

    AUTO = "auto"
    """Enclose them where the system can; where it can't, say so loudly and go on."""
    REQUIRED = "required"
    """Refuse to start where the system can't."""
    OFF = "off"
    """Don't."""


class WorkerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one worker behaves."""

    url: str
    """Address of the server, as its robots will also call it."""
    folder: Path
    """Where the worker keeps its credential, its caches and the folders of running robots. One worker a folder."""
    link_token: str | None = None
    """Presented once, when the folder holds no credential yet."""
    name: str = ""
    """How the worker is called in lists; the host's name when empty."""
    worker_id: UUID | None = None
    """The id that an on-demand provisioner was told."""
    slots: Annotated[int, Meta(ge=1)] = 1
    """How many robots run at once."""
    once: bool = False
    """Run one assignment, then end."""
    once_wait_seconds: float | None = None
    """With `once`: how long to wait for the assignment; without end when None."""

    sandbox: SandboxMode = SandboxMode.AUTO
    sandbox_readable: tuple[Path, ...] = ()
    """More files and folders of this machine that robots may read."""
    sandbox_hidden: tuple[Path, ...] = ()
    """Folders that no robot may see although they lie below one that it sees: a server's data folder, for example."""
    robot_uids: tuple[int, int] = (60_600, 61_183)
    """User ids for robots of a worker that was started as root, each used by one robot at a time.

    Why these: systemd gives out 61184 to 65519 by itself and no distribution uses the gap below; above 65535 lies what
    many containers don't map.
    """

    mix_workspaces: bool = False
    """Serve several workspaces although robots are not enclosed: those of one may then read what others leave behind.

    A worker without a sandbox and without this serves one workspace.
    """

    robot_memory_bytes: int = 0
    """What all processes of one robot may hold of memory together, files in memory included; 0: no limit.

    It takes a control group that the worker may divide: root has one, others if it was delegated to them. Where there
    is none the worker says so and goes on without.
    """
    robot_file_bytes: int = 0
    """How large each file may become that a robot writes; 0: no limit."""

    fast_adapter: bool = True
    """Robots with the vendor's library for work items use the room's own adapter, unless they say otherwise."""

    spares_memory_bytes: int = 512 * MEGABYTE
    """What all waiting spares together may hold; 0 turns them off."""
    spares_forked: bool = True
    """Spares of an environment are forked from one interpreter; when off, each starts by itself."""
    spares_idle_seconds: float = 600.0
    """An environment that was not asked for during this time gives its spares back."""

    dbt_network: bool = True
    """Whether dbt projects reach the network; without a sandbox it can't be kept from them, and they don't run."""
    dbt_requirements: Path | None = None
    """A folder with lists of exact packages for further versions and adapters of dbt: `1.11/snowflake.txt`."""
    database_folders: tuple[Path, ...] = ()
    """Folders of this machine in which the DuckDB files of dbt projects may lie (`storage: worker`)."""

    environments: Path | None = None
    """The cache of environments, which several workers may share; `environments` in the folder when None."""
    cache_max_bytes: int = 20 * GIGABYTE
    """What the caches of environments and packages may hold; the longest unused go first."""
    strict_python: bool = False
    """Fail when the Python version that a robot asks for can't be had, instead of taking the nearest with a warning."""

    min_free_bytes: int = 100 * MEGABYTE
    """With less room than this in one of its folders the worker takes no work."""

    kept_home_bytes: int = 10 * GIGABYTE
    """What `~/.robocorp` and `~/.cache/ms-playwright` may hold, kept for later robots of the same workspace, of all
    workspaces together; the longest unused go first. 0: nothing is kept."""
    kept_run_folders: int = 0
    """How many folders of ended step runs stay, for a look inside."""
    kill_grace_seconds: float = 5.0
    """Between SIGTERM and SIGKILL of a robot."""
    stop_grace_seconds: float = 0.0
    """How long running robots may go on when the worker is asked to stop; then they are terminated."""
    authorities: tuple[Path, ...] = ()
    """PEM files of authorities that the worker and its robots trust besides those of the machine: a room's own."""
    conda_channel_alias: str | None = None
    """Where the names of conda channels are looked up; https://conda.anaconda.org when None."""

    claim_wait_seconds: float = 20.0
    """How long one question for work may wait at the server."""

    @property
    def environments_folder(self) -> Path:
        """The cache of environments, wherever it is."""
        return self.environments or self.folder / "environments"


_PREFIX: Final = "CONTROLROOM_WORKER_"
_OTHER_NAMES: Final = {
    "url": ("CONTROLROOM_URL",),
    "link_token": ("CONTROLROOM_LINK_TOKEN", "RC_WORKER_LINK_TOKEN"),
    "name": ("RC_WORKER_NAME",),
    "worker_id": ("RC_WORKER_ID",),
    "conda_channel_alias": ("CONTROLROOM_CONDA_CHANNEL_ALIAS", "RC_CONDA_ENDPOINT"),
}
"""Names by which a setting is known elsewhere: to other commands, to rcc, to the vendor's worker."""


def names_of(setting: str) -> tuple[str, ...]:
    """The variables that give a setting, the first one that is not empty wins."""
    return (_PREFIX + setting.removeprefix("worker_").upper(), *_OTHER_NAMES.get(setting, ()))


def given(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What variables and the settings' file say about a worker. Raises Invalid `SETTINGS` for a file that is wrong."""
    said: dict[str, Any] = dict(file_of(environment).get("worker", {}))
    for field in msgspec.structs.fields(WorkerSettings):
        text = next((found for name in names_of(field.name) if (found := environment.get(name))), None)
        if text is not None:
            said[field.name] = text.split(",") if get_origin(field.type) is tuple else text
    return said


def settings_of(values: Mapping[str, Any]) -> WorkerSettings:
    """The settings, from texts or values. Raises Invalid `SETTINGS` that names the setting and what is wrong."""
    try:
        return msgspec.convert(dict(values), WorkerSettings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as wrong:
        raise Invalid(f"a setting of the worker is wrong: {wrong}", code="SETTINGS") from wrong
