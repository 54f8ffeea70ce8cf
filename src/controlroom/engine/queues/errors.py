"""What can go wrong with queues."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class QueueNotFound(NotFound):
    """There is no such queue."""

    code: ClassVar[str] = "QUEUE_NOT_FOUND"

    def __init__(self, queue: UUID | str) -> None:
        super().__init__(f"there is no queue {queue}", queue_id=str(queue))


class ConsumerNotFound(NotFound):
    """There is no such consumer."""

    code: ClassVar[str] = "QUEUE_CONSUMER_NOT_FOUND"

    def __init__(self, consumer: UUID | str) -> None:
        super().__init__(f"there is no queue consumer {consumer}", consumer_id=str(consumer))


class QueueNameTaken(Conflict):
    """Another standing queue has the name."""

    code: ClassVar[str] = "QUEUE_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a queue {name!r} already", name=name)


class QueueInUse(Conflict):
    """Items wait in the queue, or it is a step's."""

    code: ClassVar[str] = "QUEUE_IN_USE"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class QueueChanged(Conflict):
    """Somebody else has changed it meanwhile."""

    code: ClassVar[str] = "QUEUE_CHANGED"

    def __init__(self, revision: int) -> None:
        super().__init__(f"it was changed meanwhile: it is at version {revision}", revision=revision)


class QueueIsDraft(Conflict):
    """The queue is being made."""

    code: ClassVar[str] = "QUEUE_IS_DRAFT"

    def __init__(self) -> None:
        super().__init__("the queue is a draft: it has no item model yet, and takes no items")


class QueueElsewhere(Invalid):
    """The task lies in another workspace than the queue, which cannot follow it any more."""

    code: ClassVar[str] = "QUEUE_ELSEWHERE"

    def __init__(self) -> None:
        super().__init__(
            "the queue is worked on in another folder, and has items or automations there: "
            "its automations run bots of that folder"
        )


class DuplicateItem(Conflict):
    """The queue has such an item already, and refuses duplicates."""

    code: ClassVar[str] = "DUPLICATE_WORK_ITEM"

    def __init__(self, count: int = 1) -> None:
        super().__init__(f"the queue refuses duplicates, and has {count:,} of these work items already", count=count)


class GrantThere(Conflict):
    """Somebody has the right on the queue already."""

    code: ClassVar[str] = "QUEUE_GRANT_EXISTS"

    def __init__(self, right: str) -> None:
        super().__init__(f"the right to {right} on the queue was given already", right=right)
