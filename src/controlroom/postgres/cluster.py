"""The files of a private PostgreSQL: whose they are, how a cluster is made, set up and run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from controlroom import whole_files
from controlroom.postgres.programs import ENVIRONMENT, Account, ClusterError, major_version
from controlroom.worker.bubblewrap import programs as programs_that_enclose

SUPERUSER = "controlroom"
HERE = "/proc/self/cwd"
"""The cluster's folder as the server knows it (see `embedded`)."""

CONNECTIONS = 200
"""Which a private server takes at once."""
KEPT_FREE = 40
"""Of them for what is no server of the room: the mail program (17), its superuser (3), backups, migrations."""

_USERS = (SUPERUSER, "postgres")
"""Users of the system that are meant for a database, the first that exists."""
_OWN_ID = 58432
"""A user id that no system hands out (Debian's dynamic ids begin at 60000, systemd's at 61184)."""

_SETTINGS = f"""\
# Written by controlroom at every start. `alter system` (postgresql.auto.conf) has the last word.
listen_addresses = ''
unix_socket_directories = '.'
unix_socket_permissions = 0700
max_connections = {CONNECTIONS}
password_encryption = 'scram-sha-256'

# An acknowledged item is on disk, whatever happens next.
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 128MB
wal_compression = on
max_wal_size = 4GB
min_wal_size = 256MB
# Why 2 min: what was written since is replayed after a crash, and a start shall take seconds.
checkpoint_timeout = 2min

# Short statements on small rows: planning aids for long ones only cost.
jit = off
max_parallel_workers_per_gather = 0
random_page_cost = 1.1
max_logical_replication_workers = 0

# Queue tables turn over all the time, and dead rows in front of a queue slow every claim.
autovacuum_naptime = 10s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_cost_delay = 1ms
autovacuum_vacuum_cost_limit = 2000

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.english'

# A file a weekday. No values: they may be secrets.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_lock_waits = on
"""
_SETTINGS_18 = """\
# Why: its worker processes pay on large scans only, and each is memory on a small machine.
io_method = sync
"""


def server_account() -> Account:
    """As whom a new cluster's server runs: we ourselves, or, as PostgreSQL refuses root, an unprivileged user.

    `controlroom` or `postgres` where the system has them; else a number that nobody else has, so that no other process,
    a robot least of all, is the same user.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in _USERS:
        entry = _named(name)
        if entry is not None and entry.uid != 0:
            return entry
    return Account(_OWN_ID, _OWN_ID) if _may_become(_OWN_ID) else _nobody()


def account_of(cluster: Path) -> Account:
    """As whom the server of an existing cluster runs: the owner of its files."""
    status = cluster.stat()
    return Account(status.st_uid, status.st_gid)


def settle(cluster: Path) -> Account:
    """As whom the server of an existing cluster runs: the owner of its files, as PostgreSQL wants them.

    A copy that was made without its owners is root's, who may not run it, or open to all, which PostgreSQL refuses.
    """
    if account_of(cluster).uid == 0 and os.geteuid() == 0:
        _give(cluster, server_account())
    if cluster.stat().st_mode & 0o027:
        cluster.chmod(0o700)
    return account_of(cluster)


def create(cluster: Path, programs: Path, account: Account, password: str) -> None:
    """Make a new cluster. It appears under its name when it is complete and on disk, or not at all.

    Raises:
        ClusterError: if `initdb` fails.
    """
    making = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    # initdb insists on a user with a name; the server does not
    has_name = _has_name(account)
    maker = account if has_name or os.geteuid() != 0 else _nobody()
    os.chown(making, maker.uid, maker.gid)
    if maker == account and not has_name:
        _initdb_by_a_name(making, programs, account, password)
    else:
        _initdb(making, programs, maker, password)
    if maker != account:
        _give(making, account)
    making.rename(cluster)
    descriptor = os.open(cluster.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_settings(cluster: Path, account: Account) -> None:
    """Write the server's settings, those of this release."""
    settings = _SETTINGS + (_SETTINGS_18 if _version(cluster) >= 18 else "")  # noqa: PLR2004 - a release of PostgreSQL
    written = cluster / "postgresql.conf"
    if written.read_text() == settings:
        return
    # The folder is another user's: root must not write through a link that was put there, and this doesn't.
    with whole_files.written(written) as file:
        file.write(settings.encode())
        os.fchown(file.fileno(), account.uid, account.gid)


def launch(
    cluster: Path, programs: Path, account: Account, said: Path, arguments: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start the server of a cluster, in a session of its own: a Ctrl-C in our terminal is not meant for it."""
    with said.open("wb") as output:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # noqa: S603 - our own arguments
            [programs / "postgres", "-D", HERE, *arguments],
            cwd=cluster,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=ENVIRONMENT,
            **account.drop(),
        )


def _initdb_by_a_name(making: Path, programs: Path, account: Account, password: str) -> None:
    """Make a cluster as a user without a name (of a container, mostly), who gets one for that program alone."""
    known = Path("/etc/passwd").read_text(encoding="utf-8", errors="replace") if Path("/etc/passwd").exists() else ""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix=".passwd-", dir=making.parent) as names:
        names.write(f"{known.rstrip()}\n{SUPERUSER}:x:{account.uid}:{account.gid}::/:/bin/sh\n".lstrip())
        names.flush()
        tried = [
            f"user {account.uid} has no name in /etc/passwd, and PostgreSQL makes a database for users with one only"
        ]
        for bubblewrap in programs_that_enclose():
            shown = (bubblewrap.path, "--dev-bind", "/", "/", "--ro-bind", names.name, "/etc/passwd", "--")
            try:
                return _initdb(making, programs, account, password, within=shown)
            except ClusterError as failed:
                tried.append(str(failed))
        raise ClusterError("; ".join(tried))


def _initdb(
    making: Path, programs: Path, account: Account, password: str, *, within: Sequence[str | Path] = ()
) -> None:
    # Why a pipe that is given to the account: it cannot pass our folders, and PostgreSQL wants the folder empty.
    reading, writing = os.pipe()
    try:
        os.fchown(reading, account.uid, account.gid)
        os.write(writing, password.encode() + b"\n")
        os.close(writing)
        made = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - our own arguments
            [
                *(*within, programs / "initdb", "-D", HERE, "-U", SUPERUSER, "--auth=scram-sha-256"),
                *(f"--pwfile=/proc/self/fd/{reading}", "--encoding=UTF8", "--no-instructions"),
                *_locale(programs),
            ],
            cwd=making,
            pass_fds=[reading],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            env=ENVIRONMENT,
            check=False,
            **account.drop(),
        )
    finally:
        os.close(reading)
    if made.returncode != 0:
        raise ClusterError(f"initdb failed ({made.returncode}): {made.stderr.decode(errors='replace').strip()}")


def _locale(programs: Path) -> list[str]:
    """Text compares by code point everywhere, whatever the machine's locales: builtin from release 17 on."""
    builtin = major_version(programs) >= 17  # noqa: PLR2004 - a release of PostgreSQL
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if builtin else ["--locale=C"]


def _version(cluster: Path) -> int:
    return int((cluster / "PG_VERSION").read_text().split(".")[0])


def _has_name(account: Account) -> bool:
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        return False
    return True


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _nobody() -> Account:
    nobody = _named("nobody")
    if nobody is None:
        raise ClusterError("PostgreSQL does not run as root, and the system has no other user: add one, `controlroom`.")
    return nobody


def _may_become(uid: int) -> bool:
    """Whether a child could run as this user: a container may have no such number."""
    tried = subprocess.run(["/bin/true"], user=uid, group=uid, extra_groups=[], check=False)
    return tried.returncode == 0


def _give(folder: Path, account: Account) -> None:
    os.chown(folder, account.uid, account.gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)
