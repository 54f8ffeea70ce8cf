"""The audit log: who did what, and when (our own management API)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from controlroom.border.asking import Asking, Query
from controlroom.dialects.robocorp.answers import Identified, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, get
from controlroom.engine.access import audit, model
from controlroom.engine.access.audit import AuditEvent, AuditFilter, Position
from controlroom.moments import check_moment


class Doer(Shape, frozen=True):
    """Who did it: a `user`, an `api_key`, a `worker`, a `step_run`, a `trigger`, or the `system` by itself."""

    type: str
    id: UUID | None
    name: str | None


class AuditEventAnswer(Shape, frozen=True, kw_only=True):
    """Something that happened: `noun.verb`, what it was done to, and what of it is worth knowing."""

    id: int
    timestamp: datetime
    event_type: str
    actor: Doer
    process: Identified | None
    process_run: Identified | None
    step_run: Identified | None
    subject_id: UUID | None
    data: dict[str, Any]


@get("/audit-log", needs=model.Permission.READ_AUDIT)
async def list_audit_log(
    request: Asking,
    paging: Pages,
    event_type: Query[str | None] = None,
    actor_id: Query[UUID | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> Page[AuditEventAnswer]:
    """List what happened in the workspace, newest first; single work items have a history of their own."""
    asked = AuditFilter(kind=event_type, actor_id=actor_id, since=_utc(since), until=_utc(until))
    return paging.page(await audit.of_workspace(*request.reading, asked, **paging.before(Position)), _show, _place)


@get("/audit-log", above_workspaces=True)
async def list_organization_audit_log(
    request: Asking,
    paging: Pages,
    event_type: Query[str | None] = None,
    actor_id: Query[UUID | None] = None,
    since: Query[datetime | None] = None,
    until: Query[datetime | None] = None,
) -> Page[AuditEventAnswer]:
    """List what happened to accounts and the organization, outside of its workspaces, newest first; for admins."""
    asked = AuditFilter(kind=event_type, actor_id=actor_id, since=_utc(since), until=_utc(until))
    rows = await audit.outside_workspaces(*request.governing, asked, **paging.before(Position))
    return paging.page(rows, _show, _place)


def _utc(moment: datetime | None) -> datetime | None:
    """A time without a zone is taken as UTC, whatever the server's own is. Raises MomentOutOfRange."""
    if moment is None:
        return None
    return check_moment(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _place(event: AuditEvent) -> Position:
    return Position(event.at, event.id)


_show = shown_as(
    AuditEventAnswer, AuditEvent, actor=lambda event: Doer(event.actor_kind, event.actor_id, event.actor_name)
)
