"""What makes a spare interpreter a zygote: it imports once, then forks a spare whenever the worker orders one.

This file is run by the robot's interpreter beside `spare_main.py`, and like it imports nothing that `python` itself
does not import; what it needs for a moment it takes out of `sys.modules` again, so that a robot finds what it would
find in a fresh interpreter. The zygote runs no robot's code, only what the environment's own packages do when they are
imported.

A birth: the order comes on the control socket with four descriptors (the spare's line, its stdout, its stderr, and a
cord to the worker). A first child enters namespaces of its own and has its user mapped into them by the worker, a
second one is their init, the third is the spare. The cord carries the questions of the first two and, in the end, the
spare's exit code. Whatever fails is said on the cord, and nothing is left of the birth.

Source of the facts: user_namespaces(7), pid_namespaces(7), mount_namespaces(7), capabilities(7), proc(5).
"""

# Why no annotations: the oldest Python must read this file
# ruff: noqa: ANN001, ANN002, ANN201, ANN202, ANN204, BLE001, FBT003, PLC0415, PTH103, PTH108, PTH112, PTH120, PTH123, PTH208, S302, UP031
# mypy: ignore-errors

import os
import sys

_NEW_MOUNTS, _NEW_IPC, _NEW_USERS, _NEW_PIDS, _NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_SET_INTERFACE, _UP = 0x8914, b"\x41\0"
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND, _WHOLE = 1, 2, 4, 8, 32, 4096, 4096 | 16384
_CAPABILITY_VERSION = 0x20080522
_SET_DUMPABLE, _DROP_BOUND, _NO_NEW_PRIVILEGES, _AMBIENT, _CLEAR_ALL = 4, 24, 38, 47, 4
_MESSAGE_BYTES = 65536
_DESCRIPTORS = 4


def breed(control, printed):
    """Bear spares until the worker closes the control socket (then the process ends).

    Returns only in the spares: the descriptor of their line. `printed` are the reading ends of the zygote's own stdout
    and stderr: what its imports printed, each spare prints once more.
    """
    before = set(sys.modules)
    import _socket
    import ctypes

    system = _System(ctypes, _socket)
    for name in set(sys.modules) - before:
        del sys.modules[name]
    said = [_drained(descriptor) for descriptor in printed]
    socket = _socket.socket(fileno=control)
    if len(os.listdir("/proc/self/task")) > 1:
        socket.send(b"threads")  # a fork would leave them behind, perhaps with a lock in their hands
        os._exit(1)
    socket.send(b"ready")
    while True:
        order, descriptors = system.receive(socket)
        if not order:
            os._exit(0)
        child = os.fork()
        if child == 0:
            socket.close()
            for descriptor in printed:
                os.close(descriptor)
            return _be_born(system, _Order(order), descriptors, said)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(child, 0)


class _Order:
    """How a spare shall be: as whom it runs and what it sees as its own."""

    def __init__(self, data):
        import marshal  # built in

        fields = marshal.loads(data)
        self.uid = fields["uid"]  # None: the zygote's own
        self.work = fields["work"]  # where the zygote sees the spare's folder
        self.seen = fields["seen"]  # where the spare shall see it
        self.nest = fields["nest"]  # where the zygote sees the folders of all its spares
        self.files = fields["files"]  # the content of files in its /etc
        self.shown = fields["shown"]  # what the zygote sees below folders that the spare gets for itself
        self.temporary_bytes = fields["temporary_bytes"]
        self.network = fields["network"]  # whether it shares the zygote's; else it has a loopback of its own


def _drained(descriptor):
    """What is in a pipe now."""
    os.set_blocking(descriptor, False)
    parts = []
    try:
        while True:
            part = os.read(descriptor, _MESSAGE_BYTES)
            if not part:
                break
            parts.append(part)
    except BlockingIOError:
        pass
    return b"".join(parts)


def _be_born(system, order, descriptors, said):
    line, stdout, stderr, cord = descriptors
    cord = system.socket(cord)
    try:
        was = os.getuid(), os.getgid()
        system.unshare(_NEW_USERS | _NEW_MOUNTS | _NEW_IPC | _NEW_PIDS | (0 if order.network else _NEW_NETWORK))
        if order.uid is None:
            _stay_user(*was)
        else:
            _become_user(cord, order.uid)
        _arrange_files(system, order)
        if not order.network:
            system.open_loopback()
        if os.fork():
            os._exit(0)  # the namespace's first process is the next one
        _ask(cord, b"born")
        system.mount("proc", "/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_EXEC)
        system.drop_capabilities()
        os.setsid()
        spare = os.fork()
        if spare:
            _be_init(cord, spare, (line, stdout, stderr))
        system.prctl(_SET_DUMPABLE, 1)  # as it is after an exec: a robot may look at itself
    except BaseException as error:  # said to the worker, which reports it
        cord.send(b"failed: " + str(error).encode("utf-8", "replace")[:1000])
        os._exit(1)
    cord.close()
    for source, target, text in ((stdout, 1, said[0]), (stderr, 2, said[1])):
        os.dup2(source, target)
        os.close(source)
        _print(target, text)
    return line


def _print(descriptor, text):
    while text:
        text = text[os.write(descriptor, text) :]


def _ask(cord, question):
    cord.send(question)
    answer = cord.recv(_MESSAGE_BYTES)
    if answer != b"yes":
        raise OSError("the worker answered %r to %r" % (answer, question))


def _stay_user(uid, gid):
    """Be in the new namespace whom the zygote is, and let nobody else exist there."""
    for name, line in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
        with open("/proc/self/" + name, "w") as file:
            file.write(line)


def _become_user(cord, uid):
    """Be this user and its group, the only ones that exist in the new namespace: a worker that is root maps them."""
    _ask(cord, b"map")
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _arrange_files(system, order):
    """Put what only this spare may see over what the zygote sees."""
    safe = _NO_SETUID | _NO_DEVICES
    system.mount(order.work, order.seen, None, _BIND)
    # Why before the nest is covered: the files are written there, where no robot will see them
    system.mount("tmpfs", order.nest, "tmpfs", safe, "size=256k,mode=0755")
    for name, content in order.files.items():
        written, seen = order.nest + "/" + name, "/etc/" + name
        with open(written, "w", encoding="utf-8") as file:
            file.write(content)
        system.mount(written, seen, None, _BIND)
        system.mount(None, seen, None, _REMOUNT | _BIND | _READ_ONLY | safe)
        os.unlink(written)
    system.mount(None, order.nest, None, _REMOUNT | _BIND | _READ_ONLY | safe)
    kept = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in order.shown]
    for folder in ("/tmp", "/var/tmp", "/run", "/dev/shm"):  # noqa: S108 - made here, for nobody else
        system.mount("tmpfs", folder, "tmpfs", safe, "mode=1777,size=%d" % order.temporary_bytes)
    for path, descriptor in kept:
        source = "/proc/self/fd/%d" % descriptor
        _make_mount_point(path, is_folder=os.path.isdir(source))
        system.mount(source, path, None, _WHOLE)
        os.close(descriptor)
    system.mount("devpts", "/dev/pts", "devpts", _NO_SETUID | _NO_EXEC, "newinstance,ptmxmode=0666,mode=620")


def _make_mount_point(path, is_folder):
    os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
    if not is_folder:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


def _be_init(cord, spare, descriptors):
    """The first process of the namespace: wait for the spare, reap orphans; when it ends the kernel ends the rest."""
    for descriptor in descriptors:
        os.close(descriptor)
    for descriptor in (1, 2):
        os.dup2(0, descriptor)
    while True:
        pid, status = os.wait()
        if pid == spare:
            break
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    cord.send(b"%d" % code)
    os._exit(0)


class _System:
    """Calls of the kernel that Python has no functions for (or not before 3.12)."""

    def __init__(self, ctypes, sockets):
        self._ctypes = ctypes
        self._sockets = sockets
        self._libc = ctypes.CDLL(None, use_errno=True)

    def socket(self, descriptor):
        return self._sockets.socket(fileno=descriptor)

    def receive(self, socket):
        """A message with the descriptors that came with it."""
        space = self._sockets.CMSG_SPACE(_DESCRIPTORS * 4)
        message, attached, _, _ = socket.recvmsg(_MESSAGE_BYTES, space)
        descriptors = []
        for level, kind, data in attached:
            if level == self._sockets.SOL_SOCKET and kind == self._sockets.SCM_RIGHTS:
                descriptors += [int.from_bytes(data[i : i + 4], sys.byteorder) for i in range(0, len(data) // 4 * 4, 4)]
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return message, descriptors

    def open_loopback(self):
        """Bring up the loopback of a network of one's own, as bubblewrap does (netdevice(7))."""
        any_socket = self._sockets.socket(self._sockets.AF_INET, self._sockets.SOCK_DGRAM)
        request = self._ctypes.create_string_buffer(b"lo".ljust(16, b"\0") + _UP, 40)
        result = self._libc.ioctl(any_socket.fileno(), self._ctypes.c_ulong(_SET_INTERFACE), request)
        any_socket.close()
        self._check(result, "loopback")

    def unshare(self, flags):
        self._check(self._libc.unshare(flags), "unshare")

    def mount(self, source, target, kind, flags, options=None):
        words = [word if word is None else word.encode() for word in (source, target, kind, options)]
        result = self._libc.mount(words[0], words[1], words[2], self._ctypes.c_ulong(flags), words[3])
        self._check(result, "mount " + target)

    def prctl(self, *words):
        words = tuple(map(self._ctypes.c_ulong, words + (0,) * (5 - len(words))))
        self._check(self._libc.prctl(*words), "prctl")

    def drop_capabilities(self):
        """Have no capability, and no way to one."""
        with open("/proc/sys/kernel/cap_last_cap") as file:
            last = int(file.read())
        for capability in range(last + 1):
            self.prctl(_DROP_BOUND, capability)
        self.prctl(_AMBIENT, _CLEAR_ALL)
        header = (self._ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        none = (self._ctypes.c_uint32 * 6)()
        self._check(self._libc.capset(header, none), "capset")
        self.prctl(_NO_NEW_PRIVILEGES, 1)

    def _check(self, result, what):
        if result < 0:
            number = self._ctypes.get_errno()
            raise OSError(number, what + ": " + os.strerror(number))
