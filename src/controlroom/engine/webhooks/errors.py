"""What can go wrong with webhooks. A docstring is the message."""

from uuid import UUID

from controlroom.errors import Invalid, NotFound


class WebhookNotFound(NotFound):
    """There is no such webhook."""

    def __init__(self, webhook: UUID | str) -> None:
        super().__init__(f"there is no webhook {webhook}", code="WEBHOOK_NOT_FOUND", webhook=str(webhook))


class WebhookInvalid(Invalid):
    """A webhook that could tell nobody, or tell nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="WEBHOOK_INVALID")
