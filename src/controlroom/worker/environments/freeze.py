"""An environment's exact contents, in the form of a conda.yaml that rebuilds it."""

import platform
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import msgspec
import yaml

from controlroom.worker.environments.environment import Environment

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class _CondaPackage(msgspec.Struct):
    """What conda's own record of an installed package says."""

    name: str
    version: str
    build: str
    channel: str = ""


def freeze_name() -> str:
    """The file's name, by which robot.yaml finds it again on the same kind of machine."""
    machine = platform.machine().lower()
    return f"environment_{platform.system().lower()}_{_ARCHITECTURES.get(machine, machine)}_freeze.yaml"


def freeze(environment: Environment) -> str:
    """The specification with which this very environment can be built again. Reads the environment's files."""
    packages = sorted(_conda_packages(environment.prefix), key=lambda package: package.name)
    conda = [f"{package.name}={package.version}={package.build}" for package in packages]
    channels = list(dict.fromkeys(package.channel for package in packages if package.channel)) or ["conda-forge"]
    if not packages:
        conda = [f"python={environment.python_version}"]
    pip = sorted(_pip_requirements(environment.prefix), key=str.lower)
    dependencies: list[str | dict[str, list[str]]] = [*conda, *([{"pip": pip}] if pip else [])]
    return yaml.safe_dump({"channels": channels, "dependencies": dependencies}, sort_keys=False)


def _conda_packages(prefix: Path) -> Iterator[_CondaPackage]:
    for record in (prefix / "conda-meta").glob("*.json"):
        yield msgspec.json.decode(record.read_bytes(), type=_CondaPackage)


def _pip_requirements(prefix: Path) -> Iterator[str]:
    """Packages that did not come with a conda package."""
    folders = [str(folder) for folder in prefix.glob("lib/python3*/site-packages")]
    for distribution in distributions(path=folders):
        if (distribution.read_text("INSTALLER") or "").strip() != "conda":
            yield _requirement(distribution)


def _requirement(distribution: Distribution) -> str:
    name = distribution.metadata["Name"]
    origin = distribution.read_text("direct_url.json")
    if origin is None:
        return f"{name}=={distribution.version}"
    return f"{name} @ {msgspec.json.decode(origin)['url']}"
