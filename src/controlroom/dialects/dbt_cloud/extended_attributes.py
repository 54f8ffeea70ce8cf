"""Extended attributes (§3.9): what a project puts over the settings of a connection. Secrets are told as a mask."""

from typing import Any

import msgspec

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.connections import STATES
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, patch, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import within
from controlroom.engine.connections import attributes as verbs
from controlroom.engine.connections.attributes import ATTRIBUTES
from controlroom.engine.connections.listings import EXTENDED_ATTRIBUTES
from controlroom.engine.connections.model import ExtendedAttributes

_ATTRIBUTES = Columns(
    EXTENDED_ATTRIBUTES,
    {"id": "number", "created_at": "created_at", "updated_at": "updated_at", "state": STATES},
)


class ExtendedAttributesShown(Shape, frozen=True, kw_only=True):
    """Extended attributes."""

    id: int
    account_id: int
    project_id: int
    extended_attributes: dict[str, Any]
    state: int
    created_at: str
    updated_at: str


class ExtendedAttributesBody(Shape, frozen=True, kw_only=True):
    """What extended attributes shall be: an object, or its JSON as a text."""

    extended_attributes: dict[str, Any] | str | None = None
    state: int = ACTIVE


@get(
    "/accounts/{account}/projects/{project}/extended-attributes",
    versions=V3,
    needs=Permission.READ_TARGETS,
    rows=_ATTRIBUTES,
)
async def list_extended_attributes(request: Asking, project: Id) -> Listed[ExtendedAttributesShown]:
    """The extended attributes of a project."""
    seen = await of_project(request, project)
    return await listed(request, ExtendedAttributes, lambda row: _show(request.account, row), within=within(seen))


@post("/accounts/{account}/projects/{project}/extended-attributes", versions=V3, needs=Permission.WRITE_TARGETS)
async def create_extended_attributes(
    request: Asking, project: Id, data: Body[ExtendedAttributesBody]
) -> ExtendedAttributesShown:
    """Make extended attributes."""
    seen = await of_project(request, project)
    return _show(request.account, await verbs.create(*request.governing, seen.workspace, _given(data)))


@get(
    "/accounts/{account}/projects/{project}/extended-attributes/{attributes}",
    versions=V3,
    needs=Permission.READ_TARGETS,
)
async def get_extended_attributes(request: Asking, project: Id, attributes: Id) -> ExtendedAttributesShown:
    """Extended attributes."""
    located = await find(request, ATTRIBUTES, attributes, await of_project(request, project))
    return _show(request.account, await verbs.get(request.db, located.scope, located.id))


@post(
    "/accounts/{account}/projects/{project}/extended-attributes/{attributes}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
)
async def replace_extended_attributes(
    request: Asking, project: Id, attributes: Id, data: Body[ExtendedAttributesBody]
) -> ExtendedAttributesShown:
    """Let extended attributes be others; a mask stands for the secret that is there."""
    return await _change(request, project, attributes, data)


@patch(
    "/accounts/{account}/projects/{project}/extended-attributes/{attributes}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
)
async def change_extended_attributes(
    request: Asking, project: Id, attributes: Id, data: Body[ExtendedAttributesBody]
) -> ExtendedAttributesShown:
    """Likewise."""
    return await _change(request, project, attributes, data)


@delete(
    "/accounts/{account}/projects/{project}/extended-attributes/{attributes}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
)
async def delete_extended_attributes(request: Asking, project: Id, attributes: Id) -> ExtendedAttributesShown:
    """Delete extended attributes that no environment names."""
    located = await find(request, ATTRIBUTES, attributes, await of_project(request, project))
    return _show(request.account, await verbs.delete(*request.governing, located.scope.workspace, located.id))


async def _change(
    request: Asking, project: str, attributes: str, data: ExtendedAttributesBody
) -> ExtendedAttributesShown:
    located = await find(request, ATTRIBUTES, attributes, await of_project(request, project))
    workspace = located.scope.workspace
    if data.state == DELETED:
        return _show(request.account, await verbs.delete(*request.governing, workspace, located.id))
    return _show(request.account, await verbs.replace(*request.governing, workspace, located.id, _given(data)))


def _given(data: ExtendedAttributesBody) -> dict[str, Any]:
    given = data.extended_attributes
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError as broken:
            raise FieldsWrong({"extended_attributes": f"an object: {broken}"}) from broken
    if not isinstance(given, dict):
        raise FieldsWrong({"extended_attributes": "an object"})
    return given


def _show(account: int, row: ExtendedAttributes) -> ExtendedAttributesShown:
    return ExtendedAttributesShown(
        id=row.number,
        account_id=account,
        project_id=row.workspace_number,
        extended_attributes=row.attributes,
        state=ACTIVE if row.deleted_at is None else DELETED,
        created_at=with_t(row.created_at),
        updated_at=with_t(row.updated_at),
    )
