"""Whether a call is made again, and when."""

from typing import NamedTuple

TRY_LATER = frozenset({502, 503, 504})
"""The room is away, or a part of it, as it says itself or what stands before it. Asked again if that is harmless."""
TURNED_AWAY = 429
"""Too much at once. Nothing was done, so that any call is made again."""
_FIRST = 0.25
_LONGEST = 8.0


class Tried(NamedTuple):
    """What has been tried so far."""

    times: int
    seconds: float
    """Since the first try."""


def pause(tried: Tried, *, patience: float, retry_after: float | None, chance: float) -> float | None:
    """Seconds until the next try; None if there is none, because it would come after `patience` seconds.

    What the room asks for is kept. Otherwise each pause is about twice as long as the last one, up to 8 s; `chance`
    (0 to 1) makes it up to half as short, so that those who were turned away together do not come together.
    """
    if retry_after is not None:
        seconds = retry_after
    else:
        seconds = min(_FIRST * 2.0 ** min(tried.times - 1, 16), _LONGEST) * (1 - chance / 2)
    return seconds if tried.seconds + seconds <= patience else None
