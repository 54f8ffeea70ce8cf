"""The verbs of webhooks."""

from functools import partial

from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, Scope, ensure_seen, scope_of, scoped
from controlroom.engine.deliveries import gone
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import checked_endpoint, destination_of
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.engine import Engine
from controlroom.engine.messages import Message, Occurrence
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.wakes import Topic
from controlroom.engine.webhooks import store
from controlroom.engine.webhooks.errors import WebhookInvalid
from controlroom.engine.webhooks.model import TEST_EVENT, SealedWebhook, Webhook, WebhookChange, WebhookDefinition
from controlroom.engine.webhooks.rules import checked_events, checked_secret, new_secret
from controlroom.ids import DeliveryId, UserId, WebhookId, WorkspaceId, uuid7


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, wanted: WebhookDefinition
) -> tuple[Webhook, str]:
    """A new webhook and its secret. It is told of what happens from now on. Raises WebhookInvalid, ProcessNotFound."""
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    checked_endpoint(wanted.endpoint)
    checked_events(wanted.events)
    if wanted.grammar not in engine.grammars:
        raise WebhookInvalid(f"nothing is told in the grammar {wanted.grammar!r} here")
    if wanted.name:
        checked_name(wanted.name, what="webhook's name")
    webhook, secret = WebhookId(uuid7()), new_secret() if wanted.secret is None else checked_secret(wanted.secret)
    sealed = engine.keys.seal(secret.encode(), place=store.place_of(webhook))
    created_by = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None
    async with scoped(engine.database, scope) as tx:
        if not await store.insert(tx, scope, webhook, wanted, sealed, created_by):
            await ensure_seen(tx, scope)
            raise ProcessNotFound(wanted.process or "")
        await record(engine, tx, actor, scope, "webhook.created", webhook, process_id=wanted.process)
        return await store.get(tx, scope, webhook), secret


async def update(
    engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId, change: WebhookChange
) -> Webhook:
    """Change what is given. What is still to be delivered goes to the new endpoint, signed by the new secret.

    Disabling gives up what is still to be delivered.
    """
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, webhook, for_update=True)
        endpoint = before.endpoint if change.endpoint is None else checked_endpoint(change.endpoint)
        sealed = before.sealed
        if change.secret is not None:
            sealed = engine.keys.seal(checked_secret(change.secret).encode(), place=store.place_of(webhook))
        is_enabled = before.is_enabled if change.is_enabled is None else change.is_enabled
        await store.update(
            tx,
            webhook,
            name=checked_name(change.name, what="webhook's name") if change.name else (change.name or before.name),
            endpoint=endpoint,
            events=before.events if change.events is None else checked_events(change.events),
            messages=before.messages if change.messages is None else change.messages,
            sealed=sealed,
            is_enabled=is_enabled,
        )
        await deliveries.redirect(tx, webhook, destination=destination_of(endpoint), endpoint=endpoint, sealed=sealed)
        if not is_enabled:
            await deliveries.withdraw(tx, webhook, "The webhook was disabled.")
        await record(engine, tx, actor, scope, "webhook.updated", webhook, process_id=before.process_id)
        tx.after_commit(lambda: engine.wakes.wake_here(Topic.DELIVERIES))
        return await store.get(tx, scope, webhook)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId) -> None:
    """Delete a webhook, and give up what is still to be delivered for it."""
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, webhook, for_update=True)
        await store.delete(tx, webhook)
        await deliveries.withdraw(tx, webhook, "The webhook was deleted.")
        await record(engine, tx, actor, scope, "webhook.deleted", webhook, process_id=found.process_id)


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId) -> Webhook:
    """Have a webhook again that was deleted: it is told of what happens from now on. Raises WebhookNotFound."""
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.WEBHOOK, webhook)
        found = await store.get(tx, scope, webhook)
        await record(engine, tx, actor, scope, "webhook.restored", webhook, process_id=found.process_id)
        return found


async def disable_gone(engine: Engine, room: Room, webhook: WebhookId, *, endpoint: str, answer: str) -> None:
    """Disable a webhook whose receiver says that it is gone for good, unless it points elsewhere by now."""
    disable = partial(store.disable, webhook=webhook, endpoint=endpoint)
    reason = f"Its receiver is gone for good. {answer}"
    await gone.disable_gone(engine, room, webhook, "webhook.disabled", reason, disable)


async def show(engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId) -> tuple[Webhook, str]:
    """One webhook with its secret; it is recorded who saw it.

    Why the permission to read suffices: programs that may read webhooks have always been given the secret.
    """
    return await _opened(engine, actor, scope_of(actor, Permission.READ_WEBHOOKS, workspace), webhook)


async def reveal(engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId) -> tuple[Webhook, str]:
    """The same for people: those who may see again what is sealed. Whoever has the secret may speak as the room."""
    return await _opened(engine, actor, scope_of(actor, Permission.REVEAL, workspace), webhook)


async def _opened(engine: Engine, actor: Actor, scope: Scope, webhook: WebhookId) -> tuple[Webhook, str]:
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, webhook)
        await record(engine, tx, actor, scope, "webhook.revealed", webhook, process_id=found.process_id)
    return found, engine.keys.unseal(found.sealed, place=store.place_of(webhook)).decode()


async def test(engine: Engine, actor: Actor, workspace: WorkspaceId, webhook: WebhookId) -> DeliveryId:
    """Send the webhook a message of a run that does not exist, marked as a test; also while it is disabled.

    A grammar may have several: the delivery is that of the first. Raises WebhookInvalid if it has none.
    """
    scope = scope_of(actor, Permission.WRITE_WEBHOOKS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, webhook)
        grammar = engine.grammars.get(found.grammar)
        rehearsal = await store.rehearsal(tx, scope, found, uuid7())
        messages = [] if grammar is None else grammar.messages(rehearsal)
        if not messages:
            raise WebhookInvalid(f"the grammar {found.grammar} has no test")
        [delivery, *_] = await deliveries.insert(tx, [_delivery(found, rehearsal, each) for each in messages])
        await record(engine, tx, actor, scope, TEST_EVENT, webhook, process_id=found.process_id)
        tx.after_commit(lambda: engine.wakes.wake(Topic.DELIVERIES))
    return delivery


def _delivery(webhook: SealedWebhook, rehearsal: Occurrence, message: Message) -> NewDelivery:
    return NewDelivery(
        workspace_id=webhook.workspace_id,
        kind=DeliveryKind.WEBHOOK,
        subscription_id=webhook.id,
        event_id=None,
        event_kind=TEST_EVENT,
        message_id=rehearsal.message_id(message.name),
        message_name=message.name,
        body=message.body,
        grammar=webhook.grammar,
        destination=destination_of(webhook.endpoint),
        endpoint=webhook.endpoint,
        sealed=webhook.sealed,
        process_id=webhook.process_id,
    )
