"""What somebody may do with one queue: by a permission in its workspace, or by a grant on the queue alone.

A grant on a queue gives a right to the holders of a role, or to a user. Who has it acts as if they had the permissions
for it in the queue's workspace, for this one call: `reach` gives that actor, and the verbs ask as ever.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import SEEN, Of, Scope, ScopedTx, scope_of
from controlroom.engine.lists.model import EVERYTHING, AnyOf, Filter, OneOf
from controlroom.engine.queues.errors import QueueNotFound
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import Located, Reference, locate_each
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import QueueId, RoleId, UserId, WorkspaceId
from controlroom.postgres.database import Statements

T = TypeVar("T")


class Right(StrEnum):
    """What a grant on a queue gives; each includes those before it."""

    SEE = "see"
    """The queue and its items."""
    ADD = "add"
    """Put items in."""
    MANAGE = "manage"
    """Change the queue and its items, say who works on it."""
    OWN = "own"
    """Give rights, and delete it."""


_RANK: Final = {right: place for place, right in enumerate(Right)}
_GIVES: Final[Mapping[Right, frozenset[Permission]]] = {
    Right.SEE: frozenset({Permission.READ_WORK_ITEMS, Permission.READ_PROCESSES}),
    Right.ADD: frozenset({Permission.WRITE_WORK_ITEMS}),
    Right.MANAGE: frozenset({Permission.WRITE_WORK_ITEMS, Permission.GOVERN_QUEUES}),
    Right.OWN: frozenset({Permission.WRITE_WORK_ITEMS, Permission.GOVERN_QUEUES}),
}
"""The permissions that verbs ask for where they ask for the right."""
_GOVERNING: Final = (Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES)


class Holder(Struct, frozen=True, kw_only=True):
    """To whom a right is given: the holders of a role, or a user."""

    role: RoleId | None = None
    user: UserId | None = None


class QueueGrant(Struct, frozen=True, kw_only=True):
    """Who has which rights on a queue."""

    role_id: RoleId | None
    role_number: int | None
    role_name: str | None
    role_is_system: bool
    user_id: UserId | None
    user_number: int | None
    rights: tuple[Right, ...]


class Reached(Struct, frozen=True):
    """A queue that somebody may do something with, and them as those who may."""

    queue: QueueId
    scope: Scope
    """Its workspace."""
    actor: Actor

    @property
    def workspace(self) -> WorkspaceId:
        """Where it lies now."""
        return self.scope.workspace


class Granted(Struct, frozen=True):
    """Rights on a queue that somebody has by grants on it."""

    queue_id: QueueId
    workspace_id: WorkspaceId
    rights: tuple[Right, ...]


# ---------------------------------------------------------------------------------------------------- asking
def user_of(actor: Actor) -> UserId | None:
    """The user who acts, if one does."""
    return UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None


def governing(actor: Actor, workspace: WorkspaceId) -> Scope:
    """The workspace for who may make and change its queues. Raises as `scope_of`."""
    governs = actor.may(Permission.GOVERN_QUEUES, workspace)
    return scope_of(actor, Permission.GOVERN_QUEUES if governs else Permission.WRITE_PROCESSES, workspace)


def governed(actor: Actor) -> tuple[WorkspaceId, ...]:
    """The workspaces whose queues the actor governs, oldest first."""
    return tuple(sorted(each for each in actor.grants if any(actor.may(one, each) for one in _GOVERNING)))


def highest(held: Iterable[Right]) -> int:
    """How far some rights go; -1 for none."""
    return max((_RANK[right] for right in held), default=-1)


def right_in(actor: Actor, workspace: WorkspaceId) -> int:
    """How far somebody's permissions in a workspace go, over all of its queues."""
    permissions = actor.permissions_in(workspace)
    if permissions & set(_GOVERNING):
        return _RANK[Right.OWN]
    if Permission.WRITE_WORK_ITEMS in permissions:
        return _RANK[Right.ADD]
    return _RANK[Right.SEE] if Permission.READ_WORK_ITEMS in permissions else -1


async def granted(db: Statements, scope: Of, user: UserId | None) -> list[Granted]:
    """The queues of the organization on which a user has rights by grants, their own and those of their roles."""
    if user is None:
        return []
    return await db.all(
        Granted,
        """
        with roles as (
            select role_id from access_grant where user_id = %(user)s
             union select access_grant.role_id
                     from user_group_member join access_grant using (user_group_id)
                    where user_group_member.user_id = %(user)s
        )
        select queue.id as queue_id, queue.workspace_id, array_agg(distinct given.right_) as rights
          from queue_grant
          join queue on queue.id = queue_grant.queue_id and queue.deleted_at is null
          join workspace on workspace.id = queue.workspace_id and workspace.deleted_at is null
         cross join unnest(queue_grant.rights) as given (right_)
         where workspace.organization_id = %(organization)s
           and (queue_grant.user_id = %(user)s or queue_grant.role_id in (select role_id from roles))
         group by queue.id
        """,
        user=user,
        organization=scope.organization,
    )


class Visible(Struct, frozen=True):
    """The queues that somebody may see."""

    places: Of
    """Where they lie."""
    whole: tuple[WorkspaceId, ...]
    """The workspaces of which they see all queues."""
    by_grant: list[Granted]

    def filter(self, queue: str, workspace: str) -> Filter:
        """The condition that a row is of such a queue, by the names of the fields that tell queue and workspace."""
        if len(self.whole) == len(self.places.workspaces):
            return EVERYTHING
        return AnyOf((OneOf(workspace, self.whole), OneOf(queue, tuple(each.queue_id for each in self.by_grant))))


async def visible(db: Statements, actor: Actor) -> Visible:
    """The queues that somebody may see, by permissions in their workspaces or by grants on them."""
    whole = tuple(each for each in actor.grants if right_in(actor, each) >= 0)
    by_grant = await granted(db, Of(actor.organization_id, ()), user_of(actor))
    places = dict.fromkeys([*whole, *(each.workspace_id for each in by_grant)])
    return Visible(Of(actor.organization_id, tuple(places)), whole, by_grant)


async def reach(db: Statements, actor: Actor, reference: str, right: Right) -> Reached:
    """The queue that a text names, for who has the right on it.

    Raises QueueNotFound for who may not see it, Forbidden for who may see it and no more.
    """
    [reached] = await reach_all(db, actor, [reference], right)
    return reached


async def reach_all(db: Statements, actor: Actor, references: Sequence[str], right: Right) -> list[Reached]:
    """Likewise of several, in their order: all of them, or none. As many statements as for one."""
    if not references:
        return []
    seen = await visible(db, actor)
    if not seen.places.workspaces:
        raise QueueNotFound(references[0])
    asked = [Reference(QUEUE, each) for each in references]
    found = await locate_each(db, seen.places, asked)
    return [_reached(actor, seen, each.text, one, right) for each, one in zip(asked, found, strict=True)]


def _reached(actor: Actor, seen: Visible, reference: str, found: Located[QueueId], right: Right) -> Reached:
    workspace = found.scope.workspace
    mine = next((each.rights for each in seen.by_grant if each.queue_id == found.id), ())
    rank = max(right_in(actor, workspace), highest(mine))
    if rank < 0:
        raise QueueNotFound(reference)
    if rank < _RANK[right]:
        raise Forbidden(
            f"this needs the right to {right.value} on the queue",
            code="PERMISSION_MISSING",
            permission=Permission.GOVERN_QUEUES,
        )
    more = frozenset().union(*(_GIVES[each] for each in Right if _RANK[each] <= _RANK[right]))
    grants = actor.grants | {workspace: actor.permissions_in(workspace) | more}
    return Reached(found.id, Of(actor.organization_id, (workspace,)), replace(actor, grants=grants))


async def at(db: Statements, actor: Actor, reference: str, right: Right, do: Callable[[Reached], Awaitable[T]]) -> T:
    """Do something with a queue that a text names, once more if it has moved to another workspace meanwhile.

    Raises as `reach`, and what `do` raises.
    """
    reached = await reach(db, actor, reference, right)
    try:
        return await do(reached)
    except NotFound:
        again = await reach(db, actor, reference, right)
        if again.workspace == reached.workspace:
            raise
    return await do(again)


# ---------------------------------------------------------------------------------------------------- giving
async def list_grants(db: Statements, scope: Scope, queue: QueueId) -> list[QueueGrant]:
    """Who has which rights on a queue, in the order of their names."""
    return await db.all(
        QueueGrant,
        f"""
        select queue_grant.role_id, role.number as role_number, role.name as role_name,
               role.id is not null and role.organization_id is null as role_is_system, queue_grant.user_id,
               app_user.number as user_number, queue_grant.rights
          from queue_grant
          join queue on queue.id = queue_grant.queue_id
          left join role on role.id = queue_grant.role_id
          left join app_user on app_user.id = queue_grant.user_id
         where queue.workspace_id = {SEEN} and queue.id = %(queue)s
         order by coalesce(role.name, app_user.username), queue_grant.created_at
        """,
        queue=queue,
        **scope.params,
    )


async def give(tx: ScopedTx, queue: QueueId, to: Holder, rights: Sequence[Right], *, by: UUID | None) -> None:
    """Add rights on a queue that the caller has locked, or made, to those that the holder has."""
    await tx.execute(
        """
        insert into queue_grant (queue_id, role_id, user_id, rights, created_by)
        values (%(queue)s, %(role)s, %(user)s, %(rights)s, %(by)s)
            on conflict (queue_id, role_id, user_id)
            do update set rights = (select array_agg(distinct each)
                                      from unnest(queue_grant.rights || excluded.rights) as given (each))
        """,
        queue=queue,
        role=to.role,
        user=to.user,
        rights=list(rights),
        by=by,
    )


async def take(tx: ScopedTx, queue: QueueId, of: Holder, rights: Sequence[Right]) -> bool:
    """Take rights from a holder, of a queue that the caller has locked; whether they had one of them."""
    left = await tx.all(
        int,
        """
        with had as (
            select rights from queue_grant
             where queue_id = %(queue)s and (role_id = %(role)s or user_id = %(user)s) and rights && %(rights)s::text[]
        ), rest as (
            select array(select each from unnest((select rights from had)) as held (each)
                          where each <> all (%(rights)s::text[])) as rights
        ), changed as (
            update queue_grant set rights = (select rights from rest)
             where queue_id = %(queue)s and (role_id = %(role)s or user_id = %(user)s)
               and exists (select from had) and (select rights from rest) <> '{}'
        ), gone as (
            delete from queue_grant
             where queue_id = %(queue)s and (role_id = %(role)s or user_id = %(user)s)
               and exists (select from had) and (select rights from rest) = '{}'
        )
        select 1 from had
        """,
        queue=queue,
        role=of.role,
        user=of.user,
        rights=list(rights),
    )
    return bool(left)


async def ensure_known(tx: ScopedTx, scope: Scope, holder: Holder) -> None:
    """Raise UserNotFound, or NotFound `ROLE_NOT_FOUND`, for a holder who is none of the organization."""
    if holder.user is not None and not await tx.value(
        "select exists (select from app_user where id = %(user)s and organization_id = %(organization)s)",
        user=holder.user,
        organization=scope.organization,
    ):
        raise UserNotFound
    if holder.role is not None and not await tx.value(
        """
        select exists (select from role where id = %(role)s
                          and (organization_id is null or organization_id = %(organization)s))
        """,
        role=holder.role,
        organization=scope.organization,
    ):
        raise NotFound("there is no such role", code="ROLE_NOT_FOUND")
