"""The verbs of models of items."""

from collections.abc import Sequence

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.engine import Engine
from controlroom.engine.item_models import store
from controlroom.engine.item_models.errors import ItemModelInUse, ItemModelNameTaken
from controlroom.engine.item_models.model import ItemModel, NewAttribute
from controlroom.engine.item_models.rules import check_attributes
from controlroom.errors import Forbidden
from controlroom.ids import ItemModelId, UserId, uuid7
from controlroom.postgres.errors import UniqueViolation


async def create(engine: Engine, actor: Actor, *, name: str, attributes: Sequence[NewAttribute]) -> ItemModel:
    """A new model of the organization. Raises ItemModelNameTaken, Invalid, Forbidden for who governs no queues."""
    _ensure_governs(actor)
    checked_name(name, what="item model's name")
    check_attributes(attributes)
    model = ItemModelId(uuid7())
    by = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None
    try:
        async with scoped(engine.database, actor.organization_id) as tx:
            await store.insert(tx, actor.organization_id, model, name=name, attributes=attributes, created_by=by)
            await record(engine, tx, actor, actor.organization_id, "item_model.created", model, name=name)
            return await store.get(tx, actor.organization_id, model)
    except UniqueViolation as taken:
        raise ItemModelNameTaken(name) from taken


async def delete(engine: Engine, actor: Actor, model: ItemModelId) -> None:
    """Delete a model that no queue has. Raises ItemModelInUse, ItemModelNotFound."""
    _ensure_governs(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await store.get(tx, actor.organization_id, model)
        if (queue := await store.queue_of(tx, model)) is not None:
            raise ItemModelInUse(queue)
        await store.let_go(tx, model)
        await store.delete(tx, model)
        await record(engine, tx, actor, actor.organization_id, "item_model.deleted", model, name=found.name)


def _ensure_governs(actor: Actor) -> None:
    """Models are the organization's: whoever makes queues in any of its workspaces makes them."""
    governing = {Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES}
    if not governing & actor.throughout and not any(governing & held for held in actor.grants.values()):
        permission = Permission.GOVERN_QUEUES
        raise Forbidden(
            f"this needs the permission {permission.value}", code="PERMISSION_MISSING", permission=permission
        )
