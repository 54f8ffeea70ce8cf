"""Statements on notifications."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen
from controlroom.engine.deliveries.model import Disabled
from controlroom.engine.notifications.errors import NotificationNotFound
from controlroom.engine.notifications.model import Notification, NotificationEvent, NotificationKind, SealedNotification
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.processes import store as processes
from controlroom.ids import NotificationId, ProcessId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

NOTIFICATION: Final = Noun[NotificationId](
    "notification",
    NotificationNotFound,
    "notification",
    InWorkspace("notification.workspace_id"),
    there="notification.deleted_at is null and notification.process_id is not null",
)

_COLUMNS: Final = """id, number, workspace_id, process_id, kind, events, recipients, is_enabled, disabled_reason,
    created_at, sealed"""


def place_of(notification: NotificationId) -> str:
    """What a notification's sealed address is bound to."""
    return f"notification.sealed:{notification}"


async def list_of_process(
    db: Statements, scope: Scope, process: ProcessId, *, after: NotificationId | None = None, limit: int
) -> list[Notification]:
    """The notifications of a process, oldest first, those behind `after`; raises ProcessNotFound."""
    found = await db.all(
        Notification,
        f"""
        select {_COLUMNS} from notification
         where workspace_id = {SEEN} and process_id = %(process)s and deleted_at is null
           and exists (select from process where process.id = notification.process_id and process.deleted_at is null)
         {oldest_first("id")}
        """,
        process=process,
        after=after,
        limit=limit,
        **scope.params,
    )
    if not found:
        await ensure_seen(db, scope)
        await processes.get(db, scope, process)
    return found


async def get(
    db: Statements, scope: Scope, notification: NotificationId, *, for_update: bool = False
) -> SealedNotification:
    """One notification; raises NotificationNotFound."""
    lock = "for update" if for_update else ""
    found = await db.one_or_none(
        SealedNotification,
        f"""
        select {_COLUMNS} from notification
         where workspace_id = {SEEN} and id = %(notification)s and process_id is not null and deleted_at is null {lock}
        """,
        notification=notification,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise NotificationNotFound(notification)
    return found


async def insert(
    tx: Statements,
    scope: Scope,
    notification: NotificationId,
    process: ProcessId,
    *,
    kind: NotificationKind,
    events: Sequence[NotificationEvent],
    recipients: Sequence[str],
    sealed: bytes | None,
) -> bool:
    """Write a notification; False if workspace or process are not seen."""
    return bool(
        await tx.execute(
            f"""
            insert into notification (id, workspace_id, process_id, kind, events, recipients, sealed)
            select %(notification)s, process.workspace_id, process.id, %(kind)s, %(events)s, %(recipients)s, %(sealed)s
              from process
             where process.id = %(process)s and process.deleted_at is null and process.workspace_id = {SEEN}
            """,
            notification=notification,
            process=process,
            kind=kind,
            events=events,
            recipients=list(recipients),
            sealed=sealed,
            **scope.params,
        )
    )


async def update(
    tx: ScopedTx,
    notification: NotificationId,
    *,
    events: Sequence[NotificationEvent],
    recipients: Sequence[str],
    sealed: bytes | None,
    is_enabled: bool,
) -> None:
    """Write a notification that the caller has locked; it keeps its kind."""
    await tx.execute(
        """
        update notification
           set events = %(events)s, recipients = %(recipients)s, sealed = %(sealed)s, is_enabled = %(is_enabled)s,
               disabled_reason = case when %(is_enabled)s then '' else disabled_reason end
         where id = %(notification)s
        """,
        notification=notification,
        events=events,
        recipients=list(recipients),
        sealed=sealed,
        is_enabled=is_enabled,
    )


async def disable(tx: ScopedTx, reason: str, *, notification: NotificationId, sealed: bytes) -> Disabled | None:
    """Disable an enabled notification that still goes to the sealed address; None if there is no such one."""
    return await tx.one_or_none(
        Disabled,
        """
        update notification set is_enabled = false, disabled_reason = %(reason)s
          from workspace
         where notification.id = %(notification)s and sealed = %(sealed)s and is_enabled
           and notification.deleted_at is null and workspace.id = notification.workspace_id
        returning notification.workspace_id, workspace.organization_id, notification.process_id
        """,
        notification=notification,
        sealed=sealed,
        reason=reason,
    )


async def delete(tx: ScopedTx, notification: NotificationId) -> None:
    """Mark a notification that the caller has locked as deleted."""
    await tx.execute("update notification set deleted_at = clock_now() where id = %(id)s", id=notification)
