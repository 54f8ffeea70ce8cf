"""Statements on models of items."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.item_models.errors import ItemModelNotFound
from controlroom.engine.item_models.model import ItemModel, NewAttribute
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.nouns import InOrganization, Missing, Noun
from controlroom.ids import ItemAttributeId, ItemModelId, OrganizationId, UserId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

ITEM_MODEL: Final = Noun[ItemModelId](
    "item model",
    ItemModelNotFound,
    "item_model",
    InOrganization("item_model.organization_id"),
    name="item_model.name",
    folds=True,
)
ITEM_ATTRIBUTE: Final = Noun[ItemAttributeId](
    "item attribute",
    partial(Missing, "item attribute"),
    "item_attribute",
    InOrganization("item_model.organization_id"),
    joined="join item_model on item_model.id = item_attribute.item_model_id",
)

_CREATED_BY: Final = "(select app_user.number from app_user where app_user.id = item_model.created_by)"

ITEM_MODELS: Final = Listing(
    noun="item models",
    table="item_model",
    columns=f"""item_model.id, item_model.number, item_model.organization_id, item_model.name, item_model.created_by,
           item_model.created_at,
           {_CREATED_BY} as created_by_number,
           (select organization.number from organization where organization.id = item_model.organization_id)
               as tenant_number,
           (select coalesce(jsonb_agg(jsonb_build_object('id', item_attribute.id, 'number', item_attribute.number,
                                                         'name', item_attribute.name, 'kind', kind)
                                      order by position), '[]')
              from item_attribute where item_attribute.item_model_id = item_model.id) as attributes""",
    tenant="item_model.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="item_model_of_organization"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field(
            "tenant_number",
            Kind.INTEGER,
            column="(select organization.number from organization where organization.id = item_model.organization_id)",
        ),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field(
            "created_by_number",
            Kind.INTEGER,
            column="(select number from app_user where id = item_model.created_by)",
            is_nullable=True,
        ),
    ),
)


async def get(db: Statements, organization: OrganizationId, model: ItemModelId, *, lock: bool = False) -> ItemModel:
    """A model of the organization; locked, it stays until the transaction ends. Raises ItemModelNotFound."""
    found = await db.one_or_none(
        ItemModel,
        f"""{ITEM_MODELS.select} where item_model.id = %(model)s and organization_id = %(organization)s
        {"for key share of item_model" if lock else ""}""",
        model=model,
        organization=organization,
    )
    if found is None:
        raise ItemModelNotFound(model)
    return found


async def list_models(
    db: Statements, organization: OrganizationId, *, after: ItemModelId | None = None, limit: int
) -> list[ItemModel]:
    """The models of the organization, oldest first."""
    return await db.all(
        ItemModel,
        f"{ITEM_MODELS.select} where organization_id = %(organization)s {oldest_first('item_model.id')}",
        organization=organization,
        after=after,
        limit=limit,
    )


async def insert(
    tx: ScopedTx,
    organization: OrganizationId,
    model: ItemModelId,
    *,
    name: str,
    attributes: Sequence[NewAttribute],
    created_by: UserId | None,
) -> None:
    """Write a new model. Raises UniqueViolation."""
    await tx.execute(
        """
        insert into item_model (id, organization_id, name, created_by)
        values (%(model)s, %(organization)s, %(name)s, %(by)s)
        """,
        model=model,
        organization=organization,
        name=name,
        by=created_by,
    )
    await tx.execute(
        """
        insert into item_attribute (id, item_model_id, position, name, kind)
        select id, %(model)s, place - 1, name, kind
          from unnest(%(ids)s::uuid[], %(names)s::text[], %(kinds)s::text[])
                    with ordinality as made (id, name, kind, place)
         order by place
        """,
        model=model,
        ids=[uuid7() for _ in attributes],
        names=[each.name for each in attributes],
        kinds=[each.kind.value for each in attributes],
    )


async def delete(tx: ScopedTx, model: ItemModelId) -> None:
    """Remove a model that the caller has found and that no queue has. Raises ForeignKeyViolation if one has."""
    await tx.execute("delete from item_model where id = %(model)s", model=model)


async def queue_of(tx: ScopedTx, model: ItemModelId) -> str | None:
    """The name of a queue that has the model and is there."""
    return await tx.value(  # type: ignore[no-any-return]
        "select name from queue where item_model_id = %(model)s and deleted_at is null order by id limit 1",
        model=model,
    )


async def let_go(tx: ScopedTx, model: ItemModelId) -> None:
    """Queues that were deleted forget the model."""
    await tx.execute(
        "update queue set item_model_id = null where item_model_id = %(model)s and deleted_at is not null", model=model
    )


async def called(db: Statements, organization: OrganizationId, name: str) -> ItemModel | None:
    """The model of the organization that has the name, in any case of letters."""
    return await db.one_or_none(
        ItemModel,
        f"{ITEM_MODELS.select} where organization_id = %(organization)s and lower(item_model.name) = lower(%(name)s)",
        organization=organization,
        name=name,
    )
