"""Which interpreter an environment gets, on a machine that has the one that runs the tests and perhaps others."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from controlroom.worker.environments import EnvironmentCache, EnvironmentFailed, RunAs

MINOR = "{}.{}".format(*sys.version_info[:2])
NOT_RELEASED = f"{MINOR}.999"
NOBODY = RunAs(65534, 65534)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_folder():
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="environments-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_nearest_patch_version_is_taken_with_a_warning(cache, spec_of, console):
    """Where the asked version cannot be had, the author reads which one was taken, also when it is reused."""
    for _ in range(2):
        async with cache.use(spec_of("six", python=NOT_RELEASED), progress=console) as environment:
            assert environment.python_version.startswith(MINOR)
            (warning,) = environment.warnings
            assert NOT_RELEASED in warning
            assert environment.python_version in warning
            assert console.lines[-1] == f"Warning: {warning}"


async def test_strict_workers_take_no_other_version(make_cache, spec_of, console):
    """Strict mode turns the warning into an error that names what was asked and what there is."""
    async with make_cache().use(spec_of("six", python=NOT_RELEASED), progress=console):
        pass
    with pytest.raises(EnvironmentFailed, match="strict") as failed:
        async with make_cache(strict_python=True).use(spec_of("six", python=NOT_RELEASED), progress=console):
            pass
    assert NOT_RELEASED in failed.value.message
    assert f"this machine has {sys.version_info[0]}." in failed.value.message


@pytest.mark.parametrize("wish", ["3.99", "3.99.1", ">=3.99", "3.99.*|3.98.*"])
async def test_another_minor_version_is_never_taken(cache, spec_of, console, wish):
    """A wish that nothing of the same minor version answers fails with what was asked and what was found."""
    with pytest.raises(EnvironmentFailed) as failed:
        async with cache.use(spec_of("six", python=wish), progress=console):
            pass
    assert "is asked for; this machine has " in failed.value.message


async def test_interpreters_that_come_are_noticed(make_cache, spec_of, console, tmp_path):
    """An environment with a substitute is reconsidered when the interpreters of the machine change, not before."""
    folder = tmp_path / "bin"
    folder.mkdir()
    cache = make_cache(own={"PATH": f"{folder}:{os.environ['PATH']}"})
    wish = spec_of("six", python=NOT_RELEASED)
    async with cache.use(wish, progress=console) as first:
        pass
    (folder / "python3.77").write_text("#!/bin/sh\nexit 1\n")
    (folder / "python3.77").chmod(0o755)

    async with cache.use(wish, progress=console) as second:
        assert second.prefix != first.prefix


async def test_downloads_are_tried_once_and_fail_fast(make_cache, spec_of, console):
    """Where downloads are allowed and the network gives none, the author reads why, and it is not tried again."""
    nowhere = "http://127.0.0.1:9/python"
    cache = make_cache(own={"UV_PYTHON_DOWNLOADS": "automatic", "UV_PYTHON_INSTALL_MIRROR": nowhere})
    for package in ("six", "iniconfig"):
        async with cache.use(spec_of(package, python=NOT_RELEASED), progress=console) as environment:
            assert environment.warnings
    assert console.text.count("trying to download") == 1
    assert console.text.count("Not downloaded: ") == 1


async def test_downloads_can_be_forbidden(make_cache, spec_of, console):
    """`UV_PYTHON_DOWNLOADS=never` means never."""
    cache = make_cache(own={"UV_PYTHON_DOWNLOADS": "never"})
    async with cache.use(spec_of("six", python=NOT_RELEASED), progress=console):
        pass
    assert "trying to download" not in console.text


@needs_root
async def test_builds_of_a_root_worker_run_as_another_user(open_folder, spec_of, console):
    """A worker that was started as root builds as the unprivileged user that it is given."""
    cache = EnvironmentCache(open_folder / "cache", max_bytes=10**9, run_as=NOBODY)
    spec = spec_of("six", python=None, more="rccPostInstall: [id -u]")
    async with cache.use(spec, progress=console) as environment:
        assert (environment.prefix / "pyvenv.cfg").stat().st_uid == NOBODY.uid
    assert str(NOBODY.uid) in console.lines


@needs_root
async def test_interpreters_below_a_closed_folder_are_not_had(open_folder, spec_of, console):
    """An interpreter that robots cannot execute does not count, and the error names it."""
    closed = open_folder / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "python3.98").write_text("#!/bin/sh\nexit 0\n")
    (closed / "bin" / "python3.98").chmod(0o755)
    closed.chmod(0o700)
    own = {"PATH": f"{closed}/bin:/usr/bin:/bin", "HOME": "/nonexistent", "UV_PYTHON_DOWNLOADS": "never"}
    cache = EnvironmentCache(open_folder / "cache", max_bytes=10**9, run_as=NOBODY, own=own)
    with pytest.raises(EnvironmentFailed, match=r"some that robots cannot run: .*python3\.98"):
        async with cache.use(spec_of("six", python="3.98.1"), progress=console):
            pass
