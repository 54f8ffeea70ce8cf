"""Arguments that carry values: JSON in place or in a file, `NAME=VALUE` pairs."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from controlroom.cli.errors import Misused


def payload(argument: str) -> Any:
    """The value of `JSON`, `@file` or `@-` (standard input). Raises Misused."""
    source = argument
    if argument.startswith("@"):
        try:
            source = sys.stdin.read() if argument == "@-" else Path(argument[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(f"{argument[1:]} cannot be read: {error}") from error
    try:
        return json.loads(source)
    except ValueError as error:
        where = argument if argument.startswith("@") else repr(argument)
        raise Misused(f"{where} is no JSON: {error}", hint="Text needs quotes of its own: '\"text\"'.") from error


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
        if value.startswith("@"):
            try:
                value = sys.stdin.read() if value == "@-" else Path(value[1:]).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise Misused(f"{value[1:]} cannot be read: {error}") from error
        values[key] = value
    return values
