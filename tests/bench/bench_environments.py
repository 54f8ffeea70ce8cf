"""How long an environment takes to build and to reuse, beside the same commands typed by hand.

Both sides have everything downloaded already, use the same requirements, interpreter and package indexes, and take
turns, so that a busy machine slows both. By hand, no bytecode is compiled; ours compiles it (or links what it kept).
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uv
import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import Figure, show

from controlroom.robots.environment_spec import EnvironmentSpec, Source
from controlroom.worker.environments import EnvironmentCache, freeze, package_indexes

ROUNDS = 7
PYTHON = "{}.{}".format(*sys.version_info[:2])


def main() -> list[Figure]:
    """Measure, and return the rows of the table."""
    with tempfile.TemporaryDirectory(prefix="environments-") as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    cache = EnvironmentCache(folder / "ours", max_bytes=10**10)
    asked = ("robocorp==3.1.6",)
    async with cache.use(_spec(asked), progress=lambda _: None) as environment:
        listed = yaml.safe_load(freeze(environment))["dependencies"][-1]
        interpreter = environment.python.resolve()
    locked = tuple(listed["pip"])
    reuse = [await _seconds(cache, _spec(asked)) for _ in range(ROUNDS)]
    return [
        await _compared(cache, folder / "locked", locked, interpreter, "locked and cached"),
        await _compared(cache, folder / "unlocked", asked, interpreter, "cached, not locked"),
        Figure("environment reuse", f"{statistics.median(reuse) * 1000:.2f} ms", "≤ 20 ms"),
    ]


async def _compared(
    cache: EnvironmentCache, folder: Path, requirements: tuple[str, ...], interpreter: Path, how: str
) -> Figure:
    """One row: the medians of both sides, the first round of each left out because it downloads."""
    ours, bare = [], []
    for number in range(ROUNDS + 1):
        # Another content each time, by a requirement that is never installed
        wish = (*requirements, f"iniconfig==2.0.0; python_version < '2.{number}'")
        ours.append(await _seconds(cache, _spec(wish)))
        bare.append(_by_hand(folder, number, wish, interpreter))
    build, by_hand = statistics.median(ours[1:]), statistics.median(bare[1:])
    return Figure(
        f"environment build, {how}",
        f"{build / by_hand:.2f} of bare ({build * 1000:.0f} ms)",
        "≤ 1.15 of bare",
        f"uv venv + uv pip install: {by_hand * 1000:.0f} ms",
    )


def _spec(requirements: tuple[str, ...]) -> EnvironmentSpec:
    return EnvironmentSpec(source=Source.CONDA_YAML, python=PYTHON, pip=requirements)


async def _seconds(cache: EnvironmentCache, spec: EnvironmentSpec) -> float:
    began = time.perf_counter()
    async with cache.use(spec, progress=lambda _: None):
        return time.perf_counter() - began


def _by_hand(folder: Path, number: int, requirements: tuple[str, ...], interpreter: Path) -> float:
    """Seconds of `uv venv` and `uv pip install`."""
    binary = uv.find_uv_bin()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **package_indexes.variables(os.environ, home=Path.home()),
        "UV_CACHE_DIR": str(folder / "cache"),
    }
    prefix = folder / str(number)
    began = time.perf_counter()
    subprocess.run([binary, "venv", "--quiet", "--python", interpreter, prefix], env=variables, check=True)
    install = [binary, "pip", "install", "--quiet", "--python", prefix / "bin" / "python", *requirements]
    subprocess.run(install, env=variables, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    show(main())
