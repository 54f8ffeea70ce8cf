"""What can go wrong with models of items."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class ItemModelNotFound(NotFound):
    """There is no such model."""

    code: ClassVar[str] = "ITEM_MODEL_NOT_FOUND"

    def __init__(self, model: UUID | str) -> None:
        super().__init__(f"there is no item model {model}", item_model_id=str(model))


class ItemModelNameTaken(Conflict):
    """Another model of the organization has the name."""

    code: ClassVar[str] = "ITEM_MODEL_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an item model {name!r} already", name=name)


class ItemModelInUse(Conflict):
    """A queue has it."""

    code: ClassVar[str] = "ITEM_MODEL_IN_USE"

    def __init__(self, queue: str) -> None:
        super().__init__(f"the queue {queue!r} has this item model: delete that first", queue=queue)


class AttributeMissing(Invalid):
    """An item lacks an attribute of its model."""

    code: ClassVar[str] = "ATTRIBUTE_MISSING"

    def __init__(self, name: str) -> None:
        super().__init__(f"column {name} is missing in json", attribute=name)


class AttributeUnknown(Invalid):
    """The model has no such attribute."""

    code: ClassVar[str] = "ATTRIBUTE_UNKNOWN"

    def __init__(self, number: int | str) -> None:
        super().__init__(f"the item model has no attribute {number}", attribute=str(number))
