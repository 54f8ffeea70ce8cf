"""Environments with conda packages: solved, installed and activated from a channel that the tests make."""

import hashlib
import subprocess
import sys

import pytest
import yaml

import interpreters
from conda_channels import SUBDIR, CondaChannel
from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments import EnvironmentFailed, EnvironmentKind, freeze


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


async def test_defaults_means_the_main_channel(make_cache, channel, console):
    """`defaults` is conda's name for channels, of which `main` is looked up."""
    (channel.folder.parent / "main").symlink_to(channel.folder)
    cache = make_cache(own={"CONTROLROOM_CONDA_CHANNEL_ALIAS": channel.folder.parent.as_uri()})
    spec = parse_environment("conda.yaml", "channels: [defaults]\ndependencies: [anvil]")

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


@pytest.fixture
def saws(channel, tmp_path):
    """Saws of several kinds: in the channel, and one in a channel beside it."""
    channel.add("saw", "1.0", {"share/saw": "old"}, build="h1_0", build_number=0, license="MIT")
    channel.add("saw", "1.1", {"share/saw": "plain"}, build="h1_1", build_number=1, license="GPL-3.0-only")
    channel.add("saw", "1.1", {"share/saw": "fine"}, build="h2_5", build_number=5, license="BSD-3-Clause")
    channel.add("saw", "1.0.5", {"share/saw": "pure"}, build="pure_0", noarch="generic", license="MIT")
    beside = CondaChannel(tmp_path / "beside")
    path = beside.add("saw", "0.9", {"share/saw": "elsewhere"}, build="x_0")
    return {"beside": beside.url, "path": path, "md5": hashlib.md5(path.read_bytes()).hexdigest(), "url": path.as_uri()}  # noqa: S324 - conda's


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("saw", "fine"),
        ("saw=1.0", "pure"),
        ("saw==1.0", "old"),
        ("saw 1.0", "old"),
        ("saw[version='<1.1']", "pure"),
        ("saw[version='1.0']", "old"),
        ("saw=1.1=h1_1", "plain"),
        ("saw=1.1=h1*", "plain"),
        ("saw 1.1 h1_1", "plain"),
        ("saw>=1,<1.1 h1*", "old"),
        ("saw[build='h1_*']", "plain"),
        ("saw[version='1.1', build='h1_1']", "plain"),
        ("saw[build_number=1]", "plain"),
        ("saw[build_number='<1', subdir={SUBDIR}]", "old"),
        ("saw[subdir=noarch]", "pure"),
        ("saw[license=GPL-3.0-only]", "plain"),
        ("saw[fn=saw-1.0-h1_0.tar.bz2]", "old"),
        ("{beside}::saw", "elsewhere"),
        ("saw[channel='{beside}']", "elsewhere"),
        ("saw[url='{url}']", "elsewhere"),
        ("saw[url='{url}', md5={md5}]", "elsewhere"),
        ("{url}", "elsewhere"),
    ],
)
async def test_what_an_entry_wishes_is_honoured(cache, channel, console, saws, entry, kind):
    """Each form of an entry, and each key in its brackets, decides which package is taken."""
    spec = conda_yaml(channel, entry.format(**saws, SUBDIR=SUBDIR))

    async with cache.use(spec, progress=console) as environment:
        assert (environment.prefix / "share/saw").read_text() == kind


@pytest.mark.parametrize(
    "entry",
    [
        "saw[md5=00000000000000000000000000000000]",
        "saw[url='{url}', md5=00000000000000000000000000000000]",
        "saw[sha256=0000000000000000000000000000000000000000000000000000000000000000]",
        "saw[subdir=osx-arm64]",
        "saw=1.1=none_0",
        "saw[license=Apache-2.0]",
        "saw[fn=saw-2.0-h1_0.tar.bz2]",
        "saw[build_number='>5']",
        "nowhere::saw",
    ],
)
async def test_what_cannot_be_had_is_an_error(cache, channel, console, saws, entry):
    """A wish that no package answers is never forgotten."""
    with pytest.raises(EnvironmentFailed):
        async with cache.use(conda_yaml(channel, entry.format(**saws)), progress=console):
            pass


async def test_a_python_that_is_too_old_is_not_had_from_conda_either(cache, channel, console):
    """Where packages bring a Python that nothing of ours runs in, the error says so."""
    old = interpreters.interpreter("2.7")
    if old is None:
        pytest.skip("no Python 2.7 on this machine")
    channel.add_python(old, "2.7.18")
    channel.add("relic", "1.0", {"share/relic": ""}, depends=("python 2.7.*",))

    with pytest.raises(EnvironmentFailed, match=r"too old: robots run with Python 3\.6 and later"):
        async with cache.use(conda_yaml(channel, "relic"), progress=console):
            pass
