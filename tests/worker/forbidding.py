"""Runs a command where nobody may make namespaces: `python forbidding.py [--users-only] COMMAND …`, as any user.

The command gets a user namespace of its own, in which everybody is who they were and the number of further namespaces
is limited to none. So it holds for root, too, and touches no setting of the machine.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

_NEW_USERS = 0x10000000


def main(argv: list[str]) -> None:
    """Become the command."""
    as_root, uid, gid, this = os.geteuid() == 0, os.getuid(), os.getgid(), os.getpid()
    # Who may map whom: root all users, from outside; others themselves, from inside
    map_users = _outside(lambda: _map_all(this)) if as_root else lambda: _map_one(uid, gid)
    kinds, command = ("user", argv[1:]) if argv[0] == "--users-only" else ("*", argv)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USERS) == 0:  # else they are forbidden anyway
        map_users()
        for kind in Path("/proc/sys/user").glob(f"max_{kinds}_namespaces"):
            kind.write_text("0")
    os.execvp(command[0], command)  # noqa: S606 - that is its purpose


def _outside(work: Callable[[], None]) -> Callable[[], None]:
    """A function that has a process do the work that stays in the namespaces of now."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        if os.read(reading, 1):
            work()
        os._exit(0)

    def ask() -> None:
        os.write(writing, b"1")
        if os.waitpid(child, 0)[1] != 0:
            sys.exit("users could not be mapped")

    return ask


def _map_all(pid: int) -> None:
    for kind in ("gid", "uid"):
        known = [line.split() for line in Path(f"/proc/self/{kind}_map").read_text().splitlines()]
        Path(f"/proc/{pid}/{kind}_map").write_text("\n".join(f"{first} {first} {count}" for first, _, count in known))


def _map_one(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


if __name__ == "__main__":
    main(sys.argv[1:])
