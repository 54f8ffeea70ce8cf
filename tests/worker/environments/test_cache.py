"""The promises of the environment cache, kept with real uv and real packages."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from controlroom.robots.environment_spec import NO_ENVIRONMENT, parse_environment
from controlroom.worker.environments import Environment, EnvironmentFailed, EnvironmentKind, freeze, freeze_name

BUILDER = """
import asyncio, sys
from pathlib import Path
from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments import EnvironmentCache

async def main():
    cache = EnvironmentCache(Path(sys.argv[1]), max_bytes=10**9)
    say = lambda line: print(line, flush=True)
    async with cache.use(parse_environment("conda.yaml", Path(sys.argv[2]).read_text()), progress=say) as environment:
        print("PREFIX", environment.prefix, flush=True)

asyncio.run(main())
"""


def start_builder(cache_root, environment_file):
    """Another worker's process that wants an environment."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, cache_root, environment_file], stdout=subprocess.PIPE, text=True
    )


def prefixes_below(cache_root):
    """What was built and is still there."""
    return sorted(cache_root.glob("shares/*/environments/*"))


def version_of(environment, package):
    """The version of a package that code in the environment imports."""
    program = f"from importlib.metadata import version; print(version({package!r}))"
    argv = [environment.python, "-c", program]
    return subprocess.run(argv, capture_output=True, text=True, check=True, env=environment.activate({})).stdout.strip()


async def test_environment_is_built_once_and_reused(cache, spec_of, console):
    """The second who asks gets the same environment without a line of building."""
    async with cache.use(spec_of("iniconfig==2.0.0"), progress=console) as environment:
        assert environment.kind is EnvironmentKind.UV
        assert version_of(environment, "iniconfig") == "2.0.0"
        assert environment.variables["VIRTUAL_ENV"] == str(environment.prefix)
    assert console.lines[0].startswith("Building environment ")
    assert " + iniconfig==2.0.0" in console.lines
    assert console.lines[-1].startswith("Environment ready in ")

    said = len(console.lines)
    async with cache.use(spec_of("iniconfig==2.0.0"), progress=console) as again:
        assert again == environment
    assert len(console.lines) == said


async def test_other_content_and_other_share_are_other_environments(cache, spec_of, console):
    """Nothing is shared between different wishes, nor between workspaces that do not share."""
    async with (
        cache.use(spec_of("six"), progress=console) as one,
        cache.use(spec_of("six", "iniconfig"), progress=console) as other,
        cache.use(spec_of("six"), progress=console, share_key="a workspace") as apart,
    ):
        assert len({one.prefix, other.prefix, apart.prefix}) == 3
        assert one.prefix.parent == other.prefix.parent
        assert apart.prefix.parent != one.prefix.parent


async def test_finished_environment_is_compiled_and_closed(cache, spec_of, console):
    """Every module has its bytecode, and nobody has a right to write."""
    async with cache.use(spec_of("iniconfig"), progress=console) as environment:
        site = next(environment.prefix.glob("lib/python3*/site-packages"))
        assert list(site.glob("iniconfig/__pycache__/__init__.*.pyc"))
        paths = [environment.prefix, *environment.prefix.rglob("*")]
        assert not [path for path in paths if not path.is_symlink() and path.stat().st_mode & 0o222]


async def test_bytecode_is_compiled_once_for_a_package(cache, spec_of, console):
    """A later environment with the same package links the bytecode of the earlier one."""
    async with (
        cache.use(spec_of("iniconfig"), progress=console) as first,
        cache.use(spec_of("iniconfig", "six"), progress=console) as second,
    ):
        inodes = [
            next(environment.prefix.glob("lib/*/site-packages/iniconfig/__pycache__/__init__.*.pyc")).stat().st_ino
            for environment in (first, second)
        ]
        assert inodes[0] == inodes[1]


async def test_exact_list_is_built_without_network_once_downloaded(make_cache, cache_root, spec_of, console):
    """What names every version needs no index after its first build, though the environment itself was pruned."""
    exact = spec_of("iniconfig==2.0.0", "six==1.17.0")
    async with make_cache().use(exact, progress=console):
        pass
    (index,) = (cache_root / "index").glob("*.json")
    index.unlink()
    nowhere = "http://127.0.0.1:9"
    offline = make_cache(own={"ALL_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "", "UV_HTTP_RETRIES": "0"})

    async with offline.use(exact, progress=console) as environment:
        assert version_of(environment, "six") == "1.17.0"
    assert console.lines.count(" + six==1.17.0") == 2


async def test_exact_list_that_leaves_something_out_is_completed(cache, spec_of, console):
    """Exact versions with needs of their own get what they need, with and without the packages in the cache."""
    async with cache.use(spec_of("python-dateutil==2.9.0.post0"), progress=console) as first:
        assert version_of(first, "six")
    async with cache.use(spec_of("python-dateutil==2.9.0.post0", "iniconfig"), progress=console, share_key=""):
        pass
    async with cache.use(spec_of("python-dateutil==2.9.0.post0", "iniconfig==2.0.0"), progress=console) as second:
        assert version_of(second, "six")


async def test_two_who_ask_at_once_build_once(cache, spec_of, console):
    """The second waits, says so, and gets what the first built."""
    spec = spec_of("six", more="rccPostInstall: [python --version]")

    async def ask():
        async with cache.use(spec, progress=console) as environment:
            return environment

    first, second = await asyncio.gather(ask(), ask())

    assert first == second
    assert console.text.count("Building environment") == 1
    assert console.text.count("Another worker builds environment") == 1


def test_processes_share_one_folder(cache_root, tmp_path):
    """Builders in several processes end up in one environment, built by one of them."""
    wish = tmp_path / "conda.yaml"
    wish.write_text("channels: [conda-forge]\ndependencies: [{pip: [iniconfig, six]}]")

    builders = [start_builder(cache_root, wish) for _ in range(3)]
    outputs = [builder.communicate()[0] for builder in builders]

    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert sum("Building environment" in output for output in outputs) == 1
    assert len(prefixes_below(cache_root)) == 1


async def test_killed_builder_leaves_nothing_that_is_used(cache, cache_root, tmp_path, console):
    """After kill -9 in the middle of a build the next builder starts afresh, at once, and removes what was left."""
    gate, caught = tmp_path / "gate", tmp_path / "caught"
    os.mkfifo(caught)
    command = f"sh -c 'test -e {gate} || {{ echo $$ > {caught}; exec sleep 600; }}'"
    text = json.dumps({"dependencies": [{"pip": ["six"]}], "rccPostInstall": [command]})
    (tmp_path / "conda.yaml").write_text(text)
    builder = start_builder(cache_root, tmp_path / "conda.yaml")
    sleeper = int(await asyncio.to_thread(caught.read_text))
    builder.kill()
    builder.communicate()
    with contextlib.suppress(ProcessLookupError):  # where it is enclosed it ends with its builder, sooner or later
        os.kill(sleeper, signal.SIGKILL)
    (left,) = prefixes_below(cache_root)
    gate.touch()

    async with cache.use(parse_environment("conda.yaml", text), progress=console) as environment:
        assert version_of(environment, "six")
        assert prefixes_below(cache_root) == [environment.prefix]
        assert environment.prefix != left
    assert "Another worker" not in console.text
    await cache.prune()
    assert not list((cache_root / "tmp").iterdir())


async def test_cancelled_build_ends_its_commands(cache, cache_root, spec_of, console, tmp_path):
    """A stop in the middle of a build leaves no process and no folder."""
    caught = tmp_path / "caught"
    os.mkfifo(caught)
    spec = spec_of("six", more=f"rccPostInstall: [\"sh -c 'echo $$ > {caught}; exec sleep 600'\"]")
    task = asyncio.create_task(cache.lease(spec, progress=console))
    sleeper = int(await asyncio.to_thread(caught.read_text))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(ProcessLookupError):
        os.kill(sleeper, 0)
    assert prefixes_below(cache_root) == []


async def test_broken_requirement_is_told_in_full_and_in_short(cache, cache_root, spec_of, console):
    """The console has the tool's whole output, the error its cause in one line; nothing is left."""
    with pytest.raises(EnvironmentFailed, match=r"there is no version of six==99") as failed:
        async with cache.use(spec_of("six==99"), progress=console):
            pass
    assert failed.value.code == "ENVIRONMENT_FAILED"
    assert "\n" not in failed.value.message
    assert "No solution found" in console.text
    assert prefixes_below(cache_root) == []
    await cache.prune()
    assert [file.name for file in (cache_root / "index").iterdir()] == ["downloads.all.lock"]


async def test_credentials_of_an_index_are_shown_to_nobody(make_cache, spec_of, console):
    """Neither console nor error shows what stands before the at sign of an index's address."""
    index = "http://ada:open-sesame@127.0.0.1:9/simple"
    cache = make_cache(own={"UV_DEFAULT_INDEX": index, "UV_INDEX": "", "UV_HTTP_RETRIES": "0", "UV_FIND_LINKS": ""})
    with pytest.raises(EnvironmentFailed) as failed:
        async with cache.use(spec_of("a-package-of-nobody"), progress=console):
            pass
    assert "127.0.0.1:9" in console.text
    assert "open-sesame" not in console.text + failed.value.message


async def test_post_install_runs_once_in_the_environment_without_secrets(make_cache, spec_of, console):
    """The author's commands see the environment and none of the worker's variables; what they print is shown."""
    cache = make_cache(own={"CONTROLROOM_TOKEN": "open-sesame"})
    program = "import six, os, sys; print(six.__name__, sys.prefix); print(sorted(os.environ.values()))"
    spec = spec_of("six", more=f"rccPostInstall:\n- python -c '{program}'\n- pip --version")
    async with cache.use(spec, progress=console) as environment:
        assert f"six {environment.prefix}" in console.lines
    async with cache.use(spec, progress=console):
        pass
    assert console.lines.count(f"six {environment.prefix}") == 1
    assert "open-sesame" not in console.text


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("no-such-command-here", "no-such-command-here"),
        ('sh -c "echo it broke >&2; exit 3"', "it broke"),
        ("sh 'x", "cannot be read"),
    ],
)
async def test_failing_post_install_fails_the_environment(cache, console, command, cause):
    """The error names the command and its last word."""
    wish = {"dependencies": [{"pip": ["six"]}], "rccPostInstall": [command]}
    spec = parse_environment("conda.yaml", yaml.safe_dump(wish))
    with pytest.raises(EnvironmentFailed, match=cause) as failed:
        async with cache.use(spec, progress=console):
            pass
    assert command in failed.value.message


async def test_pruning_takes_the_longest_unused_and_never_what_is_in_use(make_cache, cache_root, spec_of, console):
    """Above the limit environments go in the order of their last use; a lease keeps one whatever the limit."""
    cache = make_cache(max_bytes=1)
    lease = await cache.lease(spec_of("six"), progress=console)
    async with cache.use(spec_of("iniconfig"), progress=console):
        pass

    await cache.prune()
    assert prefixes_below(cache_root) == [lease.environment.prefix]
    assert version_of(lease.environment, "six")

    lease.release()
    await cache.prune()
    assert prefixes_below(cache_root) == []
    assert not list((cache_root / "index").glob("*.json"))


async def test_pruning_keeps_what_fits(make_cache, cache_root, spec_of, console):
    """Below the limit nothing goes; above it just enough, the longest unused first."""
    wishes = [spec_of("six"), spec_of("iniconfig"), spec_of("six", "iniconfig")]
    cache = make_cache()
    for wish in wishes:
        async with cache.use(wish, progress=console):
            pass
    await cache.prune()
    assert len(prefixes_below(cache_root)) == 3
    entries = [json.loads(file.read_bytes()) for file in (cache_root / "index").glob("*.json")]
    total = sum(entry["bytes"] for entry in entries)
    async with cache.use(wishes[0], progress=console) as used_again:
        pass

    await make_cache(max_bytes=total - 1).prune()

    assert len(prefixes_below(cache_root)) == 2
    assert used_again.prefix in prefixes_below(cache_root)


async def test_exchanged_interpreter_makes_the_environment_anew(cache, cache_root, spec_of, console):
    """An environment whose base interpreter changed since is not handed out, and goes with the next pruning."""
    async with cache.use(spec_of("six"), progress=console) as first:
        pass
    (index,) = (cache_root / "index").glob("*.json")
    entry = json.loads(index.read_bytes())
    entry["interpreter"]["mtime_ns"] -= 1
    index.write_text(json.dumps(entry))

    async with cache.use(spec_of("six"), progress=console) as second:
        assert second.prefix != first.prefix
        await cache.prune()
        assert prefixes_below(cache_root) == [second.prefix]


async def test_unreadable_index_file_is_as_none(cache, cache_root, spec_of, console):
    """What another release of ours wrote, or a broken disk, costs a build and no more."""
    async with cache.use(spec_of("six"), progress=console):
        pass
    (index,) = (cache_root / "index").glob("*.json")
    index.write_text('{"from": "the future"}')

    async with cache.use(spec_of("six"), progress=console) as environment:
        assert version_of(environment, "six")


@pytest.mark.parametrize("spec", [None, NO_ENVIRONMENT])
async def test_robot_without_environment_file_has_the_machines_tools(cache, console, spec):
    """`python` and `python3` are found and the same, whatever the machine calls its Python."""
    async with cache.use(spec, progress=console) as environment:
        assert environment.kind is EnvironmentKind.MACHINE
        variables = environment.activate({"PATH": "/usr/bin:/bin"})
        program = "import sys; print(sys.version.split()[0])"
        for command in ("python", "python3", str(environment.python)):
            argv = ["/usr/bin/env", command, "-c", program]
            said = subprocess.run(argv, capture_output=True, text=True, check=True, env=variables).stdout
            assert said.strip() == environment.python_version
    assert console.lines == []


async def test_freeze_names_the_exact_versions(cache, spec_of, console):
    """The freeze file is a conda.yaml with Python and every package as they are."""
    async with cache.use(spec_of("iniconfig<=2.0.0"), progress=console) as environment:
        frozen = yaml.safe_load(freeze(environment))
    assert frozen["dependencies"] == [f"python={environment.python_version}", {"pip": ["iniconfig==2.0.0"]}]
    assert freeze_name().startswith("environment_linux_")
    assert freeze_name().endswith("_freeze.yaml")


def test_activation_drops_a_foreign_python_home(tmp_path):
    """A machine's PYTHONHOME would make the environment's interpreter load another's library."""
    environment = Environment(
        kind=EnvironmentKind.UV,
        fingerprint="",
        prefix=tmp_path,
        python=tmp_path / "bin" / "python",
        python_version="3.11.0",
        variables={"VIRTUAL_ENV": str(tmp_path)},
        path=(Path("/front"),),
    )
    assert environment.activate({"PATH": "/usr/bin", "PYTHONHOME": "/elsewhere"}) == {
        "PATH": "/front:/usr/bin",
        "VIRTUAL_ENV": str(tmp_path),
    }
