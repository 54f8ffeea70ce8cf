"""The audit log: the one record of events, as those who answer for a workspace or an organization read it.

What happens to single work items is not in it: items have a history of their own, and there are millions of them.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import SEEN, scope_of
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.ids import ProcessId, RunId, StepRunId, WorkspaceId
from controlroom.postgres.database import Statements


class AuditEvent(Struct, frozen=True, kw_only=True):
    """Something that happened, and who did it."""

    id: int
    at: datetime
    kind: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    """None: nobody's, or a credential that was deleted."""
    process_id: ProcessId | None
    run_id: RunId | None
    step_run_id: StepRunId | None
    subject_id: UUID | None
    data: dict[str, Any]


class Position(Struct, frozen=True, array_like=True):
    """The event at which a page ended."""

    at: datetime
    id: Annotated[int, Meta(le=2**63 - 1)]


class AuditFilter(Struct, frozen=True, kw_only=True):
    """Which events; None: whatever."""

    kind: str | None = None
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def of_workspace(
    engine: Engine, actor: Actor, workspace: WorkspaceId, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in a workspace, newest first."""
    scope = scope_of(actor, Permission.READ_AUDIT, workspace)
    return await _list(
        engine.database,
        f"event.workspace_id = {SEEN} and event.work_item_id is null",
        asked,
        before,
        limit,
        **scope.params,
    )


async def outside_workspaces(
    engine: Engine, actor: Actor, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in the organization and in none of its workspaces (to accounts, say), newest first; for admins."""
    if not actor.may(Permission.READ_AUDIT, None):
        raise Forbidden("only an admin reads the audit log of the organization", code="ADMIN_ONLY")
    return await _list(
        engine.database,
        "event.workspace_id is null and event.organization_id = %(organization)s",
        asked,
        before,
        limit,
        organization=actor.organization_id,
    )


async def _list(
    tx: Statements, where: str, asked: AuditFilter, before: Position | None, limit: int, **params: Any
) -> list[AuditEvent]:
    conditions = [where]
    if asked.kind is not None:
        conditions.append("event.kind = %(kind)s")
        params["kind"] = asked.kind
    if asked.actor_id is not None:
        conditions.append("event.actor_id = %(actor)s")
        params["actor"] = asked.actor_id
    if asked.since is not None:
        conditions.append("event.at >= %(since)s")
        params["since"] = asked.since
    if asked.until is not None:
        conditions.append("event.at < %(until)s")
        params["until"] = asked.until
    if before is not None:
        conditions.append("(event.at, event.id) < (%(before_at)s, %(before_id)s)")
        params |= {"before_at": before.at, "before_id": before.id}
    return await tx.all(
        AuditEvent,
        f"""
        select event.id, event.at, event.kind, event.actor_kind, event.actor_id, event.process_id, event.run_id,
               event.step_run_id, event.subject_id, event.data,
               coalesce(app_user.username, api_key.name) as actor_name
          from event
          left join app_user on app_user.id = event.actor_id and event.actor_kind = 'user'
          left join api_key on api_key.id = event.actor_id and event.actor_kind = 'api_key'
         where {" and ".join(conditions)}
         order by event.at desc, event.id desc
         limit %(limit)s
        """,
        limit=limit,
        **params,
    )
