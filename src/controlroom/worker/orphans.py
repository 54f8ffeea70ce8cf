"""Keeps the processes of a robot together where there is no sandbox: when the robot ends, nothing of it goes on.

This file is also a program, run by the worker's interpreter without any package: it becomes the one to whom the kernel
gives every orphan below it, starts the robot (as its user), waits for it, kills what it left behind and ends with its
exit code. SIGTERM, which the kernel also sends when the worker is gone, kills everything at once. It dies half-way only
by SIGKILL from outside; what is left of its tree is then killed by the worker, as far as it was seen. It costs a small
interpreter a robot.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_NO_UID = -1
_CANNOT_EXECUTE = 126
_TERMINATED = 143
_KILL_SECONDS = 4.0
"""Less than the worker's patience, which then kills what it sees."""


def command(argv: Sequence[str], *, uid: int | None, is_alone: bool = True) -> list[str]:
    """The command line that runs `argv` (as user and group `uid`) under a keeper.

    Where it is not alone as its user, what else that user runs is left alone at its end.
    """
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    number = _NO_UID if uid is None else uid
    kept = number if is_alone else _NO_UID
    return [interpreter, "-I", "-S", __file__, str(number), str(kept), str(os.getpid()), *argv]


def keep(uid: int, own_uid: int, worker: int, argv: Sequence[str]) -> int:
    """Run a robot as user `uid`; returns its exit code when nothing is left of it, or of its own user if it has one."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != worker:  # it was gone before we could ask to be told
        return 1
    signal.signal(signal.SIGTERM, lambda *_: _kill_all(own_uid, exit_code))
    keeper, exit_code = os.getpid(), _TERMINATED
    robot = os.fork()
    if robot == 0:
        _become(libc, uid, argv, keeper)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return exit_code
        if pid == robot:
            code = os.waitstatus_to_exitcode(status)
            exit_code = code if code >= 0 else 128 - code
            _kill_all(own_uid, exit_code)
        elif not _exists(robot):
            _kill_all(own_uid, exit_code)  # an orphan may have forked before it died


def _become(libc: ctypes.CDLL, uid: int, argv: Sequence[str], keeper: int) -> None:
    """Turn into the robot."""
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if uid != _NO_UID:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after it became another user, which clears it
        if os.getppid() != keeper:
            os._exit(_CANNOT_EXECUTE)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.execv(argv[0], list(argv))  # noqa: S606 - the robot's own command, resolved by the worker
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(_CANNOT_EXECUTE)


def _exists(pid: int) -> bool:
    return _stat(pid)[0] != ""


def _kill_all(uid: int, exit_code: int) -> None:
    """Kill every descendant, until a look around finds none alive.

    Not for ever: a process that always forks before it is found would keep us from the end of the robot. Where the
    robot has a user of its own none does, because the kernel kills all of a user's at once.
    """
    if uid != _NO_UID:
        _kill_user(uid)
    deadline = time.monotonic() + _KILL_SECONDS
    while doomed := _descendants(os.getpid()):
        if time.monotonic() > deadline:
            os._exit(exit_code)
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)


def _kill_user(uid: int) -> None:
    killer = os.fork()
    if killer == 0:
        with contextlib.suppress(OSError):
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)  # all that this user may signal, except ourselves
        os._exit(0)
    for _ in range(100):  # as that user it may be stopped by one that it is to kill
        if os.waitpid(killer, os.WNOHANG)[0]:
            return
        time.sleep(0.002)


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - this program starts with every robot: no pathlib objects
        if name.isdigit() and (parent := _stat(int(name))[1]):
            children.setdefault(parent, []).append(int(name))
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return [pid for pid in found if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    return _stat(pid)[0] not in {"", "Z", "X"}


def _stat(pid: int) -> tuple[str, int]:
    """State and parent of a process; empty and 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - likewise
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except OSError:
        return "", 0
    return state.decode(), int(parent)


if __name__ == "__main__":
    _uid, _own_uid, _worker = map(int, sys.argv[1:4])
    sys.exit(keep(_uid, _own_uid, _worker, sys.argv[4:]))
