"""Fetches packages from git, in a process of git's own that is allowed as little as can be.

What it does: claims a wanted fetch, checks where the address leads, lets `git fetch` bring one commit and `git archive`
make a zip of it, and hands that to the packages, which look at it as at any upload.
Who else may do it: any server; a claim is a lease, and the leader looks.
When it dies half-way: the lease of a minute runs out, and the fetch is done again; nothing of it was known yet. Its
folder lies in the data folder, and is swept with what still runs in it by the next start or fetch.
What it costs: one index probe each two seconds while nothing is wanted; a fetch costs a process, and disk meanwhile.

git may speak https and ssh to the addresses that were judged, and to nothing else: no redirect, no proxy, no submodule,
no hook, no file of the user's configuration, no prompt. Nothing is checked out, so that no filter runs. What proves the
room to the repository is in the environment of the process, never in its arguments or in an address.
"""

import asyncio
import base64
import contextlib
import os
import shlex
import shutil
import signal
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import structlog

from controlroom.aside.pool import Bounds
from controlroom.engine.access.model import system
from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.packages import sources
from controlroom.engine.packages.fetches import Fetch, RefKind
from controlroom.engine.packages.source_store import OWN_BRANCH
from controlroom.engine.vault import actions as vault
from controlroom.errors import ControlRoomError, Invalid, Unavailable
from controlroom.outgoing import Guard
from controlroom.robots.choosing import folder_of_robot
from controlroom.trust import Bundle

log = structlog.get_logger(__name__)

EVERY: Final = 2.0
RENEW_EVERY: Final = 20.0
"""Seconds. Why: a third of the lease, so that two renewals may fail."""
_SECONDS: Final = 600
_MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of one git. Why: one that made a zip of a hostile repository took 24 GB of a machine."""
_PORTS: Final = {"https": 443, "ssh": 22}
_MOST_SAID: Final = 32 << 20
"""Bytes of git's output. Why: a few hundred thousand names; a repository of a few KB can have billions."""
_TOLD: Final = 600
"""Characters of git's own words that are kept."""


async def fetch_wanted(engine: Engine, guard: Guard, *, renew_every: float = RENEW_EVERY) -> int:
    """One pass over what is wanted; how many were fetched or given up."""
    handled = 0
    while (fetch := await sources.claim(engine, Room())) is not None:
        await asyncio.to_thread(engine.scratch.sweep)
        try:
            await _while_it_is_ours(engine, fetch, _fetch(engine, guard, fetch), renew_every)
        except ControlRoomError as failed:
            await sources.give_up(engine, fetch, failed.message)
        except OSError as failed:  # above all a full disk
            await sources.give_up(engine, fetch, f"the server could not keep what came: {failed.strerror or failed}")
        handled += 1
    return handled


async def _while_it_is_ours(engine: Engine, fetch: Fetch, work: Coroutine[Any, Any, None], renew_every: float) -> None:
    """Do the work of a claim and renew that meanwhile; end it when the claim is lost, give that back when we end."""
    working = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({working}, timeout=renew_every))[0]:
            with contextlib.suppress(Unavailable):  # the next one may come through, and the end of a fetch looks again
                if not await sources.renew(engine, Room(), fetch):
                    log.info("fetch is not wanted any more", package=str(fetch.package_id))
                    return
        await working
    except asyncio.CancelledError:
        await _ended(working)
        await sources.let_go(engine, Room(), fetch)
        raise
    finally:
        await _ended(working)


async def _ended(working: asyncio.Task[None]) -> None:
    working.cancel()
    await asyncio.wait({working})


async def _fetch(engine: Engine, guard: Guard, fetch: Fetch) -> None:
    sources.check_url(fetch.url)
    with engine.scratch.folder("git") as home:
        environment = await _environment(engine, guard, fetch, home)
        repository, archive = home / "repository", home / "package.zip"
        room = Bounded(environment, home, engine.limits.git_bytes)
        await room.git("init", "--quiet", "--bare", str(repository))
        _whole(repository)
        at = ("--git-dir", str(repository))
        wanted = {
            RefKind.BRANCH: fetch.ref if fetch.ref == OWN_BRANCH else f"refs/heads/{fetch.ref}",
            RefKind.TAG: f"refs/tags/{fetch.ref}",
            RefKind.COMMIT: fetch.ref,
        }[fetch.ref_kind]
        await room.git(
            *at, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", fetch.url, wanted
        )
        commit = (await room.git(*at, "rev-parse", "--verify", "FETCH_HEAD^{commit}")).strip()
        only = await _folder(engine, fetch, room, at, commit)
        await room.git(*at, "archive", "--format=zip", f"--output={archive}", commit, *only)
        if archive.stat().st_size > engine.limits.package_bytes:
            raise Invalid(
                f"the repository is larger than {engine.limits.package_bytes:,} bytes", code="PACKAGE_TOO_LARGE"
            )
        blob = await engine.objects.put_file(archive)
    await sources.take(engine, fetch, commit=commit, blob=blob)


def _whole(repository: Path) -> None:
    """Have archives hold the files as a clone does: what releases leave out or fill in is no matter of a robot."""
    told = repository / "info" / "attributes"  # before those of the commit
    told.parent.mkdir(exist_ok=True)
    told.write_text("* !export-ignore !export-subst\n", encoding="utf-8")


async def _folder(engine: Engine, fetch: Fetch, room: "Bounded", at: tuple[str, ...], commit: str) -> tuple[str, ...]:
    """The arguments that leave all but the chosen robot out.

    Raises Invalid that lists the robots that there are, or for a repository of countless files, chosen or not.
    """
    listed = await room.git(*at, "ls-tree", "-r", "-z", "--name-only", commit)
    if not fetch.folder:
        return ()
    bounds = Bounds("The repository's list of files", asker=fetch.workspace_id)
    robot = await engine.aside.call(bounds, folder_of_robot, listed, fetch.folder)
    return ("--", robot) if robot else ()


# ---------------------------------------------------------------------------------------------------- environment
async def _environment(engine: Engine, guard: Guard, fetch: Fetch, home: Path) -> dict[str, str]:
    """What git is told: only to whom it may speak, and how it proves itself."""
    where = urlsplit(fetch.url)
    host, port = where.hostname or "", where.port or _PORTS[where.scheme]
    addresses = await guard.addresses(host, port)
    if not addresses:
        raise Unavailable(f"the host {host} has no address", code="OUTGOING_UNREACHABLE")
    secret: Mapping[str, Any] = {}
    if fetch.secret_name is not None:
        actor = system(fetch.organization_id)
        secret = (await vault.read(engine, actor, fetch.workspace_id, fetch.secret_name)).values
    configuration = [
        ("protocol.allow", "never"),
        (f"protocol.{where.scheme}.allow", "always"),
        ("core.hooksPath", os.devnull),
        ("credential.helper", ""),
        ("fetch.fsckObjects", "true"),
        ("fetch.unpackLimit", "1"),  # one pack file, whose size the limit of the process bounds
        ("core.packedGitWindowSize", "64m"),  # of a large pack, too, little is mapped at once
        ("core.packedGitLimit", "512m"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        ("submodule.recurse", "false"),
    ]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }
    if where.scheme == "https":
        bundle = Bundle(home / "authorities.pem")
        authorities = bundle.path if await asyncio.to_thread(bundle.refresh) else None
        configuration += _https(where, host, port, addresses, secret, authorities)
    else:
        environment["GIT_SSH_COMMAND"] = _ssh(home, _known_as(host, port), addresses[0], secret)
        environment["GIT_SSH_VARIANT"] = "ssh"
    for place, (name, value) in enumerate(configuration):
        environment[f"GIT_CONFIG_KEY_{place}"], environment[f"GIT_CONFIG_VALUE_{place}"] = name, value
    environment["GIT_CONFIG_COUNT"] = str(len(configuration))
    return environment


def _https(
    where: SplitResult, host: str, port: int, addresses: list[str], secret: Mapping[str, Any], authorities: Path | None
) -> list[tuple[str, str]]:
    # curl connects to what was judged, and does not ask the name again
    shown = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    said = [
        ("http.followRedirects", "false"),
        ("http.proxy", ""),
        ("http.curloptResolve", f"{host}:{port}:{shown}"),
        ("http.sslVerify", "true"),
        ("http.lowSpeedLimit", "1000"),
        ("http.lowSpeedTime", "60"),
    ]
    if authorities is not None:  # as every other request that leaves the room
        said.append(("http.sslCAInfo", str(authorities)))
    password = secret.get("password") or secret.get("token")
    if password:
        pair = f"{secret.get('username') or 'git'}:{password}".encode()
        header = f"Authorization: Basic {base64.b64encode(pair).decode()}"
        said.append((f"http.https://{where.netloc}/.extraHeader", header))
    return said


def _ssh(home: Path, known_as: str, address: str, secret: Mapping[str, Any]) -> str:
    """The ssh that git starts: with this key, to this address, and only if the host is who the secret says."""
    key, known = str(secret.get("private_key") or ""), str(secret.get("known_hosts") or "")
    if not key or not known:
        raise Invalid("an ssh address needs a secret with private_key and known_hosts", code="GIT_SECRET_INCOMPLETE")
    key_file, known_file = home / "key", home / "known_hosts"
    key_file.touch(mode=0o600)
    key_file.write_text(key.rstrip("\n") + "\n", encoding="utf-8")
    known_file.write_text(known.rstrip("\n") + "\n", encoding="utf-8")
    options = {
        "IdentityFile": key_file,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": known_file,
        "GlobalKnownHostsFile": os.devnull,
        "StrictHostKeyChecking": "yes",
        "HostKeyAlias": known_as,
        "HostName": address,
        "BatchMode": "yes",
        "ProxyCommand": "none",
        "ConnectTimeout": "30",
    }
    said = " ".join(f"-o {shlex.quote(f'{name}={value}')}" for name, value in options.items())
    return f"ssh -F {os.devnull} {said}"


def _known_as(host: str, port: int) -> str:
    """A host as known_hosts names it, and `ssh-keyscan` prints it: with its port unless that is the usual one."""
    return host if port == _PORTS["ssh"] else f"[{host}]:{port}"


# ---------------------------------------------------------------------------------------------------- the process
class Bounded:
    """Runs git with bounded time, memory and file sizes; the bounds are the process's own, should we be killed."""

    def __init__(self, environment: dict[str, str], home: Path, most_bytes: int) -> None:
        self._environment = environment
        self._home = home
        self._blocks = max(most_bytes // 512, 1)  # POSIX counts in blocks of 512 bytes

    async def git(self, *arguments: str) -> str:
        """What git printed. Raises Unavailable, with its own words, when it failed or took too long."""
        if shutil.which("git") is None:
            raise Unavailable("there is no git on the server", code="GIT_MISSING")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            f'ulimit -f {self._blocks} && ulimit -v {_MOST_MEMORY // 1024} && ulimit -t {_SECONDS} && exec git "$@"',
            "git",
            *arguments,
            cwd=self._home,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                said, complained, _ = await asyncio.gather(_head(process.stdout), _tail(process.stderr), process.wait())
        except TimeoutError:
            raise Unavailable(f"git did not end within {_SECONDS} s", code="GIT_TIMEOUT") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # also when we are cancelled
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            words = complained.decode("utf-8", "replace").strip()[-_TOLD:]
            raise Unavailable(f"git failed: {words or f'exit code {process.returncode}'}", code="GIT_FAILED")
        return said.decode("utf-8", "replace")


async def _head(stream: asyncio.StreamReader | None) -> bytes:
    """All of it. Raises Invalid if that is too much."""
    said = bytearray()
    while stream is not None and (piece := await stream.read(1 << 16)):
        said += piece
        if len(said) > _MOST_SAID:
            raise Invalid("the repository has too many files", code="PACKAGE_TOO_LARGE")
    return bytes(said)


async def _tail(stream: asyncio.StreamReader | None) -> bytes:
    """The end of it."""
    said = b""
    while stream is not None and (piece := await stream.read(1 << 16)):
        said = (said + piece)[-(1 << 16) :]
    return said
