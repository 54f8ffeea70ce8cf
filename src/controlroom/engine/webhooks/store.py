"""Statements on webhooks."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen
from controlroom.engine.deliveries.model import Disabled
from controlroom.engine.messages import Occurrence
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.webhooks.errors import WebhookNotFound
from controlroom.engine.webhooks.model import TEST_EVENT, SealedWebhook, Webhook, WebhookDefinition, WebhookEvent
from controlroom.ids import ProcessId, UserId, WebhookId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

WEBHOOK: Final = Noun[WebhookId](
    "webhook",
    WebhookNotFound,
    "webhook",
    InWorkspace("webhook.workspace_id"),
    there="webhook.deleted_at is null",
    name="webhook.name",
)

_WEBHOOK: Final = """
    select webhook.id, webhook.number, webhook.workspace_id, webhook.process_id, process.name as process_name,
           webhook.name, grammar, messages, endpoint, events, webhook.is_enabled, webhook.disabled_reason,
           webhook.created_at, webhook.sealed
      from webhook left join process on process.id = webhook.process_id
"""


def place_of(webhook: WebhookId) -> str:
    """What a webhook's sealed secret is bound to."""
    return f"webhook.sealed:{webhook}"


async def list_webhooks(
    tx: Statements,
    scope: Scope,
    *,
    process: ProcessId | None = None,
    after: WebhookId | None = None,
    limit: int,
) -> list[Webhook]:
    """Webhooks of the workspace, oldest first, those behind `after`; with a process, those of it alone."""
    return await tx.all(
        Webhook,
        f"""{_WEBHOOK}
         where webhook.workspace_id = {SEEN} and webhook.deleted_at is null
           and (%(process)s::uuid is null or webhook.process_id = %(process)s)
         {oldest_first("webhook.id")}""",
        process=process,
        after=after,
        limit=limit,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, webhook: WebhookId, *, for_update: bool = False) -> SealedWebhook:
    """One webhook, with its secret as stored; raises WebhookNotFound."""
    lock = "for update of webhook" if for_update else ""
    found = await db.one_or_none(
        SealedWebhook,
        f"""{_WEBHOOK}
         where webhook.workspace_id = {SEEN} and webhook.id = %(webhook)s and webhook.deleted_at is null {lock}""",
        webhook=webhook,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise WebhookNotFound(webhook)
    return found


async def insert(
    tx: Statements, scope: Scope, webhook: WebhookId, wanted: WebhookDefinition, sealed: bytes, by: UserId | None
) -> bool:
    """Write a webhook; False if workspace or process are not seen."""
    return bool(
        await tx.execute(
            f"""
            insert into webhook (id, workspace_id, process_id, name, grammar, messages, endpoint, events, sealed,
                                 is_enabled, created_by)
            select %(webhook)s, seen.id, %(process)s::uuid, %(name)s, %(grammar)s, %(messages)s, %(endpoint)s,
                   %(events)s, %(sealed)s, %(is_enabled)s, %(by)s
              from {SEEN} as seen
             where %(process)s::uuid is null
                or exists (select from process
                            where id = %(process)s::uuid and workspace_id = seen.id and deleted_at is null)
            """,
            webhook=webhook,
            process=wanted.process,
            name=wanted.name,
            grammar=wanted.grammar,
            messages=list(wanted.messages),
            endpoint=wanted.endpoint,
            events=wanted.events,
            sealed=sealed,
            is_enabled=wanted.is_enabled,
            by=by,
            **scope.params,
        )
    )


async def update(
    tx: ScopedTx,
    webhook: WebhookId,
    *,
    name: str,
    endpoint: str,
    events: Sequence[WebhookEvent],
    messages: Sequence[str],
    sealed: bytes,
    is_enabled: bool,
) -> None:
    """Write a webhook that the caller has locked."""
    await tx.execute(
        """
        update webhook
           set name = %(name)s, endpoint = %(endpoint)s, events = %(events)s, messages = %(messages)s,
               sealed = %(sealed)s, is_enabled = %(is_enabled)s, updated_at = clock_now(),
               failures = case when %(is_enabled)s then 0 else failures end,
               disabled_reason = case when %(is_enabled)s then '' else disabled_reason end
         where id = %(webhook)s
        """,
        webhook=webhook,
        name=name,
        endpoint=endpoint,
        events=events,
        messages=list(messages),
        sealed=sealed,
        is_enabled=is_enabled,
    )


async def disable(tx: ScopedTx, reason: str, *, webhook: WebhookId, endpoint: str) -> Disabled | None:
    """Disable an enabled webhook that still points to the endpoint; None if there is no such one."""
    return await tx.one_or_none(
        Disabled,
        """
        update webhook set is_enabled = false, disabled_reason = %(reason)s
         where webhook.id = %(webhook)s and endpoint = %(endpoint)s and is_enabled and webhook.deleted_at is null
        returning webhook.workspace_id,
                  coalesce(webhook.organization_id, (select workspace.organization_id from workspace
                                                      where workspace.id = webhook.workspace_id)) as organization_id,
                  webhook.process_id
        """,
        webhook=webhook,
        endpoint=endpoint,
        reason=reason,
    )


async def rehearsal(tx: Statements, scope: Scope, webhook: Webhook, test: UUID) -> Occurrence:
    """What a webhook is told as a test: of its workspace and, if it has one, its process; no run is behind it."""
    return await tx.one(
        Occurrence,
        f"""
        select 0 as event_id, clock_now() as at, %(kind)s::text as kind, %(test)s::uuid as rehearsal,
               %(webhook)s::uuid as subscription_id, %(number)s::bigint as subscription_number,
               %(name)s::text as subscription_name,
               organization.id as organization_id, organization.number as organization_number,
               workspace.id as workspace_id, workspace.number as workspace_number, workspace.name as workspace_name,
               process.id as process_id, process.number as process_number, process.name as process_name
          from workspace
          join organization on organization.id = workspace.organization_id
          left join process on process.id = %(process)s::uuid
         where workspace.id = {SEEN}
        """,
        kind=TEST_EVENT,
        test=test,
        webhook=webhook.id,
        number=webhook.number,
        name=webhook.name,
        process=webhook.process_id,
        **scope.params,
    )


async def delete(tx: ScopedTx, webhook: WebhookId) -> None:
    """Mark a webhook that the caller has locked as deleted. Its deliveries stay readable for as long as any."""
    await tx.execute("update webhook set deleted_at = clock_now() where id = %(webhook)s", webhook=webhook)
