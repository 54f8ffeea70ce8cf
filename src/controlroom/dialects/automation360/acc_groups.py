"""Durations of bots told apart by a field: who ran them, where, what started them, how they ended."""

from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never

from controlroom.dialects.automation360.acc_shapes import Group, Grouped, GroupRow
from controlroom.dialects.automation360.acc_words import RESULTS, Word, cause_word
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.lists import Listed, PageTold, Search, asked_of
from controlroom.dialects.automation360.paths import path_of
from controlroom.engine.lists.model import (
    AllOf,
    AnyOf,
    Compare,
    Contains,
    Direction,
    Field,
    Filter,
    Inside,
    Kind,
    Listing,
    Not,
    OneOf,
    Operator,
    Skip,
    Sort,
    Unset,
)
from controlroom.engine.statistics import store as statistics
from controlroom.engine.statistics.model import Figure, Key, Noun, Period


class GroupBy(Word):
    """What durations are told apart by."""

    AUTOMATION = "automationName"
    DEVICE = "deviceName"
    USER = "userName"
    STATUS = "executionStatus"
    TYPE = "executionType"
    LICENCE = "licenseType"


_KEYS: Final[Mapping[GroupBy, Key]] = {
    GroupBy.AUTOMATION: Key.TASK,
    GroupBy.DEVICE: Key.WORKER,
    GroupBy.USER: Key.USER,
    GroupBy.STATUS: Key.RESULT,
    GroupBy.TYPE: Key.CAUSE,
    GroupBy.LICENCE: Key.TASK,
}
_LICENCE: Final = "RUNTIME"
"""All bots run unattended."""


def _value(group: GroupBy, figure: Figure) -> str:
    match group:
        case GroupBy.AUTOMATION:
            return figure.task_name or ""
        case GroupBy.DEVICE:
            return figure.worker_name or ""
        case GroupBy.USER:
            return figure.user_name or ""
        case GroupBy.STATUS:
            return RESULTS.get(figure.result or "", "")
        case GroupBy.TYPE:
            return cause_word(figure.cause or "")
        case GroupBy.LICENCE:
            return _LICENCE
        case _:
            assert_never(group)


async def _figures(request: Asking, period: Period, group: GroupBy) -> list[Figure]:
    keys = {Key.TASK, _KEYS[group]}
    found = await statistics.figures(*request.reading, Noun.STEP_RUN, period, sorted(keys))
    return [figure for figure in found if figure.task_id is not None]


async def grouped(request: Asking, period: Period, group: GroupBy) -> Grouped:
    """How long bots ran by each value of a field, the longest first, and which part of all that is, in hundredths."""
    taken: dict[str, int] = {}
    for figure in await _figures(request, period, group):
        value = _value(group, figure)
        taken[value] = taken.get(value, 0) + figure.milliseconds
    total = sum(taken.values())
    ordered = sorted(taken.items(), key=lambda each: (-each[1], each[0]))
    return Grouped(
        group.value,
        [Group(value, str(took), round(100 * took / total, 2) if total else 0.0) for value, took in ordered],
    )


# ---------------------------------------------------------------------------------------------------- the list
_ROWS: Final = Listing(
    noun="durations",
    table="hourly_figure",
    columns="",
    tenant="",
    fields=(
        Field("id", Kind.TEXT, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("path", Kind.TEXT, is_sortable=True),
        Field("took", Kind.INTEGER, is_sortable=True),
        Field("value", Kind.TEXT),
    ),
)
_NAMED: Final[dict[str, Any]] = {
    "id": "id",
    "fieldId": "id",
    "automationName": "name",
    "folderPath": "path",
    "runDurationMilliseconds": "took",
}


def _columns(group: GroupBy) -> Columns:
    named = _NAMED if group is GroupBy.AUTOMATION else _NAMED | {group.value: "value"}
    return Columns(_ROWS, named, order=(Sort("took", Direction.DESCENDING), Sort("name")))


async def rows_of(
    request: Asking, period: Period, group: GroupBy, search: Search
) -> tuple[list[GroupRow], Listed[GroupRow]]:
    """How long each bot ran, of the runs that the filter finds, also by the field: all rows, and the page of them.

    What is filtered here are sums, a few for each bot, and no rows of a table.
    """
    asked, offset = asked_of(search, _columns(group))
    figures = await _figures(request, period, group)
    every: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    for figure in figures:
        row: dict[str, Any] = {
            "id": str(figure.task_number or 0),
            "name": figure.task_name or "",
            "path": path_of(figure.workspace_name, *figure.folders, figure.package_name, figure.task_name),
            "took": figure.milliseconds,
            "value": _value(group, figure),
        }
        every.setdefault(row["id"], row)
        if holds(asked.filter, row):
            known = found.setdefault(row["id"], row | {"took": 0})
            known["took"] += figure.milliseconds
    ordered = list(found.values())
    for key in reversed(asked.sort):
        ordered.sort(key=lambda row, name=key.field: row[name], reverse=key.direction is Direction.DESCENDING)  # type: ignore[misc]
    start = asked.start.rows if isinstance(asked.start, Skip) else 0
    shown = [_row(row) for row in ordered]
    page = PageTold(offset, len(every), len(shown))
    return shown, Listed(page, shown[start : start + asked.length])


def _row(row: dict[str, Any]) -> GroupRow:
    return GroupRow(
        id=row["id"],
        field_id=row["id"],
        automation_name=row["name"],
        run_duration_milliseconds=str(row["took"]),
        folder_path=row["path"],
    )


_COMPARED: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: lambda mine, asked: bool(mine == asked),
    Operator.NE: lambda mine, asked: bool(mine != asked),
    Operator.LT: lambda mine, asked: bool(mine < asked),
    Operator.LE: lambda mine, asked: bool(mine <= asked),
    Operator.GT: lambda mine, asked: bool(mine > asked),
    Operator.GE: lambda mine, asked: bool(mine >= asked),
}


def holds(asked: Filter, row: Mapping[str, Any]) -> bool:  # noqa: PLR0911 - a table of kinds
    """Whether a filter holds for a row whose fields all have values."""
    match asked:
        case AllOf(of):
            return all(holds(each, row) for each in of)
        case AnyOf(of):
            return any(holds(each, row) for each in of)
        case Not(of):
            return not holds(of, row)
        case Unset(_) | Inside(_, _):  # none of these has JSON
            return False
        case OneOf(field, values):
            return any(_compared(Operator.EQ, row[field], value) for value in values)
        case Contains(field, text):
            return text.casefold() in str(row[field]).casefold()
        case Compare(field, operator, value):
            return _compared(operator, row[field], value)
        case _:
            assert_never(asked)


def _compared(operator: Operator, mine: Any, asked: Any) -> bool:
    return _COMPARED[operator](mine, int(asked) if isinstance(mine, int) else str(asked))
