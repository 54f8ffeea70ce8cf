"""Environments (§3.6): the engine's targets. Version 3 replaces one by what is sent; version 2 changes what is sent.

A minimal creation names nothing but its project: then it is called "Environment" and a number of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from controlroom.border.columns import As
from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.connections import STATES, ProjectConnectionShown
from controlroom.dialects.dbt_cloud.connections import show_older as show_connection
from controlroom.dialects.dbt_cloud.credentials import CredentialsShown
from controlroom.dialects.dbt_cloud.credentials import show as show_credentials
from controlroom.dialects.dbt_cloud.environment_variables import VariableShown
from controlroom.dialects.dbt_cloud.environment_variables import told as show_variable
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, ensure_stays, find, of_project
from controlroom.dialects.dbt_cloud.job_answers import JobShown
from controlroom.dialects.dbt_cloud.job_answers import shown as shown_job
from controlroom.dialects.dbt_cloud.lists import Columns, page
from controlroom.dialects.dbt_cloud.references import all_named
from controlroom.dialects.dbt_cloud.repositories import RepositoryShown
from controlroom.dialects.dbt_cloud.repositories import show as show_repository
from controlroom.dialects.dbt_cloud.routing import BOTH, V2, V3, delete, get, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import Of, Scope, within
from controlroom.engine.connections import logins
from controlroom.engine.connections.attributes import ATTRIBUTES
from controlroom.engine.connections.logins import LOGIN
from controlroom.engine.connections.model import Connection, Login
from controlroom.engine.connections.named_profiles import PROFILE
from controlroom.engine.connections.store import CONNECTION, of_ids
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, OneOf, Sort, equal
from controlroom.engine.nouns import Noun
from controlroom.engine.projects import repositories
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.model import Project
from controlroom.engine.schedules import store as schedules
from controlroom.engine.targets import actions, store
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Purpose, Target, TargetDefinition, TargetKind
from controlroom.engine.targets.store import TARGET
from controlroom.engine.variables.model import Variable
from controlroom.engine.variables.store import of_targets
from controlroom.ids import ConnectionId, LoginId, PackageId, TargetId, WorkspaceId, uuid7

DEFAULT_VERSION = "1.11.0-latest"
"""Told of an environment that says no other: what runs is dbt-core 1.11 in any case."""

_ENVIRONMENTS = Columns(
    TARGETS,
    {
        "id": "number",
        "name": "name",
        "type": As("kind", read=str.lower),
        "deployment_type": As("purpose", read=str.lower),
        "dbt_version": As("tool_version", sort="", unset=DEFAULT_VERSION),
        "credentials_id": "login_number",
        "connection_id": "connection_number",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "state": STATES,
    },
    order={"project_id": "workspace_number"},
)


class EnvironmentShown(Shape, frozen=True, kw_only=True):
    """An environment."""

    id: int
    account_id: int
    project_id: int
    name: str
    connection_id: int | None
    credentials_id: int | None
    extended_attributes_id: int | None
    primary_profile_id: int | None
    custom_branch: str | None
    use_custom_branch: bool
    dbt_version: str
    raw_dbt_version: str
    supports_docs: bool
    deployment_type: str | None
    type: str
    state: int
    created_at: str
    updated_at: str
    is_deferrable: bool = True
    enable_model_query_history: bool = False
    enable_dbt_state: bool = False
    fusion_readiness: None = None
    project: dict[str, Any] | None = None
    credentials: CredentialsShown | None = None
    custom_environment_variables: tuple[VariableShown, ...] = ()
    repository_id: int | UnsetType | None = UNSET
    """This and what follows: of version 2."""
    dbt_project_subdirectory: str | UnsetType | None = UNSET
    created_by_id: int | UnsetType | None = UNSET
    repository: RepositoryShown | UnsetType | None = UNSET
    connection: ProjectConnectionShown | UnsetType | None = UNSET
    jobs: list[JobShown] | UnsetType = UNSET


class EnvironmentBody(Shape, frozen=True, kw_only=True):
    """What an environment shall be."""

    name: Name | UnsetType | None = UNSET
    project_id: int | None = None
    type: TargetKind | UnsetType | None = UNSET
    deployment_type: str | UnsetType | None = UNSET
    connection_id: int | UnsetType | None = UNSET
    credentials_id: int | UnsetType | None = UNSET
    extended_attributes_id: int | UnsetType | None = UNSET
    primary_profile_id: int | UnsetType | None = UNSET
    custom_branch: Text | UnsetType | None = UNSET
    use_custom_branch: bool | UnsetType | None = UNSET
    dbt_version: Text | UnsetType | None = UNSET
    dbt_project_subdirectory: str | UnsetType | None = UNSET
    supports_docs: bool | UnsetType | None = UNSET
    enable_model_query_history: bool | UnsetType | None = UNSET
    enable_dbt_state: bool | UnsetType | None = UNSET
    state: int = ACTIVE


@get("/accounts/{account}/environments", versions=BOTH, needs=Permission.READ_TARGETS, rows=_ENVIRONMENTS)
async def list_environments(request: Asking) -> Listed[EnvironmentShown]:
    """The environments of all projects."""
    found = await page(request, Target)
    return found.shown(await told(request, request.seen, found.rows, is_whole=True))


@get(
    "/accounts/{account}/projects/{project}/environments",
    versions=BOTH,
    needs=Permission.READ_TARGETS,
    rows=_ENVIRONMENTS,
)
async def list_project_environments(request: Asking, project: Id) -> Listed[EnvironmentShown]:
    """The environments of a project."""
    seen = await of_project(request, project)
    found = await page(request, Target, within=within(seen))
    return found.shown(await told(request, seen, found.rows, is_whole=True))


@get("/accounts/{account}/environments/{environment}", versions=BOTH, needs=Permission.READ_TARGETS)
async def get_environment(request: Asking, environment: Id) -> EnvironmentShown:
    """An environment."""
    located = await find(request, TARGET, environment)
    return await _one(request, located.scope, await store.get(request.db, located.scope, located.id))


@get("/accounts/{account}/projects/{project}/environments/{environment}", versions=BOTH, needs=Permission.READ_TARGETS)
async def get_project_environment(request: Asking, project: Id, environment: Id) -> EnvironmentShown:
    """An environment of a project."""
    located = await find(request, TARGET, environment, await of_project(request, project))
    return await _one(request, located.scope, await store.get(request.db, located.scope, located.id))


@post("/accounts/{account}/environments", versions=BOTH, needs=Permission.WRITE_TARGETS)
async def create_environment(request: Asking, data: Body[EnvironmentBody]) -> EnvironmentShown:
    """Make an environment of the project that the body names."""
    if data.project_id is None:
        raise FieldsWrong({"project_id": "the project's id"})
    return await _create(request, await of_project(request, data.project_id), data)


@post("/accounts/{account}/projects/{project}/environments", versions=BOTH, needs=Permission.WRITE_TARGETS)
async def create_project_environment(
    request: Asking, project: Id, data: Body[EnvironmentBody | None] = None
) -> EnvironmentShown:
    """Make an environment of a project."""
    return await _create(request, await of_project(request, project), data or EnvironmentBody())


@post("/accounts/{account}/environments/{environment}", versions=V2, needs=Permission.WRITE_TARGETS)
async def change_environment(request: Asking, environment: Id, data: Body[EnvironmentBody]) -> EnvironmentShown:
    """Change an environment: what is left out stays."""
    located = await find(request, TARGET, environment)
    before = await store.get(request.db, located.scope, located.id)
    return await _write(request, located.scope, before, before.definition, data)


@post(
    "/accounts/{account}/environments/{environment}",
    "/accounts/{account}/projects/{project}/environments/{environment}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
)
async def replace_environment(request: Asking, environment: Id, data: Body[EnvironmentBody]) -> EnvironmentShown:
    """Let an environment be what is sent: what is left out is as of a new one; its name stays."""
    seen = None
    if (project := request.path_params.get("project")) is not None:
        seen = await of_project(request, str(project))
    located = await find(request, TARGET, environment, seen)
    before = await store.get(request.db, located.scope, located.id)
    return await _write(request, located.scope, before, TargetDefinition(name=before.name), data)


@delete("/accounts/{account}/environments/{environment}", versions=BOTH, needs=Permission.WRITE_TARGETS)
async def delete_environment(request: Asking, environment: Id) -> EnvironmentShown:
    """Delete an environment; runs that have used it go on to name it."""
    located = await find(request, TARGET, environment)
    return await _delete(request, located.scope, located.id)


@delete(
    "/accounts/{account}/projects/{project}/environments/{environment}", versions=BOTH, needs=Permission.WRITE_TARGETS
)
async def delete_project_environment(request: Asking, project: Id, environment: Id) -> EnvironmentShown:
    """Delete an environment of a project."""
    located = await find(request, TARGET, environment, await of_project(request, project))
    return await _delete(request, located.scope, located.id)


# ---------------------------------------------------------------------------------------------------- writing
async def _create(request: Asking, seen: Of, data: EnvironmentBody) -> EnvironmentShown:
    named = TargetDefinition(name=f"Environment {uuid7().hex[-6:]}")
    definition = await _definition(request, seen, named, data)
    made = await actions.create(request.engine, request.actor, seen.workspace, definition)
    return await _one(request, seen, made)


async def _write(
    request: Asking, seen: Scope, before: Target, definition: TargetDefinition, data: EnvironmentBody
) -> EnvironmentShown:
    if data.state == DELETED:
        return await _delete(request, seen, before.id)
    if data.project_id:
        await ensure_stays(request, seen, data.project_id)
    wanted = await _definition(request, seen, definition, data)
    after = await actions.replace(request.engine, request.actor, seen.workspace, before.id, wanted)
    return await _one(request, seen, after)


async def _delete(request: Asking, seen: Scope, target: TargetId) -> EnvironmentShown:
    return await _one(request, seen, await actions.delete(request.engine, request.actor, seen.workspace, target))


async def _definition(
    request: Asking, seen: Scope, before: TargetDefinition, data: EnvironmentBody
) -> TargetDefinition:
    """What a target was, with all that a body says."""
    nouns: dict[str, Noun[Any]] = {
        "connection_id": CONNECTION,
        "credentials_id": LOGIN,
        "primary_profile_id": PROFILE,
        "extended_attributes_id": ATTRIBUTES,
    }
    fields = {"credentials_id": "login_id", "primary_profile_id": "profile_id"}
    said = {field: getattr(data, field) for field in nouns if getattr(data, field) is not UNSET}
    found = await all_named(request, seen, {field: (nouns[field], number) for field, number in said.items()})
    changes: dict[str, Any] = {fields.get(field, field): id_ for field, id_ in zip(said, found, strict=True)}
    if data.name:
        changes["name"] = data.name
    if data.type is not UNSET:
        changes["kind"] = data.type or TargetKind.DEPLOYMENT
    if data.deployment_type is not UNSET:
        changes["purpose"] = _purpose(data.deployment_type)
    if data.use_custom_branch is not UNSET:
        changes["uses_branch"] = bool(data.use_custom_branch)
    for field, ours in {
        "custom_branch": "branch",
        "dbt_version": "tool_version",
        "dbt_project_subdirectory": "subdirectory",
    }.items():
        if (value := getattr(data, field)) is not UNSET:
            changes[ours] = value or None
    kept = {field: value for field in _KEPT if (value := getattr(data, field)) not in {UNSET, None}}
    return replace(before, **changes, kept={**before.kept, **kept})


_KEPT = ("supports_docs", "enable_model_query_history", "enable_dbt_state")
"""What is told as it was sent, and has no effect."""


def _purpose(text: str | None) -> Purpose | None:
    if not text:
        return None
    try:
        return Purpose(text.lower())
    except ValueError:
        raise FieldsWrong({"deployment_type": "production, staging or null"}) from None


# ---------------------------------------------------------------------------------------------------- telling
async def _one(request: Asking, seen: Scope, target: Target) -> EnvironmentShown:
    [shown] = await told(request, seen, [target], is_whole=True)
    return shown


async def told(
    request: Asking, seen: Scope, targets: Sequence[Target], *, is_whole: bool = False
) -> list[EnvironmentShown]:
    """Environments by the habits of the version, with what is asked for beside them: a few statements for all.

    Where they are what is asked for (`is_whole`), version 2 has their jobs, repository and connection in any case.
    """
    related = await _related(request, seen, targets, is_whole=is_whole and request.version == 2)  # noqa: PLR2004 - a version
    return [_show(request, target, related) for target in targets]


class _Related(Struct, frozen=True, kw_only=True):
    """What environments name, where it is asked for."""

    projects: dict[WorkspaceId, Project] = {}
    connections: dict[ConnectionId, Connection] = {}
    logins: dict[LoginId, Login] = {}
    variables: dict[TargetId, list[Variable]] = {}
    repositories: dict[PackageId, RepositoryShown] = {}
    jobs: dict[TargetId, list[JobShown]] = {}


async def _related(request: Asking, seen: Scope, targets: Sequence[Target], *, is_whole: bool) -> _Related:
    asked, db = request.related | ({"connection"} if is_whole else set()), request.db
    seen_here = Of(seen.organization, tuple({target.workspace_id for target in targets}))
    reads = {each for each in seen_here.workspaces if request.actor.may(Permission.READ_TARGETS, each)}
    shared = [each for each in targets if each.workspace_id in reads]  # of jobs and runs others may ask
    connections = [each.connection_id for each in shared if each.connection_id and "connection" in asked]
    used = [each.login_id for each in shared if each.login_id and "credentials" in asked]
    variables: dict[TargetId, list[Variable]] = {}
    if "custom_environment_variables" in asked:
        told = [each.id for each in targets if request.actor.may(Permission.READ_VARIABLES, each.workspace_id)]
        for variable in await of_targets(db, seen_here, told):
            if variable.target_id is not None:
                variables.setdefault(variable.target_id, []).append(variable)
    is_told = bool(targets) and (request.version == 2 or "project" in asked)  # noqa: PLR2004 - a version
    of = {each.id: each for each in await projects.of_workspaces(db, seen_here)} if is_told else {}
    return _Related(
        projects=of,
        repositories=await _repositories(request, of) if is_whole else {},
        jobs=await _jobs(request, seen_here, targets) if is_whole and targets else {},
        connections={
            each.id: each for each in (await of_ids(db, seen.organization, connections) if connections else [])
        },
        logins={each.id: each for each in (await logins.of_ids(db, seen_here, used) if used else [])},
        variables=variables,
    )


async def _repositories(request: Asking, of: Mapping[WorkspaceId, Project]) -> dict[PackageId, RepositoryShown]:
    """The repositories of projects, as far as the caller may see them."""
    readable = [each for each in of if request.actor.may(Permission.READ_PACKAGES, each)]
    ids = [package for each in readable if (package := of[each].package_id) is not None]
    found = await repositories.of_packages(request.db, Of(request.actor.organization_id, tuple(readable)), ids)
    return {each.id: show_repository(each) for each in found}


async def _jobs(request: Asking, seen: Of, targets: Sequence[Target]) -> dict[TargetId, list[JobShown]]:
    """The jobs that work on targets, as far as the caller may see them."""
    readable = tuple(each for each in seen.workspaces if request.actor.may(Permission.READ_PROCESSES, each))
    wanted = tuple(each.id for each in targets if each.workspace_id in readable)
    if not wanted:
        return {}
    which = AllOf((OneOf("target_id", wanted), equal(is_there=True)))
    asked = Asked(filter=which, sort=(Sort("id"),), length=_MOST_JOBS)
    rows = await pages.rows(request.db, ListedJob, JOBS, within(Of(seen.organization, readable)), asked)
    now = await schedules.now(request.db) if rows else None
    found: dict[TargetId, list[JobShown]] = {}
    for row in rows:
        if now is not None:
            found.setdefault(row.target_id, []).append(shown_job(row, account=request.account, now=now))
    return found


_MOST_JOBS: Final = 5_000
"""Jobs that are told beside a page of environments."""


def _show(request: Asking, target: Target, related: _Related) -> EnvironmentShown:
    version = target.tool_version or DEFAULT_VERSION
    project = related.projects.get(target.workspace_id)
    login = related.logins.get(target.login_id) if target.login_id else None
    shown = EnvironmentShown(
        id=target.number,
        account_id=request.account,
        project_id=target.workspace_number,
        name=target.name,
        connection_id=target.connection_number,
        credentials_id=target.login_number,
        extended_attributes_id=target.extended_attributes_number,
        primary_profile_id=target.profile_number,
        custom_branch=target.branch,
        use_custom_branch=target.uses_branch,
        dbt_version=version,
        raw_dbt_version=version,
        supports_docs=bool(target.kept.get("supports_docs", True)),
        deployment_type=target.purpose,
        type=target.kind,
        state=ACTIVE if target.deleted_at is None else DELETED,
        created_at=with_t(target.created_at),
        updated_at=with_t(target.updated_at),
        enable_model_query_history=bool(target.kept.get("enable_model_query_history")),
        enable_dbt_state=bool(target.kept.get("enable_dbt_state")),
        project=_project(request, project) if "project" in request.related and project is not None else None,
        credentials=None if login is None else show_credentials(request.account, login),
        custom_environment_variables=tuple(
            show_variable(request, each) for each in related.variables.get(target.id, [])
        ),
    )
    if request.version == 3:  # noqa: PLR2004 - a version
        return shown
    connection = related.connections.get(target.connection_id) if target.connection_id else None
    return replace(
        shown,
        repository_id=project.package_number if project is not None else None,
        dbt_project_subdirectory=target.subdirectory,
        created_by_id=target.created_by_number,
        repository=(
            related.repositories.get(project.package_id)
            if project is not None and project.package_id is not None
            else None
        ),
        connection=None if connection is None else show_connection(request, connection, target.workspace_number),
        jobs=related.jobs.get(target.id, []),
    )


def _project(request: Asking, project: Project) -> dict[str, Any]:
    return {
        "id": project.number,
        "account_id": request.account,
        "name": project.name,
        "description": project.description,
        "repository_id": project.package_number,
        "dbt_project_subdirectory": project.subdirectory or None,
        "state": ACTIVE,
        "created_at": with_t(project.created_at),
        "updated_at": with_t(project.updated_at),
    }
