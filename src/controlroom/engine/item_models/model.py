"""Models of items: named, typed attributes that every item of a queue has."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import ItemAttributeId, ItemModelId, OrganizationId, UserId


class AttributeKind(StrEnum):
    """What the values of an attribute are. Any may be null."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    """A text: a day, or a moment, as ISO 8601 has it; or month/day/year."""


class Attribute(Struct, frozen=True, kw_only=True):
    """One attribute of a model."""

    id: ItemAttributeId
    number: int
    name: str
    kind: AttributeKind


class NewAttribute(Struct, frozen=True):
    """An attribute as its author wants it."""

    name: str
    kind: AttributeKind


class ItemModel(Struct, frozen=True, kw_only=True):
    """A model. It never changes: queues have been filled by it."""

    id: ItemModelId
    number: int
    organization_id: OrganizationId
    tenant_number: int
    name: str
    attributes: tuple[Attribute, ...]
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
