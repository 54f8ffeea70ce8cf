"""Worker groups that are written whole: what they are called and for, their workers, and whom they are open to.

Such a group has its workers for itself: none of them is in another group. It serves all in which its maker may change
workers.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name, checked_text
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import group_rights, serving, store
from controlroom.engine.workers.actions import check_unused
from controlroom.engine.workers.errors import (
    WorkerGroupNameTaken,
    WorkerGroupNotFound,
    WorkerInOtherGroup,
)
from controlroom.engine.workers.model import AllWorkspaces, Serves, TheseWorkspaces
from controlroom.engine.workers.service import held, require_everywhere, tell
from controlroom.engine.workers.serving import Service, serves
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RoleId, UserId, WorkerGroupId, WorkerId, uuid7
from controlroom.postgres.database import Statements

LONGEST_DESCRIPTION: Final = 4000


class Scheme(StrEnum):
    """How automations that share a group take turns."""

    PRIORITY = "priority"
    """The more urgent first."""
    ROUND_ROBIN = "round_robin"
    """The least recently served first."""


class TimeSlice(Struct, frozen=True):
    """How long one of them shall have the group; stored as it was given."""

    length: str
    unit: str


class WholeGroup(Struct, frozen=True, kw_only=True):
    """A worker group with all that belongs to it; by numbers, with names where a person reads them."""

    id: WorkerGroupId
    number: int
    name: str
    description: str
    scheme: Scheme
    time_slice: TimeSlice | None
    workers: list[int]
    connected: int
    """So many of its workers are there."""
    owners: list[int]
    roles: list[int]
    consumers: int
    """So many queue consumers are placed on it."""
    created_at: datetime
    created_by: int | None
    updated_at: datetime
    updated_by: int | None
    tenant_number: int
    """Of the organization."""


class GroupChange(Struct, frozen=True, kw_only=True):
    """What a group shall be: whatever is set."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    scheme: Scheme | UnsetType = UNSET
    time_slice: TimeSlice | UnsetType | None = UNSET
    workers: tuple[WorkerId, ...] | UnsetType = UNSET
    owners: tuple[UserId, ...] | UnsetType = UNSET
    roles: tuple[RoleId, ...] | UnsetType = UNSET


class RightsUnknown(NotFound):
    """Somebody whom a group shall be open to is nobody of the organization."""

    code: ClassVar[str] = "PRINCIPAL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("a user or role that the group shall be open to is not there")


_MEMBERS: Final = """from worker_group_member join worker on worker.id = worker_group_member.worker_id
                  where worker_group_member.worker_group_id = worker_group.id and worker.deleted_at is null"""

_CONSUMER_COUNT: Final = """(select count(*)
              from queue_consumer join workspace on workspace.id = queue_consumer.workspace_id
             where workspace.organization_id = worker_group.organization_id and queue_consumer.deleted_at is null
               and queue_consumer.placement -> 'places'
                   @> jsonb_build_array(jsonb_build_object('group', worker_group.id)))"""

WHOLE_GROUPS: Final = Listing(
    noun="worker groups",
    table="worker_group",
    columns=f"""worker_group.id, worker_group.number, worker_group.name, worker_group.description, worker_group.scheme,
           worker_group.time_slice, worker_group.created_at, worker_group.updated_at,
           array(select worker.number {_MEMBERS} order by worker.number) as workers,
           (select count(*) {_MEMBERS} and worker.state <> 'offline') as connected,
           array(select app_user.number
                   from worker_group_right join app_user on app_user.id = worker_group_right.user_id
                  where worker_group_right.worker_group_id = worker_group.id order by app_user.number) as owners,
           array(select role.number from worker_group_right join role on role.id = worker_group_right.role_id
                  where worker_group_right.worker_group_id = worker_group.id order by role.number) as roles,
           {_CONSUMER_COUNT} as consumers,
           creator.number as created_by, changer.number as updated_by,
           (select organization.number from organization
             where organization.id = worker_group.organization_id) as tenant_number""",
    joins="""left join app_user as creator on creator.id = worker_group.created_by
      left join app_user as changer on changer.id = worker_group.updated_by""",
    tenant="worker_group.organization_id",
    always=f"worker_group.deleted_at is null and {serves(WORKER_GROUP)}",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="worker_group_of_organization"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT),
        Field(
            "standing",
            Kind.TEXT,
            column=f"""case when not exists (select {_MEMBERS}) then 'offline'
                        when exists (select {_MEMBERS} and worker.state <> 'offline') then 'connected'
                        else 'disconnected' end""",
        ),
        Field("worker_count", Kind.INTEGER, column=f"(select count(*) {_MEMBERS})", is_sortable=True),
        Field(
            "connected_count",
            Kind.INTEGER,
            column=f"(select count(*) {_MEMBERS} and worker.state <> 'offline')",
            is_sortable=True,
        ),
        Field("is_whole", Kind.TRUTH, column=f"not exists (select {_MEMBERS} and worker.state = 'offline')"),
        Field("consumer_count", Kind.INTEGER, column=_CONSUMER_COUNT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)


async def get(db: Statements, scope: Scope, group: WorkerGroupId) -> WholeGroup:
    """One group that serves a workspace of the scope; raises WorkerGroupNotFound."""
    found = await db.one_or_none(
        WholeGroup,
        f"""{WHOLE_GROUPS.select}
         where worker_group.id = %(group)s and worker_group.deleted_at is null and {serves(WORKER_GROUP)}""",
        group=group,
        **scope.each,
    )
    if found is None:
        raise WorkerGroupNotFound(group)
    return found


async def take_turns(tx: ScopedTx, groups: Sequence[WorkerGroupId]) -> bool:
    """Whether those that share one of the groups take turns: then what has waited longest comes first there.

    Who opens one run after the other is thus served in turn with all others who do.
    """
    if not groups:
        return False
    return bool(
        await tx.value(
            """
            select exists (select from worker_group
                            where id = any(%(groups)s::uuid[]) and scheme = 'round_robin' and deleted_at is null)
            """,
            groups=list(groups),
        )
    )


async def create(engine: Engine, actor: Actor, wanted: GroupChange) -> WholeGroup:
    """A new group. Raises WorkerGroupNameTaken, WorkerInOtherGroup, WorkerNotFound, RightsUnknown, Forbidden."""
    scope = scope_of(actor, Permission.WRITE_WORKERS)
    if wanted.name is UNSET:
        raise Invalid("a worker group needs a name", code="NAME_MISSING")
    group = WorkerGroupId(uuid7())
    served: Serves = TheseWorkspaces(scope.each["workspaces"])
    if actor.may(Permission.WRITE_WORKERS, None):
        served = AllWorkspaces()
    async with scoped(engine.database, scope) as tx:
        name = checked_name(wanted.name, what="worker group's name")
        await store.insert_group(tx, scope.organization, group, name, served)
        service = await serving.now(tx, WORKER_GROUP, group)
        await _sign(tx, group, _person(actor))
        await _write(tx, actor, scope, group, service, wanted)
        await tell(engine, tx, actor, service, "worker_group.created", group, name=name)
        _let_claim(engine, tx, service)
        return await get(tx, scope, group)


async def _sign(tx: ScopedTx, group: WorkerGroupId, maker: UserId | None) -> None:
    await tx.execute("update worker_group set created_by = %(by)s where id = %(group)s", by=maker, group=group)


async def update(engine: Engine, actor: Actor, group: WorkerGroupId, wanted: GroupChange) -> WholeGroup:
    """Change what is set. Its owners may, too. Raises ServesOthers, and what `create` raises."""
    scope = scope_of(actor, Permission.READ_WORKERS)
    async with scoped(engine.database, scope) as tx:
        service = await _held(tx, actor, scope, group)
        await _write(tx, actor, scope, group, service, wanted)
        await tell(engine, tx, actor, service, "worker_group.updated", group)
        _let_claim(engine, tx, service)
        return await get(tx, scope, group)


async def delete(engine: Engine, actor: Actor, group: WorkerGroupId) -> None:
    """Delete a group wherever it serves; its workers stay. Raises WorkerGroupInUse."""
    scope = scope_of(actor, Permission.READ_WORKERS)
    async with scoped(engine.database, scope) as tx:
        service = await _held(tx, actor, scope, group)
        await check_unused(tx, group, service.workspaces)
        await store.delete_group(tx, group)
        await tell(engine, tx, actor, service, "worker_group.deleted", group)


async def _held(tx: ScopedTx, actor: Actor, scope: Scope, group: WorkerGroupId) -> Service:
    """What a group serves, locked, if the actor owns it or may change workers wherever it serves."""
    if not await store.lock_group(tx, scope, group):
        await ensure_seen(tx, scope)
        raise WorkerGroupNotFound(group)
    service = await held(tx, scope, WORKER_GROUP, group)
    person = _person(actor)
    if person is None or not await group_rights.is_owner(tx, person, group):
        require_everywhere(actor, service)
    return service


async def _write(
    tx: ScopedTx, actor: Actor, scope: Scope, group: WorkerGroupId, service: Service, wanted: GroupChange
) -> None:
    if wanted.name is not UNSET:
        name = checked_name(wanted.name, what="worker group's name")
        await serving.hold_names(tx, WORKER_GROUP, service.organization_id)
        if await serving.is_taken(tx, WORKER_GROUP, name, service, besides=group):
            raise WorkerGroupNameTaken(name)
        await store.rename_group(tx, group, name)
    before = await get(tx, Of(service.organization_id, tuple(service.workspaces)), group)
    text = before.description if wanted.description is UNSET else wanted.description
    await tx.execute(
        """
        update worker_group
           set description = %(description)s, scheme = %(scheme)s, time_slice = %(slice)s, updated_at = clock_now(),
               updated_by = %(by)s
         where id = %(group)s
        """,
        group=group,
        description=checked_text(text, what="description")[:LONGEST_DESCRIPTION],
        scheme=before.scheme if wanted.scheme is UNSET else wanted.scheme,
        slice=before.time_slice if wanted.time_slice is UNSET else wanted.time_slice,
        by=_person(actor),
    )
    if wanted.workers is not UNSET:
        await store.ensure_workers(tx, scope, wanted.workers)
        await _have(tx, group, wanted.workers)
    if wanted.owners is not UNSET or wanted.roles is not UNSET:
        await _open(tx, service, group, wanted)


async def _have(tx: ScopedTx, group: WorkerGroupId, workers: tuple[WorkerId, ...]) -> None:
    """Let a locked group have these workers, none of which another one has."""
    other = await tx.one_or_none(
        _Elsewhere,
        """
        select worker.name as worker, worker_group.name as group
          from worker join worker_group_member on worker_group_member.worker_id = worker.id
          join worker_group on worker_group.id = worker_group_member.worker_group_id
         where worker.id = any(%(workers)s::uuid[]) and worker_group.id <> %(group)s
         order by worker.id limit 1
        """,
        workers=list(workers),
        group=group,
    )
    if other is not None:
        raise WorkerInOtherGroup(other.worker, other.group)
    await tx.execute("delete from worker_group_member where worker_group_id = %(group)s", group=group)
    for worker in dict.fromkeys(workers):
        await store.add_member(tx, group, worker)


class _Elsewhere(Struct, frozen=True):
    worker: str
    group: str


class _Rights(Struct, frozen=True):
    owners: list[UserId]
    roles: list[RoleId]


async def _open(tx: ScopedTx, service: Service, group: WorkerGroupId, wanted: GroupChange) -> None:
    before = await tx.one(
        _Rights,
        """
        select array(select user_id from worker_group_right
                      where worker_group_id = %(group)s and user_id is not null) as owners,
               array(select role_id from worker_group_right
                      where worker_group_id = %(group)s and role_id is not null) as roles
        """,
        group=group,
    )
    owners = before.owners if wanted.owners is UNSET else wanted.owners
    roles = before.roles if wanted.roles is UNSET else wanted.roles
    known = await tx.value(
        """
        select (select count(*) from app_user where id = any(%(owners)s::uuid[]) and organization_id = %(organization)s)
             + (select count(*) from role where id = any(%(roles)s::uuid[])
                                            and (organization_id is null or organization_id = %(organization)s))
        """,
        owners=list(owners),
        roles=list(roles),
        organization=service.organization_id,
    )
    if known != len(set(owners)) + len(set(roles)):
        raise RightsUnknown
    await group_rights.open_to(tx, group, owners, roles)


def _person(actor: Actor) -> UserId | None:
    return UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None


def _let_claim(engine: Engine, tx: ScopedTx, service: Service) -> None:
    """Workers that have come to a group may have something to do now."""
    organization: Any = service.organization_id
    for each in service.workspaces:
        tx.after_commit(
            lambda each=each: engine.wakes.wake(Topic.STEP_RUNS_AWAIT, each, organization)  # type: ignore[misc]
        )
