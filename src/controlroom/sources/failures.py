"""What went wrong in a load, in a sentence of who knows: the server, dlt's configuration, another load, the database.

What dlt says has many lines; the one that says what to do is told, of the cause that knows it.
"""

from dataclasses import dataclass

from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination.exceptions import DestinationTerminalException, UnknownDestinationModule
from dlt.common.exceptions import DltException
from dlt.common.schema.exceptions import DataValidationError
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.extract.exceptions import ResourcesNotFoundError

from controlroom.sources.arguments import NotConfigured
from controlroom.sources.contracts import Refused
from controlroom.sources.reading import ReadFailed, TooFew
from controlroom.sources.running import AlreadyRunning, AmbiguousName, AnothersTables

_OURS = (AlreadyRunning, AmbiguousName, AnothersTables, NotConfigured, ReadFailed, Refused, TooFew)
_KNOW = (*_OURS, ConfigurationException, DestinationConnectionError, DestinationTerminalException, DataValidationError)
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
        case ConfigFieldMissingException():  # then follow all the places where it was looked for
            return Told(str(cause).partition("\n  for field")[0], _CONFIGURE)
        case ConfigurationException():
            return Told(str(cause).strip(), _CONFIGURE)
    return Told(str(cause).strip() or type(cause).__name__)
