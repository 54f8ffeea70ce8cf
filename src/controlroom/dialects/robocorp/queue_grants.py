"""Who may do what with one queue, and the jobs of queues (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, get, post
from controlroom.engine.queues import jobs, rights, sharing, store
from controlroom.engine.queues.jobs import JobKind, JobState, QueueJob
from controlroom.engine.queues.rights import Holder, QueueGrant, Reached, Right, governing
from controlroom.errors import Invalid
from controlroom.ids import QueueId, QueueJobId, RoleId, UserId


class QueueGrantAnswer(Shape, frozen=True, kw_only=True):
    """What the holders of a role, or a user, may do with a queue."""

    role_id: RoleId | None
    role_name: str | None
    user_id: UserId | None
    rights: tuple[Right, ...]


class SetQueueGrant(OwnBody, frozen=True, kw_only=True):
    """A role or a user, and all that they shall be allowed; nothing takes it from them."""

    role: Reference | None = None
    user: Reference | None = None
    rights: tuple[Right, ...]


class QueueJobAnswer(Shape, frozen=True, kw_only=True):
    """A table that is put into a queue, or an export of its items."""

    id: QueueJobId
    kind: JobKind
    state: JobState
    name: str
    size: int | None
    rows_read: int
    rows_put: int
    rows_refused: int
    error: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@get("/queues/{queue_id:uuid}/grants", needs=Permission.READ_PROCESSES)
async def list_queue_grants(request: Asking, queue_id: Path[QueueId]) -> list[QueueGrantAnswer]:
    """List who has rights on a queue beside those of its workspace."""
    await store.get(*request.reading, queue_id)
    return [_show(each) for each in await rights.list_grants(*request.reading, queue_id)]


@post("/queues/{queue_id:uuid}/grants")
async def set_queue_grant(
    request: Asking, queue_id: Path[QueueId], data: Body[SetQueueGrant]
) -> list[QueueGrantAnswer]:
    """Say what the holders of a role, or a user, may do with a queue: see, add, manage, own."""
    if (data.role is None) is (data.user is None):
        raise Invalid("a grant is a role's or a user's", code="INVALID_BODY")
    holder = Holder(
        role=None if data.role is None else RoleId(data.role.id),
        user=None if data.user is None else UserId(data.user.id),
    )
    reached = Reached(queue_id, governing(request.actor, request.workspace), request.actor)
    await sharing.set_rights(request.engine, reached, holder, list(dict.fromkeys(data.rights)))
    return [_show(each) for each in await rights.list_grants(request.db, reached.scope, queue_id)]


@get("/queues/{queue_id:uuid}/jobs", needs=Permission.READ_WORK_ITEMS)
async def list_queue_jobs(request: Asking, paging: Pages, queue_id: Path[QueueId]) -> Page[QueueJobAnswer]:
    """List the tables that were, or are, put into a queue, and the exports of its items, oldest first."""
    await store.get(*request.reading, queue_id)
    return paging.page(await jobs.list_of_queue(*request.reading, queue_id, **paging.after(QueueJobId)), _show_job)


_show = shown_as(QueueGrantAnswer, QueueGrant)
_show_job = shown_as(QueueJobAnswer, QueueJob)
