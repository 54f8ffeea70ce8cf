"""Users and roles."""

from typing import Final

from controlroom.sources.automation360.tables.parts import (
    MADE,
    as_json,
    count,
    flag,
    moment,
    number,
    of,
    own_id,
    text,
)
from controlroom.sources.columns import INTEGER, ITSELF, PARENT, POSITION, Column, Table, child

USER_ROLES: Final = Table(
    name="user_roles",
    description="Which user holds which role.",
    columns=(
        Column("user_id", INTEGER, "The user; `users.id`.", at=f"{PARENT}.id", read=number),
        own_id("role_id", what="The role; `roles.id`."),
        text("name", "The role's name."),
    ),
    key=("user_id", "role_id"),
)

USERS: Final = Table(
    name="users",
    description="The users of the Control Room.",
    columns=(
        own_id(),
        text("username", "By what name they log in."),
        text("domain", "Their directory's domain."),
        text("first_name", "Their first name."),
        text("last_name", "Their last name."),
        text("email", "Their e-mail address."),
        text("description", "What is said of them."),
        of("principal_id", "Their id as a holder of rights."),
        flag("disabled", "Whether they cannot log in."),
        flag("deleted", "Whether they were deleted."),
        flag("email_verified", "Whether the address was confirmed."),
        flag("password_set", "Whether they have a password."),
        flag("questions_set", "Whether they have answered security questions."),
        flag("client_registered", "Whether they have registered a device."),
        flag("enable_auto_login", "Whether bots log in to their device by themselves."),
        flag("device_credential_attested", "Whether the log-in to their device was confirmed."),
        flag("multiple_login_allowed", "Whether they may be logged in several times."),
        as_json("license_features", "The licences that they hold: RUNTIME, DEVELOPMENT and so on."),
        as_json("group_names", "The groups that they are in."),
        as_json("permissions", "What their roles let them do, as `action` and `resourceType`."),
        *MADE,
        moment("last_login_time", "When they logged in last."),
        moment("api_key_created_on", "When their API key was made."),
        moment("api_key_expiration_time", "When it expires."),
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("roles", USER_ROLES, parent=("user_id",)),),
    passed_over=frozenset({"password", "publicKey", "routingName", "appType", "sysAssignedRoles"}),
)

ROLE_PERMISSIONS: Final = Table(
    name="role_permissions",
    description="What a role lets its holders do.",
    columns=(
        Column("role_id", INTEGER, "The role; `roles.id`.", at=f"{PARENT}.id", read=number),
        Column("position", INTEGER, "Its place in the list, from 0.", at=POSITION),
        text("action", "What: `view`, `run` and so on."),
        text("resource_type", "With what: `devices`, `repositorymanager` and so on."),
        text("permission_id", "The pair's number in older versions.", "id"),
        text("resource_id", "With which one."),
    ),
    key=("role_id", "position"),
)
ROLE_USERS: Final = Table(
    name="role_users",
    description="Who holds a role, as the role tells it.",
    columns=(
        Column("role_id", INTEGER, "The role; `roles.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("role_id", "user_id"),
)

ROLES: Final = Table(
    name="roles",
    description="The roles of the Control Room, the system's too.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        count("count_principals", "How many hold it."),
        flag("system_role", "Whether it is the system's."),
        flag("enabled", "Whether it counts."),
        *MADE,
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(
        child("permissions", ROLE_PERMISSIONS, parent=("role_id",)),
        child("userIds", ROLE_USERS, parent=("role_id",)),
    ),
)
