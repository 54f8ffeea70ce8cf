"""Moments as people type them: a day and a time by the clock of a zone."""

from datetime import UTC, datetime, tzinfo

from controlroom.errors import Invalid


def local_said(at: datetime, zone: tzinfo) -> str:
    """A moment as a field for days and times has it."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}" if local.second else f"{local:%Y-%m-%dT%H:%M}"


def read_local(text: str) -> datetime:
    """A day and a time of no zone. Raises Invalid for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise Invalid("A day and a time: 2027-01-31T07:30", code="TIME_INVALID")
    return found


def read_moment(text: str, zone: tzinfo, before: datetime | None = None) -> datetime:
    """A moment by the clock of the zone; one that nobody touched stays exactly what it was `before`. Raises Invalid."""
    local = read_local(text)
    if before is not None and before.astimezone(zone).replace(tzinfo=None, microsecond=0) == local:
        return before
    try:
        return local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as beyond:
        raise Invalid("No clock shows this", code="TIME_INVALID") from beyond
