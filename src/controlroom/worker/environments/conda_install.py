"""Solve and install conda packages: a program that the worker starts, one run a build.

Why a process of its own: it gives up root before it touches anything, it can be killed, and the solver's memory goes
with it. It runs nothing that comes out of a package: link scripts stay off, as is rattler's default. Reads an `Order`
as JSON from its first argument, writes a `Receipt` as JSON to standard output and progress to standard error.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from controlroom.worker.environments.conda_order import Order, Receipt


def main(arguments: Sequence[str]) -> int:
    """Carry out one order; the exit code is 1 when it cannot be, 3 when the library is missing."""
    order = msgspec.json.decode(arguments[0], type=Order)
    try:
        import rattler  # noqa: PLC0415, F401 - an extra of ours, loaded before the privileges go that its files may need
    except ImportError:
        _say("error: conda packages need the extra `conda`: install controlroom[conda] for this worker")
        return 3
    if order.uid is not None and order.gid is not None:
        os.setgroups([])
        os.setgid(order.gid)
        os.setuid(order.uid)
    try:
        receipt = asyncio.run(_install(order))
    except Exception as failure:  # noqa: BLE001 - the edge of this program: each of rattler's errors is an Exception only
        _say(f"error: {' '.join(str(failure).split())}")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(receipt))
    return 0


async def _install(order: Order) -> Receipt:
    import rattler  # noqa: PLC0415 - see main
    from rattler.shell import ActivationVariables, Shell, activate  # noqa: PLC0415 - likewise

    prefix = Path(order.prefix)
    configuration = rattler.ChannelConfig(order.channel_alias.rstrip("/") + "/", str(prefix))
    channels = [rattler.Channel(channel, configuration) for channel in order.channels]
    gateway = rattler.Gateway(cache_dir=Path(order.cache) / "repodata")
    specs = [rattler.MatchSpec(spec, strict=False) for spec in order.specs]  # authors write as conda reads
    records = await rattler.solve(channels, specs, gateway=gateway, virtual_packages=rattler.VirtualPackage.detect())
    _say(f"Solved: {len(records)} packages")
    for record in sorted(records, key=lambda record: record.name.normalized):
        _say(f" + {record.name.normalized}={record.version}={record.build}")
    await rattler.install(records, prefix, cache_dir=Path(order.cache) / "packages", show_progress=False)
    script = activate(prefix, ActivationVariables(), Shell.bash).script
    return Receipt(packages=len(records), activation=script)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    # Why not sys.exit: rattler's threads still run, and crashed the interpreter while it was taken down (0.28, seldom)
    os._exit(exit_code)
