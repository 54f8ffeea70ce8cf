"""Payloads of many items at once, for lists that show them."""

from collections.abc import Sequence

from msgspec import Raw, Struct

from controlroom.ids import WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements


class _Payload(Struct, frozen=True):
    id: WorkItemId
    payload: Raw | None


async def payloads_of(
    db: Statements, workspace: WorkspaceId, items: Sequence[WorkItemId]
) -> dict[WorkItemId, Raw | None]:
    """The payload of each item; None for one that has none."""
    rows = await db.all(
        _Payload,
        "select id, payload from work_item where workspace_id = %(workspace)s and id = any (%(items)s)",
        workspace=workspace,
        items=items,
    )
    return {row.id: row.payload for row in rows}
