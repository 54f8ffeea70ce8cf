"""`include_related`, in all the shapes in which clients send it (§0.7 and the corrections).

`a,b` · `include_related=a&include_related=b` · `["a", "b"]` · `['a']` · `[a,b]` · `["a,b"]` · `["a",,"b"]` · nothing.
"""

import re
from typing import Final, Protocol

NAME: Final = "include_related"
_NOISE: Final = re.compile(r"""[\[\]"'\s]+""")


class Queried(Protocol):
    """A query with several values of one name."""

    def getall(self, key: str, default: list[str]) -> list[str]:
        """All of them."""


def related_of(query: Queried) -> frozenset[str]:
    """What is to be told beside the things themselves."""
    return frozenset(name for value in query.getall(NAME, []) for name in names_in(value))


def names_in(value: str) -> list[str]:
    """The names in one value."""
    return [name for name in _NOISE.sub("", value).split(",") if name]
