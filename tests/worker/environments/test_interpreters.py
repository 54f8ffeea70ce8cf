"""Which interpreter an environment gets, on a machine that has the one that runs the tests and perhaps others."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import interpreters
from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments import EnvironmentCache, EnvironmentFailed, EnvironmentKind, RunAs
from python_mirror import python_mirror

MINOR = "{}.{}".format(*sys.version_info[:2])
NOT_RELEASED = f"{MINOR}.999"
NOBODY = RunAs(65534)

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


@pytest.fixture
def other():
    """An interpreter of another minor version than the tests' own: its version, its minor version, its place."""
    for minor in interpreters.MINORS[2:]:
        if minor != MINOR and (path := interpreters.interpreter(minor)) is not None:
            said = subprocess.check_output(
                [path, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], text=True
            )
            return said.strip(), minor, path
    pytest.skip("there is one Python only on this machine")


@pytest.fixture
def bare(tmp_path):
    """The variables of a machine that has no interpreter but the worker's own."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "env", "sh"):
        (programs / name).symlink_to(shutil.which(name))
    return dict.fromkeys(("PATH", "HOME", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"), str(programs))


async def test_the_asked_version_is_downloaded(make_cache, spec_of, console, tmp_path, other, bare):
    """What is not on the machine is had from uv, exactly if it can be."""
    version, _, path = other
    with python_mirror(tmp_path / "mirror", {version: path}) as mirror:
        cache = make_cache(own={**bare, **mirror})
        async with cache.use(spec_of("six", python=version), progress=console) as environment:
            assert (environment.python_version, environment.warnings) == (version, ())


async def test_the_minor_version_is_downloaded_where_the_exact_one_cannot_be_had(
    make_cache, spec_of, console, tmp_path, other, bare
):
    """Neither here nor to be downloaded exactly: another patch version comes, with a warning; not for the strict."""
    version, minor, path = other
    wish = f"{minor}.99"
    with python_mirror(tmp_path / "mirror", {version: path}) as mirror:
        with pytest.raises(EnvironmentFailed, match=rf"Python {wish} is asked for; .*uv did not download it: .*"):
            async with make_cache(own={**bare, **mirror}, strict_python=True).use(
                spec_of(python=wish), progress=console
            ):
                pass
        cache = make_cache(own={**bare, **mirror})
        async with cache.use(spec_of("six", python=wish), progress=console) as environment:
            assert environment.python_version == version
            assert environment.warnings == (f"Python {wish} cannot be had: using {version} instead",)


async def test_python_comes_from_conda_where_nothing_else_has_it(make_cache, console, channel, other, bare):
    """A Python that neither the machine nor uv has comes from the channels: exactly, else another patch version."""
    version, minor, path = other
    channel.add_python(path, version)
    for wish, warnings in ((version, 0), (minor, 0), (f"{minor}.99", 1)):
        text = f"channels: [{channel.url}]\ndependencies: [python={wish}, {{pip: [six]}}]"
        cache = make_cache(own=bare)
        async with cache.use(parse_environment("conda.yaml", text), progress=console) as environment:
            assert environment.kind is EnvironmentKind.CONDA
            assert environment.python_version == version
            assert len(environment.warnings) == warnings
            said = subprocess.check_output([environment.python, "-c", "import six; print(six.__file__)"], text=True)
            assert said.startswith(str(environment.prefix))


async def test_what_nobody_has_is_told_with_what_there_is(make_cache, console, channel, bare):
    """The error names what was asked, what the machine has, what the channels said; offline they are not asked."""
    spec = parse_environment("conda.yaml", f"channels: [{channel.url}]\ndependencies: [python=3.99.1, {{pip: [six]}}]")
    with pytest.raises(EnvironmentFailed) as failed:
        async with make_cache(own=bare).use(spec, progress=console):
            pass
    assert f"Python 3.99.1 is asked for; this machine has {sys.version_info[0]}." in failed.value.message
    assert f"not had from conda ({channel.url}): " in failed.value.message
    with pytest.raises(EnvironmentFailed) as failed:
        async with make_cache(own={**bare, "UV_OFFLINE": "1"}).use(spec, progress=console):
            pass
    assert "conda" not in failed.value.message


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
