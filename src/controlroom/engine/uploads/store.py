"""Statements on promised uploads."""

from datetime import timedelta
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.events.store import By
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.ids import UploadId, uuid7
from controlroom.postgres.database import Statements

_UPLOAD = (
    "id, workspace_id, %(organization)s::uuid as organization_id, kind, target_id, name, content_type, folder, "
    "by_kind, by_id, size, state, reason, hash, created_at"
)

_SYSTEM = By("system")
_GRACE = timedelta(minutes=10)
"""How much longer than its link an upload may take: bytes that began to come in time are let in."""


async def promise(
    tx: Statements,
    scope: Scope,
    *,
    kind: UploadKind,
    target: UUID,
    name: str = "",
    content_type: str = "",
    folder: str = "",
    promised_by: By = _SYSTEM,
    size: int | None = None,
) -> Upload:
    """Write that bytes may come for a target, whose row the caller has seen in this transaction."""
    return await tx.one(
        Upload,
        f"""
        insert into upload (id, workspace_id, kind, target_id, name, content_type, folder, by_kind, by_id, size)
        values (%(upload)s, %(workspace)s, %(kind)s, %(target)s, %(name)s, %(content_type)s, %(folder)s, %(by_kind)s,
                %(by_id)s, %(size)s)
        returning {_UPLOAD}
        """,
        upload=uuid7(),
        workspace=scope.workspace,
        organization=scope.organization,
        kind=kind,
        target=target,
        name=name,
        content_type=content_type,
        folder=folder,
        by_kind=promised_by.kind,
        by_id=promised_by.id,
        size=size,
    )


async def get(
    tx: Statements, scope: Scope, upload: UploadId, *, kind: UploadKind | None = None, link_life: timedelta
) -> Upload | None:
    """One upload (of a kind). A pending one whose link has expired is told as failed."""
    return await tx.one_or_none(
        Upload,
        f"""
        select id, workspace_id, %(organization)s::uuid as organization_id, kind, target_id, name, content_type, folder,
               by_kind, by_id, size, hash, created_at,
               case when is_late then 'failed' else state end as state,
               case when is_late then 'nothing came before the link expired' else reason end as reason
          from upload, lateral (select state = 'pending' and created_at + %(life)s < clock_now()) as late(is_late)
         where id = %(upload)s and workspace_id = {SEEN} and (%(kind)s::text is null or kind = %(kind)s)
        """,
        upload=upload,
        kind=kind,
        life=link_life + _GRACE,
        **scope.params,
    )


async def lock(tx: Statements, scope: Scope, upload: UploadId, kind: UploadKind) -> Upload | None:
    """One upload of a kind, locked until the transaction ends."""
    return await tx.one_or_none(
        Upload,
        f"""
        select {_UPLOAD} from upload
         where id = %(upload)s and workspace_id = {SEEN} and kind = %(kind)s for update
        """,
        upload=upload,
        kind=kind,
        **scope.params,
    )


async def complete(tx: ScopedTx, upload: UploadId, *, digest: str, size: int) -> None:
    """Write what came. The caller holds the lock of the pending row and gives the target its content."""
    await tx.execute(
        """
        update upload set state = 'completed', hash = %(digest)s, size = %(size)s, ended_at = clock_now()
         where id = %(upload)s and state = 'pending'
        """,
        upload=upload,
        digest=digest,
        size=size,
    )


async def fail(tx: Statements, scope: Scope, upload: UploadId, reason: str) -> bool:
    """Write why nothing will come of a pending upload; whether it was pending."""
    return (
        await tx.execute(
            f"""
            update upload set state = 'failed', reason = %(reason)s, ended_at = clock_now()
             where id = %(upload)s and workspace_id = {SEEN} and state = 'pending'
            """,
            upload=upload,
            reason=reason,
            **scope.params,
        )
        > 0
    )
