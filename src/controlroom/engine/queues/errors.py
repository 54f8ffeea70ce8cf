"""What can go wrong with queues."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, NotFound


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
