"""Arguments that carry values: JSON in place or in a file, `NAME=VALUE` pairs."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from controlroom.cli.errors import Misused
from controlroom.errors import Invalid
from controlroom.moments import MomentOutOfRange, check_moment

NONE = "none"
"""The word that takes away what an option could set."""


def payload(argument: str) -> Any:
    """The value of `JSON`, `@file` or `@-` (standard input). Raises Misused."""
    written = text(argument)
    try:
        from controlroom.json_limits import check_nesting  # noqa: PLC0415 - not every command is given JSON

        check_nesting(written.encode(errors="replace"))
        value = json.loads(written)
        json.dumps(value, allow_nan=False)  # a number beyond a double was read as infinite
    except (ValueError, Invalid) as error:
        where = argument if argument.startswith("@") else repr(argument)
        raise Misused(f"{where} is no JSON: {error}", hint="Text needs quotes of its own: '\"text\"'.") from error
    return value


def text(argument: str) -> str:
    """A text as it stands, or that of `@file` or `@-` (standard input). Raises Misused."""
    if not argument.startswith("@"):
        return argument
    try:
        return sys.stdin.read() if argument == "@-" else Path(argument[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{argument[1:]} cannot be read: {error}") from error


def line(argument: str) -> str:
    """Likewise, without the end of line with which files end."""
    return text(argument).rstrip("\r\n")


def instant(argument: str, *, option: str) -> str:
    """A moment as the API takes it: 2030-01-31 or 2030-01-31T07:30, of this machine's zone where none is said."""
    return _time(argument, option=option).astimezone().isoformat()


def local_time(argument: str, *, option: str) -> str:
    """Likewise, but of whatever zone the room is told where none is said."""
    return _time(argument, option=option).isoformat()


def _time(argument: str, *, option: str) -> datetime:
    try:
        return check_moment(datetime.fromisoformat(argument))
    except ValueError as error:
        raise Misused(
            f"{option}: {argument!r} is no time", hint="Written like 2030-01-31T07:30 or 2030-01-31T07:30+02:00."
        ) from error
    except MomentOutOfRange as error:
        raise Misused(f"{option}: {error}") from error


def changes(options: str, **given: object) -> dict[str, object]:
    """What is to be changed: all that is not None. Raises Misused with the options if nothing is."""
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise Misused(f"nothing to change: give {options}")
    return body


def pair(argument: str, *, form: str = "NAME=VALUE") -> tuple[str, str]:
    """Both sides of the first `=`. Raises Misused."""
    name, equals, value = argument.partition("=")
    if not equals or not name:
        raise Misused(f"{argument!r} is not of the form {form}")
    return name, value


def number(text: str, *, option: str, least: int) -> int:
    """A whole number from `least` on. Raises Misused."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise Misused(f"{option}: {text!r} is no whole number from {least} on")
    return value


def confirmed(question: str, *, yes: bool) -> None:
    """Go on only if `--yes` was given or a person agrees. Raises Misused where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Misused(f"{question} Nobody can be asked here: add --yes.")
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise Misused("nothing was done")


def secret_values(arguments: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` and `KEY=@file` pairs as an object."""
    values = {}
    for argument in arguments:
        key, value = pair(argument, form="KEY=VALUE or KEY=@file")
        if key in values:
            raise Misused(f"the value {key!r} is given twice")
        values[key] = text(value)
    return values
