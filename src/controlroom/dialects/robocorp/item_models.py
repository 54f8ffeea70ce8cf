"""Item models of the organization: what the items of a queue are made of (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.item_models import actions, model, store
from controlroom.engine.item_models.model import AttributeKind, NewAttribute
from controlroom.ids import ItemAttributeId, ItemModelId


class AttributeAnswer(Shape, frozen=True):
    """An attribute."""

    id: ItemAttributeId
    name: str
    kind: AttributeKind


class ItemModelAnswer(Shape, frozen=True, kw_only=True):
    """An item model; it never changes."""

    id: ItemModelId
    name: str
    attributes: list[AttributeAnswer]
    created_at: datetime


class ItemAttributeBody(OwnBody, frozen=True):
    """An attribute as it is wanted: `text`, `number` or `date`."""

    name: str
    kind: AttributeKind = AttributeKind.TEXT


class CreateItemModel(OwnBody, frozen=True):
    """A new item model."""

    name: str
    attributes: tuple[ItemAttributeBody, ...]


@get("/item-models", needs=Permission.READ_PROCESSES)
async def list_item_models(request: Asking, paging: Pages) -> Page[ItemModelAnswer]:
    """List the item models of the organization, oldest first."""
    organization = request.actor.organization_id
    return paging.page(await store.list_models(request.db, organization, **paging.after(ItemModelId)), _show)


@post("/item-models", needs=Permission.READ_PROCESSES)
async def create_item_model(request: Asking, data: Body[CreateItemModel]) -> ItemModelAnswer:
    """Create an item model, for who makes queues."""
    attributes = [NewAttribute(each.name, each.kind) for each in data.attributes]
    return _show(await actions.create(*request.governing, name=data.name, attributes=attributes))


@get("/item-models/{item_model_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_item_model(request: Asking, item_model_id: Path[ItemModelId]) -> ItemModelAnswer:
    """Get an item model."""
    return _show(await store.get(request.db, request.actor.organization_id, item_model_id))


@delete("/item-models/{item_model_id:uuid}", needs=Permission.READ_PROCESSES)
async def delete_item_model(request: Asking, item_model_id: Path[ItemModelId]) -> Deleted:
    """Delete an item model that no queue has."""
    return await Deleted.after(item_model_id, actions.delete(*request.governing, item_model_id))


def model_of(named: Reference) -> ItemModelId:
    """The id of a model that a body names; whether it is there the verb finds out."""
    return ItemModelId(named.id)


_show = shown_as(
    ItemModelAnswer,
    model.ItemModel,
    attributes=lambda model: [AttributeAnswer(each.id, each.name, each.kind) for each in model.attributes],
)
