"""The one record of what happened (DESIGN §4.12). Appended in the transaction of the change itself."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from controlroom.engine.tenancy import ScopedTx
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkItemId, WorkspaceId


class By(Struct, frozen=True):
    """Who did it: the kind and id of an actor (`user`, `api_key`, `step_run`, `worker`, `system`)."""

    kind: str
    id: UUID | None = None


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened: `noun.verb` and what it is about."""

    kind: str
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None = None
    process_id: ProcessId | None = None
    run_id: RunId | None = None
    step_run_id: StepRunId | None = None
    work_item_id: WorkItemId | None = None
    subject_id: UUID | None = None
    data: dict[str, Any] = {}


class _Told(Event, frozen=True, kw_only=True):
    """An event as it is written."""

    actor_kind: str
    actor_id: UUID | None


async def append(tx: ScopedTx, by: By, *events: Event) -> None:
    """Have events written in the caller's transaction: they become known if, and only if, the change does.

    All of a transaction are written at its end, in one statement and in the order in which they were told.
    """
    await tx.collect(_write, [_Told(**asdict(event), actor_kind=by.kind, actor_id=by.id) for event in events])


async def _write(tx: ScopedTx, told: list[_Told]) -> None:
    await tx.execute(
        """
        insert into event (organization_id, workspace_id, kind, actor_kind, actor_id,
                           process_id, run_id, step_run_id, work_item_id, subject_id, data)
        select organization_id, workspace_id, kind, actor_kind, actor_id,
               process_id, run_id, step_run_id, work_item_id, subject_id, coalesce(data, '{}')
          from jsonb_to_recordset(%(told)s) as
               (organization_id uuid, workspace_id uuid, kind text, actor_kind text, actor_id uuid, process_id uuid,
                run_id uuid, step_run_id uuid, work_item_id uuid, subject_id uuid, data jsonb)
        """,
        told=msgspec.Raw(msgspec.json.encode(told)),
    )
