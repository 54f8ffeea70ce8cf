"""What encloses a robot: bubblewrap where the system offers it, else a keeper that at least ends every process.

In bubblewrap a robot has pid, ipc, uts and user namespaces of its own, no capabilities, and a file system of the
system's programs, what it is shown read-only, and its own folder. The network is shared with the machine.

A worker that was started as root lets bubblewrap arrange the file system as root (its interpreters may lie where no
other user can go) and becomes the robot's user inside, before the robot's first instruction. Started as an ordinary
user, the namespaces alone keep robots from the worker's files and from each other, because they all are that user.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import structlog
from msgspec import Struct, structs

from controlroom.errors import Unavailable
from controlroom.protocol import SandboxKind
from controlroom.worker import bubblewrap, orphans
from controlroom.worker.robot_users import RobotUser
from controlroom.worker.settings import SandboxMode

log = structlog.get_logger(__name__)

_SYSTEM = (
    *(Path("/", name) for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt")),
    *(Path(path) for path in ("/nix/store", "/gnu/store")),
)
"""Programs and libraries. Chrome and other vendors' browsers live in /opt."""

_ETC = (
    *(Path("/etc", name) for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "xattr.conf")),
    *(Path("/etc", name) for name in ("resolv.conf", "hosts", "host.conf", "nsswitch.conf", "gai.conf")),
    *(Path("/etc", name) for name in ("services", "protocols", "mime.types")),
    *(Path("/etc", name) for name in ("ssl", "pki", "ca-certificates", "crypto-policies")),
    *(Path("/etc", name) for name in ("localtime", "timezone", "locale.conf", "locale.alias", "fonts")),
    *(Path("/etc", name) for name in ("java", "chromium", "chromium.d", "odbc.ini", "odbcinst.ini")),
)
"""What programs look up in /etc and what is no secret of this machine. `passwd` and `group` are made for each robot."""

_CACHES = (Path("/var/cache/fontconfig"),)

_LOADER_VARIABLES = frozenset(
    {
        *(
            "GCONV_PATH",
            "GETCONF_DIR",
            "GLIBC_TUNABLES",
            "HOSTALIASES",
            "LOCALDOMAIN",
            "LOCPATH",
            "NIS_PATH",
            "NLSPATH",
        ),
        *("RES_OPTIONS", "RESOLV_HOST_CONF", "TZDIR"),
    }
)
"""Variables that change what a program does before its first instruction, besides LD_* and MALLOC_*."""

_IN_MEMORY = ("/tmp", "/dev/shm", "/run", "/var/tmp")  # noqa: S108 - the robot's own, seen by nobody else

TMPFS_BYTES = 512 * 1024 * 1024
"""What each of a robot's file systems in memory may hold."""

_UNCOVER_PROC = 'umount -q /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus 2>/dev/null; exec "$@"'
"""Takes away what bubblewrap, as root, covers of /proc. Why it may go: it keeps root from writing there."""


class View(Struct, frozen=True, kw_only=True):
    """What one enclosed process sees besides the system's programs, at the same path unless said otherwise."""

    folder: Path
    """Its own folder: writable, the place of HOME and TMPDIR."""
    seen: Path | None = None
    """Where it sees its folder; at the same path when None."""
    nest: Path | None = None
    """For a zygote: the folder with the places of what it bears, which it sees at the sandbox's `nest_seen`."""
    working_folder: Path | None = None
    """Where it starts, as it sees it; where the caller is when None."""
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    passwd: Path | None = None
    """A file to be seen as /etc/passwd."""
    group: Path | None = None
    """A file to be seen as /etc/group."""
    kept: Path | None = None
    """What stays of its HOME for later ones: writable, seen at the sandbox's `kept_seen`."""
    network: bool = True
    """Whether it shares the network with the machine; else it has a loopback of its own, and nothing else."""


class Sandbox(Struct, frozen=True, kw_only=True):
    """How this worker encloses its robots, found out once when it starts (see `prepare`)."""

    kind: SandboxKind
    note: str = ""
    """Why there is no sandbox, or which."""
    bwrap: str = ""
    as_root: bool = False
    own_users: bool = True
    """Whether robots are in a user namespace of their own. A worker that is root can do without where none may be made:
    its robots are users of their own anyway."""
    system: dict[str, tuple[str, ...]] = {}
    """How the system's part of the file system is mounted."""
    readable: tuple[Path, ...] = ()
    """What every robot may read, by the operator's setting."""
    hidden: tuple[Path, ...] = ()
    """What no robot may see, even where it lies below something that it sees."""
    robots_seen: Path | None = None
    """Where each robot sees its own folder; None without a sandbox: where it is."""

    @property
    def nest_seen(self) -> Path:
        """Where a zygote sees the places of what it bears."""
        assert self.robots_seen is not None  # noqa: S101 - zygotes live in sandboxes only
        return self.robots_seen.with_name(f"{self.robots_seen.name}-nest")

    @property
    def kept_seen(self) -> Path | None:
        """Where a robot sees what is kept for its workspace; None without a sandbox: where it is."""
        return self.robots_seen and self.robots_seen.with_name(f"{self.robots_seen.name}-kept")

    def shown_in_memory(self, readable: Sequence[Path]) -> list[Path]:
        """What of this, and of what every robot may read, lies below the folders that each robot has in memory."""
        shown = dict.fromkeys((*self.readable, *readable))
        return [path for path in shown if any(_is_below(str(path), folder) for folder in _IN_MEMORY)]

    @property
    def layers(self) -> int:
        """How many processes stand between the worker and the robot: these are never signalled by mistake."""
        return 2 if self.kind is SandboxKind.BWRAP else 1

    @property
    def is_on(self) -> bool:
        """Whether robots are kept from the machine's files."""
        return self.kind is SandboxKind.BWRAP

    def wrap(
        self, argv: Sequence[str], variables: Mapping[str, str], *, view: View, user: RobotUser | None
    ) -> "Wrapped":
        """The command line and variables that start `argv` (an absolute path first) enclosed."""
        safe, risky = split_loader_variables(variables)
        # Why: a step's LD_PRELOAD must not reach the programs that build the sandbox, some of which still are root
        inner = [*(["/usr/bin/env", *(f"{name}={value}" for name, value in risky.items())] if risky else []), *argv]
        if self.kind is SandboxKind.BWRAP:
            breeds = view.nest is not None
            apart = [] if view.network else ["--unshare-net"]
            words = [self.bwrap, *self._namespaces(breeds=breeds), *apart, *self._mounts(view), "--"]
            return Wrapped([*words, *self._drop(user, breeds=breeds), *inner], safe)
        return Wrapped(orphans.command(inner, uid=user.uid if user else None), safe)

    def _namespaces(self, *, breeds: bool) -> list[str]:
        arguments = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "robot"]
        arguments += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        if not self.as_root:
            return ["--unshare-user", *arguments]
        capabilities = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", *(["CAP_SYS_ADMIN"] if breeds else [])]
        return [*arguments, *(word for capability in capabilities for word in ("--cap-add", capability))]

    def _drop(self, user: RobotUser | None, *, breeds: bool) -> list[str]:
        """From root with some capabilities to the robot's user with none, in a user namespace of its own.

        A zygote is in none, because what it bears needs one in which another user exists than the zygote's; and it
        needs a /proc of which nothing is covered, else the kernel forbids its offspring to mount their own.
        """
        if user is None:
            return []
        become = ("/usr/bin/setpriv", f"--reuid={user.uid}", f"--regid={user.uid}", "--clear-groups")
        nothing = ("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs", "--")
        if breeds:
            return ["/bin/sh", "-c", _UNCOVER_PROC, "sh", *become, *nothing]
        if not self.own_users:
            return [*become, *nothing]
        enter = ("/usr/bin/unshare", "--user", "--map-current-user", "--keep-caps", "--")
        return [*become, "--", *enter, "/usr/bin/setpriv", *nothing]

    def _mounts(self, view: View) -> list[str]:
        """The file system, parents before children, so that the more exact word about a path is the last."""
        plan = dict(self.system)
        plan |= {str(path): ("--ro-bind", str(path), str(path)) for path in (*self.readable, *view.readable)}
        for path in map(str, self.hidden):
            if path not in plan and any(_is_below(path, shown) for shown in plan):
                plan[path] = ("--perms", "0755", "--tmpfs", path)
        plan |= {str(path): ("--bind", str(path), str(path)) for path in view.writable}
        own = str(view.seen or view.folder)
        plan[own] = ("--bind", str(view.folder), own)
        if view.nest is not None:
            plan[str(self.nest_seen)] = ("--bind", str(view.nest), str(self.nest_seen))
        if view.kept is not None and self.kept_seen is not None:
            plan[str(self.kept_seen)] = ("--bind", str(view.kept), str(self.kept_seen))
        for file, where in ((view.passwd, "/etc/passwd"), (view.group, "/etc/group")):
            if file is not None:
                plan[where] = ("--ro-bind", str(file), where)
        _add_parents(plan)
        mounts = [word for path in sorted(plan, key=lambda path: path.count("/")) for word in plan[path]]
        start = ["--chdir", str(view.working_folder)] if view.working_folder else []
        return [*mounts, "--remount-ro", "/", *start]


class Wrapped(Struct, frozen=True):
    """What to start."""

    argv: list[str]
    variables: dict[str, str]


def split_loader_variables(variables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Variables that any program may be given, and those that change how programs are loaded."""
    risky = {
        name: value
        for name, value in variables.items()
        if name.startswith(("LD_", "MALLOC_")) or name in _LOADER_VARIABLES
    }
    return {name: value for name, value in variables.items() if name not in risky}, risky


def system_plan() -> dict[str, tuple[str, ...]]:
    """How the system's part of the file system is mounted, as this machine is now."""
    plan: dict[str, tuple[str, ...]] = {}
    for path in (*_SYSTEM, *_ETC, *_CACHES):
        if path in _SYSTEM and path.is_symlink():
            plan[str(path)] = ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            plan[str(path)] = ("--ro-bind", str(path.resolve()), str(path))
    plan["/proc"] = ("--proc", "/proc")
    plan["/dev"] = ("--dev", "/dev")
    for folder in _IN_MEMORY:
        plan[folder] = ("--perms", "1777", "--size", str(TMPFS_BYTES), "--tmpfs", folder)
    return plan


def _add_parents(plan: dict[str, tuple[str, ...]]) -> None:
    """Add the folders above the mounts, which bubblewrap itself would make for their owner alone."""
    for path in list(plan):
        parent = path.rpartition("/")[0]
        while parent and parent not in plan:
            above = parent
            while above and above not in plan:
                above = above.rpartition("/")[0]
            if above and "--tmpfs" not in plan[above] and "--dir" not in plan[above]:
                break  # it lies below a mount, which has it
            plan[parent] = ("--perms", "0755", "--dir", parent)
            parent = parent.rpartition("/")[0]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


async def prepare(
    mode: SandboxMode, *, scratch: Path, user: RobotUser | None, readable: Sequence[Path], hidden: Sequence[Path]
) -> Sandbox:
    """The sandbox of this machine, proved by a program that runs in it. Raises Unavailable if a required one fails."""
    none = Sandbox(kind=SandboxKind.OFF, note="turned off by the setting")
    if mode is SandboxMode.OFF:
        return none
    plain = Sandbox(
        kind=SandboxKind.BWRAP,
        as_root=user is not None,
        system=system_plan(),
        readable=tuple(readable),
        hidden=tuple(hidden),
        robots_seen=_robots_seen(),
    )
    troubles: list[str] = []
    for offer in _offers(plain):
        trouble = await _trouble(offer, scratch, user)
        if not trouble:
            if troubles:
                log.info("sandbox found at second sight", sandbox=offer.note, before=troubles)
            return offer
        troubles.append(f"{offer.note}: {trouble}")
    reason = _reason(troubles)
    if mode is SandboxMode.REQUIRED:
        raise Unavailable(f"A sandbox is required, and this machine offers none: {reason}", code="SANDBOX_UNAVAILABLE")
    log.warning("ROBOTS RUN WITHOUT A SANDBOX: they can read what their user can read", reason=reason)
    return Sandbox(kind=SandboxKind.UNAVAILABLE, note=reason)


def _offers(plain: Sandbox) -> Iterator[Sandbox]:
    """The sandboxes that this machine may have, the best first."""
    programs = list(bubblewrap.programs())
    for program in programs:
        yield structs.replace(plain, bwrap=program.path, note=program.origin)
    for program in programs if plain.as_root else ():
        note = f"{program.origin}, without user namespaces"
        yield structs.replace(plain, bwrap=program.path, note=note, own_users=False)


def _reason(troubles: Sequence[str]) -> str:
    """Why there is no sandbox, for the operator."""
    if not sys.platform.startswith("linux"):
        return "sandboxes need Linux"
    if not troubles:
        return "bubblewrap (the program bwrap) is not installed, and there is no wheel of it for this machine"
    known = bubblewrap.forbidden_by()
    return "; ".join([*([known] if known else []), *troubles])


def _robots_seen() -> Path:
    """A path that nothing on this machine has, so that nothing else a robot sees lies there."""
    names = ("robot", *(f"robot-{number}" for number in range(1, 100)))
    return next(path for path in (Path("/", name) for name in names) if not path.exists())


async def _trouble(sandbox: Sandbox, scratch: Path, user: RobotUser | None) -> str:
    """Why the sandbox does not work here; empty if it does."""
    view = View(folder=scratch, working_folder=scratch)
    wrapped = sandbox.wrap(bubblewrap.proof(), {"PATH": os.defpath}, view=view, user=user)
    return await bubblewrap.trouble(wrapped.argv, wrapped.variables)
