"""Environments with conda packages, solved and installed by rattler, their pip section by uv."""

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.robots.match_specs import parse_match_spec
from controlroom.robots.python_versions import wished_minor, written
from controlroom.worker.environments.build_place import BuildPlace, CommandFailed
from controlroom.worker.environments.conda_order import UNSOLVABLE, Order, Receipt
from controlroom.worker.environments.environment import EnvironmentFailed

_DEFAULT_ALIAS = "https://conda.anaconda.org"
_DEFAULT_CHANNELS = ("conda-forge",)
_OF_THE_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "PS1", "PATH", "HOME", "TMPDIR"})
"""Variables that differ after activation without being its doing."""


class Activation(msgspec.Struct, frozen=True):
    """What activating a conda environment does to the variables."""

    variables: dict[str, str]
    path: tuple[Path, ...]


def channels_of(spec: EnvironmentSpec) -> tuple[str, ...]:
    """Where packages are searched: in the environment's channels, then in those that single packages name."""
    named = [parse_match_spec(entry).channel for entry in spec.conda]
    asked = (*(spec.channels or _DEFAULT_CHANNELS), *(channel for channel in named if channel))
    # conda's `defaults` is no channel but a name for some; where channels' names are looked up it is called `main`
    return tuple(dict.fromkeys("main" if channel == "defaults" else channel for channel in asked))


async def install(
    place: BuildPlace, spec: EnvironmentSpec, prefix: Path, *, own: Mapping[str, str], strict: bool
) -> Receipt:
    """Solve and install the conda packages; raises CommandFailed if that fails.

    If nothing in the channels goes with the exact Python that is asked for, another patch version of it may, unless
    strict.
    """
    try:
        return await _install(place, spec, prefix, own=own)
    except CommandFailed as failure:
        minor = None if strict or _is_python_among(spec) else wished_minor(spec.python)
        if failure.exit_code != UNSOLVABLE or minor is None:
            raise
        place.progress(f"Nothing in the channels goes with Python {spec.python}: trying {written(minor)}")
        try:
            return await _install(place, msgspec.structs.replace(spec, python=written(minor)), prefix, own=own)
        except CommandFailed:
            raise failure from None


async def _install(place: BuildPlace, spec: EnvironmentSpec, prefix: Path, *, own: Mapping[str, str]) -> Receipt:
    # Without a sandbox the program must start as the worker, who alone may be able to read it; it steps down by itself.
    user = place.run_as if place.enclosure is None else None
    order = Order(
        channels=channels_of(spec),
        channel_alias=own.get("CONTROLROOM_CONDA_CHANNEL_ALIAS") or own.get("RC_CONDA_ENDPOINT") or _DEFAULT_ALIAS,
        specs=(*spec.conda, *_python_spec(spec)),
        prefix=str(prefix),
        exclude_newer=spec.exclude_newer,
        cache=str(prefix.parent.parent / "conda"),
        uid=user.uid if user else None,
        gid=user.uid if user else None,
    )
    program = [sys.executable, "-m", "controlroom.worker.environments.conda_install"]
    answer = await msgspec.structs.replace(place, run_as=None).run(
        [*program, msgspec.json.encode(order).decode()],
        writable=[prefix.parent.parent],
        readable=(*_own_library(), *_local_channels(order)),
        variables={"PYTHONPATH": os.pathsep.join(map(str, _module_folders()))},
    )
    return msgspec.json.decode(answer, type=Receipt)


async def activation(place: BuildPlace, prefix: Path, script: str) -> Activation:
    """What the environment's activation scripts set. They are foreign code: they run in the sandbox, once, at build."""
    before = place.variables
    # What the scripts print must not mix with the answer, and PATH is theirs by then, so `env` is named by its place.
    text = f"exec 3>&1 1>&2\n{script}\nexec 1>&3\nexec {shlex.quote(_system_env())} -0"
    answer = await place.run(["/usr/bin/env", "bash", "--noprofile", "--norc", "-c", text], readable=[prefix])
    after = dict(entry.split("=", 1) for entry in answer.split("\0") if "=" in entry)
    changed = {name: value for name, value in after.items() if before.get(name) != value and name not in _OF_THE_SHELL}
    known = set(before["PATH"].split(os.pathsep))
    front = tuple(Path(folder) for folder in after.get("PATH", "").split(os.pathsep) if folder not in known)
    always = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": "rcc", "CONDA_SHLVL": "1"}
    return Activation(variables=changed | always, path=front or (prefix / "bin",))


def interpreter_of(prefix: Path) -> Path | None:
    """The environment's own Python, if a package brought one."""
    python = prefix / "bin" / "python"
    return python if python.exists() else None


def check_pip_is_possible(spec: EnvironmentSpec, prefix: Path) -> None:
    """Pip requirements need a Python in the environment."""
    if spec.pip and interpreter_of(prefix) is None:
        raise EnvironmentFailed("The environment has pip requirements, and none of its conda packages brings Python")


def _python_spec(spec: EnvironmentSpec) -> Sequence[str]:
    """The wish for Python as a match spec; pip requirements wish for one, whatever its version."""
    wish = (spec.python or "").strip()
    if _is_python_among(spec):
        return ()
    if not wish:
        return ("python",) if spec.pip else ()
    if re.fullmatch(r"\d+(\.\d+)*", wish):
        return (f"python {wish}.*",)
    return (f"python {wish}",)


def _is_python_among(spec: EnvironmentSpec) -> bool:
    """Whether Python stands among the packages, because more than a version is wished of it."""
    return any(parse_match_spec(entry).name == "python" for entry in spec.conda)


def _local_channels(order: Order) -> tuple[Path, ...]:
    """Channels that are folders of this machine. Only our program gets to see them, nothing out of a package."""
    places = (place.removeprefix("file://") for place in (*order.channels, order.channel_alias))
    return tuple(Path(place) for place in places if place.startswith("/") and Path(place).is_dir())


def _own_library() -> tuple[Path, ...]:
    """The folders from which this very program runs."""
    places = (Path(sys.prefix), Path(sys.base_prefix), *_module_folders())
    return tuple(place for place in dict.fromkeys(places) if place.is_dir())


def _module_folders() -> tuple[Path, ...]:
    return tuple(Path(entry).absolute() for entry in sys.path if entry)


def _system_env() -> str:
    return next((place for place in ("/usr/bin/env", "/bin/env") if Path(place).exists()), "env")
