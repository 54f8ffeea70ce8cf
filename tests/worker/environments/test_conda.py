"""Environments with conda packages: solved, installed and activated from a channel that the tests make."""

import subprocess
import sys

import pytest
import yaml

from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments import EnvironmentFailed, EnvironmentKind, freeze

pytest.importorskip("rattler", reason="the extra `conda` is not installed")


def conda_yaml(channel, *packages, pip=()):
    """A conda.yaml for packages of the channel."""
    dependencies = [*packages, *([{"pip": list(pip)}] if pip else [])]
    return parse_environment("conda.yaml", yaml.safe_dump({"channels": [channel.url], "dependencies": dependencies}))


def output_of(environment, *argv):
    """What a command says in the activated environment."""
    variables = environment.activate({"PATH": "/usr/bin:/bin"})
    return subprocess.run(["/usr/bin/env", *argv], env=variables, capture_output=True, text=True, check=True).stdout


async def test_conda_packages_are_solved_installed_and_activated(cache, channel, console):
    """Packages land in the prefix with their paths mended, and activation scripts set what they set in a shell."""
    spec = conda_yaml(channel, "anvil>=2", "greeting", f"python={sys.version_info[0]}.{sys.version_info[1]}")

    async with cache.use(spec, progress=console) as environment:
        assert environment.kind is EnvironmentKind.CONDA
        assert output_of(environment, "anvil") == f"anvil at {environment.prefix}\n"
        assert output_of(environment, "python", "-c", "import greeting; print(greeting.WORD)") == "hello\n"
        assert environment.variables["CONDA_PREFIX"] == str(environment.prefix)
        assert environment.variables["ANVIL_HOME"] == f"{environment.prefix}/share/anvil"
        assert environment.path[:2] == (environment.prefix / "share/anvil/bin", environment.prefix / "bin")
        assert not {"PWD", "SHLVL", "HOME", "PATH"} & environment.variables.keys()
    assert " + anvil=2.1=0" in console.lines


async def test_pip_section_goes_into_the_conda_environment(cache, channel, console):
    """Pip requirements are installed beside the conda packages, by the environment's own Python."""
    async with cache.use(
        conda_yaml(channel, "anvil", "python", pip=["iniconfig==2.0.0"]), progress=console
    ) as environment:
        place = output_of(environment, "python", "-c", "import iniconfig; print(iniconfig.__file__)")
        assert place.startswith(str(environment.prefix))
        frozen = yaml.safe_load(freeze(environment))
    assert {"pip": ["iniconfig==2.0.0"]} in frozen["dependencies"]
    assert "anvil=2.1=0" in frozen["dependencies"]


async def test_frozen_conda_environment_can_be_built_again(cache, channel, console):
    """The freeze file is an environment file with the same outcome."""
    async with cache.use(conda_yaml(channel, "anvil", "python", pip=["six"]), progress=console) as environment:
        frozen = freeze(environment)
    async with cache.use(parse_environment("environment_linux_amd64_freeze.yaml", frozen), progress=console) as again:
        assert freeze(again) == frozen


async def test_channel_names_follow_the_configured_alias(make_cache, channel, console):
    """A channel's name is looked up at the operator's mirror, where one is configured."""
    cache = make_cache(own={"CONTROLROOM_CONDA_CHANNEL_ALIAS": channel.folder.parent.as_uri()})
    spec = parse_environment("conda.yaml", "channels: [channel]\ndependencies: [anvil]")

    async with cache.use(spec, progress=console) as environment:
        assert output_of(environment, "anvil") == f"anvil at {environment.prefix}\n"


async def test_unknown_conda_package_is_named(cache, channel, console):
    """What cannot be solved fails with the solver's reason."""
    with pytest.raises(EnvironmentFailed, match="hammer"):
        async with cache.use(conda_yaml(channel, "hammer=3"), progress=console):
            pass
    assert "hammer" in console.text


async def test_python_is_added_where_it_is_needed(cache, console, channel):
    """A Python is added where pip requirements need one; an environment without any has the machine's."""
    async with cache.use(conda_yaml(channel, "anvil", pip=["six"]), progress=console) as environment:
        assert output_of(environment, "python", "-c", "import six; print(six.__name__)") == "six\n"
    async with cache.use(conda_yaml(channel, "anvil"), progress=console) as environment:
        assert not environment.python.is_relative_to(environment.prefix)


async def test_missing_extra_is_named(cache, channel, console, tmp_path, monkeypatch):
    """Without rattler the author learns which extra the worker lacks."""
    (tmp_path / "rattler.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(EnvironmentFailed, match=r"controlroom\[conda\]"):
        async with cache.use(conda_yaml(channel, "anvil"), progress=console):
            pass
