"""How long a webhook is told: one that has a limit is disabled when so many messages in a row have reached nobody."""

from collections.abc import Sequence

from msgspec import Struct

from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.model import DeliveryState, Disabled
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.ids import WebhookId


class Ended(Struct, frozen=True):
    """What has become of a message to a webhook."""

    webhook: WebhookId
    state: DeliveryState


class Count(Struct, frozen=True):
    """Messages in a row that have reached nobody."""

    failures: int
    goes_on: bool
    """Whether they come on top of those before; else a message has been delivered before them."""


def counted(states: Sequence[DeliveryState]) -> Count | None:
    """What the ends of messages, in their order, do to the count of their webhook; None: nothing."""
    ends = [state for state in states if state is not DeliveryState.PENDING]
    if not ends:
        return None
    failures = 0
    for state in reversed(ends):
        if state is DeliveryState.DELIVERED:
            return Count(failures, goes_on=False)
        failures += 1
    return Count(failures, goes_on=True)


async def note(engine: Engine, tx: ScopedTx, ended: Sequence[Ended]) -> None:
    """Count how messages ended; a webhook whose limit is reached is disabled, and what waits for it given up."""
    for webhook in sorted({each.webhook for each in ended}):
        count = counted([each.state for each in ended if each.webhook == webhook])
        if count is None or (count == Count(0, goes_on=False) and not await _has_failed(tx, webhook)):
            continue
        found = await _count(tx, webhook, count)
        if found is not None and not found.is_enabled:
            reason = f"{found.failures} messages in a row could not be delivered."
            await deliveries.withdraw(tx, webhook, reason)
            await record(engine, tx, By("system"), found, "webhook.disabled", webhook, reason=reason)


class _Counted(Disabled, frozen=True):
    failures: int
    is_enabled: bool


async def _has_failed(tx: ScopedTx, webhook: WebhookId) -> bool:
    return bool(await tx.value("select failures > 0 from webhook where id = %(webhook)s", webhook=webhook))


async def _count(tx: ScopedTx, webhook: WebhookId, count: Count) -> _Counted | None:
    """Write the count of an enabled webhook, which it may disable."""
    return await tx.one_or_none(
        _Counted,
        """
        update webhook
           set failures = counted.now, is_enabled = counted.now < coalesce(most_failures, counted.now + 1),
               disabled_reason = case when counted.now >= most_failures
                                      then counted.now || ' messages in a row could not be delivered.'
                                      else disabled_reason end
          from (select id, case when %(goes_on)s then failures else 0 end + %(failures)s as now
                  from webhook
                 where id = %(webhook)s and deleted_at is null and is_enabled
                   for no key update) as counted
         where webhook.id = counted.id
        returning webhook.workspace_id,
                  coalesce(webhook.organization_id, (select workspace.organization_id from workspace
                                                      where workspace.id = webhook.workspace_id)) as organization_id,
                  webhook.process_id, webhook.failures, webhook.is_enabled
        """,
        webhook=webhook,
        failures=count.failures,
        goes_on=count.goes_on,
    )
