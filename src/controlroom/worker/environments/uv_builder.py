"""Pure pip environments, built by uv."""

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import uv

from controlroom import whole_files
from controlroom.worker.environments.build_place import (
    BuildPlace,
    CommandFailed,
    RunAs,
    give_to,
    make_open,
    short_cause,
)
from controlroom.worker.environments.environment import EnvironmentFailed
from controlroom.worker.environments.interpreters import Interpreter

_EXACT = re.compile(r"[\w.-]+\s*==\s*[\w.!+-]+\s*(;[^#]*?)?(\s+--hash=\S+)*")
"""A requirement for one exact version. Extras are left out, as `uv pip check` does not know what they need."""


async def create(place: BuildPlace, uv_binary: Path, interpreter: Interpreter, prefix: Path, *, seed: bool) -> None:
    """Make an empty environment. Seeded ones have pip in them, for commands that call it."""
    command: list[str | Path] = [
        uv_binary,
        "venv",
        "--quiet",
        "--no-project",
        "--python",
        interpreter.path,
        *(["--seed"] if seed else []),
    ]
    await place.run(
        [*command, prefix],
        writable=[prefix.parent.parent],
        readable=[uv_binary.parent, interpreter.base_prefix],
        variables=_settings(prefix),
    )


async def install(
    place: BuildPlace,
    uv_binary: Path,
    requirements: Sequence[str],
    prefix: Path,
    *,
    python: Path,
    readable: Sequence[Path],
) -> None:
    """Resolve and install requirements (lines as pip reads them), linked from the share's package cache.

    A list that names the exact version of everything needs no network once its packages are in the cache.
    """
    if not requirements:
        return
    listed = place.home / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    listed.chmod(0o600)  # addresses in it may hold credentials
    give_to(place.run_as, listed)

    async def run(place: BuildPlace, *words: str) -> None:
        await place.run(
            [uv_binary, "pip", words[0], "--python", python, *words[1:]],
            writable=[prefix.parent.parent],
            readable=[uv_binary.parent, place.offered, *readable],
            variables=_settings(prefix) | {"UV_FIND_LINKS": links},
        )

    links = ",".join(filter(None, (place.variables.get("UV_FIND_LINKS"), str(place.offered))))
    # Why the last word: a conda environment is no virtual one, and its Python may be marked as managed by others
    command = ["install", "--requirements", listed.name, "--break-system-packages"]
    if all(_EXACT.fullmatch(line) for line in requirements):
        lines: list[str] = []
        cached = msgspec.structs.replace(place, progress=lines.append)
        with suppress(CommandFailed):  # something is not in the cache, or the list leaves something out
            await run(cached, *command, "--offline", "--no-deps")
            await run(cached, "check")
            for line in lines:
                place.progress(line)
            return
    try:
        await run(place, *command)
    except CommandFailed as failure:
        if not any("missing an upload date" in line for line in failure.lines):
            raise
        moment = place.variables.get("UV_EXCLUDE_NEWER", "")
        why = f"no packages newer than {moment} count, and the package index tells no dates"
        raise EnvironmentFailed(f"{short_cause(failure)} ({why})") from failure


def binary_for(run_as: RunAs | None, tools: Path, chosen: Path | None) -> Path:
    """The uv to call: the given one, else that of our wheel; copied where the build's user can reach it."""
    binary = chosen or Path(uv.find_uv_bin())
    if run_as is None:
        return binary
    status = binary.stat()
    copy = tools / f"{status.st_size:x}-{status.st_mtime_ns:x}" / "uv"
    if not os.access(copy, os.X_OK):  # made anew also where a copy of the folder has lost its modes
        aside = whole_files.aside(copy)
        make_open(aside.parent)
        shutil.copyfile(binary, aside)
        aside.chmod(0o755)
        aside.rename(copy)
    return copy


def _settings(prefix: Path) -> dict[str, str]:
    """The package cache lies beside the share's environments, in one writable folder: links between two mounts fail."""
    return {"UV_CACHE_DIR": str(prefix.parent.parent / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
