"""Statements on webhooks."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.webhooks.model import SealedWebhook, Webhook, WebhookDefinition, WebhookEvent
from controlroom.ids import OrganizationId, ProcessId, UserId, WebhookId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

_WEBHOOK: Final = """
    select webhook.id, webhook.number, webhook.workspace_id, webhook.process_id, process.name as process_name,
           webhook.name, grammar, endpoint, events, webhook.is_enabled, webhook.disabled_reason,
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


async def get(tx: Statements, scope: Scope, webhook: WebhookId, *, for_update: bool = False) -> SealedWebhook | None:
    """One webhook, with its secret as stored."""
    lock = "for update of webhook" if for_update else ""
    return await tx.one_or_none(
        SealedWebhook,
        f"""{_WEBHOOK}
         where webhook.workspace_id = {SEEN} and webhook.id = %(webhook)s and webhook.deleted_at is null {lock}""",
        webhook=webhook,
        **scope.params,
    )


async def insert(
    tx: Statements, scope: Scope, webhook: WebhookId, wanted: WebhookDefinition, sealed: bytes, by: UserId | None
) -> bool:
    """Write a webhook; False if workspace or process are not seen."""
    return bool(
        await tx.execute(
            f"""
            insert into webhook (id, workspace_id, process_id, name, grammar, endpoint, events, sealed, is_enabled,
                                 created_by)
            select %(webhook)s, seen.id, %(process)s::uuid, %(name)s, %(grammar)s, %(endpoint)s, %(events)s, %(sealed)s,
                   %(is_enabled)s, %(by)s
              from {SEEN} as seen
             where %(process)s::uuid is null
                or exists (select from process
                            where id = %(process)s::uuid and workspace_id = seen.id and deleted_at is null)
            """,
            webhook=webhook,
            process=wanted.process,
            name=wanted.name,
            grammar=wanted.grammar,
            endpoint=wanted.endpoint,
            events=wanted.events,
            sealed=sealed,
            is_enabled=wanted.is_enabled,
            by=by,
            **scope.params,
        )
    )


async def update(
    tx: Statements,
    webhook: WebhookId,
    *,
    name: str,
    endpoint: str,
    events: Sequence[WebhookEvent],
    sealed: bytes,
    is_enabled: bool,
) -> None:
    """Write a webhook that the caller has locked."""
    await tx.execute(
        """
        update webhook
           set name = %(name)s, endpoint = %(endpoint)s, events = %(events)s, sealed = %(sealed)s,
               is_enabled = %(is_enabled)s, disabled_reason = case when %(is_enabled)s then '' else disabled_reason end
         where id = %(webhook)s
        """,
        webhook=webhook,
        name=name,
        endpoint=endpoint,
        events=events,
        sealed=sealed,
        is_enabled=is_enabled,
    )


class Disabled(Struct, frozen=True):
    """A subscription that the room has disabled."""

    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId | None


async def disable(tx: Statements, webhook: WebhookId, *, endpoint: str, reason: str) -> Disabled | None:
    """Disable an enabled webhook that still points to the endpoint; None if there is no such one."""
    return await tx.one_or_none(
        Disabled,
        """
        update webhook set is_enabled = false, disabled_reason = %(reason)s
          from workspace
         where webhook.id = %(webhook)s and endpoint = %(endpoint)s and is_enabled and webhook.deleted_at is null
           and workspace.id = webhook.workspace_id
        returning webhook.workspace_id, workspace.organization_id, webhook.process_id
        """,
        webhook=webhook,
        endpoint=endpoint,
        reason=reason,
    )


async def delete(tx: Statements, webhook: WebhookId) -> None:
    """Mark a webhook that the caller has locked as deleted. Its deliveries stay readable for as long as any."""
    await tx.execute("update webhook set deleted_at = clock_now() where id = %(webhook)s", webhook=webhook)
