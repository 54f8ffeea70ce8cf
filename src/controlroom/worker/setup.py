"""Puts the parts of a worker together."""

import asyncio
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from msgspec import structs

from controlroom.errors import Unavailable
from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.tasks import cancelled
from controlroom.trust import Bundle
from controlroom.worker import sandbox as sandboxes
from controlroom.worker.dbt.workshop import workshop
from controlroom.worker.environments.build_place import RunAs, make_open
from controlroom.worker.environments.cache import EnvironmentCache, Lease
from controlroom.worker.environments.enclosure import enclosure
from controlroom.worker.environments.package_indexes import pip_certificates
from controlroom.worker.folder import WorkerFolder
from controlroom.worker.freezes import Freezes
from controlroom.worker.health import Health
from controlroom.worker.kept_homes import KeptHomes
from controlroom.worker.memory_groups import MemoryGroups
from controlroom.worker.packages import PackageCache
from controlroom.worker.places import Places
from controlroom.worker.processes import end_leftovers
from controlroom.worker.robot_users import RobotUser, RobotUsers
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.server import Server
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.spares import Spares
from controlroom.worker.workbench import Workbench

log = structlog.get_logger(__name__)

_TRUST_SECONDS = 60.0
_PACKAGES_SHARE = 10
"""Packages may take a tenth of what environments may."""


@asynccontextmanager
async def bench(settings: WorkerSettings, folder: WorkerFolder, server: Server) -> AsyncIterator[Workbench]:
    """All that a worker's step runs share, while the block lasts. Raises Unavailable as `prepare` does."""
    end_leftovers(folder.runs)
    # Why the first user is set apart: it owns the environments, which no robot may write to
    builder = RobotUser(settings.robot_uids[0]) if os.geteuid() == 0 else None
    users = RobotUsers((settings.robot_uids[0] + 1, settings.robot_uids[1]))
    sandbox = await _prepare_sandbox(settings, folder, builder)
    home = folder.path if sandbox.is_on or builder is None else _reachable_home(folder.path)
    settings = structs.replace(settings, folder=home)
    bundle = _bundle(settings)
    os.environ.update(bundle.variables())  # from here on it is what all that we start is told to trust
    memory = _memory_groups(settings, folder)
    places = Places(
        _fresh_runs(home),
        users,
        kept=settings.kept_run_folders,
        kept_homes=KeptHomes(
            home / "kept",
            max_bytes=settings.kept_home_bytes,
            seen=sandbox.kept_seen,
            users_differ=builder is not None,
        ),
        seen=sandbox.robots_seen,
        names=None if sandbox.is_on else _names_in(home),
        memory=memory,
        file_bytes=settings.robot_file_bytes,
    )
    environments = EnvironmentCache(
        settings.environments_folder,
        max_bytes=settings.cache_max_bytes,
        strict_python=settings.strict_python,
        enclosure=enclosure(sandbox, builder),
        run_as=RunAs(builder.uid) if builder else None,
        own=own_variables(settings, bundle),
    )

    async def take_lease(spec: EnvironmentSpec | None, share: str) -> Lease:
        return await environments.lease(
            spec, progress=lambda line: log.debug("environment", line=line), share_key=share
        )

    packages = PackageCache(
        folder.packages, server.fetch_package, max_bytes=settings.cache_max_bytes // _PACKAGES_SHARE
    )
    spares = Spares(settings, sandbox, places, take_lease)
    keeping = asyncio.create_task(spares.keep())
    refreshing = asyncio.create_task(_keep_true(bundle))
    try:
        async with workshop(settings, folder.path, sandbox, places, take_lease, spares.programs) as for_projects:
            yield Workbench(
                settings=settings,
                server=server,
                sandbox=sandbox,
                packages=packages,
                environments=environments,
                freezes=Freezes(folder.path / "freezes"),
                places=places,
                spares=spares,
                health=Health(
                    dict.fromkeys((home, folder.path, settings.environments_folder)),
                    min_free_bytes=settings.min_free_bytes,
                ),
                workshop=for_projects,
            )
    finally:
        await cancelled(keeping, refreshing)
        if memory is not None:
            memory.close()


def _memory_groups(settings: WorkerSettings, folder: WorkerFolder) -> MemoryGroups | None:
    """Where each robot gets a group that bounds its memory; None if none is asked for, or none can be had."""
    if not settings.robot_memory_bytes:
        return None
    groups = MemoryGroups.prepare(settings.robot_memory_bytes, folder=folder.path)
    if groups is None:
        log.warning("ROBOTS HAVE NO LIMIT OF MEMORY: no control group is delegated to this worker")
    return groups


def own_variables(settings: WorkerSettings, bundle: Bundle) -> dict[str, str]:
    """The worker's variables as builds read them: those of the process, and what the settings say in their place."""
    own = {**os.environ, **bundle.variables()}
    if "SSL_CERT_FILE" in bundle.variables():  # it has these in it; each by itself would replace it for some program
        own = {name: value for name, value in own.items() if name not in {"SSL_CERT_DIR", "PIP_CERT"}}
    if settings.conda_channel_alias:
        own["CONTROLROOM_CONDA_CHANNEL_ALIAS"] = settings.conda_channel_alias
    return own


def _bundle(settings: WorkerSettings) -> Bundle:
    """All whom the machine, variables, pip's files and the settings trust, in a file that robots may read."""
    of_pip = pip_certificates(os.environ, home=Path(os.environ.get("HOME", "/")))
    return Bundle(settings.folder / "authorities.pem", [*settings.authorities, *of_pip])


async def _keep_true(bundle: Bundle) -> None:
    """Follow the machine's store: an authority that is added is trusted without a start of the worker."""
    while True:
        await asyncio.sleep(_TRUST_SECONDS)
        with suppress(OSError):  # a full disk: what is there stays
            await asyncio.to_thread(bundle.refresh)


async def _prepare_sandbox(settings: WorkerSettings, folder: WorkerFolder, user: RobotUser | None) -> Sandbox:
    with tempfile.TemporaryDirectory(dir=folder.runs) as scratch:
        if user is not None:
            user.own(Path(scratch))
            os.chmod(scratch, 0o755)  # noqa: PTH101, S103 - an empty folder
        return await sandboxes.prepare(
            settings.sandbox,
            scratch=Path(scratch),
            user=user,
            readable=settings.sandbox_readable,
            hidden=(folder.path, *settings.sandbox_hidden),
        )


def _names_in(home: Path) -> Path:
    """A folder, which all robots can reach, with what gives their users names."""
    folder = home / "names"
    make_open(folder)
    program = folder / "sitecustomize.py"
    shutil.copyfile(Path(__file__).with_name("names_main.py"), program)
    program.chmod(0o644)
    return folder


def _fresh_runs(home: Path) -> Path:
    runs = home / "runs"
    runs.mkdir(mode=0o711, exist_ok=True)
    return runs


def home_elsewhere(folder: Path) -> Path:
    """Where robots live when their users can't reach the worker's folder."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"controlroom-robots-{name}"


def _reachable_home(folder: Path) -> Path:
    """Where robots of other users can live, when no sandbox brings their folders to them. Raises Unavailable.

    That is the worker's folder, if all users may pass through to it, else one below the machine's temporary files.
    """
    folder.chmod(0o711)  # its files have modes of their own, and nobody else can list it
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents)):
        return folder
    home = home_elsewhere(folder)
    home.mkdir(mode=0o711, exist_ok=True)
    if home.stat(follow_symlinks=False).st_uid != os.geteuid():
        raise Unavailable(f"{home} belongs to somebody else: give the worker a folder that all users can reach.")
    home.chmod(0o711)
    log.warning("robots live elsewhere, because their users can't reach the worker's folder", folder=str(home))
    return home
