"""What can go wrong with identity. A docstring is the message."""

from controlroom.errors import Conflict, Forbidden, Invalid, NotFound, Throttled, Unauthenticated


class WorkspaceNotFound(NotFound):
    """There is no such workspace."""

    def __init__(self) -> None:
        super().__init__("there is no such workspace", code="WORKSPACE_NOT_FOUND")


class AttemptOver(Unauthenticated):
    """The step run has ended, and its token with it."""

    def __init__(self) -> None:
        super().__init__("the step run of this token has ended", code="TOKEN_EXPIRED")


class WrongCredential(Unauthenticated):
    """No credential, or none that is valid. Does not tell which part of it is wrong."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the {what} is not valid", code="UNAUTHENTICATED")


class ApiKeyNotFound(NotFound):
    """There is no such API key."""

    def __init__(self) -> None:
        super().__init__("there is no such API key", code="API_KEY_NOT_FOUND")


class UserNotFound(NotFound):
    """There is no such user."""

    def __init__(self) -> None:
        super().__init__("there is no such user", code="USER_NOT_FOUND")


class CredentialNotFound(NotFound):
    """There is no such user credential."""

    def __init__(self) -> None:
        super().__init__("there are no such user credentials", code="USER_CREDENTIAL_NOT_FOUND")


class UsernameTaken(Conflict):
    """Another user has this name."""

    def __init__(self, username: str) -> None:
        super().__init__(f"there is a user {username} already", code="USERNAME_TAKEN", username=username)


class MemberExists(Conflict):
    """The user is a member already."""

    def __init__(self) -> None:
        super().__init__("the user is a member of the workspace already", code="MEMBER_EXISTS")


class LastOwner(Conflict):
    """A workspace without an owner could be governed by nobody in it."""

    def __init__(self) -> None:
        super().__init__("the workspace would be left without an owner", code="LAST_OWNER")


class BeyondOwnRights(Forbidden):
    """Nobody can give, or see the credential of, more than they may do themselves."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"this would give permissions that you do not have: {', '.join(missing)}",
            code="PERMISSION_MISSING",
            permissions=missing,
        )


class WeakPassword(Invalid):
    """A password that is too short to keep anybody out, or too long to be one."""

    def __init__(self, shortest: int, longest: int) -> None:
        super().__init__(f"a password has {shortest} to {longest} characters", code="PASSWORD_UNFIT")


class TooManyLogins(Throttled):
    """Somebody may be guessing this user's password."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "too many failed logins: wait, and try again", code="TOO_MANY_LOGINS", seconds=round(seconds, 1)
        )
