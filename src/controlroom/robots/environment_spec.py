"""Environment files: what a robot wants installed, whichever of the five forms its author used.

Forms: conda.yaml and package.yaml, frozen ones, requirements.txt, pyproject.toml. A specification is complete in
itself: environments are built apart from the robot's folder and shared by content, so that whatever points to further
files of the folder is refused.
"""

import enum
import hashlib
import re
import tomllib
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from controlroom.robots.match_specs import MatchSpec, NotUnderstood, parse_match_spec
from controlroom.robots.python_versions import OLDEST, is_readable, is_too_old, written
from controlroom.robots.same_on_pypi import OURS, PUBLIC_CHANNELS, requirement_of
from controlroom.robots.yaml_text import Mapping, invalid

_TOOLS = {"python", "pip", "uv"}
_DEFAULT_CHANNELS = ("conda-forge",)


class Source(enum.StrEnum):
    """Which form an environment was described in."""

    CONDA_YAML = "conda.yaml"
    PACKAGE_YAML = "package.yaml"
    FREEZE = "freeze"
    REQUIREMENTS = "requirements.txt"
    PYPROJECT = "pyproject.toml"
    NONE = "none"


class EnvironmentSpec(Struct, frozen=True):
    """What is to be installed.

    `conda` has conda match specs, without those of pip and uv, which are the builder's tools, with that of python only
    if it says more than a version, and without those that stand among `pip` because the package index has the same.
    `python` is a version ("3.11.9"), a beginning of one ("3.11"), a condition (">=3.10,<3.13"), or None for any. `pip`
    has one requirement (with its hashes) or one option of a requirements file an element. `post_install` has command
    lines.
    """

    source: Source = Source.NONE
    channels: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    python: str | None = None
    pip: tuple[str, ...] = ()
    post_install: tuple[str, ...] = ()
    exclude_newer: str = ""
    """A time with its zone (as uv takes it): packages that are newer do not count."""

    @property
    def is_pip_only(self) -> bool:
        """Whether uv alone can build it."""
        return not self.conda

    @property
    def requirements(self) -> str:
        """The text of a requirements file with everything of `pip`, for `uv pip install -r`."""
        return "".join(f"{line}\n" for line in self.pip)


NO_ENVIRONMENT = EnvironmentSpec()
"""Of a robot without an environment file: nothing is installed."""


def parse_environment(name: str, text: str) -> EnvironmentSpec:
    """Read an environment file; its name says which form it has. Raises Invalid (PACKAGE_INVALID) for the author."""
    file = PurePosixPath(name).name
    lower = file.lower()
    if lower.endswith(".txt"):
        return EnvironmentSpec(Source.REQUIREMENTS, pip=_requirement_lines(file, text))
    if lower.endswith(".toml"):
        return _pyproject(file, text)
    if not lower.endswith((".yaml", ".yml")):
        raise invalid(f"{file}: an environment file is a .yaml, a requirements .txt or a pyproject.toml")
    top = Mapping.read(file, text)
    if top.is_mapping("dependencies"):
        return _package_yaml(top)
    return _conda_yaml(top, Source.FREEZE if "freeze" in lower else Source.CONDA_YAML)


def fingerprint(spec: EnvironmentSpec, *, platform: str, builder_version: str) -> str:
    """Give the name of the environment's content: equal for equal wishes, however they were written down.

    The form of the file, comments, and the order of packages do not count. The order of channels, options and commands
    does: it changes what is installed.
    """
    options = [line for line in spec.pip if line.startswith("-")]
    packages = sorted(line for line in spec.pip if not line.startswith("-"))
    content = [
        builder_version,
        platform,
        spec.python,
        spec.channels if spec.conda else (),
        sorted(spec.conda),
        options,
        packages,
        spec.post_install,
    ]
    if spec.exclude_newer:
        content.append(spec.exclude_newer)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def dated(spec: EnvironmentSpec | None, exclude_newer: str | None) -> EnvironmentSpec | None:
    """The specification with a moment after which no package counts, unless it names one itself."""
    if spec is None or spec.exclude_newer or not exclude_newer:
        return spec
    return msgspec.structs.replace(spec, exclude_newer=exclude_newer)


def _conda_yaml(top: Mapping, source: Source) -> EnvironmentSpec:
    if "dependencies" not in top:
        top.refuse("dependencies", "a list of packages")
    conda: list[str] = []
    pip: list[str] = []
    for entry in top.texts_and_mappings("dependencies"):
        if isinstance(entry, str):
            conda.append(entry)
            continue
        for key in entry:
            if key != "pip":
                entry.refuse(key, "left out: only `pip` may be a list among the dependencies")
        pip += _pip_entries(top.file, entry.texts("pip"))
    return _spec(
        source,
        file=top.file,
        channels=_channels(top.texts("channels")),
        conda=conda,
        pip=pip,
        post_install=top.texts("rccPostInstall"),
    )


def _channels(named: tuple[str, ...]) -> tuple[str, ...]:
    """The channels of a conda.yaml; `nodefaults` is none of them: it tells conda to add none by itself."""
    return tuple(channel for channel in named if channel != "nodefaults") or _DEFAULT_CHANNELS


def _package_yaml(top: Mapping) -> EnvironmentSpec:
    dependencies = top.mapping("dependencies")
    for key in dependencies:
        if key not in {"conda-forge", "pypi"}:
            dependencies.refuse(key, "left out: packages stand under `conda-forge` or `pypi`")
    pypi = tuple(_doubled(entry) for entry in dependencies.texts("pypi"))
    return _spec(
        Source.PACKAGE_YAML,
        file=top.file,
        channels=_DEFAULT_CHANNELS,
        conda=list(dependencies.texts("conda-forge")),
        pip=_pip_entries(top.file, pypi),
        post_install=top.texts("post-install"),
    )


def _spec(
    source: Source,
    *,
    file: str,
    channels: tuple[str, ...],
    conda: list[str],
    pip: list[str],
    post_install: tuple[str, ...],
) -> EnvironmentSpec:
    """Tell the tools from the packages, and what needs conda from what the package index has."""
    specs = [_match_spec(file, entry) for entry in conda]
    wishes = [spec for spec in dict.fromkeys(specs) if spec.name == "python"]
    if len(wishes) > 1:
        raise invalid(f"{file}: `python` stands twice among the dependencies")
    python = _wish_of(file, wishes[0]) if wishes else None
    packages = [spec for spec in specs if spec.name not in _TOOLS]
    packages += [spec for spec in wishes if _says_more(spec, channels)]
    ours = {spec: twin for spec in packages if spec.name in OURS and (twin := requirement_of(spec)) is not None}
    packages, pip = [spec for spec in packages if spec not in ours], [*ours.values(), *pip]
    are_public = set(channels) <= PUBLIC_CHANNELS
    twins = [requirement_of(spec) if are_public else None for spec in packages]
    if None not in twins:
        packages, pip = [], [*(twin for twin in twins if twin is not None), *pip]
    elif wishes and wishes[0] not in packages and wishes[0].build:
        packages.append(wishes[0])  # `*_cpython` means something to the solver
    return EnvironmentSpec(
        source, tuple(channels), tuple(spec.text for spec in packages), python, tuple(pip), post_install
    )


def _match_spec(file: str, entry: str) -> MatchSpec:
    try:
        return parse_match_spec(entry)
    except NotUnderstood as why:
        raise invalid(f"{file}: `{entry.strip()}` {why}") from None


def _says_more(python: MatchSpec, channels: tuple[str, ...]) -> bool:
    """Whether an entry for Python wishes for more than any CPython of its version is."""
    return bool(python.others) or python.build not in _ANY_CPYTHON or python.channel not in {"", *channels}


_ANY_CPYTHON = {"", "*", "*cpython", "*_cpython"}


_FILE_VERSION = re.compile(r"-([^/\-]+)-[^/\-]+\.(?:conda|tar\.bz2)$")


def _wish_of(file: str, python: MatchSpec) -> str | None:
    """The version or condition of an entry for Python, as a wish."""
    others = dict(python.others)
    named = _FILE_VERSION.search(others.get("url") or others.get("fn") or "")
    text = python.version or (named[1] if named else "")
    version = text.removeprefix("===").removeprefix("==").removeprefix("=")
    whole = re.fullmatch(r"(\d[\d.]*?)(?:\.?\*)?", version)
    return _checked_wish(file, whole[1] if whole else text)


def _checked_wish(file: str, wish: str) -> str | None:
    """A wish for Python that can be read, and that some Python answers which robots can have; None for any."""
    wish = "".join(wish.split())
    if wish in {"", "*"}:
        return None
    if not is_readable(wish):
        raise invalid(f"{file}: `{wish}` is no version of Python, nor a condition for one")
    if is_too_old(wish):
        raise invalid(f"{file}: Python {wish} is asked for; robots run with Python {written(OLDEST[:2])} and later")
    return wish


_SINGLE_EQUALS = re.compile(r"(?<![=<>!~])=(?!=)")


def _doubled(entry: str) -> str:
    """A pypi entry of package.yaml with `=` as `==`; what stands in an address or a marker is left."""
    if "://" in entry or entry.startswith("-"):
        return entry
    requirement, semicolon, marker = entry.partition(";")
    return _SINGLE_EQUALS.sub("==", requirement, count=1) + semicolon + marker


def _pip_entries(file: str, entries: tuple[str, ...]) -> list[str]:
    """Entries that may go into a requirements file, each in one line."""
    return [_complete(file, entry.strip()) for entry in entries if entry.strip()]


def _requirement_lines(file: str, text: str) -> tuple[str, ...]:
    """The lines of a requirements file that say something, continued ones joined; hashes stay."""
    if "\0" in text:
        raise invalid(f"{file} is no text file")
    joined = re.sub(r"\\\r?\n", " ", text.removeprefix("\ufeff"))
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return tuple(_complete(file, " ".join(line.split())) for line in lines if line)


_POINTERS = re.compile(r"-[rce]|--(requirement|constraint|editable)\b")
_LOCAL = re.compile(r"\.{0,2}/|~|file:|[A-Za-z]:[\\/]|\.{1,2}$")


def _complete(file: str, line: str) -> str:
    """The line, if it means the same wherever the environment is built."""
    if "\n" in line or "\r" in line:
        raise invalid(f"{file}: `{line.split(maxsplit=1)[0]}` … must be one line")
    targets = re.split(r"[\s=]+", line) if line.startswith("-") else [line, line.partition("@")[2].strip()]
    if _POINTERS.match(line) or any(_LOCAL.match(target) for target in targets):
        raise invalid(
            f"{file}: `{line}` points to a file beside it, but environments are built apart from the robot's folder; "
            "write the packages themselves there"
        )
    return line


def _pyproject(file: str, text: str) -> EnvironmentSpec:
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise invalid(f"{file} is no valid TOML: {error}") from error
    except RecursionError:
        raise invalid(f"{file} is nested too deeply") from None
    project = content.get("project")
    if not isinstance(project, dict):
        raise invalid(f"{file}: there is no [project] table, which says the dependencies")
    dynamic = project.get("dynamic", [])
    if not isinstance(dynamic, list):
        raise invalid(f"{file}: `project.dynamic` must be a list")
    if "dependencies" in dynamic:
        raise invalid(
            f"{file}: `project.dependencies` is dynamic; only dependencies that stand in the file can be read"
        )
    wish = project.get("requires-python")
    if wish is not None and not isinstance(wish, str):
        raise invalid(f'{file}: `project.requires-python` must be a text, for example ">=3.11"')
    dependencies = project.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(entry, str) for entry in dependencies):
        raise invalid(f"{file}: `project.dependencies` must be a list of texts")
    pip = tuple(_pip_entries(file, tuple(dependencies)))
    return EnvironmentSpec(Source.PYPROJECT, python=_checked_wish(file, wish or ""), pip=pip)
