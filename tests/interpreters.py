"""The Python interpreters of this machine, for tests that want older or newer ones than their own."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

MINORS = tuple(f"3.{minor}" for minor in range(6, 15))
"""The versions that robots may ask for."""


@cache
def interpreter(minor: str) -> Path | None:
    """An interpreter of this minor version that runs: from the PATH, or of pyenv or uv."""
    home = Path.home()
    roots = [Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions", home / ".local/share/uv/python"]
    named = [path for root in roots for path in sorted(_entries(root), reverse=True)]
    below = [path / "bin" / f"python{minor}" for path in named if re.search(rf"\b{re.escape(minor)}\.", path.name)]
    found = shutil.which(f"python{minor}")
    own = [Path(getattr(sys, "_base_executable", sys.executable))]
    return next((path for path in (*below, *([Path(found)] if found else []), *own) if _is(path, minor)), None)


def needed(minor: str) -> Path:
    """An interpreter of this minor version; the test is skipped, and says so, where there is none."""
    path = interpreter(minor)
    if path is None:
        pytest.skip(f"no Python {minor} on this machine")
    return path


def _is(path: Path, minor: str) -> bool:
    words = [path, "-c", "import sys; print('%d.%d %s' % (sys.version_info[:2] + (sys.version_info[3],)))"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:  # it is not there, or not for us
        return False
    return answer.stdout.strip() == f"{minor} final"


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
