"""Key figures (ACC): taken anew by each load, of one range of time that ends now."""

from collections.abc import Callable
from typing import Any, Final

from controlroom.sources.automation360 import tables
from controlroom.sources.automation360.lists import Row
from controlroom.sources.columns import Table
from controlroom.sources.paging import Request
from controlroom.sources.reading import Reader

_BASE: Final = "v1/acc/automation"
_MOST: Final = 1_000
GROUPS: Final = ("automationName", "deviceName", "userName", "executionStatus", "executionType", "licenseType")

Taken = Callable[[Reader, str], list[Row]]


def overview(reader: Reader, range_type: str) -> list[Row]:
    """How many bots run, have completed and failed, and are scheduled."""
    return _marked(_told(reader, "overview", range_type)["data"], range_type)


def run_durations(reader: Reader, range_type: str) -> list[Row]:
    """How long bots ran, by the hour or the day."""
    told = _told(reader, "runduration", range_type)
    return _marked([{**each, "time_unit": told.get("timeUnit")} for each in told["data"]], range_type)


def bots(reader: Reader, range_type: str) -> list[Row]:
    """Each bot: how often it ran and failed, and its longest run."""
    found: dict[str, Row] = {}
    for kind, more in (("mostrunning/PUBLIC", {"size": _MOST}), ("longestrunning", {}), ("mostfailed", {})):
        for metric in _told(reader, kind, range_type, more)["metrics"]:
            found.setdefault(str(metric["botId"]), {}).update(metric)
    return _marked([*found.values()], range_type)


def groups(reader: Reader, range_type: str) -> list[Row]:
    """How long runs took, told apart by each of the fields."""
    told = reader.each(GROUPS, lambda by: _told(reader, f"{by}/runduration", range_type)["groupBy"])
    return _marked([{**each, "group_by": by} for by, several in told for each in several], range_type)


FIGURES: Final[tuple[tuple[Table, Taken], ...]] = (
    (tables.ACC_OVERVIEW, overview),
    (tables.ACC_RUN_DURATIONS, run_durations),
    (tables.ACC_BOTS, bots),
    (tables.ACC_GROUPS, groups),
)


def _told(reader: Reader, path: str, range_type: str, more: Row | None = None) -> Any:
    return reader.json(Request(f"{_BASE}/{path}", body={"timeRange": {"type": range_type}, **(more or {})}))


def _marked(rows: list[Row], range_type: str) -> list[Row]:
    return [{**row, "range_type": range_type} for row in rows]
