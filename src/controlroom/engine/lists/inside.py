"""What somebody asks of JSON, as they write it, and as PostgreSQL takes it. Pure.

    $.supplier.country = NO          supplier.country = NO       (the same)
    $.total >= 1000                  numbers compare as numbers, texts as texts
    $.lines[*].sku = "12"            of any entry; a number that is quoted is a text
    $.supplier ~ fjord               contains, whatever the case of its letters
    $["a key"][0]                    is there at all

A bare number is found as a number and as a text. One pass over a text of at most 1,000 characters.
"""

import re
from typing import Final

import msgspec

from controlroom.errors import Invalid

LONGEST: Final = 1000
DEEPEST: Final = 32
_PLACE: Final = re.compile(r'\.?([^\W\d][\w-]*)|\[(\d{1,6}|\*)\]|\[("(?:[^"\\]|\\.)*")\]')
_WAYS: Final = {"=": "==", "==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OPERATOR: Final = re.compile(r"\s*(==|!=|<>|<=|>=|=|<|>|~)\s*")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,30})?")


def jsonpath_of(asked: str) -> str:
    """The question as a path of SQL/JSON, put together of parts that are written by us. Raises Invalid."""
    text = asked.strip()
    if len(text) > LONGEST:
        raise _unreadable()
    at = 1 if text.startswith("$") else 0
    places: list[str] = []
    while found := _PLACE.match(text, at):
        if found.end() == at or len(places) == DEEPEST or (places and text[at] not in ".["):
            break
        places.append(_place(found))
        at = found.end()
    path = "".join(["$", *places])
    if not places:
        raise _unreadable()
    if not text[at:].strip():
        return path
    operator = _OPERATOR.match(text, at)
    wanted = "" if operator is None else text[operator.end() :]
    if operator is None or not wanted:
        raise _unreadable()
    return f"{path} ? ({_condition(operator[1], wanted)})"


def _place(found: re.Match[str]) -> str:
    name, index, quoted = found.groups()
    if index is not None:
        return f"[{index}]"
    return f".{_quoted(name if quoted is None else _read(quoted))}"


def _condition(operator: str, wanted: str) -> str:
    if operator == "~":
        return f'@ like_regex {_quoted(_bare(wanted))} flag "iq"'
    way = _WAYS[operator]
    if wanted in {"true", "false", "null"}:
        return f"@ {way} {wanted}"
    if _NUMBER.fullmatch(wanted) is None:
        return f"@ {way} {_quoted(_bare(wanted))}"
    match way:
        case "==":
            return f"@ == {wanted} || @ == {_quoted(wanted)}"
        case "!=":
            return f"@ != {wanted} && @ != {_quoted(wanted)}"
        case _:
            return f"@ {way} {wanted}"


def _bare(text: str) -> str:
    return _read(text) if text.startswith('"') else text


def _read(quoted: str) -> str:
    try:
        found: str = msgspec.json.decode(quoted, type=str)
    except msgspec.MsgspecError as broken:
        raise _unreadable() from broken
    if "\0" in found:
        raise _unreadable()
    return found


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _unreadable() -> Invalid:
    return Invalid("This is no question about JSON: write it as $.supplier.country = NO.", code="FILTER_PATH")
