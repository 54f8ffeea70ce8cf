"""The settings of a worker, in one place."""

from enum import StrEnum
from pathlib import Path
from uuid import UUID

from msgspec import Struct

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
    slots: int = 1
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

    spares_memory_bytes: int = 512 * MEGABYTE
    """What all waiting spares together may hold; 0 turns them off."""
    spares_forked: bool = True
    """Spares of an environment are forked from one interpreter; when off, each starts by itself."""
    spares_idle_seconds: float = 600.0
    """An environment that was not asked for during this time gives its spares back."""

    environments: Path | None = None
    """The cache of environments, which several workers may share; `environments` in the folder when None."""
    cache_max_bytes: int = 20 * GIGABYTE
    """What the caches of environments and packages may hold; the longest unused go first."""
    strict_python: bool = False
    """Fail when the Python version that a robot asks for can't be had, instead of taking the nearest with a warning."""

    kept_run_folders: int = 0
    """How many folders of ended step runs stay, for a look inside."""
    kill_grace_seconds: float = 5.0
    """Between SIGTERM and SIGKILL of a robot."""
    stop_grace_seconds: float = 0.0
    """How long running robots may go on when the worker is asked to stop; then they are terminated."""
    claim_wait_seconds: float = 20.0
    """How long one question for work may wait at the server."""

    @property
    def environments_folder(self) -> Path:
        """The cache of environments, wherever it is."""
        return self.environments or self.folder / "environments"
