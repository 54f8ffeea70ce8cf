"""Solve and install conda packages: a program that the worker starts, one run a build.

Why a process of its own: it gives up root before it touches anything, it can be killed, and the solver's memory goes
with it. It runs nothing that comes out of a package: link scripts stay off, as is rattler's default. Reads an `Order`
as JSON from its first argument, writes a `Receipt` as JSON to standard output and progress to standard error.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import rattler
from rattler.exceptions import SolverError
from rattler.shell import ActivationVariables, Shell, activate

from controlroom.robots.exclude_newer import parse_moment
from controlroom.robots.match_specs import MatchSpec, parse_match_spec
from controlroom.worker.environments.conda_order import UNSOLVABLE, Order, Receipt


def main(arguments: Sequence[str]) -> int:
    """Carry out one order; the exit code is UNSOLVABLE when no packages answer it, 1 for any other failure."""
    order = msgspec.json.decode(arguments[0], type=Order)
    if order.uid is not None and order.gid is not None:
        os.setgroups([])
        os.setgid(order.gid)
        os.setuid(order.uid)
    try:
        receipt = asyncio.run(_install(order))
    except SolverError as failure:
        _say(f"error: {' '.join(str(failure).split())}")
        return UNSOLVABLE
    except Exception as failure:  # noqa: BLE001 - the edge of this program: each of rattler's errors is an Exception only
        _say(f"error: {' '.join(str(failure).split())}")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(receipt))
    return 0


async def _install(order: Order) -> Receipt:
    prefix = Path(order.prefix)
    configuration = rattler.ChannelConfig(order.channel_alias.rstrip("/") + "/", str(prefix))
    channels = [rattler.Channel(channel, configuration) for channel in order.channels]
    gateway = rattler.Gateway(cache_dir=Path(order.cache) / "repodata")
    chosen = [await _with_forgotten(spec, channels, gateway) for spec in order.specs]
    specs = [rattler.MatchSpec(spec, strict=False) for spec in chosen]  # authors write as conda reads
    newest = parse_moment(order.exclude_newer) if order.exclude_newer else None
    records = await rattler.solve(
        channels,
        specs,
        gateway=gateway,
        virtual_packages=rattler.VirtualPackage.detect(),
        exclude_newer=newest,
        timestamp_policy="allow-missing",  # told to the author, as other sources without dates are
    )
    for spec in order.specs:
        _check_forgotten(spec, records)
    _say(f"Solved: {len(records)} packages")
    for record in sorted(records, key=lambda record: record.name.normalized):
        _say(f" + {record.name.normalized}={record.version}={record.build}")
    await rattler.install(records, prefix, cache_dir=Path(order.cache) / "packages", show_progress=False)
    script = activate(prefix, ActivationVariables(), Shell.bash).script
    return Receipt(packages=len(records), activation=script, undated=_undated(records) if newest else ())


_FORGOTTEN = ("subdir", "fn")
"""What rattler's solver reads in a match spec and does not heed (0.28)."""


def _undated(records: list[rattler.RepoDataRecord]) -> tuple[str, ...]:
    """The packages of which no channel tells a date."""
    return tuple(f"{record.name.normalized}={record.version}" for record in records if record.timestamp is None)


class NotHonoured(Exception):  # noqa: N818 - a fact about a wish
    """A package would be taken that is not what was wished."""


async def _with_forgotten(text: str, channels: list[rattler.Channel], gateway: rattler.Gateway) -> str:
    """A match spec in which what the solver forgets is said in words that it heeds: version and build."""
    wished = parse_match_spec(text)
    if not any(key in _FORGOTTEN for key, _ in wished.others):
        return text
    spec = rattler.MatchSpec(text, strict=False)
    found = await gateway.query(channels, [rattler.Platform.current(), "noarch"], [spec], recursive=False)
    fitting = [record for records in found for record in records if spec.matches(record) and _has(record, wished)]
    if not fitting:
        raise NotHonoured(f"`{text}`: the channels have no such package")
    best = max(fitting, key=lambda record: (record.version, record.build_number))
    channel = f"{wished.channel}::" if wished.channel else ""
    return f"{channel}{wished.name}=={best.version}={best.build}"


def _check_forgotten(text: str, records: list[rattler.RepoDataRecord]) -> None:
    """Refuse what the solver took against a wish: of two packages of one version and build it may take the other."""
    wished = parse_match_spec(text)
    for record in records:
        if record.name.normalized == wished.name and not _has(record, wished):
            raise NotHonoured(f"`{text}`: {record.url} is not what is wished")


def _has(record: rattler.RepoDataRecord, wished: MatchSpec) -> bool:
    """Whether a package has what would be forgotten; of files on this machine rattler compares no hashes either."""
    others = dict(wished.others)
    if "url" in others and record.url.startswith("file:"):
        content = Path(unquote(urlsplit(record.url).path)).read_bytes()
        digests = {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ("md5", "sha256")}
        if any(others.get(name, digest).lower() != digest for name, digest in digests.items()):
            return False
    return (
        others.get("subdir", record.subdir) == record.subdir and others.get("fn", record.file_name) == record.file_name
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    # Why not sys.exit: rattler's threads still run, and crashed the interpreter while it was taken down (0.28, seldom)
    os._exit(exit_code)
