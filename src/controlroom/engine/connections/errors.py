"""What can go wrong with connections. A docstring is the message."""

from controlroom.errors import Conflict, Invalid, NotFound


class ConnectionNotFound(NotFound):
    """There is no such connection."""

    def __init__(self) -> None:
        super().__init__("there is no such connection", code="CONNECTION_NOT_FOUND")


class LoginNotFound(NotFound):
    """There is no such log-in of the workspace."""

    def __init__(self) -> None:
        super().__init__("there is no such log-in", code="LOGIN_NOT_FOUND")


class ProfileNotFound(NotFound):
    """There is no such profile of the workspace."""

    def __init__(self) -> None:
        super().__init__("there is no such profile", code="PROFILE_NOT_FOUND")


class ExtendedAttributesNotFound(NotFound):
    """There are no such extended attributes of the workspace."""

    def __init__(self) -> None:
        super().__init__("there are no such extended attributes", code="EXTENDED_ATTRIBUTES_NOT_FOUND")


class ConnectionInvalid(Invalid):
    """No database could be reached by such settings."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the {field} of a connection {why}", code="CONNECTION_INVALID", field=field, reason=why)


class LoginInvalid(Invalid):
    """Nobody could log in so."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the {field} of a log-in {why}", code="LOGIN_INVALID", field=field, reason=why)


class AttributesInvalid(Invalid):
    """Such extended attributes could not be put over a connection's settings."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"extended attributes {why}", code="EXTENDED_ATTRIBUTES_INVALID", field="extended_attributes", reason=why
        )


class ConnectionUsed(Conflict):
    """Something that is there needs the connection."""

    def __init__(self, by: str) -> None:
        super().__init__(f"the connection is used by {by}", code="CONNECTION_USED")


class LoginUsed(Conflict):
    """Something that is there needs the log-in, the profile or the attributes."""

    def __init__(self, what: str, by: str) -> None:
        super().__init__(f"the {what} is used by {by}", code="LOGIN_USED")


class ProfileKeyTaken(Conflict):
    """Another profile of the workspace has the key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is a profile {key!r} already", code="NAME_TAKEN", name=key)


class LoginUnfit(Invalid):
    """A log-in is for connections of its own kind."""

    def __init__(self, login: str, connection: str) -> None:
        super().__init__(
            f"a log-in for {login} does not fit a connection to {connection}",
            code="LOGIN_UNFIT",
            field="credentials_id",
        )


class ConnectionMissing(Invalid):
    """Nothing says which database is worked on, or as whom."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the target has no {what}", code="CONNECTION_MISSING")


class DatabaseUnfit(Invalid):
    """A step works on a file that the room keeps, and on nothing else."""

    def __init__(self, connection: str) -> None:
        super().__init__(
            f"the connection {connection} is not to a DuckDB file that the room keeps: no step works on it",
            code="DATABASE_UNFIT",
        )


class DatabaseTooLarge(Invalid):
    """The file of a database has more bytes than are kept."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the file of a database has at most {most:,} bytes (setting limits.database_bytes)",
            code="DATABASE_TOO_LARGE",
        )
