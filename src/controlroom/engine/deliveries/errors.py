"""What can go wrong with deliveries. A docstring is the message."""

from uuid import UUID

from controlroom.errors import Conflict, NotFound


class DeliveryNotFound(NotFound):
    """There is no such delivery, or not any more."""

    def __init__(self, delivery: UUID | str) -> None:
        super().__init__(f"there is no delivery {delivery}", code="DELIVERY_NOT_FOUND", delivery=str(delivery))


class DeliveryPending(Conflict):
    """It is being tried anyway."""

    def __init__(self, delivery: UUID) -> None:
        super().__init__(f"the delivery {delivery} is pending", code="DELIVERY_PENDING", delivery=str(delivery))


class SubscriptionGone(Conflict):
    """Whom it was for is deleted or disabled."""

    def __init__(self, delivery: UUID) -> None:
        super().__init__(
            f"nobody receives the delivery {delivery} any more", code="SUBSCRIPTION_GONE", delivery=str(delivery)
        )
