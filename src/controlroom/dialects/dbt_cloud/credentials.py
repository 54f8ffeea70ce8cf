"""Credentials (§3.9): as whom a project uses connections. A password goes in and never comes out."""

from typing import Any, Final

from msgspec import UNSET, UnsetType

from controlroom.border.columns import As
from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.connections import ADAPTERS, STATES, TYPES
from controlroom.dialects.dbt_cloud.errors import FieldsWrong, NotSupported
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.routing import BOTH, V2, V3, delete, get, patch, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import within
from controlroom.engine.connections import logins
from controlroom.engine.connections.listings import LOGINS
from controlroom.engine.connections.logins import LOGIN
from controlroom.engine.connections.model import ConnectionKind, Login, LoginChange, LoginDefinition

_CREDENTIALS = Columns(
    LOGINS,
    {
        "id": "number",
        "type": As("kind", read=lambda value: "duckdb" if value == "adapter" else value),
        "created_at": "created_at",
        "updated_at": "updated_at",
        "state": STATES,
    },
)
_OTHERS: Final = "there are credentials for postgres and duckdb here, not for {}"


class CredentialsShown(Shape, frozen=True, kw_only=True):
    """Credentials."""

    id: int
    account_id: int
    project_id: int
    type: str
    adapter_version: str
    state: int
    threads: int
    username: str
    default_schema: str
    schema: str
    target_name: str
    has_password: bool
    created_at: str
    updated_at: str


class CredentialsBody(Shape, frozen=True, kw_only=True):
    """What credentials shall be; those of adapters may stand in `credential_details.fields`, as `{name: {value}}`."""

    type: str | None = None
    adapter_version: str | None = None
    username: Text | UnsetType | None = UNSET
    user: Text | UnsetType | None = UNSET
    password: str | UnsetType | None = UNSET
    default_schema: Text | UnsetType | None = UNSET
    schema: Text | UnsetType | None = UNSET
    threads: int | UnsetType | None = UNSET
    target_name: Text | UnsetType | None = UNSET
    credential_details: dict[str, Any] | None = None
    state: int = ACTIVE


@get("/accounts/{account}/credentials", versions=V2, needs=Permission.READ_TARGETS, rows=_CREDENTIALS)
async def list_account_credentials(request: Asking) -> Listed[CredentialsShown]:
    """The credentials of all projects."""
    return await listed(request, Login, lambda login: show(request.account, login))


@get(
    "/accounts/{account}/projects/{project}/credentials",
    versions=BOTH,
    needs=Permission.READ_TARGETS,
    rows=_CREDENTIALS,
)
async def list_credentials(request: Asking, project: Id) -> Listed[CredentialsShown]:
    """The credentials of a project."""
    seen = await of_project(request, project)
    return await listed(request, Login, lambda login: show(request.account, login), within=within(seen))


@post("/accounts/{account}/projects/{project}/credentials", versions=V3, needs=Permission.WRITE_TARGETS)
async def create_credentials(request: Asking, project: Id, data: Body[CredentialsBody]) -> CredentialsShown:
    """Make credentials."""
    seen = await of_project(request, project)
    said = _said(data)
    kind = _kind(data, said)
    login = LoginDefinition(
        kind=kind,
        username=said.get("username") or "",
        password=said.get("password") or None,
        schema_name=said.get("schema_name") or "",
        threads=said.get("threads") or None,
        target_name=said.get("target_name") or "",
    )
    return show(request.account, await logins.create(*request.governing, seen.workspace, login))


@get("/accounts/{account}/projects/{project}/credentials/{credentials}", versions=BOTH, needs=Permission.READ_TARGETS)
async def get_credentials(request: Asking, project: Id, credentials: Id) -> CredentialsShown:
    """Credentials."""
    located = await find(request, LOGIN, credentials, await of_project(request, project))
    return show(request.account, await logins.get(request.db, located.scope, located.id))


async def _change(request: Asking, project: str, credentials: str, data: CredentialsBody) -> CredentialsShown:
    located = await find(request, LOGIN, credentials, await of_project(request, project))
    workspace = located.scope.workspace
    if data.state == DELETED:
        return show(request.account, await logins.delete(*request.governing, workspace, located.id))
    said = {field: value for field, value in _said(data).items() if value is not None or field == "threads"}
    return show(request.account, await logins.edit(*request.governing, workspace, located.id, LoginChange(**said)))


@post("/accounts/{account}/projects/{project}/credentials/{credentials}", versions=V3, needs=Permission.WRITE_TARGETS)
async def replace_credentials(
    request: Asking, project: Id, credentials: Id, data: Body[CredentialsBody]
) -> CredentialsShown:
    """Change credentials: what is left out stays, the password for one."""
    return await _change(request, project, credentials, data)


@patch("/accounts/{account}/projects/{project}/credentials/{credentials}", versions=V3, needs=Permission.WRITE_TARGETS)
async def change_credentials(
    request: Asking, project: Id, credentials: Id, data: Body[CredentialsBody]
) -> CredentialsShown:
    """Likewise."""
    return await _change(request, project, credentials, data)


@delete("/accounts/{account}/projects/{project}/credentials/{credentials}", versions=V3, needs=Permission.WRITE_TARGETS)
async def delete_credentials(request: Asking, project: Id, credentials: Id) -> CredentialsShown:
    """Delete credentials that nothing uses."""
    located = await find(request, LOGIN, credentials, await of_project(request, project))
    return show(request.account, await logins.delete(*request.governing, located.scope.workspace, located.id))


def _said(data: CredentialsBody) -> dict[str, Any]:
    """What a body says, by the engine's names."""
    found: dict[str, Any] = {}
    for theirs, known in _FIELDS.items():
        value, ours = getattr(data, theirs), known
        if value is not UNSET and ours not in found:
            found[ours] = value
    fields = (data.credential_details or {}).get("fields")
    if isinstance(fields, dict):
        for theirs, told in fields.items():
            value, ours = told.get("value") if isinstance(told, dict) else told, _FIELDS.get(theirs, "")
            if not ours or ours in found or value is None:
                continue
            if not isinstance(value, int if ours == "threads" else str):
                raise FieldsWrong(
                    {f"credential_details.fields.{theirs}": "a number" if ours == "threads" else "a text"}
                )
            found[ours] = value
    return found


_FIELDS: Final = {
    "username": "username",
    "user": "username",
    "password": "password",
    "default_schema": "schema_name",
    "schema": "schema_name",
    "threads": "threads",
    "target_name": "target_name",
}


def _kind(data: CredentialsBody, said: dict[str, Any]) -> ConnectionKind:
    """For what the credentials are. Without a word: for PostgreSQL where there is a user, else for DuckDB."""
    word = (data.adapter_version or "").removesuffix("_v0") or data.type or ""
    if word == "":
        return ConnectionKind.POSTGRES if said.get("username") else ConnectionKind.DUCKDB
    try:
        return ConnectionKind.DUCKDB if word == "adapter" else ConnectionKind(word)
    except ValueError:
        raise NotSupported(_OTHERS.format(word)) from None


def show(account: int, login: Login) -> CredentialsShown:
    """Credentials as they are told."""
    return CredentialsShown(
        id=login.number,
        account_id=account,
        project_id=login.workspace_number,
        type=TYPES[login.kind],
        adapter_version=ADAPTERS[login.kind],
        state=ACTIVE if login.deleted_at is None else DELETED,
        threads=login.threads or 0,
        username=login.username,
        default_schema=login.schema_name,
        schema=login.schema_name,
        target_name=login.target_name,
        has_password=login.has_password,
        created_at=with_t(login.created_at),
        updated_at=with_t(login.updated_at),
    )
