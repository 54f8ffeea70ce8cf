"""Real environments of tiny packages, and a conda channel that is made here: its Python is the machine's own."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conda_channels import PLACEHOLDER, CondaChannel
from controlroom.robots.environment_spec import EnvironmentSpec, parse_environment
from controlroom.worker.environments import EnvironmentCache, RunAs
from controlroom.worker.environments.enclosure import enclosure
from controlroom.worker.robot_users import RobotUser
from controlroom.worker.sandbox import prepare
from controlroom.worker.settings import SandboxMode

MINOR = "{}.{}".format(*sys.version_info[:2])
VERSION = "{}.{}.{}".format(*sys.version_info[:3])
USER = RobotUser(60_600) if os.geteuid() == 0 else None

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


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def cache_root(tmp_path: Path) -> Path:
    return tmp_path / "environments"


@pytest.fixture
def make_cache(cache_root: Path) -> Callable[..., EnvironmentCache]:
    """A cache on the test's folder, as a worker makes one; no interpreters are downloaded unless a test wants it.

    Names of channels lead to an empty folder.
    """
    (cache_root.parent / "channels").mkdir(exist_ok=True)
    chosen = {
        "UV_PYTHON_DOWNLOADS": "never",
        "CONTROLROOM_CONDA_CHANNEL_ALIAS": (cache_root.parent / "channels").as_uri(),
    }

    def make(**settings: object) -> EnvironmentCache:
        own = {**os.environ, **chosen, **settings.pop("own", {})}
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
    made.add_python(Path(getattr(sys, "_base_executable", sys.executable)), VERSION)
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


@pytest.fixture
def scratch():
    """A folder of the robots' user, which bubblewrap enters without the rights of root."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    folder.chmod(0o711)
    if USER:
        USER.own(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def enclosed(scratch):
    """The worker's sandbox as a build's enclosure."""
    sandbox = await prepare(SandboxMode.AUTO, scratch=scratch, user=USER, readable=(), hidden=())
    return enclosure(sandbox, USER)


@pytest.fixture
def enclosed_cache(enclosed, cache_root):
    """A cache below a folder that only the worker can enter."""
    if enclosed is None:
        pytest.skip("this machine has no sandbox")
    cache_root.parent.chmod(0o700)
    run_as = RunAs(USER.uid) if USER else None
    own = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    return EnvironmentCache(cache_root, max_bytes=10**9, enclosure=enclosed, run_as=run_as, own=own)
