"""Credentials, without a value of theirs, and lockers."""

from typing import Final

from controlroom.sources.automation360.tables.parts import MADE, as_json, count, flag, number, of, own_id, text
from controlroom.sources.columns import INTEGER, PARENT, Column, Table, child

CREDENTIAL_ATTRIBUTES: Final = Table(
    name="credential_attributes",
    description="The attributes of credentials: what they are called, never what they hold.",
    columns=(
        Column("credential_id", INTEGER, "The credential; `credentials.id`.", at=f"{PARENT}.id", read=number),
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        flag("user_provided", "Whether each user gives a value of their own."),
        flag("masked", "Whether its value is hidden while it is typed."),
        flag("password_flag", "Whether it is a password."),
        *MADE,
        count("version", "Raised by each change."),
    ),
    key=("credential_id", "id"),
    passed_over=frozenset({"externalVaultUsernameExpression", "value"}),
)

CREDENTIALS: Final = Table(
    name="credentials",
    description="Credentials that the user who loads owns or reaches by a locker. Values are never asked for.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        of("locker_id", "The locker that it is in; `lockers.id`."),
        of("owner_id", "Whose it is; `users.id`."),
        flag("completed", "Whether all values are there."),
        text("external_vault_credential_name", "Its name in another vault."),
        as_json("permissions", "What the user who loads may do with it."),
        *MADE,
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("attributes", CREDENTIAL_ATTRIBUTES, parent=("credential_id",)),),
)

LOCKER_MEMBERS: Final = Table(
    name="locker_members",
    description="Who looks after a locker.",
    columns=(
        Column("locker_id", INTEGER, "The locker; `lockers.id`.", at=f"{PARENT}.id", read=number),
        own_id("user_id", what="The user; `users.id`."),
        as_json("permissions", "`own`, `manage`, `participate`."),
    ),
    key=("locker_id", "user_id"),
)

LOCKERS: Final = Table(
    name="lockers",
    description="Lockers of which the user who loads is a member or consumer.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        count("count_of_credentials", "How many credentials are in it."),
        as_json("locker_permission", "What the user who loads is to it."),
        *MADE,
        count("version", "Raised by each change."),
    ),
    key=("id",),
    children=(child("members", LOCKER_MEMBERS, parent=("locker_id",)),),
)
