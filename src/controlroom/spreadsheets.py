"""Cells of tables that people open in a spreadsheet: names, messages and payloads come from anybody."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""


def inert(cell: str) -> str:
    """The cell as a text that no spreadsheet computes; a number is one, with its sign."""
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
