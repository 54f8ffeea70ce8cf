"""Delivering once more by hand."""

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scope_of, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import destination_of
from controlroom.engine.deliveries.errors import DeliveryPending, SubscriptionGone
from controlroom.engine.deliveries.model import Delivery, DeliveryKind, DeliveryState
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.engine.webhooks import store
from controlroom.engine.webhooks.errors import WebhookNotFound
from controlroom.ids import DeliveryId, WebhookId, WorkspaceId


async def redeliver(engine: Engine, actor: Actor, workspace: WorkspaceId, delivery: DeliveryId) -> Delivery:
    """Deliver the same message once more, to where its subscription points now.

    Raises DeliveryPending; SubscriptionGone for one whose webhook is deleted or disabled, and for requests to
    provisioners: what they asked for is over.
    """
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await deliveries.get(tx, scope, delivery, for_update=True)
        if found.state is DeliveryState.PENDING:
            raise DeliveryPending(delivery)
        destination, endpoint = found.destination, found.endpoint
        sealed = await deliveries.sealed_of(tx, delivery)
        match found.kind:
            case DeliveryKind.WEBHOOK:
                try:
                    webhook = await store.get(tx, scope, WebhookId(found.subscription_id))
                except WebhookNotFound as deleted:
                    raise SubscriptionGone(delivery) from deleted
                if not webhook.is_enabled:
                    raise SubscriptionGone(delivery)
                endpoint, sealed = webhook.endpoint, webhook.sealed
                destination = destination_of(endpoint)
            case DeliveryKind.PROVISIONER:
                raise SubscriptionGone(delivery)
            case DeliveryKind.CALLBACK | DeliveryKind.CHAT | DeliveryKind.EMAIL:
                pass
        await deliveries.renew(tx, found, destination=destination, endpoint=endpoint, sealed=sealed)
        await record(
            engine,
            tx,
            actor,
            scope,
            "delivery.renewed",
            delivery,
            process_id=found.process_id,
            run_id=found.run_id,
        )
        tx.after_commit(lambda: engine.wakes.wake(Topic.DELIVERIES))
        return await deliveries.get(tx, scope, delivery)
