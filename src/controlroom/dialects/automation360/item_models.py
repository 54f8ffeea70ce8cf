"""Work item models (§2.23, §2.27): what the items of a queue are made of. v3 speaks numbers, v4 texts."""

from typing import Annotated, Final

from msgspec import Meta

from controlroom.border.columns import As
from controlroom.dialects.automation360.answers import Shape, moment_or_none, shown_as
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.columns import Columns, alike, nothing_is_zero
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, get, post
from controlroom.engine.access.scope import Of
from controlroom.engine.item_models import actions, store
from controlroom.engine.item_models.model import Attribute, AttributeKind, ItemModel, NewAttribute
from controlroom.engine.item_models.store import ITEM_MODEL, ITEM_MODELS
from controlroom.engine.lists.model import OLDEST_FIRST, Within
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.ids import ItemModelId

_CREATE: Final = Pair("queue", "create")


class AttributeBody(Shape, frozen=True):
    """An attribute as it is wanted."""

    name: str
    type: AttributeKind


class CreateModel(Shape, frozen=True):
    """A new model."""

    name: str
    attributes: tuple[AttributeBody, ...] = ()


class AttributeV3(Shape, frozen=True):
    """An attribute; its id is a queue's display column id."""

    id: int
    name: str
    type: str


class ModelV3(Shape, frozen=True, kw_only=True):
    """A work item model."""

    id: int
    name: str
    attributes: list[AttributeV3]
    created_by: int
    created_on: str
    updated_by: int
    updated_on: str
    tenant_id: int
    version: int = 0


class AttributeV4(Shape, frozen=True):
    """An attribute; its id is a queue's display column id."""

    id: str
    name: str
    type: str


class ModelV4(Shape, frozen=True, kw_only=True):
    """A work item model."""

    id: str
    name: str
    attributes: list[AttributeV4]
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_id: str
    tenant_uuid: str
    version: Annotated[str, Meta(description="Models never change.")] = "0"


_COLUMNS = Columns(
    ITEM_MODELS,
    {
        "id": "number",
        "name": "name",
        "createdOn": "created_at",
        "updatedOn": "created_at",
        "version": alike(0),
        "tenantId": As("tenant_number", sort=""),
        "createdBy": nothing_is_zero("created_by_number"),
        "updatedBy": nothing_is_zero("created_by_number"),
    },
    order=OLDEST_FIRST,
)


@post(
    "/v3/wlm/workitemmodels",
    "/v3/wlm/workitemmodel",
    pair=_CREATE,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/workitemmodels"),
)
async def create_model(request: Asking, data: Body[CreateModel]) -> ModelV3:
    """Create a work item model."""
    return _show(await _create(request, data))


@post("/v3/wlm/workitemmodels/list", number_codes=True)
async def list_models(request: Asking, data: Sought = None) -> Listed[ModelV3]:
    """List the work item models."""
    return await listed(request, data, _COLUMNS, ItemModel, _show, within=_everywhere(request))


@get("/v3/wlm/workitemmodels/{model:str}", number_codes=True, deprecated=Superseded("/v4/wlm/workitemmodels/{id}"))
async def get_model(request: Asking, model: Id) -> ModelV3:
    """Get a work item model."""
    return _show(await found(request, model))


@delete("/v3/wlm/workitemmodels/{model:str}", pair=_CREATE, number_codes=True)
async def delete_model(request: Asking, model: Id) -> None:
    """Delete a work item model that no queue has."""
    await actions.delete(request.engine, request.actor, await id_of(request, model))


@post("/v4/wlm/workitemmodels", "/v4/wlm/workitemmodel", pair=_CREATE, number_codes=True)
async def create_model_v4(request: Asking, data: Body[CreateModel]) -> ModelV4:
    """Create a work item model."""
    return _show_v4(await _create(request, data))


@get("/v4/wlm/workitemmodels/{model:str}", number_codes=True)
async def get_model_v4(request: Asking, model: Id) -> ModelV4:
    """Get a work item model."""
    return _show_v4(await found(request, model))


async def found(request: Asking, number: str | int) -> ItemModel:
    """The model with the number. Raises ItemModelNotFound."""
    return await store.get(request.db, request.actor.organization_id, await id_of(request, number))


async def id_of(request: Asking, number: str | int) -> ItemModelId:
    """The id of the model with the number. Models are the organization's: all of its users see them."""
    nowhere = Of(request.actor.organization_id, ())
    return await resolve(request.db, nowhere, ITEM_MODEL, str(number).strip(), Ways.NUMBER)


async def _create(request: Asking, data: CreateModel) -> ItemModel:
    attributes = [NewAttribute(each.name, each.type) for each in data.attributes]
    return await actions.create(request.engine, request.actor, name=data.name, attributes=attributes)


def _everywhere(request: Asking) -> Within:
    return Within.one("%(organization)s", organization=request.actor.organization_id)


def _type(attribute: Attribute) -> str:
    return attribute.kind.value.upper()


_show = shown_as(
    ModelV3,
    ItemModel,
    id="number",
    attributes=lambda model: [AttributeV3(each.number, each.name, _type(each)) for each in model.attributes],
    created_by=lambda model: model.created_by_number or 0,
    updated_by=lambda model: model.created_by_number or 0,
    updated_on=("created_at", moment_or_none),
    tenant_id="tenant_number",
    version=lambda _: 0,
)
_show_v4 = shown_as(
    ModelV4,
    ItemModel,
    id="number",
    attributes=lambda model: [AttributeV4(str(each.number), each.name, _type(each)) for each in model.attributes],
    created_by=lambda model: str(model.created_by_number or 0),
    updated_by=lambda model: str(model.created_by_number or 0),
    updated_on=("created_at", moment_or_none),
    tenant_id="tenant_number",
    tenant_uuid="organization_id",
    version=lambda _: "0",
)
