"""Environment variables (§3.9): the engine's variables of four scopes, as maps of name and scope.

A scope in which a name has no value is left out, never null (§0.21). Secret ones are told as a mask. A name is written
in capitals and begins with `DBT_`: the engine has others, too, which this grammar does not show.
"""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import UNSET, UnsetType

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission, Query
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.references import named
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, post, put
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.model import ActorKind
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of, within
from controlroom.engine.jobs import store as jobs
from controlroom.engine.jobs.store import JOB
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Sort, equal
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.engine.targets.store import TARGET
from controlroom.engine.variables import actions, store
from controlroom.engine.variables.actions import VariableChange
from controlroom.engine.variables.model import OF_WORKSPACE, Variable, VariableScope, Where
from controlroom.engine.variables.rules import MASK
from controlroom.engine.variables.store import VARIABLE

PREFIX: Final = "DBT_"
PROJECT: Final = "project"
_MOST_ENVIRONMENTS: Final = 1000


class VariableType(StrEnum):
    """In which scope a variable is."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    JOB = "job"
    USER = "user"


_TYPES: Final = {
    VariableScope.WORKSPACE: VariableType.PROJECT,
    VariableScope.TARGET: VariableType.ENVIRONMENT,
    VariableScope.PROCESS: VariableType.JOB,
    VariableScope.USER: VariableType.USER,
}


class ValueShown(Shape, frozen=True, kw_only=True):
    """A value in one scope; of a secret one a mask."""

    id: int
    value: str


class VariablesShown(Shape, frozen=True, kw_only=True):
    """The environments of a project, and for each name the values by `project` and environment."""

    environments: list[str]
    variables: dict[str, dict[str, ValueShown]]


class VariableShown(Shape, frozen=True, kw_only=True):
    """A variable in one scope."""

    id: int
    account_id: int
    project_id: int
    name: str
    type: VariableType
    environment_id: int | None
    job_definition_id: int | None
    user_id: int | None
    environment: str | None
    display_value: str
    state: int
    created_at: str
    updated_at: str


class BulkShown(Shape, frozen=True, kw_only=True):
    """What was done, and of which variables."""

    message: str
    new_var_ids: list[int]


class VariableBody(Shape, frozen=True, kw_only=True):
    """A variable of one scope."""

    name: Text | UnsetType | None = UNSET
    type: VariableType | None = None
    environment_id: int | None = None
    job_definition_id: int | None = None
    user_id: int | None = None
    raw_value: str | UnsetType | None = UNSET
    display_value: str | UnsetType | None = UNSET
    """What some clients send in place of the other."""


class BulkBody(Shape, frozen=True, kw_only=True):
    """A variable's name and its values by `project` or environment; in `env_var`, or `env_vars`."""

    env_var: dict[str, Any] | None = None
    env_vars: dict[str, Any] | None = None
    name: str | None = None


@get(
    "/accounts/{account}/projects/{project}/environment-variables/environment",
    versions=V3,
    needs=Permission.READ_VARIABLES,
)
async def list_environment_values(
    request: Asking, project: Id, name: Query[str | None] = None, environment_id: Query[int | None] = None
) -> VariablesShown:
    """The variables of a project and of its environments."""
    seen = await of_project(request, project)
    targets = await _targets(request, seen)
    found: defaultdict[str, dict[str, ValueShown]] = defaultdict(dict)
    for variable in await store.of_workspace(request.db, seen, (VariableScope.WORKSPACE, VariableScope.TARGET)):
        if not _is_shown(variable, name) or (environment_id and variable.target_number not in {None, environment_id}):
            continue
        found[variable.name][variable.target_name or PROJECT] = _value(variable)
    return VariablesShown(environments=[PROJECT, *(target.name for target in targets)], variables=dict(found))


@get("/accounts/{account}/projects/{project}/environment-variables/job", versions=V3, needs=Permission.READ_VARIABLES)
async def list_job_values(
    request: Asking, project: Id, job_definition_id: Query[int | None] = None, name: Query[str | None] = None
) -> dict[str, dict[str, ValueShown]]:
    """For each name the values that a job has, of its own and of those behind them."""
    seen = await of_project(request, project)
    process, target = None, None
    if job_definition_id is not None:
        located = await find(request, JOB, job_definition_id, seen)
        process, target = located.id, (await jobs.get(request.db, seen, located.id)).target_id
    found: defaultdict[str, dict[str, ValueShown]] = defaultdict(dict)
    for variable in await store.of_workspace(request.db, seen):
        if not _is_shown(variable, name):
            continue
        match variable.scope:
            case VariableScope.WORKSPACE:
                found[variable.name][PROJECT] = _value(variable)
            case VariableScope.TARGET if target is not None and variable.target_id == target:
                found[variable.name]["environment"] = _value(variable)
            case VariableScope.PROCESS if process is not None and variable.process_id == process:
                found[variable.name]["job"] = _value(variable)
    return dict(found)


@get("/accounts/{account}/projects/{project}/environment-variables/user", versions=V3, needs=Permission.READ_VARIABLES)
async def list_user_values(
    request: Asking, project: Id, user_id: Query[int | None] = None, name: Query[str | None] = None
) -> dict[str, dict[str, ValueShown]]:
    """For each name the value of the project, and the one of a user: of who asks, if nobody is named."""
    seen = await of_project(request, project)
    asker = request.actor.id if request.actor.kind is ActorKind.USER else None
    found: defaultdict[str, dict[str, ValueShown]] = defaultdict(dict)
    for variable in await store.of_workspace(request.db, seen, (VariableScope.WORKSPACE, VariableScope.USER)):
        if not _is_shown(variable, name):
            continue
        if variable.scope is VariableScope.WORKSPACE:
            found[variable.name][PROJECT] = _value(variable)
        elif variable.user_number == user_id or (user_id is None and variable.user_id == asker):
            found[variable.name]["user"] = _value(variable)
    return dict(found)


@post("/accounts/{account}/projects/{project}/environment-variables", versions=V3, needs=Permission.WRITE_VARIABLES)
async def create_variable(request: Asking, project: Id, data: Body[VariableBody]) -> VariableShown:
    """Make a variable of one scope."""
    seen = await of_project(request, project)
    where = await _where(request, seen, data)
    made = await actions.create(
        request.engine, request.actor, seen.workspace, _name(data.name), _raw(data) or "", where
    )
    return told(request, made)


@post(
    "/accounts/{account}/projects/{project}/environment-variables/{variable}",
    versions=V3,
    needs=Permission.WRITE_VARIABLES,
)
async def change_variable(request: Asking, project: Id, variable: Id, data: Body[VariableBody]) -> VariableShown:
    """Change a variable of one scope: what is left out stays, and so does a secret value for which a mask is sent."""
    located = await find(request, VARIABLE, variable, await of_project(request, project))
    raw = _raw(data)
    change = VariableChange(name=UNSET if not data.name else _name(data.name), value=UNSET if raw is None else raw)
    changed = await actions.edit(request.engine, request.actor, located.scope.workspace, located.id, change)
    return told(request, changed)


@delete(
    "/accounts/{account}/projects/{project}/environment-variables/{variable}",
    versions=V3,
    needs=Permission.WRITE_VARIABLES,
)
async def delete_variable(request: Asking, project: Id, variable: Id) -> VariableShown:
    """Delete a variable of one scope."""
    located = await find(request, VARIABLE, variable, await of_project(request, project))
    gone = await actions.delete(request.engine, request.actor, located.scope.workspace, located.id)
    return told(request, gone, state=DELETED)


@post(
    "/accounts/{account}/projects/{project}/environment-variables/bulk", versions=V3, needs=Permission.WRITE_VARIABLES
)
async def put_variables(request: Asking, project: Id, data: Body[BulkBody]) -> BulkShown:
    """Make a variable in several scopes (`new_name`), or give one that is there (`name`) other values in some."""
    seen = await of_project(request, project)
    wanted = _wanted(data)
    values = await _values(request, seen, wanted)
    if (new := wanted.get("new_name")) is not None and wanted.get("name") in {None, new}:
        written = await actions.put_all(request.engine, request.actor, seen.workspace, _name(new), values)
        return _told(written, "created")
    return await _edited(request, seen, wanted, values)


@put("/accounts/{account}/projects/{project}/environment-variables/bulk", versions=V3, needs=Permission.WRITE_VARIABLES)
async def change_variables(request: Asking, project: Id, data: Body[BulkBody]) -> BulkShown:
    """Call a variable otherwise in all scopes (`name`, `new_name`), and give it other values in some."""
    seen = await of_project(request, project)
    wanted = _wanted(data)
    return await _edited(request, seen, wanted, await _values(request, seen, wanted))


@delete(
    "/accounts/{account}/projects/{project}/environment-variables/bulk", versions=V3, needs=Permission.WRITE_VARIABLES
)
async def delete_variables(request: Asking, project: Id, data: Body[BulkBody]) -> BulkShown:
    """Delete a variable in all scopes."""
    seen = await of_project(request, project)
    name = data.name or _wanted(data).get("name") or _wanted(data).get("new_name")
    gone = await actions.delete_all(request.engine, request.actor, seen.workspace, _name(name))
    return _told(gone, "deleted")


# ---------------------------------------------------------------------------------------------------- reading
def _name(name: Any) -> str:
    """The name of a variable, if it is one of this grammar's; the engine refuses what would be a flag."""
    if not isinstance(name, str) or not name.startswith(PREFIX) or name != name.upper():
        raise FieldsWrong({"name": f"capital letters, digits and _, beginning with {PREFIX}"})
    return name


def _raw(data: VariableBody) -> str | None:
    """The value that a body has; None: it has none."""
    for value in (data.raw_value, data.display_value):
        if isinstance(value, str):
            return value
    return None


async def _where(request: Asking, seen: Of, data: VariableBody) -> Where:
    """The scope that a body names: by its type, else by the id that it has."""
    kind = data.type or (
        VariableType.JOB
        if data.job_definition_id
        else VariableType.ENVIRONMENT
        if data.environment_id
        else VariableType.USER
        if data.user_id
        else VariableType.PROJECT
    )
    match kind:
        case VariableType.PROJECT:
            return OF_WORKSPACE
        case VariableType.ENVIRONMENT:
            return Where(
                target_id=_given(await named(request, seen, TARGET, "environment_id", data.environment_id), kind)
            )
        case VariableType.JOB:
            return Where(
                process_id=_given(await named(request, seen, JOB, "job_definition_id", data.job_definition_id), kind)
            )
        case VariableType.USER:
            return Where(user_id=_given(await named(request, seen, USER, "user_id", data.user_id), kind))


def _given(id_: Any, kind: VariableType) -> Any:
    if id_ is None:
        field = "job_definition_id" if kind is VariableType.JOB else f"{kind.value}_id"
        raise FieldsWrong({field: f"the id of the {kind.value} that the variable is of"})
    return id_


def _wanted(data: BulkBody) -> dict[str, Any]:
    found = data.env_var or data.env_vars
    if found is None:
        if data.name is not None:
            return {"name": data.name}
        raise FieldsWrong({"env_var": "an object with new_name or name, and values by project or environment"})
    return found


async def _values(request: Asking, seen: Of, wanted: Mapping[str, Any]) -> dict[Where, str]:
    """The values by scope. Raises FieldsWrong for an environment that there is not."""
    targets = {target.name: target.id for target in await _targets(request, seen)}
    values: dict[Where, str] = {}
    for key, value in wanted.items():
        if key in {"new_name", "name", "id"} or value is None:
            continue
        given = value.get("value") if isinstance(value, dict) else value
        if not isinstance(given, str | int | float):
            raise FieldsWrong({key: "a text"})
        if key == PROJECT:
            values[OF_WORKSPACE] = str(given)
        elif key in targets:
            values[Where(target_id=targets[key])] = str(given)
        else:
            raise FieldsWrong({key: f"project, or one of the environments {', '.join(targets)}"})
    return values


async def _edited(request: Asking, seen: Of, wanted: Mapping[str, Any], values: dict[Where, str]) -> BulkShown:
    changed = await actions.edit_all(
        request.engine,
        request.actor,
        seen.workspace,
        _name(wanted.get("name") or wanted.get("new_name")),
        new_name=_name(wanted["new_name"]) if wanted.get("new_name") and wanted.get("name") else None,
        values=values,
    )
    return _told(changed, "changed")


async def _targets(request: Asking, seen: Of) -> list[Target]:
    asked = Asked(filter=equal(is_there=True), sort=(Sort("id"),), length=_MOST_ENVIRONMENTS)
    return await pages.rows(request.db, Target, TARGETS, within(seen), asked)


# ---------------------------------------------------------------------------------------------------- telling
def _is_shown(variable: Variable, name: str | None) -> bool:
    return variable.name.startswith(PREFIX) and name in {None, "", variable.name}


def _value(variable: Variable) -> ValueShown:
    return ValueShown(id=variable.number, value=MASK if variable.value is None else variable.value)


def _told(variables: list[Variable], done: str) -> BulkShown:
    return BulkShown(message=f"{done} {len(variables)} values", new_var_ids=[each.number for each in variables])


def told(request: Asking, variable: Variable, *, state: int = ACTIVE) -> VariableShown:
    """A variable; what is secret is masked."""
    return VariableShown(
        id=variable.number,
        account_id=request.account,
        project_id=variable.workspace_number,
        name=variable.name,
        type=_TYPES[variable.scope],
        environment_id=variable.target_number,
        job_definition_id=variable.process_number,
        user_id=variable.user_number,
        environment=variable.target_name,
        display_value=MASK if variable.value is None else variable.value,
        state=state,
        created_at=with_t(variable.created_at),
        updated_at=with_t(variable.updated_at),
    )
