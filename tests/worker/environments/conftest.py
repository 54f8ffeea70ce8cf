"""Real environments of tiny packages, and a conda channel that is made here: its Python is the machine's own."""

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from controlroom.robots.environment_spec import EnvironmentSpec, parse_environment
from controlroom.worker.environments import EnvironmentCache

PLACEHOLDER = "/placeholder" * 10
SUBDIR = f"linux-{ {'x86_64': '64'}.get(platform.machine(), platform.machine()) }"
MINOR = "{}.{}".format(*sys.version_info[:2])
VERSION = "{}.{}.{}".format(*sys.version_info[:3])
ANVIL_ACTIVATION = """\
echo "anvil is hot"
export ANVIL_HOME="$CONDA_PREFIX/share/anvil"
export PATH="$ANVIL_HOME/bin:$PATH"
"""


class Console:
    """The lines that a robot's author would read."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class CondaChannel:
    """A channel in a folder. Packages are old-style archives with the metadata that installers read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, dict[str, dict[str, object]]] = {SUBDIR: {}, "noarch": {}}

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(
        self,
        name: str,
        version: str,
        files: dict[str, str],
        *,
        links: dict[str, str] | None = None,
        depends: tuple[str, ...] = (),
        noarch: str | None = None,
    ) -> None:
        """Add a package; files that contain PLACEHOLDER get the prefix there. `links` are symbolic links."""
        subdir = "noarch" if noarch else SUBDIR
        index: dict[str, object] = {
            "name": name,
            "version": version,
            "build": "0",
            "build_number": 0,
            "depends": list(depends),
            "subdir": subdir,
            **({"noarch": noarch} if noarch else {"platform": "linux", "arch": platform.machine()}),
        }
        paths = [_path_entry(path, text) for path, text in files.items()]
        paths += [{"_path": path, "path_type": "softlink"} for path in links or {}]
        listed = "".join(f"{path}\n" for path in (*files, *(links or {})))
        contents = {
            **files,
            "info/index.json": json.dumps(index),
            "info/files": listed,
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
            **(
                {"info/link.json": json.dumps({"noarch": {"type": "python"}, "package_metadata_version": 1})}
                if noarch == "python"
                else {}
            ),
        }
        archive = self.folder / subdir / f"{name}-{version}-0.tar.bz2"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:bz2") as tar:
            for path, text in contents.items():
                member = tarfile.TarInfo(path)
                member.size = len(text.encode())
                member.mode = 0o755 if path.startswith("bin/") else 0o644
                tar.addfile(member, io.BytesIO(text.encode()))
            for path, target in (links or {}).items():
                member = tarfile.TarInfo(path)
                member.type, member.linkname = tarfile.SYMTYPE, target
                tar.addfile(member)
        content = archive.read_bytes()
        sums = {"sha256": hashlib.sha256(content).hexdigest(), "md5": hashlib.md5(content).hexdigest()}  # noqa: S324 - conda's
        self._records[subdir][archive.name] = {**index, **sums, "size": len(content)}
        self._write_index()

    def _write_index(self) -> None:
        for subdir, records in self._records.items():
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            described = {"info": {"subdir": subdir}, "packages": records, "packages.conda": {}, "repodata_version": 1}
            (self.folder / subdir / "repodata.json").write_text(json.dumps(described))


def _path_entry(path: str, text: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "size_in_bytes": len(text.encode()),
    }
    return entry | ({"prefix_placeholder": PLACEHOLDER, "file_mode": "text"} if PLACEHOLDER in text else {})


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def cache_root(tmp_path: Path) -> Path:
    return tmp_path / "environments"


@pytest.fixture
def make_cache(cache_root: Path) -> Callable[..., EnvironmentCache]:
    """A cache on the test's folder, as a worker makes one; no interpreters are downloaded unless a test wants it."""

    def make(**settings: object) -> EnvironmentCache:
        own = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", **settings.pop("own", {})}
        return EnvironmentCache(cache_root, **{"max_bytes": 10**9, "own": own, **settings})

    return make


@pytest.fixture
def cache(make_cache) -> EnvironmentCache:
    return make_cache()


@pytest.fixture
def spec_of() -> Callable[..., EnvironmentSpec]:
    """The specification of a conda.yaml with these pip packages and further lines."""

    def parse(*pip: str, python: str | None = MINOR, more: str = "") -> EnvironmentSpec:
        lines = ["channels: [conda-forge]", "dependencies:", *([f"- python={python}"] if python else [])]
        lines += ["- pip:", *(f"  - {requirement}" for requirement in pip)] if pip else []
        return parse_environment("conda.yaml", "\n".join([*lines, more]))

    return parse


@pytest.fixture
def channel(tmp_path: Path) -> CondaChannel:
    """A channel with a Python (the machine's, behind links), a tool with an activation script, and a pure package."""
    made = CondaChannel(tmp_path / "channel")
    real = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    made.add(
        "python",
        VERSION,
        {
            "pyvenv.cfg": f"home = {real.parent}\ninclude-system-site-packages = false\n",
            f"lib/python{MINOR}/site-packages/README.txt": "Packages go here.\n",
        },
        links={f"bin/python{MINOR}": str(real), "bin/python": f"python{MINOR}", "bin/python3": f"python{MINOR}"},
    )
    made.add(
        "anvil",
        "2.1",
        {
            "bin/anvil": f"#!/bin/sh\necho anvil at {PLACEHOLDER}\n",
            "etc/conda/activate.d/anvil.sh": ANVIL_ACTIVATION,
        },
    )
    made.add(
        "greeting",
        "1.0",
        {"site-packages/greeting/__init__.py": "WORD = 'hello'\n"},
        depends=("python >=3.8",),
        noarch="python",
    )
    return made
