"""Repositories (§3.1, §3.9): the packages of projects. One without an address of git is `managed`: it is pushed."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.border.columns import As, Words
from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape, Text, shown_as
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, ensure_stays, find, of_project
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.routing import BOTH, V3, delete, get, patch, post, put
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import Of, within
from controlroom.engine.lists.model import EVERYTHING, equal
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.projects import repositories
from controlroom.engine.projects.repositories import REPOSITORIES, Repository, RepositoryChange
from controlroom.engine.vault.store import SECRET
from controlroom.ids import SecretId

_ALL: Final = "/accounts/{account}/repositories"
_ONE: Final = f"{_ALL}/{{repository}}"
_OF_PROJECT: Final = "/accounts/{account}/projects/{project}/repositories"
_MANAGED_OF_PROJECT: Final = "/accounts/{account}/projects/{project}/managed-repositories"
_ONE_OF_PROJECT: Final = f"{_OF_PROJECT}/{{repository}}"
_THERE: Final = equal(is_there=True)
_GONE: Final = equal(is_there=False)
_COLUMNS: Final = Columns(
    REPOSITORIES,
    {
        "id": "number",
        "name": "name",
        "remote_url": As("url", read=lambda url: address(url)),  # noqa: PLW0108 - it stands below
        "created_at": "created_at",
        "state": Words({"1": _THERE, "active": _THERE, "2": _GONE, "deleted": _GONE, "all": EVERYTHING}),
    },
)
_HOSTS: Final = {"github.com": "github", "gitlab.com": "gitlab", "dev.azure.com": "ado"}
_MANAGED: Final = "managed"


class RepositoryShown(Shape, frozen=True, kw_only=True):
    """A repository, as version 2 tells it."""

    id: int
    account_id: int
    project_id: int
    full_name: str
    remote_url: str | None
    remote_backend: str
    git_clone_strategy: str
    deploy_key_id: int | None = None
    deploy_key: dict[str, Any] | None = None
    repository_credentials_id: int | None
    """The secret of the vault by which the room proves itself; we have no others."""
    github_installation_id: int | None = None
    github_webhook_id: int | None = None
    gitlab_project_id: int | None = None
    pull_request_url_template: str | None
    state: int = ACTIVE
    created_at: str
    updated_at: str


class LaterRepositoryShown(RepositoryShown, frozen=True, kw_only=True):
    """Likewise, of version 3."""

    name: str
    github_repo: str | None
    web_url: str | None
    git_provider: dict[str, Any] | None = None
    is_private_link_enabled: bool = False


class AskedRepository(Shape, frozen=True, kw_only=True):
    """A new repository, or what of one shall be otherwise."""

    project_id: int | None = None
    remote_url: str | UnsetType | None = UNSET
    full_name: Text = ""
    name: Text = ""
    remote_backend: str = ""
    repository_credentials_id: int | UnsetType | None = UNSET
    state: int = ACTIVE


@get(_ALL, versions=BOTH, needs=Permission.READ_PACKAGES, rows=_COLUMNS)
async def list_repositories(request: Asking) -> Listed[RepositoryShown]:
    """The repositories of the projects that the token sees."""
    return await listed(request, Repository, shown_to(request))


@get(_OF_PROJECT, versions=BOTH, needs=Permission.READ_PACKAGES, rows=_COLUMNS)
async def list_project_repositories(request: Asking, project: Id) -> Listed[RepositoryShown]:
    """The repositories of a project."""
    return await listed(request, Repository, shown_to(request), within=within(await of_project(request, project)))


@get(_ONE, versions=BOTH, needs=Permission.READ_PACKAGES)
async def get_repository(request: Asking, repository: Id) -> RepositoryShown:
    """A repository."""
    return await _one(request, repository)


@get(_ONE_OF_PROJECT, versions=BOTH, needs=Permission.READ_PACKAGES)
async def get_project_repository(request: Asking, project: Id, repository: Id) -> RepositoryShown:
    """Likewise, by its project."""
    return await _one(request, repository, await of_project(request, project))


@post(_ALL, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def create_repository(request: Asking, data: Body[AskedRepository]) -> RepositoryShown:
    """A new repository of the project that the body names."""
    if data.project_id is None:
        raise FieldsWrong({"project_id": "the id of the project whose repository it shall be"})
    return await _create(request, await of_project(request, data.project_id), data)


@post(_OF_PROJECT, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def create_project_repository(request: Asking, project: Id, data: Body[AskedRepository]) -> RepositoryShown:
    """A new repository of a project, which takes it for its own if it has none."""
    return await _create(request, await of_project(request, project), data)


@post(_MANAGED_OF_PROJECT, versions=V3, needs=Permission.WRITE_PACKAGES)
async def create_managed_repository(request: Asking, project: Id, data: Body[AskedRepository]) -> RepositoryShown:
    """A new repository of a project that is pushed, not fetched."""
    return await _create(request, await of_project(request, project), replace(data, remote_backend=_MANAGED))


@post(_ONE, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def update_repository(request: Asking, repository: Id, data: Body[AskedRepository]) -> RepositoryShown:
    """Change where a repository is, or by which secret it is fetched."""
    return await _change(request, repository, data, None)


@post(_ONE_OF_PROJECT, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def update_project_repository(
    request: Asking, project: Id, repository: Id, data: Body[AskedRepository]
) -> RepositoryShown:
    """Likewise, by its project."""
    return await _change(request, repository, data, await of_project(request, project))


@patch(_ONE_OF_PROJECT, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def patch_project_repository(
    request: Asking, project: Id, repository: Id, data: Body[AskedRepository]
) -> RepositoryShown:
    """Likewise, by PATCH."""
    return await _change(request, repository, data, await of_project(request, project))


@put(_ONE_OF_PROJECT, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def put_project_repository(
    request: Asking, project: Id, repository: Id, data: Body[AskedRepository]
) -> RepositoryShown:
    """Likewise, by PUT."""
    return await _change(request, repository, data, await of_project(request, project))


@delete(_ONE, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def delete_repository(request: Asking, repository: Id) -> RepositoryShown:
    """Delete a repository that no job uses."""
    return await _delete(request, repository, None)


@delete(_ONE_OF_PROJECT, versions=BOTH, needs=Permission.WRITE_PACKAGES)
async def delete_project_repository(request: Asking, project: Id, repository: Id) -> RepositoryShown:
    """Likewise, by its project."""
    return await _delete(request, repository, await of_project(request, project))


async def _one(request: Asking, number: str, seen: Of | None = None) -> RepositoryShown:
    located = await find(request, PACKAGE, number, seen)
    return shown_to(request)(await repositories.get(request.db, located.scope, located.id))


async def _create(request: Asking, seen: Of, data: AskedRepository) -> RepositoryShown:
    is_managed = data.remote_backend == _MANAGED
    if not is_managed and not data.remote_url:
        raise FieldsWrong({"remote_url": "where the repository is: https://… or ssh://…; none of a managed one"})
    url = None if is_managed or not isinstance(data.remote_url, str) else address(data.remote_url)
    name = data.full_name or data.name or (full_name(url) if url else "")
    secret = await _secret(request, seen, data)
    made = await repositories.create(
        request.engine,
        request.actor,
        seen.workspace,
        name or "repository",
        url,
        None if secret is UNSET else secret,
    )
    return shown_to(request)(made)


async def _change(request: Asking, number: str, data: AskedRepository, seen: Of | None) -> RepositoryShown:
    if data.state == DELETED:
        return await _delete(request, number, seen)
    located = await find(request, PACKAGE, number, seen)
    if data.project_id:
        await ensure_stays(request, located.scope, data.project_id)
    url = address(data.remote_url) if isinstance(data.remote_url, str) and data.remote_url else UNSET
    change = RepositoryChange(url=url, secret_id=await _secret(request, located.scope, data))
    changed = await repositories.change(request.engine, request.actor, located.scope.workspace, located.id, change)
    return shown_to(request)(changed)


async def _delete(request: Asking, number: str, seen: Of | None) -> RepositoryShown:
    located = await find(request, PACKAGE, number, seen)
    gone = await repositories.delete(request.engine, request.actor, located.scope.workspace, located.id)
    return replace(shown_to(request)(gone), state=DELETED)


def shown_to(request: Asking) -> Callable[[Repository], RepositoryShown]:
    """How repositories are told to who asks: version 3 tells more."""
    return _show_later if request.version == 3 else show  # noqa: PLR2004 - a version


async def _secret(request: Asking, seen: Any, data: AskedRepository) -> SecretId | UnsetType | None:
    number = data.repository_credentials_id
    if number is UNSET or number is None:
        return number
    return (await find(request, SECRET, number, seen)).id


# ---------------------------------------------------------------------------------------------------- addresses
def address(url: str) -> str:
    """An address of git in the form that the engine takes: `git@host:path` is one of ssh, `git://` is https."""
    url = url.strip()
    if "://" not in url:
        who, at, rest = url.partition("@")
        host, colon, path = rest.partition(":")
        return f"ssh://{who}@{host}/{path.lstrip('/')}" if at and colon else url
    scheme, _, rest = url.partition("://")
    return f"https://{rest}" if scheme == "git" else url


def full_name(url: str) -> str:
    """`organization/name`."""
    return urlsplit(url).path.strip("/").removesuffix(".git") or (urlsplit(url).hostname or "")


def web_url(url: str) -> str:
    """The page of a repository."""
    return f"https://{urlsplit(url).hostname}/{full_name(url)}"


def _backend(row: Repository) -> str:
    if row.url is None:
        return _MANAGED
    return _HOSTS.get(urlsplit(row.url).hostname or "", "manual_config")


def _strategy(row: Repository) -> str:
    is_token = row.url is not None and row.url.startswith("https") and row.secret_number is not None
    return "git_token" if is_token else "deploy_key"


def _template(row: Repository) -> str | None:
    if row.url is None or _backend(row) != "github":
        return None
    return f"{web_url(row.url)}/compare/{{{{destination}}}}..{{{{source}}}}"


_MADE: Final[dict[str, Any]] = {
    "account_id": "organization_number",
    "project_id": "workspace_number",
    "full_name": lambda row: row.name if row.url is None else full_name(row.url),
    "remote_url": "url",
    "remote_backend": _backend,
    "git_clone_strategy": _strategy,
    "repository_credentials_id": "secret_number",
    "pull_request_url_template": _template,
    "state": lambda row: ACTIVE if row.deleted_at is None else DELETED,
    "updated_at": lambda row: with_t(row.deleted_at or row.fetched_at or row.created_at),
}
show = shown_as(RepositoryShown, Repository, **_MADE)
_show_later = shown_as(
    LaterRepositoryShown,
    Repository,
    github_repo=lambda row: full_name(row.url) if row.url is not None and _backend(row) == "github" else None,
    web_url=lambda row: None if row.url is None else web_url(row.url),
    **_MADE,
)
