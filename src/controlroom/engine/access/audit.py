"""The audit log: the one record of events, as those who answer for a workspace or an organization read it.

What happens to single work items is not in it: items have a history of their own, and there are millions of them.
"""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, throughout, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    After,
    AllOf,
    Asked,
    Compare,
    Direction,
    Field,
    Filter,
    Kind,
    Listing,
    OneOf,
    Operator,
    Skip,
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


_ACTOR: Final = """left join app_user on app_user.id = event.actor_id and event.actor_kind = 'user'
      left join credential on credential.id = event.actor_id and event.actor_kind in ('api_key', 'service_token')"""

EVENTS: Final = Listing(
    noun="events",
    table="event",
    columns="""event.id, event.at, event.kind, event.actor_kind, event.actor_id, event.process_id, event.run_id,
           event.step_run_id, event.subject_id, event.data,
           coalesce(app_user.username, credential.name) as actor_name""",
    joins=_ACTOR,
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

_WORKER: Final = """left join step_run on step_run.id = event.step_run_id
      left join worker on worker.id = coalesce(step_run.worker_id, event.subject_id)"""
_PROCESS: Final = "left join process on process.id = event.process_id"
_ACTOR_NUMBER: Final = "coalesce(app_user.number, credential.number)"
_SUBJECT: Final = "coalesce(event.data->>'name', event.data->>'username', process.name)"
_SENTENCE: Final = f"""(replace(split_part(event.kind, '.', 1), '_', ' ') || coalesce(' ' || nullif({_SUBJECT}, ''), '')
            || ': ' || replace(substr(event.kind, length(split_part(event.kind, '.', 1)) + 2), '_', ' '))"""
"""What has happened to what, in words: `run Invoices: succeeded`."""
_DESCRIBED: Final[tuple[Field, ...]] = (
    Field("actor_name", Kind.TEXT, "coalesce(app_user.username, credential.name)", is_nullable=True, join=_ACTOR),
    Field("actor_number", Kind.INTEGER, _ACTOR_NUMBER, is_nullable=True, join=_ACTOR),
    Field("worker_name", Kind.TEXT, "worker.name", is_nullable=True, join=_WORKER),
    Field("subject_name", Kind.TEXT, _SUBJECT, is_nullable=True, join=_PROCESS),
    Field("sentence", Kind.TEXT, _SENTENCE, join=_PROCESS),
)


class DescribedEvent(AuditEvent, frozen=True, kw_only=True):
    """What happened, and what of it people call by a name or a number."""

    actor_number: int | None
    """Of a user, or of the credential that has done it itself."""
    worker_name: str | None
    subject_name: str | None


DESCRIBED: Final = replace(
    EVERYWHERE,
    columns=f"""{EVENTS.columns}, {_ACTOR_NUMBER} as actor_number, worker.name as worker_name,
           {_SUBJECT} as subject_name""",
    joins=f"{_ACTOR} {_WORKER} {_PROCESS}",
    fields=EVENTS.fields + _DESCRIBED,
)
"""What happened in an organization, in its workspaces and outside, with the names of who and what."""

_NEWEST_FIRST: Final = (Sort("at", Direction.DESCENDING), Sort("id", Direction.DESCENDING))


async def of_workspace(
    db: Statements, scope: Scope, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in a workspace, newest first."""
    return await pages.rows(db, AuditEvent, EVENTS, within(scope), _asked(asked, before, limit))


_OF_RUNS: Final = replace(DESCRIBED, tenant="event.workspace_id")
_RUN_KINDS: Final = (
    *("run.started", "run.completed", "run.unresolved", "run.stop_requested", "run.deleted"),
    *("step_run.started", "step_run.completed", "step_run.failed", "step_run.paused", "step_run.resumed"),
)


async def told(
    db: Statements, actor: Actor, scope: Scope, which: Filter, *, offset: int, length: int
) -> tuple[list[DescribedEvent], int]:
    """What happened, newest first, and how much that is: all of it for who may read the audit log of the organization.

    For others it is what happened to the runs of the scope.
    """
    asked = Asked(filter=which, sort=_NEWEST_FIRST, start=Skip(offset), length=length, with_total=True)
    if actor.may(Permission.READ_AUDIT, None):
        found = await pages.page(db, DescribedEvent, DESCRIBED, throughout(actor, Permission.READ_AUDIT), asked)
    else:
        asked = replace(asked, filter=AllOf((which, OneOf("kind", _RUN_KINDS))))
        found = await pages.page(db, DescribedEvent, _OF_RUNS, within(scope), asked)
    return found.rows, len(found.rows) if found.total is None else found.total.rows


async def outside_workspaces(
    engine: Engine, actor: Actor, asked: AuditFilter, *, before: Position | None, limit: int
) -> list[AuditEvent]:
    """What happened in the organization and in none of its workspaces (to accounts, say), newest first; for admins."""
    if not actor.uses(Permission.READ_AUDIT, None):
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
