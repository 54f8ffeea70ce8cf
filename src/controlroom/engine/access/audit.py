"""The audit log: the one record of events, as those who answer for a workspace or an organization read it.

What happens to single work items is not in it: items have a history of their own, and there are millions of them.
"""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    After,
    AllOf,
    Asked,
    Compare,
    Direction,
    Field,
    Kind,
    Listing,
    Operator,
    Sort,
    Within,
    equal,
)
from controlroom.errors import Forbidden
from controlroom.ids import ProcessId, RunId, StepRunId
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


EVENTS: Final = Listing(
    noun="events",
    table="event",
    columns="""event.id, event.at, event.kind, event.actor_kind, event.actor_id, event.process_id, event.run_id,
           event.step_run_id, event.subject_id, event.data,
           coalesce(app_user.username, credential.name) as actor_name""",
    joins="""left join app_user on app_user.id = event.actor_id and event.actor_kind = 'user'
      left join credential on credential.id = event.actor_id and event.actor_kind = 'api_key'""",
    tenant="event.workspace_id",
    always="event.work_item_id is null",
    fields=(
        Field("id", Kind.INTEGER, is_sortable=True, index="event_of_workspace"),
        Field("at", Kind.INSTANT, is_sortable=True, index="event_by_time"),
        Field("kind", Kind.TEXT),
        Field("actor_kind", Kind.TEXT),
        Field("actor_id", Kind.ID, is_nullable=True),
        Field("process_id", Kind.ID, is_nullable=True),
        Field("run_id", Kind.ID, is_nullable=True, index="event_of_run"),
        Field("step_run_id", Kind.ID, is_nullable=True, index="event_of_step_run"),
        Field("subject_id", Kind.ID, is_nullable=True),
    ),
)
"""What happened in workspaces."""

OUTSIDE: Final = replace(EVENTS, tenant="event.organization_id", always="event.workspace_id is null")
"""What happened in an organization and in none of its workspaces: the index by time is `event_outside_workspaces`."""

EVERYWHERE: Final = replace(EVENTS, tenant="event.organization_id")
"""What happened in an organization, in its workspaces and outside: the index by time is `event_of_organization`."""

_NEWEST_FIRST: Final = (Sort("at", Direction.DESCENDING), Sort("id", Direction.DESCENDING))


async def of_workspace(
    db: Statements, scope: Scope, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in a workspace, newest first."""
    return await pages.rows(db, AuditEvent, EVENTS, within(scope), _asked(asked, before, limit))


async def outside_workspaces(
    engine: Engine, actor: Actor, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in the organization and in none of its workspaces (to accounts, say), newest first; for admins."""
    if not actor.may(Permission.READ_AUDIT, None):
        raise Forbidden("only an admin reads the audit log of the organization", code="ADMIN_ONLY")
    organization = Within.one("%(organization)s", organization=actor.organization_id)
    return await pages.rows(engine.database, AuditEvent, OUTSIDE, organization, _asked(asked, before, limit))


def _asked(which: AuditFilter, before: Position | None, limit: int) -> Asked:
    conditions = equal(kind=which.kind, actor_id=which.actor_id).of
    if which.since is not None:
        conditions += (Compare("at", Operator.GE, which.since),)
    if which.until is not None:
        conditions += (Compare("at", Operator.LT, which.until),)
    start = None if before is None else After((before.at, before.id))
    return Asked(filter=AllOf(conditions), sort=_NEWEST_FIRST, start=start, length=limit)
