"""What of access people and programs can name."""

from typing import Final

from controlroom.engine.access.errors import ApiKeyNotFound, CredentialNotFound, UserNotFound
from controlroom.engine.access.users.model import UserCredentialId
from controlroom.engine.nouns import InOrganization, InWorkspace, Noun
from controlroom.ids import ApiKeyId, UserId

USER: Final = Noun[UserId](
    "user",
    lambda _: UserNotFound(),
    "app_user",
    InOrganization("app_user.organization_id"),
    name="app_user.username",
    folds=True,
)
API_KEY: Final = Noun[ApiKeyId](
    "API key", lambda _: ApiKeyNotFound(), "api_key", InWorkspace("api_key.workspace_id"), name="api_key.name"
)
USER_CREDENTIAL: Final = Noun[UserCredentialId](
    "user credential",
    lambda _: CredentialNotFound(),
    "user_credential",
    InOrganization("app_user.organization_id"),
    joined="join app_user on app_user.id = user_credential.user_id",
)
