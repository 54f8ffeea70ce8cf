"""What can go wrong between us and PostgreSQL, in our words.

`controlroom.errors.Unavailable` and `Invalid` are raised as they are; the classes here are for the callers that can do
something about it (an action turns a `UniqueViolation` into a `Conflict`). Whoever lets them pass has a bug.
"""

from asyncpg import exceptions as driver

from controlroom.errors import ControlRoomError, Invalid, Unavailable


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

_FULL = (driver.DiskFullError,)
_UNAVAILABLE = (
    *UNREACHABLE,
    driver.InsufficientResourcesError,
    driver.QueryCanceledError,
    driver.PostgresSystemError,  # 58xxx: a file of its own that it cannot read or write
    driver.InternalClientError,  # what the driver stumbles over when the connection is lost in the middle of something
)

_COLLISIONS = (
    driver.SerializationError,
    driver.DeadlockDetectedError,
    driver.InvalidCachedStatementError,  # a migration changed a table below a prepared statement
    driver.OutdatedSchemaCacheError,
)

_NUL = ("UNSTORABLE_CHARACTER", "Text may not contain the character NUL.")
_UNSTORABLE: dict[type[BaseException], tuple[str, str]] = {
    driver.CharacterNotInRepertoireError: (_NUL[0], "Text must be UTF-8, without the character NUL."),
    driver.UntranslatableCharacterError: _NUL,
    driver.NumericValueOutOfRangeError: ("UNSTORABLE_NUMBER", "A number is too large to be stored."),
}
"""What comes from outside as valid JSON (`"\\u0000"`, `1e999999`) and PostgreSQL cannot store."""


def translate(error: BaseException, *, is_lost: bool = False) -> BaseException:
    """The error in our words; the same object when we have none for it, which makes it a bug.

    `is_lost` says that the connection has ended: then the driver may raise whatever it stumbles over, and what it means
    is that the database went away.
    """
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
    return _unavailable(error, is_lost=is_lost) or error


def _unavailable(error: BaseException, *, is_lost: bool) -> Unavailable | None:
    if isinstance(error, _FULL):
        message = "The disk of the database is full: nothing can be stored until there is room."
        return Unavailable(message, code="DATABASE_FULL")
    is_an_answer = isinstance(error, (ControlRoomError, driver.PostgresError))
    if isinstance(error, _UNAVAILABLE) or is_closed_connection(error) or (is_lost and not is_an_answer):
        return Unavailable("The database is not available.", code="DATABASE_UNAVAILABLE")
    return None


def is_confused(error: BaseException) -> bool:
    """Whether the driver has lost track of what the server is doing: the connection is of no more use."""
    return isinstance(error, driver.InternalClientError)


def is_closed_connection(error: BaseException) -> bool:
    """Whether the driver refused to send because the connection had ended before: nothing has reached the server."""
    # Why the texts: the driver raises its classes for misuse and for bugs here, and has no other mark. The second one
    # comes between the server's farewell and its hanging up.
    return (
        isinstance(error, driver.InterfaceError)
        and not isinstance(error, ValueError)
        and "connection is closed" in str(error)
    ) or (is_confused(error) and "cannot switch to state" in str(error))
