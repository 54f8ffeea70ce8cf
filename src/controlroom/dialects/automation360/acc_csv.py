"""Exports of the key figures as CSV: a column for each field of the JSON, with a header."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from litestar import Response
from msgspec import Struct

from controlroom.spreadsheets import inert

CSV: Final = "text/csv"
_NAME: Final = re.compile(r"[^\w.\- ]+")


def csv_answer(columns: Sequence[str], rows: Iterable[Struct], file_name: str, usual: str) -> Response[bytes]:
    """The rows as a file; what is nested has its keys joined by points."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        flat = _flat(msgspec.to_builtins(row))
        writer.writerow([_cell(flat.get(column, "")) for column in columns])
    name = _NAME.sub("_", file_name.replace("?", "_")).strip(" .")[:200] or usual
    name = name if name.lower().endswith(".csv") else f"{name}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"'}
    return Response(text.getvalue().encode(), media_type=CSV, headers=headers)


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def _cell(value: Any) -> Any:
    return inert(value) if isinstance(value, str) else value
