"""What a moment after which no package counts means for sources that tell no dates: their packages are taken, and told.

Why told: uv says nothing of links, repositories and folders of packages; an author would believe that the moment held.
"""

import re
from collections.abc import Mapping, Sequence

from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.worker.environments.package_indexes import without_credentials

_ADDRESS = re.compile(r"(?:git\+|hg\+|svn\+|bzr\+)?[a-z][a-z0-9+.\-]*://\S+")
_FIND_LINKS = re.compile(r"(?:-f|--find-links)[\s=]+(\S+)")
_INDEX_OPTION = re.compile(r"(?:-i|--index-url|--extra-index-url)\b")


def undated(spec: EnvironmentSpec, variables: Mapping[str, str], packages: Sequence[str] = ()) -> tuple[str, ...]:
    """The warning that names the sources without dates, if there are any; `packages` are conda's without one.

    `variables` are the build's, which say where packages are looked for.
    """
    if not spec.exclude_newer:
        return ()
    found = [source for line in spec.pip if (source := _source(line))]
    found += [place for place in re.split(r"[\s,]+", variables.get("UV_FIND_LINKS", "")) if place]
    found += packages
    if not found:
        return ()
    named = ", ".join(dict.fromkeys(without_credentials(source) for source in found))
    return (f"Packages newer than {spec.exclude_newer} do not count, but these tell no dates and are taken: {named}",)


def _source(line: str) -> str:
    """What a requirement line takes packages from without a date; nothing for a name or an index."""
    if match := _FIND_LINKS.match(line):
        return match[1]
    if _INDEX_OPTION.match(line):
        return ""
    match = _ADDRESS.search(line.split(" ;", 1)[0])
    return match[0] if match else ""
