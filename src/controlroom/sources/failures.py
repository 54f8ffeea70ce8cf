"""What went wrong in a load, in a sentence of who knows: the server, dlt's configuration, another load, the database.

What dlt says has many lines; the one that says what to do is told, of the cause that knows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    LookupTrace,
    LookupTraces,
)
from dlt.common.destination.exceptions import DestinationTerminalException, UnknownDestinationModule
from dlt.common.exceptions import DltException
from dlt.common.schema.exceptions import DataValidationError
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.extract.exceptions import ResourcesNotFoundError

from controlroom.sources.arguments import NotConfigured
from controlroom.sources.contracts import Refused
from controlroom.sources.paging import TooFew
from controlroom.sources.reading import ReadFailed
from controlroom.sources.running import AlreadyRunning, AmbiguousName, AnothersTables, CannotOpen

_OURS = (AlreadyRunning, AmbiguousName, AnothersTables, CannotOpen, NotConfigured, ReadFailed, Refused, TooFew)
_KNOW = (*_OURS, ConfigurationException, DestinationConnectionError, DestinationTerminalException, DataValidationError)
_STARTS = ("DESTINATION__", "SOURCES__")
_CONFIGURE = "Say it by an option, in .dlt/secrets.toml or in the environment: docs/sources/README.md."


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a failure."""

    message: str
    hint: str = ""
    is_misuse: bool = False
    """Whether it is what was asked that is wrong."""


def told(failed: BaseException) -> Told | None:  # noqa: PLR0911 - a table
    """The sentence about a failure of a load; None of what nobody has foreseen."""
    if isinstance(failed, _OURS):
        return Told(str(failed))
    if not isinstance(failed, DltException):
        return None
    cause: BaseException = failed
    while cause.__cause__ is not None and not isinstance(cause, _KNOW):
        cause = cause.__cause__
    match cause:
        case ResourcesNotFoundError():
            return Told(
                f"there is no resource {', '.join(sorted(cause.not_found_resources))}",
                f"There are {', '.join(sorted(cause.available_resources))}.",
                is_misuse=True,
            )
        case UnknownDestinationModule():
            return Told(
                f"there is no destination {cause.ref!r}, neither among dlt's nor in its configuration",
                "Ours are duckdb, duckdb:FILE, postgres and filesystem:FOLDER.",
                is_misuse=True,
            )
        case DestinationConnectionError():
            reason = str(cause.inner_exc).strip() or type(cause.inner_exc).__name__
            hint = "DuckDB lets one program at a time write into a file, and nobody read meanwhile."
            return Told(f"the destination cannot be opened: {reason}", hint if "Conflicting lock" in reason else "")
        case DestinationTerminalException():
            return Told(
                f"the destination refuses what was read: {cause}",
                "It is kept, and the next load begins with it; `full` lets it go and reads all anew.",
            )
        case ConfigFieldMissingException():
            return Told(*_lacking(cause))
        case ConfigurationException():
            return Told(str(cause).strip(), _CONFIGURE)
    return Told(str(cause).strip() or type(cause).__name__)


def _lacking(failed: ConfigFieldMissingException) -> tuple[str, str]:
    """What is missing and where it is looked for, of the many places the usual ones."""
    fields = dict(_fields(failed.traces))
    places = [place for place in fields.values() if place]
    message = f"the configuration lacks {', '.join(fields)}"
    if not places:
        return message, _CONFIGURE
    section = ".".join(places[0].lower().split("__")[:-1])
    return message, f"Say it in .dlt/secrets.toml below [{section}], or in the environment as {places[0]}."


def _fields(traces: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The fields that were looked for in vain, each with its variable of the environment."""
    for name, looked in traces.items():
        tried = [each.key for each in looked if isinstance(each, LookupTrace) and "__" in each.key]
        within = [each for each in looked if isinstance(each, LookupTraces)]
        for each in within:
            yield from _fields(each.traces, f"{above}{name}.")
        if not within:
            yield f"{above}{name}", max((key for key in tried if key.startswith(_STARTS)), key=len, default="")
