"""What a wish for a Python version means, and which version answers it best. Pure."""

import re
from collections.abc import Iterable

Version = tuple[int, int, int]

_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|=|)\s*v?(\d+(?:\.\d+)*)(\.?\*)?[a-z0-9.+_=]*")
_OLDEST = (3, 8, 0)
"""Without a wish nothing older is taken, though robots may ask for older ones."""


def satisfies(version: Version, wish: str | None) -> bool:
    """Whether a version answers a wish such as `3.11.9`, `3.11`, `>=3.10,<3.13`, `3.10.*|3.11.*`.

    A bare version, `=` and `==` with fewer than three parts are met by every patch version of it, as in conda. A wish
    that cannot be read is met by none.
    """
    if wish is None or not wish.strip() or wish.strip() == "*":
        return version >= _OLDEST
    return any(_all_clauses(version, branch) for branch in wish.split("|"))


def wished_minor(wish: str | None) -> tuple[int, int] | None:
    """The minor version of a wish for one exact patch version; None for any other wish."""
    match = re.fullmatch(r"=*\s*(\d+)\.(\d+)\.\d+", (wish or "").strip())
    return (int(match[1]), int(match[2])) if match else None


def best(versions: Iterable[Version], wish: str | None, *, preferred: tuple[int, int]) -> Version | None:
    """The version to take: the newest that satisfies the wish, of the preferred minor version if there is one."""
    fitting = [version for version in versions if satisfies(version, wish)]
    return max(fitting, key=lambda version: (version[:2] == preferred, version), default=None)


def nearest(versions: Iterable[Version], wish: str | None) -> Version | None:
    """The version nearest to a wished exact one, of the same minor version; the newer of two equally near."""
    minor = wished_minor(wish)
    if minor is None:
        return None
    patch = int((wish or "").strip().rsplit(".", 1)[1])
    same = [version for version in versions if version[:2] == minor]
    return min(same, key=lambda version: (abs(version[2] - patch), -version[2]), default=None)


def written(version: Version) -> str:
    """`3.11.9`."""
    return ".".join(str(part) for part in version)


def _all_clauses(version: Version, branch: str) -> bool:
    clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in branch.split(",")]
    return all(match is not None and _holds(version, match[1], _parts(match[2])) for match in clauses)


def _parts(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))[:3]


def _holds(version: Version, operator: str, asked: tuple[int, ...]) -> bool:
    padded = asked + (0,) * (3 - len(asked))
    parts = len(asked)
    return {
        ">=": version >= padded,
        "<=": version[:parts] <= asked,
        ">": version > padded,
        "<": version < padded,
        "!=": version[:parts] != asked,
        "~=": version >= padded and version[: parts - 1] == asked[:-1],
    }.get(operator, version[:parts] == asked)
