"""Projects (§3.1, §3.5): workspaces with a project's settings. A workspace without them is no project, and unknown."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.border.columns import Words
from controlroom.dialects.dbt_cloud import environments
from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape, shown_as
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.connections import ProjectConnectionShown, show_older
from controlroom.dialects.dbt_cloud.environments import EnvironmentShown
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, project_numbered
from controlroom.dialects.dbt_cloud.job_answers import JobShown, shown
from controlroom.dialects.dbt_cloud.lists import Columns, page
from controlroom.dialects.dbt_cloud.references import all_named
from controlroom.dialects.dbt_cloud.repositories import RepositoryShown, show
from controlroom.dialects.dbt_cloud.routing import BOTH, delete, get, patch, post, put
from controlroom.engine.access.scope import Of, Scope, within, within_ever
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.model import Connection
from controlroom.engine.connections.seeing import reading, sees_all
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import EVERYTHING, Asked, Compare, OneOf, Operator, equal
from controlroom.engine.nouns import Noun
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.projects import actions, repositories
from controlroom.engine.projects.listings import PROJECTS
from controlroom.engine.projects.model import Project, ProjectChange, ProjectState
from controlroom.engine.schedules import store as schedules
from controlroom.engine.targets.dissolving import dissolve
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.ids import ProcessId

_ALL: Final = "/accounts/{account}/projects"
_ONE: Final = f"{_ALL}/{{project}}"
_ACTIVE: Final = Compare("state", Operator.EQ, ProjectState.ACTIVE.value)
_DELETED: Final = Compare("state", Operator.EQ, ProjectState.DELETED.value)
_WITH_GONE: Final = frozenset({"2", "deleted", "all"})
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
    connection: ProjectConnectionShown | None = None
    repository: RepositoryShown | None = None
    environments: tuple[EnvironmentShown, ...] = ()
    group_permissions: tuple[Any, ...] = ()
    docs_job: JobShown | None = None
    freshness_job: JobShown | None = None
    fusion_readiness: dict[str, Any] | None = None
    skipped_setup: bool = False


class AskedProject(Shape, frozen=True, kw_only=True):
    """A new project, or what of one shall be otherwise: what is left out stays, and null takes away."""

    name: Name | UnsetType = UNSET
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
    asks_for_gone = {each.casefold() for each in request.query_params.getall("state", [])} & _WITH_GONE
    ever = within_ever(request.actor, Permission.READ_PROCESSES, request.seen) if asks_for_gone else None
    found = await page(request, Project, within=ever)
    return found.shown(await told(request, found.rows))


@get(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES)
async def get_project(request: Asking, project: Id) -> ProjectShown:
    """A project."""
    [found] = await told(request, [await project_numbered(request, project)])
    return found


@post(_ALL, versions=BOTH, asks=Permission.WRITE_WORKSPACES)
async def create_project(request: Asking, data: Body[AskedProject]) -> ProjectShown:
    """A new project, and its workspace."""
    if not isinstance(data.name, str) or not data.name.strip():
        raise FieldsWrong({"name": "what it is to be called"})
    change = await _change_of(request, data, Of(request.actor.organization_id, ()))
    settings = replace(change, name=UNSET)
    made = await actions.create(request.engine, request.actor, data.name.strip(), settings)
    [found] = await told(request, [made])
    return found


@post(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES, asks=Permission.WRITE_WORKSPACE)
async def update_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Change a project; with `state: 2`, delete it."""
    return await _change(request, project, data)


@patch(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES, asks=Permission.WRITE_WORKSPACE)
async def patch_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Likewise, by PATCH."""
    return await _change(request, project, data)


@put(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES, asks=Permission.WRITE_WORKSPACE)
async def put_project(request: Asking, project: Id, data: Body[AskedProject]) -> ProjectShown:
    """Likewise, by PUT."""
    return await _change(request, project, data)


@delete(_ONE, versions=BOTH, needs=Permission.READ_PROCESSES, asks=Permission.WRITE_WORKSPACE)
async def delete_project(request: Asking, project: Id) -> ProjectShown:
    """Delete a project that has no jobs any more, with all that was only for it."""
    gone = await project_numbered(request, project)
    [answer] = await told(request, [await dissolve(request.engine, request.actor, gone.id)])
    return answer


async def _change(request: Asking, number: str, data: AskedProject) -> ProjectShown:
    if data.state == DELETED:
        return await delete_project.fn(request, number)  # type: ignore[no-any-return]  # the function itself
    found = await project_numbered(request, number)
    change = await _change_of(request, data, Of(found.organization_id, (found.id,)))
    changed = await actions.change(request.engine, request.actor, found.id, change)
    [answer] = await told(request, [changed])
    return answer


async def _change_of(request: Asking, data: AskedProject, seen: Scope) -> ProjectChange:
    """What is to be otherwise; null takes away. Raises FieldsWrong for what there is not."""
    said = {field: (noun, number) for field, noun in _NAMED.items() if (number := getattr(data, field)) is not UNSET}
    found = dict(zip(said, await all_named(request, seen, said), strict=True))
    return ProjectChange(
        name=data.name,
        description="" if data.description is None else data.description,
        subdirectory="" if data.dbt_project_subdirectory is None else data.dbt_project_subdirectory,
        package_id=found.get("repository_id", UNSET),
        connection_id=found.get("connection_id", UNSET),
        docs_process_id=found.get("docs_job_id", UNSET),
        freshness_process_id=found.get("freshness_job_id", UNSET),
    )


_NAMED: Final[dict[str, Noun[Any]]] = {
    "repository_id": PACKAGE,
    "connection_id": CONNECTION,
    "docs_job_id": PROCESS,
    "freshness_job_id": PROCESS,
}


# ---------------------------------------------------------------------------------------------------- what is told
async def told(request: Asking, rows: Sequence[Project]) -> list[ProjectShown]:
    """Projects with what they name: a few statements for however many."""
    if not rows:
        return []
    seen = Of(request.actor.organization_id, tuple(row.id for row in rows))
    packages = [row.package_id for row in rows if row.package_id is not None]
    held = {each.id: each for each in await repositories.of_packages(request.db, seen, packages)}
    used = [row.connection_id for row in rows if row.connection_id is not None]
    led = {each.id: each for each in await connections.of_ids(request.db, seen.organization, used)}
    asked = request.related
    targets = await _environments(request, seen) if "environments" in asked else {}
    docs = await _jobs(request, seen, [row.docs_process_id for row in rows]) if asked & _DOCS else {}
    fresh = await _jobs(request, seen, [row.freshness_process_id for row in rows]) if asked & _FRESHNESS else {}
    return [
        replace(
            _show(row),
            connection=_connection(request, led.get(row.connection_id), row) if row.connection_id else None,
            repository=show(held[row.package_id]) if row.package_id in held else None,
            environments=tuple(targets.get(row.number, ())),
            docs_job=docs.get(row.docs_process_id) if row.docs_process_id else None,
            freshness_job=fresh.get(row.freshness_process_id) if row.freshness_process_id else None,
        )
        for row in rows
    ]


_DOCS: Final = frozenset({"docs_job", "docs_job_id"})
_FRESHNESS: Final = frozenset({"freshness_job", "freshness_job_id"})
_MOST_TARGETS: Final = 1_000
"""Environments that are told beside a page of projects."""


def _connection(request: Asking, row: Connection | None, project: Project) -> ProjectConnectionShown | None:
    """A connection, to who may see what the project works on."""
    may_see = sees_all(request.actor) or project.id in reading(request.actor)
    return show_older(request, row, str(project.number)) if row is not None and may_see else None


async def _environments(request: Asking, seen: Of) -> dict[int, list[EnvironmentShown]]:
    """By the number of the project; of those in which the caller may read targets."""
    may_read = set(reading(request.actor))
    readable = Of(seen.organization, tuple(each for each in seen.workspaces if each in may_read))
    asked = Asked(filter=equal(is_there=True), length=_MOST_TARGETS)
    rows = await pages.rows(request.db, Target, TARGETS, within(readable), asked)
    found: dict[int, list[EnvironmentShown]] = {}
    for each in await environments.told(request, readable, rows):
        found.setdefault(each.project_id, []).append(each)
    return found


async def _jobs(request: Asking, seen: Of, ids: Sequence[ProcessId | None]) -> dict[ProcessId, JobShown]:
    """Jobs that projects name, by id."""
    wanted = tuple(each for each in ids if each is not None)
    if not wanted:
        return {}
    asked = Asked(filter=OneOf("id", wanted), length=len(wanted))
    rows = await pages.rows(request.db, ListedJob, JOBS, within(seen), asked)
    now = await schedules.now(request.db)
    return {row.id: shown(row, account=request.account, now=now) for row in rows}


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
