"""What a wish for a Python version means, and which version answers it best. Pure."""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

Version = tuple[int, int, int]

OLDEST: Version = (3, 6, 0)
"""Of the Pythons that robots can have: what we run in their interpreters is read by those from here on."""

_OLDEST_UNASKED: Version = (3, 8, 0)
"""Without a wish nothing older is taken, though robots may ask for older ones."""

_CLAUSE = re.compile(
    r"(?P<operator>>=|<=|===?|!=|~=|>|<|=|)\s*v?(?P<version>\d{1,9}(?:\.\d{1,9})*)"
    r"(?P<early>[._-]?(?:a|b|c|rc|alpha|beta|pre|preview|dev)[._-]?\d*)?(?P<star>\.?\*)?",
    re.IGNORECASE,
)
_ANY = {"", "*", "=*", "==*"}
_LAST = 999


class Clause(Struct, frozen=True):
    """One condition of a wish."""

    operator: str
    parts: tuple[int, ...]
    is_early: bool
    """Whether it names an alpha, beta or candidate, which robots never get: a final release is later."""

    @property
    def padded(self) -> Version:
        """The version named, with zeros for what was left out."""
        major, minor, patch = (*self.parts, 0, 0)[:3]
        return (major, minor, patch)

    def holds(self, version: Version) -> bool:  # noqa: PLR0911 - one answer an operator
        """Whether a final release meets the condition."""
        beginning = version[: len(self.parts)] == self.parts
        match self.operator:
            case ">=":
                return version >= self.padded
            case "<=":
                return version[: len(self.parts)] <= self.parts and not (self.is_early and version >= self.padded)
            case ">":
                return version > self.padded or (self.is_early and version == self.padded)
            case "<":
                return version < self.padded
            case "!=":
                return not beginning or self.is_early
            case "~=":
                return version >= self.padded and version[: len(self.parts) - 1] == self.parts[:-1]
            case _:
                return beginning and not self.is_early


def is_readable(wish: str | None) -> bool:
    """Whether a wish can be understood."""
    return _branches(wish) is not None


def satisfies(version: Version, wish: str | None) -> bool:
    """Whether a version answers a wish such as `3.11.9`, `3.11`, `>=3.10,<3.13`, `3.10.*|3.11.*`.

    A bare version, `=` and `==` with fewer than three parts are met by every patch version of it, as in conda. A wish
    that cannot be read is met by none.
    """
    branches = _branches(wish)
    if branches == ():
        return version >= _OLDEST_UNASKED
    return any(all(clause.holds(version) for clause in branch) for branch in branches or ())


def is_too_old(wish: str | None) -> bool:
    """Whether only Pythons older than robots can have would answer a wish: 2.7, 3.5.2, `<3`."""
    near = [version for branch in _branches(wish) or () for clause in branch for version in _around(clause)]
    known = [*near, OLDEST, (3, _LAST, 0)]
    return bool(near) and not any(version >= OLDEST and satisfies(version, wish) for version in known)


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


def written(version: Iterable[int]) -> str:
    """`3.11.9`."""
    return ".".join(str(part) for part in version)


def _branches(wish: str | None) -> tuple[tuple[Clause, ...], ...] | None:
    """The alternatives of a wish, each a number of conditions; none for no wish, None for one that cannot be read."""
    if wish is None or wish.strip() in _ANY:
        return ()
    branches = tuple(_clauses(branch) for branch in wish.split("|"))
    return None if None in branches else tuple(branch for branch in branches if branch is not None)


def _clauses(branch: str) -> tuple[Clause, ...] | None:
    found = [_clause(text.strip()) for text in branch.split(",")]
    return None if None in found else tuple(clause for clause in found if clause is not None)


def _clause(text: str) -> Clause | None:
    if text == "*":
        return Clause(">=", (0,), is_early=False)
    match = _CLAUSE.fullmatch(text)
    if match is None or (match["early"] and match["star"]):
        return None
    parts = tuple(int(part) for part in match["version"].split("."))[:3]
    if match["operator"] == "~=" and len(parts) == 1:
        return None
    return Clause(match["operator"], parts, is_early=bool(match["early"]))


def _around(clause: Clause) -> Iterator[Version]:
    """The versions at which a condition may begin or cease to hold."""
    major, minor, patch = clause.padded
    yield from ((major, minor, patch), (major, minor, patch + 1), (major, minor + 1, 0), (major + 1, 0, 0))
    if patch:
        yield (major, minor, patch - 1)
    if minor:
        yield (major, minor - 1, _LAST)
