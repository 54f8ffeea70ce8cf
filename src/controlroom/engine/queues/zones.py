"""The time zones of windows."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controlroom.errors import Invalid


@lru_cache(maxsize=1024)
def check_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises Invalid `TIME_ZONE_INVALID`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise Invalid(f"there is no time zone {name!r}", code="TIME_ZONE_INVALID", zone=name) from unknown
