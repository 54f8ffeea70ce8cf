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


class InvitationNotFound(NotFound):
    """There is no such invitation, or it is used, over, or taken back."""

    def __init__(self) -> None:
        super().__init__("there is no such invitation, or it is over", code="INVITATION_NOT_FOUND")


class SessionNotFound(NotFound):
    """The user has no such session any more."""

    def __init__(self) -> None:
        super().__init__("there is no such session any more", code="SESSION_NOT_FOUND")


class PasswordTemporary(Forbidden):
    """Somebody else has chosen the password: it opens nothing before its user has chosen another."""

    def __init__(self) -> None:
        super().__init__(
            "this password was given to you for once: choose one of your own in the console", code="PASSWORD_TEMPORARY"
        )


class UserKeyNotFound(NotFound):
    """The user has no key."""

    def __init__(self) -> None:
        super().__init__("the user has no key", code="USER_KEY_NOT_FOUND")


class ServiceTokenNotFound(NotFound):
    """There is no such service token."""

    def __init__(self) -> None:
        super().__init__("there is no such service token", code="SERVICE_TOKEN_NOT_FOUND")


class PersonalTokenNotFound(NotFound):
    """The user has no such personal token."""

    def __init__(self) -> None:
        super().__init__("the user has no such personal token", code="PERSONAL_TOKEN_NOT_FOUND")


class SessionOver(WrongCredential):
    """A session that we began has ended: by its time, or because somebody has ended it."""

    def __init__(self, *, is_expired: bool) -> None:
        super().__init__("session")
        self.message = f"the session has {'expired' if is_expired else 'ended'}: log in again"
        self.is_expired = is_expired


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


class LastAdmin(Conflict):
    """An organization without an admin could be governed by nobody."""

    def __init__(self) -> None:
        super().__init__("the organization would be left without an admin", code="LAST_ADMIN")


class OwnAccount(Conflict):
    """Who closes their own account could not open it again."""

    def __init__(self) -> None:
        super().__init__("nobody disables or deletes their own account", code="OWN_ACCOUNT")


class NotOfOrganization(Forbidden):
    """What belongs to the organization takes a permission there; one in a workspace is not enough."""

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"this needs the permission {permission} in the organization",
            code="PERMISSION_MISSING",
            permission=permission,
        )


class RoleNotFound(NotFound):
    """There is no such role."""

    def __init__(self) -> None:
        super().__init__("there is no such role", code="ROLE_NOT_FOUND")


class RoleOfSystem(Conflict):
    """The system's own roles stay as they are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a role of the system: it can be granted, not changed", code="ROLE_OF_SYSTEM")


class RoleInUse(Conflict):
    """Somebody has the role."""

    def __init__(self, grants: int) -> None:
        super().__init__(f"the role is granted {grants} times: revoke it first", code="ROLE_IN_USE", grants=grants)


class GroupNotFound(NotFound):
    """There is no such group of users."""

    def __init__(self) -> None:
        super().__init__("there is no such group of users", code="USER_GROUP_NOT_FOUND")


class NameTaken(Conflict):
    """Another of its kind has this name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is a {what} {name} already", code="NAME_TAKEN", name=name)


class GrantNotFound(NotFound):
    """There is no such grant."""

    def __init__(self) -> None:
        super().__init__("there is no such grant", code="GRANT_NOT_FOUND")


class GrantExists(Conflict):
    """The principal has the role there already."""

    def __init__(self) -> None:
        super().__init__("the role is granted there already", code="GRANT_EXISTS")


class PrincipalNotFound(NotFound):
    """Roles are granted to users, groups and credentials of the organization."""

    def __init__(self) -> None:
        super().__init__("there is nobody of this kind in the organization", code="PRINCIPAL_NOT_FOUND")


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
