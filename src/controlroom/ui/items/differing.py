"""What differs among items that failed for the same reason: pure."""

from collections.abc import Sequence
from typing import TypeVar

from controlroom.engine.statistics.rules import parts_of

Key = TypeVar("Key")


def differing(messages: Sequence[tuple[Key, str]]) -> dict[Key, str]:
    """Of each message the parts in which it differs from the others; all whole, if they differ in more than those."""
    parts = {key: parts_of(message) for key, message in messages}
    lengths = {len(each) for each in parts.values()}
    if len(messages) < 2 or len(lengths) != 1:  # noqa: PLR2004 - one differs from nothing
        return dict(messages)
    [length] = lengths
    differ = [place for place in range(length) if len({each[place] for each in parts.values()}) > 1]
    return {key: ", ".join(each[place] for place in differ) for key, each in parts.items()}
