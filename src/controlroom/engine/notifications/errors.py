"""What can go wrong with notifications. A docstring is the message."""

from uuid import UUID

from controlroom.errors import Invalid, NotFound


class NotificationNotFound(NotFound):
    """There is no such notification."""

    def __init__(self, notification: UUID | str) -> None:
        super().__init__(
            f"there is no notification {notification}", code="NOTIFICATION_NOT_FOUND", notification=str(notification)
        )


class NotificationInvalid(Invalid):
    """A notification that could tell nobody, or tell nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="NOTIFICATION_INVALID")
