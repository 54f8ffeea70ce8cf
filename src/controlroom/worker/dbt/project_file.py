"""What the worker reads of a project's own files: the name of its profile, and whether it names packages."""

from pathlib import Path
from typing import Final

import yaml

from controlroom.errors import Invalid
from controlroom.robots.yaml_text import Mapping

NAME: Final = "dbt_project.yml"
UNNAMED: Final = "default"
"""The profile of a project that names none, or by a template."""

_PACKAGES: Final = "packages.yml"
_DEPENDENCIES: Final = "dependencies.yml"
_LONGEST: Final = 1 << 20


class NoProject(Invalid):
    """There is no dbt project where one was told to be."""

    code = "PACKAGE_INVALID"


def profile_name(folder: Path) -> tuple[str, bool]:
    """The name of the profile that a project asks for, and whether it stands so in its file. Raises Invalid."""
    text = text_of(folder / NAME)
    if text is None:
        raise NoProject(f"There is no {NAME} in the project's folder.")
    try:
        name = Mapping.read(NAME, text).text("profile").strip()
    except yaml.YAMLError as error:
        raise NoProject(f"{NAME} can't be read: {error}") from error
    is_plain = bool(name) and "{" not in name
    return (name, True) if is_plain else (UNNAMED, False)


def has_packages(folder: Path) -> bool:
    """Whether a project names packages, so that `dbt deps` has something to do; in doubt it has."""
    if (folder / _PACKAGES).exists():
        return bool((text_of(folder / _PACKAGES) or "").strip())
    text = text_of(folder / _DEPENDENCIES)
    return text is not None and any(key in text for key in ("packages", "projects", "{"))


def text_of(file: Path) -> str | None:
    """The text of a file of the project; None if it is not there. Only before anything of the project has run."""
    try:
        with file.open("rb") as opened:
            return opened.read(_LONGEST).decode("utf-8", "replace")
    except OSError:
        return None
