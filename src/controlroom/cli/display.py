"""What commands print: tables for people, plain columns for pipes, JSON for programs, progress while one waits."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from controlroom.cli.screen import harmless, terminal

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], Any]]
"""A heading, and how its cells come from a row."""

_COLOURS = {
    "completed": "green",
    "done": "green",
    "idle": "green",
    "in_progress": "cyan",
    "busy": "cyan",
    "stopping": "yellow",
    "pending": "yellow",
    "failed": "red",
    "unresolved": "red",
    "offline": "red",
    "resting": "yellow",
    "delivered": "green",
    "started": "green",
}
_BARE = re.compile("[\x7f-\x9f\u2028\u2029]")
"""Controls that JSON leaves bare and a terminal obeys."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KILO = 1024
_MINUTE = 60


def show_json(value: object) -> None:
    """Print a value as JSON, indented for people, whole for programs."""
    written = json.dumps(value, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False)
    print(_BARE.sub(lambda found: f"\\u{ord(found[0]):04x}", written))


def show_table(rows: Iterable[Row], columns: Sequence[Column], *, empty: str = "") -> None:
    """Print rows as a table; without a terminal as plain columns that nothing shortens."""
    cells = [[cell(value(row)) for _, value in columns] for row in rows]
    if not cells:
        if empty:
            print(empty, file=sys.stderr)
        return
    headings = [heading for heading, _ in columns]
    if sys.stdout.isatty():
        _draw(headings, cells)
        return
    widths = [max(len(line[index]) for line in [headings, *cells]) for index in range(len(columns))]
    for line in [[heading.upper() for heading in headings], *cells]:
        print("  ".join(each.ljust(width) for each, width in zip(line, widths, strict=True)).rstrip())


def show_fields(fields: Mapping[str, Any]) -> None:
    """Print one object: a name and a value a line."""
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        first, *others = map(cell, text(value).split("\n"))
        print(f"{name:<{width}}  {first}".rstrip())
        for other in others:
            print(f"{'':<{width}}  {other}".rstrip())


def cell(value: object) -> str:
    """A value in one line: what a row of a table may hold."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text(value))


def text(value: object) -> str:
    """A value for people: nothing for None, times and structures in a readable form."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return str(value)


def moment(iso: str | None) -> datetime | None:
    """A time stamp of the API as a time."""
    return datetime.fromisoformat(iso) if iso else None


def moments(row: Row, *names: str) -> dict[str, datetime | None]:
    """Those of the named time stamps that an object has, as times."""
    return {name: moment(row[name]) for name in names if name in row}


def size(count: int | None) -> str:
    """A number of bytes for people."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} TiB"


def seconds(count: float | None) -> str:
    """A duration for people."""
    if count is None:
        return ""
    if count < _MINUTE:
        return f"{count:.1f} s"
    minutes, rest = divmod(round(count), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal that grows by the bytes told; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  # only who watches pays for it
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=terminal(sys.stderr)), transient=True) as bars:
        task = bars.add_task(escape(harmless(what)), total=total)
        yield lambda count: bars.update(task, advance=count)


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal that stands at the number told last; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  # only who watches pays for it
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=terminal(sys.stderr)), transient=True) as bars:
        task = bars.add_task(escape(harmless(what)), total=total)
        yield lambda count: bars.update(task, completed=count)


def _draw(headings: list[str], cells: list[list[str]]) -> None:
    from rich import box  # noqa: PLC0415  # only a terminal pays for it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in cells:
        table.add_row(*(Text(each, style=_COLOURS.get(each, "")) for each in line))
    Console().print(table)
