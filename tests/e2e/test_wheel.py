"""The wheel, in a clean folder on a machine that has Python and nothing else."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from controlroom import __version__
from rooms import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def installed():
    """The program of a wheel in a new environment, which everybody may enter: of `WHEEL`, else of this checkout."""
    folder = Path(tempfile.mkdtemp(prefix="controlroom-wheel-"))
    folder.chmod(0o755)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    wheel = os.environ.get("WHEEL")
    if wheel is None:
        built = [uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
        for project in (ROOT, *(file.parent for file in ROOT.glob("libraries/*/pyproject.toml"))):
            subprocess.run([*built, "--out-dir", folder / "dist", project], check=True)
        [wheel] = (folder / "dist").glob("controlroom-*.whl")
    python = SYSTEM_PYTHON if _is_new_enough(SYSTEM_PYTHON) else sys.executable
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder / "venv"], check=True)
    subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder / "venv/bin/python"),
            *("--find-links", Path(wheel).parent, wheel),  # our own libraries lie beside it
        ],
        check=True,
    )
    yield folder / "venv/bin/controlroom"
    shutil.rmtree(folder, ignore_errors=True)


def test_the_installed_program_starts_a_room(installed, tmp_path):
    """`controlroom --version` and `up` work from the wheel alone; its metadata says the same version."""
    version = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True, cwd="/")
    assert version.stdout == f"controlroom {__version__}\n"
    ask = "import importlib.metadata; print(importlib.metadata.version('controlroom'))"
    told = subprocess.run(
        [installed.with_name("python"), "-c", ask], capture_output=True, text=True, check=True, cwd="/"
    )
    assert told.stdout == f"{__version__}\n"
    speak = "import controlroom_client; print(controlroom_client.Client.process_runs.__doc__)"
    told = subprocess.run(
        [installed.with_name("python"), "-c", speak], capture_output=True, text=True, check=True, cwd="/"
    )
    assert told.stdout.startswith("Process runs: `list`, ")

    start_and_stop([installed], tmp_path / "data", tmp_path / "ready")


def test_an_ordinary_user_may_start_a_room(installed):
    """Nothing of a room needs root."""
    if os.getuid() != 0:
        pytest.skip("this whole test run is an ordinary user's")
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="controlroom-nobody-") as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
        start_and_stop([*as_nobody, installed], Path(home) / "data", Path(home) / "ready", home=home)


def start_and_stop(program: list, data: Path, ready: Path, *, home: str | None = None) -> None:
    """Start a room, see that it gets ready and answers, end it."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": home or str(data.parent)}
    up = subprocess.Popen(
        [*program, "up", "--data", data, "--port", "0", "--ready-file", ready],
        cwd=home or "/",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: ready.exists() or up.poll() is not None, "the room starts")
        assert ready.exists(), up.communicate()[0]
        facts = json.loads(ready.read_text())
        request = urllib.request.Request(
            f"{facts['url']}/api/v1/workspaces/{facts['workspace_id']}/workers",
            headers={"Authorization": f"RC-WSKEY {facts['api_key']}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert len(json.load(answer)["data"]) == 1
    finally:
        up.terminate()
        said = up.communicate(timeout=60)[0]
    assert up.returncode == 0, said


def _is_new_enough(python: str) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return Path(python).exists() and subprocess.run([python, "-c", check], check=False).returncode == 0
