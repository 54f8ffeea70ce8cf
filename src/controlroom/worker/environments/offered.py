"""The wheel that a worker offers to builds: our own library for robots, so that any room has it.

A room may have no package index that knows `controlroom-robot`, or none at all. The worker has it installed, and packs
it again as a wheel. An index that has a later release goes before, as always.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from controlroom import whole_files
from controlroom.worker.environments.build_place import make_open

DISTRIBUTION: Final = "controlroom-robot"
PACKAGE: Final = "controlroom_robot"
_FIRST: Final = (1980, 1, 1, 0, 0, 0)
_OF_WHEELS: Final = "Wheel-Version: 1.0\nGenerator: controlroom\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def source_of(module: str) -> str:
    """The text of one of the library's modules."""
    return _package().joinpath(f"{module}.py").read_text(encoding="utf-8")


def folder_with_wheel(tools: Path) -> Path:
    """A folder that has the wheel, below a folder of the worker's; made if it is not there. Builds may read it."""
    found = distribution(DISTRIBUTION)
    modules = {
        f"{PACKAGE}/{file.name}": file.read_bytes() for file in sorted(_package().iterdir()) if not file.is_dir()
    }
    wheel = packed(modules, metadata=found.read_text("METADATA") or "", version=found.version)
    folder = tools / f"wheels-{hashlib.sha256(wheel).hexdigest()[:12]}"
    file = folder / f"{PACKAGE}-{found.version}-py3-none-any.whl"
    if not file.is_file():
        make_open(folder)
        whole_files.write(file, wheel, 0o644)
    return folder


def packed(modules: Mapping[str, bytes], *, metadata: str, version: str) -> bytes:
    """A wheel of these files (PyPA's binary distribution format): the same bytes of the same files."""
    information = f"{PACKAGE}-{version}.dist-info"
    files = {**modules, f"{information}/METADATA": metadata.encode(), f"{information}/WHEEL": _OF_WHEELS.encode()}
    record = f"{information}/RECORD"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIRST)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _package() -> Path:
    """Where the library lies. It is not imported: it is a robot's."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} belongs to this release, and is not installed")
    return Path(next(iter(found.submodule_search_locations)))
