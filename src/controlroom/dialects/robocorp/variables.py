"""Variables (our own management API): values that robots and commands find in their environment, by four scopes."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import delete, get, post, update
from controlroom.engine.variables import actions, model, store
from controlroom.engine.variables.actions import VariableChange
from controlroom.engine.variables.model import VariableScope, Where
from controlroom.ids import ProcessId, TargetId, UserId, VariableId


class VariableAnswer(Shape, frozen=True, kw_only=True):
    """A variable of one scope; the value of a secret one is told nowhere."""

    id: VariableId
    number: int
    name: str
    value: str | None
    """null: it is secret."""
    is_secret: bool
    scope: VariableScope
    target_id: TargetId | None
    target_name: str | None
    process_id: ProcessId | None
    user_id: UserId | None
    created_at: datetime
    updated_at: datetime


class SetVariable(OwnBody, frozen=True, kw_only=True):
    """A variable of the workspace, or of one target, process or user in it. One that is there gets the value."""

    name: str
    """Capital letters, digits and `_`. What begins with DBT_ENV_SECRET is secret."""
    value: str
    target_id: TargetId | None = None
    process_id: ProcessId | None = None
    user_id: UserId | None = None


class EditVariable(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    value: str | UnsetType = UNSET


@get("/variables", needs=Permission.READ_VARIABLES)
async def list_variables(request: Asking) -> list[VariableAnswer]:
    """List all variables of the workspace, by name."""
    return [_show(each) for each in await store.of_workspace(*request.reading)]


@post("/variables")
async def set_variable(request: Asking, data: Body[SetVariable]) -> VariableAnswer:
    """Make a variable of a scope, or give the one that is there another value."""
    where = Where(target_id=data.target_id, process_id=data.process_id, user_id=data.user_id)
    return _show(await actions.put(*request.acting, data.name, data.value, where))


@get("/variables/{variable_id:uuid}", needs=Permission.READ_VARIABLES)
async def get_variable(request: Asking, variable_id: Path[VariableId]) -> VariableAnswer:
    """Get a variable."""
    return _show(await store.get(*request.reading, variable_id))


@update("/variables/{variable_id:uuid}")
async def update_variable(request: Asking, variable_id: Path[VariableId], data: Body[EditVariable]) -> VariableAnswer:
    """Call a variable otherwise, or give it another value."""
    change = VariableChange(name=data.name, value=data.value)
    return _show(await actions.edit(*request.acting, variable_id, change))


@delete("/variables")
async def delete_variables(request: Asking, name: Query[str]) -> list[Deleted]:
    """Delete a variable in all its scopes, all of them or none."""
    return [Deleted(id=each.id) for each in await actions.delete_all(*request.acting, name)]


@delete("/variables/{variable_id:uuid}")
async def delete_variable(request: Asking, variable_id: Path[VariableId]) -> Deleted:
    """Delete a variable of one scope."""
    return await Deleted.after(variable_id, actions.delete(*request.acting, variable_id))


_show = shown_as(VariableAnswer, model.Variable)
