"""What of access people and programs can name."""

from typing import Final

from controlroom.engine.access.errors import (
    ApiKeyNotFound,
    CredentialNotFound,
    GrantNotFound,
    GroupNotFound,
    PersonalTokenNotFound,
    RoleNotFound,
    ServiceTokenNotFound,
    UserKeyNotFound,
    UserNotFound,
)
from controlroom.engine.nouns import InOrganization, InWorkspace, Noun
from controlroom.ids import (
    ApiKeyId,
    GrantId,
    PersonalTokenId,
    RoleId,
    ServiceTokenId,
    UserCredentialId,
    UserGroupId,
    UserId,
    UserKeyId,
)

USER: Final = Noun[UserId](
    "user",
    lambda _: UserNotFound(),
    "app_user",
    InOrganization("app_user.organization_id"),
    there="app_user.deleted_at is null",
    name="app_user.username",
    folds=True,
)
USER_GROUP: Final = Noun[UserGroupId](
    "user group",
    lambda _: GroupNotFound(),
    "user_group",
    InOrganization("user_group.organization_id"),
    name="user_group.name",
    folds=True,
)
ROLE: Final = Noun[RoleId](
    "role",
    lambda _: RoleNotFound(),
    "role",
    InOrganization("coalesce(role.organization_id, %(organization)s)"),  # one of the system is everybody's
    name="role.name",
    folds=True,
)
GRANT: Final = Noun[GrantId](
    "grant", lambda _: GrantNotFound(), "access_grant", InOrganization("access_grant.organization_id")
)
API_KEY: Final = Noun[ApiKeyId](
    "API key",
    lambda _: ApiKeyNotFound(),
    "credential",
    InWorkspace("credential.workspace_id"),
    there="credential.kind = 'workspace_key'",
    name="credential.name",
)
USER_KEY: Final = Noun[UserKeyId](
    "user key",
    lambda _: UserKeyNotFound(),
    "credential",
    InOrganization("credential.organization_id"),
    there="credential.kind = 'user_key'",
)
USER_CREDENTIAL: Final = Noun[UserCredentialId](
    "user credential",
    lambda _: CredentialNotFound(),
    "credential",
    InOrganization("credential.organization_id"),
    there="credential.kind = 'user_credential'",
)
SERVICE_TOKEN: Final = Noun[ServiceTokenId](
    "service token",
    lambda _: ServiceTokenNotFound(),
    "credential",
    InOrganization("credential.organization_id"),
    there="credential.kind = 'service_token'",
    name="credential.name",
)
PERSONAL_TOKEN: Final = Noun[PersonalTokenId](
    "personal token",
    lambda _: PersonalTokenNotFound(),
    "credential",
    InOrganization("credential.organization_id"),
    there="credential.kind = 'personal_token'",
)
