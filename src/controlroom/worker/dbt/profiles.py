"""The profile of a run: one output, written for it alone. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

FILE: Final = "profiles.yml"

_PLAIN: Final = re.compile(r"[A-Za-z_][\w@%+,./:=\- ]*")
_WORDS: Final = frozenset({"True", "False", "None"})


def profile(names: tuple[str, ...], *, target: str, output: Mapping[str, Any], threads: int) -> bytes:
    """The text of a profiles file, in which each name has this one output as its only target."""
    one = {
        "target": _quoted(target),
        "outputs": {target: {**_as_given(output), "threads": threads}},
    }
    # Why JSON: it is YAML, and nothing in it can be taken for something else
    return msgspec.json.encode(dict.fromkeys(names, one))


def _as_given(value: Any) -> Any:
    """A value that dbt reads as it is: a text that holds a template, or looks like a number, stays that text."""
    match value:
        case str():
            return _quoted(value)
        case dict():
            return {key: _as_given(each) for key, each in value.items()}
        case list() | tuple():
            return [_as_given(each) for each in value]
        case _:
            return value


def _quoted(text: str) -> str:
    """A text, as a template of itself where it would be rendered otherwise: dbt renders every value of a profile."""
    if not text or (_PLAIN.fullmatch(text) and text not in _WORDS):
        return text
    # Why `as_text`: what a template renders to is read as a literal of Python
    return "{{ " + msgspec.json.encode(text).decode() + " | as_text }}"
