"""Conda packages that a package index has under the same name, so that they need no conda.

Why: many robots name one such package among their conda dependencies and nothing else of conda (52 of 141 public ones
`robocorp-truststore`). Solving and unpacking a conda environment for it takes ten times as long.

Source of the list: the recipe of each (github.com/conda-forge/NAME-feedstock, recipe/meta.yaml) says `noarch: python`,
takes its source from PyPI under this very name, and leaves no module of it out; on PyPI each is a wheel for any
platform.
"""

import re
from collections.abc import Iterator

from controlroom.robots.match_specs import MatchSpec

PURE = frozenset(
    {
        "jinja2",
        "python-dateutil",
        "python-dotenv",
        "pytz",
        "requests",
        "robocorp-truststore",
        "robotframework",
        "setuptools",
        "tabulate",
        "truststore",
        "wheel",
        "xlrd",
        "xlsxwriter",
    }
)
OURS = frozenset({"controlroom-robot"})
"""What no channel has, and every worker offers to builds."""
PUBLIC_CHANNELS = frozenset({"conda-forge", "defaults", "main", "anaconda"})
"""Where these names mean these packages. Elsewhere (a company's channel) they may be others."""

_CLAUSE = re.compile(
    r"(?P<operator>>=|<=|==|!=|~=|>|<|=|)(?P<version>\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?)(?P<star>\.?\*)?"
)


def requirement_of(spec: MatchSpec) -> str | None:
    """The requirement for a package index that wishes the same; None where there is none."""
    if spec.name not in PURE | OURS or not spec.is_version_only or "|" in spec.version:
        return None
    if spec.version in {"", "*"}:
        return spec.name
    clauses = list(_clauses(spec))
    return None if None in clauses else spec.name + ",".join(clause for clause in clauses if clause is not None)


def _clauses(spec: MatchSpec) -> Iterator[str | None]:
    for text in spec.version.split(","):
        match = _CLAUSE.fullmatch(text.strip())
        if match is None:
            yield None
            continue
        operator, version, star = match["operator"], match["version"], bool(match["star"])
        if operator in {">", ">=", "<", "<=", "~="}:
            yield f"{operator}{version}"  # conda lets a star there mean nothing
        else:
            begins = star or operator == "=" or spec.is_beginning
            yield f"{'!=' if operator == '!=' else '=='}{version}{'.*' if begins else ''}"
