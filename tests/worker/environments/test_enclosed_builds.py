"""Builds inside the sandbox that robots run in."""

import yaml

from controlroom.protocol import SandboxKind
from controlroom.robots.environment_spec import parse_environment
from controlroom.worker.environments.enclosure import enclosure
from controlroom.worker.sandbox import Sandbox


async def test_build_sees_its_share_and_not_the_machine(enclosed_cache, cache_root, spec_of, console, tmp_path):
    """Foreign code of a build reads neither the machine's files nor the cache's index, and is not root."""
    (tmp_path / "secret").write_text("open-sesame")
    forbidden = [str(tmp_path / "secret"), str(cache_root / "index")]
    program = f"import os; print(os.getuid() != 0, [name for name in {forbidden} if os.path.lexists(name)])"
    spec = parse_environment(
        "conda.yaml", yaml.safe_dump({"dependencies": [{"pip": ["six"]}], "rccPostInstall": [f'python -c "{program}"']})
    )
    async with enclosed_cache.use(spec, progress=console) as environment:
        assert environment.prefix.is_relative_to(cache_root)
    assert "True []" in console.lines


async def test_packages_are_linked_into_enclosed_environments(enclosed_cache, spec_of, console):
    """The package cache and the environments lie in one writable folder, so that files are linked and not copied."""
    async with enclosed_cache.use(spec_of("six"), progress=console) as environment:
        module = next(environment.prefix.glob("lib/python3*/site-packages/six.py"))
        assert module.stat().st_nlink > 1


async def test_conda_builds_are_enclosed_too(enclosed_cache, channel, console, tmp_path):
    """Solver and installer see the channel that they need and write into their share alone."""
    spec = parse_environment(
        "conda.yaml", yaml.safe_dump({"channels": [channel.url], "dependencies": ["anvil", "python", {"pip": ["six"]}]})
    )
    async with enclosed_cache.use(spec, progress=console) as environment:
        assert environment.variables["ANVIL_HOME"] == f"{environment.prefix}/share/anvil"
        assert " + six==" in console.text


def test_without_sandbox_there_is_no_enclosure():
    """Where the sandbox is off or cannot be had, builds run as they are, as the user that they are given."""
    assert enclosure(Sandbox(kind=SandboxKind.OFF), None) is None
