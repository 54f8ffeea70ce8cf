"""Rows of a table beside what the API tells, column by column: written apart from how the sources read."""

import datetime as dt
import json

from controlroom.sources.columns import Kind


def value_at(row, path):
    """What stands in a row of the API where a path leads."""
    for key in path:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def as_loaded(kind, told):
    """What the API tells, as a database has it."""
    if told is None:
        return None
    match kind:
        case Kind.TIME:
            return dt.datetime.fromisoformat(told)
        case Kind.JSON:
            return told
        case Kind.TEXT:
            return told if isinstance(told, str) else json.dumps(told)
        case _:
            return told


def assert_same(table, loaded, told, *, apart=()):
    """Every row that is told is loaded once, with each value that stands in it, and no other is loaded."""
    key = table.key
    found = {tuple(row[each] for each in key): row for row in loaded}
    columns = {column.name: column for column in table.columns}
    assert len(found) == len(loaded), f"{table.name}: rows with the same key"
    wanted = {tuple(value_at(row, columns[each].path) for each in key): row for row in told}
    assert found.keys() == wanted.keys(), table.name
    for each, row in wanted.items():
        for column in table.columns:
            if column.read is not None or column.path[0] in {"^", "#", ".", "\0"} or column.name in apart:
                continue
            expected, got = as_loaded(column.kind, value_at(row, column.path)), found[each][column.name]
            if column.kind is Kind.JSON and got is not None:
                got = json.loads(got)
            assert got == expected, f"{table.name} {each}: {column.name}"
