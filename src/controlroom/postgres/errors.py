"""What can go wrong between us and PostgreSQL, in our words.

`controlroom.errors.Unavailable` and `Invalid` are raised as they are; the classes here are for the callers that can do
something about it (an action turns a `UniqueViolation` into a `Conflict`). Whoever lets them pass has a bug.
"""

from asyncpg import exceptions as driver

from controlroom.errors import Invalid, Unavailable


class NoRows(LookupError):  # noqa: N818 - a statement that must return exactly one row returned another number: a bug
    """A statement that promised exactly one row returned none, or several."""


class ConstraintViolation(Exception):  # noqa: N818 - named as PostgreSQL names it
    """A statement was refused because its rows would have broken a constraint."""

    def __init__(self, message: str, *, constraint: str, table: str) -> None:
        super().__init__(message)
        self.constraint = constraint
        self.table = table


class UniqueViolation(ConstraintViolation):
    """Such a row exists already."""


class ForeignKeyViolation(ConstraintViolation):
    """The row refers to one that does not exist, or is referred to by one that does."""


class CheckViolation(ConstraintViolation):
    """The row contradicts a check constraint."""


class NotNullViolation(ConstraintViolation):
    """A column that must have a value got none; `constraint` is the column's name."""


class ExclusionViolation(ConstraintViolation):
    """The row overlaps another one."""


class Collision(Exception):  # noqa: N818 - like the others
    """Two transactions could not both be right (deadlock, serialization); the same one may succeed when run again."""


class LockTimeout(Exception):  # noqa: N818 - like the others
    """A lock was not free, or not in time (`nowait`, `lock_timeout`)."""


_VIOLATIONS: dict[type[BaseException], type[ConstraintViolation]] = {
    driver.UniqueViolationError: UniqueViolation,
    driver.ForeignKeyViolationError: ForeignKeyViolation,
    driver.CheckViolationError: CheckViolation,
    driver.NotNullViolationError: NotNullViolation,
    driver.ExclusionViolationError: ExclusionViolation,
}

UNREACHABLE: tuple[type[Exception], ...] = (
    OSError,  # refused, reset, no such socket
    TimeoutError,
    driver.PostgresConnectionError,  # 08xxx, and the driver's "closed in the middle of operation"
    driver.CannotConnectNowError,  # starting up, recovering, shutting down
    driver.AdminShutdownError,
    driver.CrashShutdownError,
    driver.IdleSessionTimeoutError,
    driver.IdleInTransactionSessionTimeoutError,
    driver.TooManyConnectionsError,
)
"""The server is not there, or not for us, now. Other servers of the same address may be, in a moment."""

_UNAVAILABLE = (*UNREACHABLE, driver.InsufficientResourcesError, driver.QueryCanceledError)

_COLLISIONS = (
    driver.SerializationError,
    driver.DeadlockDetectedError,
    driver.InvalidCachedStatementError,  # a migration changed a table below a prepared statement
    driver.OutdatedSchemaCacheError,
)

_NUL = ("UNSTORABLE_CHARACTER", "Text may not contain the character NUL.")
_UNSTORABLE: dict[type[BaseException], tuple[str, str]] = {
    driver.CharacterNotInRepertoireError: _NUL,
    driver.UntranslatableCharacterError: _NUL,
    driver.NumericValueOutOfRangeError: ("UNSTORABLE_NUMBER", "A number is too large to be stored."),
}
"""What comes from outside as valid JSON (`"\\u0000"`, `1e999999`) and PostgreSQL cannot store."""


def translate(error: BaseException) -> BaseException:
    """The error in our words; the same object when we have none for it, which makes it a bug."""
    violation = _VIOLATIONS.get(type(error))
    if violation is not None:
        constraint = getattr(error, "constraint_name", None) or getattr(error, "column_name", None) or ""
        return violation(str(error), constraint=constraint, table=getattr(error, "table_name", None) or "")
    if isinstance(error, _COLLISIONS):
        return Collision(str(error))
    if isinstance(error, driver.LockNotAvailableError):
        return LockTimeout(str(error))
    unstorable = _UNSTORABLE.get(type(error))
    if unstorable is not None:
        return Invalid(unstorable[1], code=unstorable[0])
    if isinstance(error, _UNAVAILABLE) or is_closed_connection(error):
        return Unavailable("The database is not available.", code="DATABASE_UNAVAILABLE")
    return error


def is_closed_connection(error: BaseException) -> bool:
    """Whether the driver refused to send because the connection had ended before: nothing has reached the server."""
    # Why the text: the driver raises its class for misuse here, and has no other mark.
    return (
        isinstance(error, driver.InterfaceError)
        and not isinstance(error, ValueError)
        and "connection is closed" in str(error)
    )
