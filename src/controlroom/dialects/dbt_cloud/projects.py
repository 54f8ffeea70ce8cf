"""Projects (§3.1, §3.5): workspaces with a project's settings. A workspace without them is no project, and unknown."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape, shown_as
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import Columns, Words, page
from controlroom.dialects.dbt_cloud.repositories import RepositoryShown, show
from controlroom.dialects.dbt_cloud.routing import BOTH, delete, get, patch, post, put
from controlroom.engine.access.scope import Of, Scope
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.model import Connection, ConnectionKind
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.lists.model import EVERYTHING, Compare, Operator
from controlroom.engine.nouns import Noun
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.projects import actions, repositories, store
from controlroom.engine.projects.errors import ProjectNotFound
from controlroom.engine.projects.listings import PROJECTS
from controlroom.engine.projects.model import Project, ProjectChange, ProjectState

T = TypeVar("T")

_ALL: Final = "/accounts/{account}/projects"
_ONE: Final = f"{_ALL}/{{project}}"
_ACTIVE: Final = Compare("state", Operator.EQ, ProjectState.ACTIVE.value)
_DELETED: Final = Compare("state", Operator.EQ, ProjectState.DELETED.value)
_COLUMNS: Final = Columns(
    PROJECTS,
    {
        "id": "number",
        "name": "name",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "state": Words({"1": _ACTIVE, "active": _ACTIVE, "2": _DELETED, "deleted": _DELETED, "all": EVERYTHING}),
    },
)


class ProjectShown(Shape, frozen=True, kw_only=True):
    """A project. Its connection and repository are told in any case: programs index them without asking."""

    id: int
    account_id: int
    name: str
    description: str
    state: int
    type: int = 0
    connection_id: int | None
    repository_id: int | None
    semantic_layer_config_id: int | None = None
    dbt_project_subdirectory: str | None
    docs_job_id: int | None
    freshness_job_id: int | None
    created_at: str
    updated_at: str
    connection: dict[str, Any] | None = None
    repository: RepositoryShown | None = None
    environments: tuple[Any, ...] = ()
    group_permissions: tuple[Any, ...] = ()
    docs_job: dict[str, Any] | None = None
    freshness_job: dict[str, Any] | None = None
    fusion_readiness: dict[str, Any] | None = None
    skipped_setup: bool = False


class AskedProject(Shape, frozen=True, kw_only=True):
    """A new project, or what of one shall be otherwise: what is left out stays, and null takes away."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    dbt_project_subdirectory: str | UnsetType | None = UNSET
    connection_id: int | UnsetType | None = UNSET
    repository_id: int | UnsetType | None = UNSET
    docs_job_id: int | UnsetType | None = UNSET
    freshness_job_id: int | UnsetType | None = UNSET
    state: int = ACTIVE


@get(_ALL, versions=BOTH, needs=Permission.READ_PROCESSES, rows=_COLUMNS)
async def list_projects(request: Asking) -> Listed[ProjectShown]:
    """The projects that the token sees."""
    found = await page(request, Project)
    return found.shown(await told(request, found.rows))


@get(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def get_project(request: Asking, project: Id) -> ProjectShown:
    """A project."""
    [shown] = await told(request, [await _find(request, project)])
    return shown


@post(_ALL, versions=BOTH)
async def create_project(request: Asking, data: Body[AskedProject]) -> ProjectShown:
    """A new project, and its workspace."""
    if not isinstance(data.name, str) or not data.name.strip():
        raise FieldsWrong({"name": "what it is to be called"})
    change = await _change_of(request, data, Of(request.actor.organization_id, ()))
    settings = replace(change, name=UNSET)
    made = await actions.create(request.engine, request.actor, data.name.strip(), settings)
    [shown] = await told(request, [made])
    return shown


@post(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def update_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Change a project; with `state: 2`, delete it."""
    return await _change(request, project, data)


@patch(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def patch_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Likewise, by PATCH."""
    return await _change(request, project, data)


@put(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def put_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Likewise, by PUT."""
    return await _change(request, project, data)


@delete(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def delete_project(request: Asking, project: Id) -> ProjectShown:
    """Delete a project that has no jobs any more; what else is in its workspace stays."""
    found = await _find(request, project)
    [shown] = await told(request, [await actions.delete(request.engine, request.actor, found.id)])
    return shown


async def _change(request: Asking, number: str, data: AskedProject) -> ProjectShown:
    if data.state == DELETED:
        return await delete_project.fn(request, number)  # type: ignore[no-any-return]  # the function itself
    found = await _find(request, number)
    change = await _change_of(request, data, Of(found.organization_id, (found.id,)))
    changed = await actions.change(request.engine, request.actor, found.id, change)
    [shown] = await told(request, [changed])
    return shown


async def _find(request: Asking, number: str) -> Project:
    is_number = number.isascii() and number.isdigit() and len(number) < 19  # noqa: PLR2004 - digits of 63 bits
    found = await store.numbered(request.db, request.seen, int(number)) if is_number else None
    if found is None or found.state is ProjectState.DELETED:
        raise ProjectNotFound(number)
    return found


async def _change_of(request: Asking, data: AskedProject, seen: Scope) -> ProjectChange:
    package = await _named(request, PACKAGE, data.repository_id, seen)
    connection = await _named(request, CONNECTION, data.connection_id, seen)
    docs = await _named(request, PROCESS, data.docs_job_id, seen)
    freshness = await _named(request, PROCESS, data.freshness_job_id, seen)
    return ProjectChange(
        name=data.name,
        description="" if data.description is None else data.description,
        subdirectory="" if data.dbt_project_subdirectory is None else data.dbt_project_subdirectory,
        package_id=package,
        connection_id=connection,
        docs_process_id=docs,
        freshness_process_id=freshness,
    )


async def _named(request: Asking, noun: Noun[T], number: int | UnsetType | None, seen: Scope) -> T | UnsetType | None:
    """What a number of the body names, if it names anything. Raises the noun's NotFound."""
    if number is None or number is UNSET:
        return number
    located = await find(request, noun, number, seen)
    return located.id


# ---------------------------------------------------------------------------------------------------- what is told
async def told(request: Asking, rows: Sequence[Project]) -> list[ProjectShown]:
    """Projects with what they name: two statements for however many."""
    if not rows:
        return []
    seen = Of(request.actor.organization_id, tuple(row.id for row in rows))
    packages = [row.package_id for row in rows if row.package_id is not None]
    held = {each.id: each for each in await repositories.of_packages(request.db, seen, packages)}
    used = [row.connection_id for row in rows if row.connection_id is not None]
    led = {each.id: each for each in await connections.of_ids(request.db, seen.organization, used)}
    return [
        replace(
            _show(row),
            connection=_connection(led[row.connection_id], row) if row.connection_id in led else None,
            repository=show(held[row.package_id]) if row.package_id in held else None,
        )
        for row in rows
    ]


def _connection(row: Connection, project: Project) -> dict[str, Any]:
    """A connection as a project tells it."""
    is_postgres = row.kind is ConnectionKind.POSTGRES
    return {
        "id": row.number,
        "account_id": project.organization_number,
        "project_id": project.number,
        "name": row.name,
        "type": "postgres" if is_postgres else "adapter",
        "adapter_version": f"{row.kind.value}_v0",
        "state": ACTIVE,
    }


_show = shown_as(
    ProjectShown,
    Project,
    account_id="organization_number",
    state=lambda row: ACTIVE if row.state is ProjectState.ACTIVE else DELETED,
    connection_id="connection_number",
    repository_id="package_number",
    dbt_project_subdirectory=lambda row: row.subdirectory or None,
    docs_job_id="docs_process_number",
    freshness_job_id="freshness_process_number",
)
