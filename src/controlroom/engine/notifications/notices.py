"""Notices: a mail to one person about runs of several processes, by how they ended; of a workspace or the organization.

They are notifications as those of single processes are, and sent in the same way. Who writes processes, or webhooks,
in the organization keeps all of them; who does so in some workspaces, those of these.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.places import Place, place_of
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, Of, ScopedTx, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.notifications import store
from controlroom.engine.notifications.errors import NotificationInvalid, NotificationNotFound
from controlroom.engine.notifications.model import ByEmail
from controlroom.engine.notifications.rules import checked_way
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.ids import NotificationId, OrganizationId, ProcessId, UserId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

_MOST_PROCESSES: Final = 1000


class Notice(Struct, frozen=True, kw_only=True):
    """A notice; processes by their numbers."""

    id: NotificationId
    number: int
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    """None: the organization's."""
    user_number: int | None
    """Of the user whom it tells; None: an address of nobody here."""
    recipient: str
    on_success: list[int]
    on_failure: list[int]
    on_stop: list[int]
    on_warning: list[int]
    """Kept as it was given: no run ends with warnings here."""
    created_at: datetime


class WantedNotice(Struct, frozen=True, kw_only=True):
    """One as its author wants it."""

    user: UserId | None
    recipient: str
    on_success: tuple[ProcessId, ...] = ()
    on_failure: tuple[ProcessId, ...] = ()
    on_stop: tuple[ProcessId, ...] = ()
    on_warning: tuple[ProcessId, ...] = ()

    @property
    def processes(self) -> tuple[ProcessId, ...]:
        """All of which it tells something."""
        return tuple(dict.fromkeys((*self.on_success, *self.on_failure, *self.on_stop, *self.on_warning)))


def _numbers(column: str) -> str:
    numbers = f"""select jsonb_agg(process.number order by process.number) from process
                   where process.id = any (notification.{column}) and process.deleted_at is null"""
    return f"coalesce(({numbers}), '[]') as {column}"


NOTICES: Final = Listing(
    noun="notices",
    table="notification",
    columns=f"""notification.id, notification.number, notification.organization_id, notification.workspace_id,
           (select app_user.number from app_user where app_user.id = notification.user_id) as user_number,
           notification.recipients[1] as recipient, notification.created_at,
           {_numbers("on_success")}, {_numbers("on_failure")}, {_numbers("on_stop")}, {_numbers("on_warning")}""",
    tenant="notification.organization_id",
    always="notification.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("workspace_id", Kind.ID, is_nullable=True),
        Field("user_id", Kind.ID, is_nullable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""All of an organization, `within` and `only` as a `Place` says."""


def writing(actor: Actor) -> Place:
    """Where the actor keeps notices. Raises Forbidden for who does so nowhere."""
    for permission in (Permission.WRITE_PROCESSES, Permission.WRITE_WEBHOOKS):
        if actor.may(permission, None) or any(actor.may(permission, each) for each in actor.grants):
            return place_of(actor, permission)
    return place_of(actor, Permission.WRITE_PROCESSES)


async def create(engine: Engine, actor: Actor, wanted: WantedNotice) -> Notice:
    """A new notice, of runs that end from now on. Raises NotificationInvalid, ProcessNotFound, NotOfOrganization."""
    place = writing(actor)
    _check(wanted)
    notice = NotificationId(uuid7())
    async with scoped(engine.database, actor.organization_id) as tx:
        among = await _workspaces(tx, place.scope, wanted.processes)
        if not place.is_throughout and len(among) != 1:
            raise NotOfOrganization(Permission.WRITE_PROCESSES.value)
        workspace = None if place.is_throughout else next(iter(among))
        await _insert(tx, place, notice, workspace, wanted.recipient)
        await _write(tx, notice, wanted)
        made = await _get(tx, place, notice)
        await record(engine, tx, actor, made, "notification.created", notice, **_told(made))
    return made


async def change(engine: Engine, actor: Actor, notice: NotificationId, wanted: WantedNotice) -> Notice:
    """Have one be as it is wanted, where it is. Raises NotificationNotFound, and as `create`."""
    place = writing(actor)
    _check(wanted)
    async with scoped(engine.database, actor.organization_id) as tx:
        before = await _get(tx, place, notice, is_locked=True)
        seen = place.scope if before.workspace_id is None else Of(place.organization, (before.workspace_id,))
        await _workspaces(tx, seen, wanted.processes)
        await _write(tx, notice, wanted)
        after = await _get(tx, place, notice)
        await record(engine, tx, actor, after, "notification.updated", notice, **_told(after))
    return after


async def delete(engine: Engine, actor: Actor, notice: NotificationId) -> Notice:
    """Delete one, as it was, and give up what is still to be sent. Raises NotificationNotFound."""
    place = writing(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await _get(tx, place, notice, is_locked=True)
        await store.delete(tx, notice)
        await deliveries.withdraw(tx, notice, "The notification was deleted.")
        await record(engine, tx, actor, found, "notification.deleted", notice, **_told(found))
    return found


async def restore(engine: Engine, actor: Actor, notice: NotificationId) -> Notice:
    """Have one again that was deleted: of runs that end from now on. Raises NotificationNotFound."""
    place = writing(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await _unmark(tx, place, notice):
            raise NotificationNotFound(notice)
        found = await _get(tx, place, notice)
        await record(engine, tx, actor, found, "notification.restored", notice, **_told(found))
    return found


async def numbered(db: Statements, place: Place, number: str) -> Notice:
    """The one with a number. Raises NotificationNotFound."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):  # noqa: PLR2004 - digits of 63 bits
        raise NotificationNotFound(number)
    return await _get(db, place, int(number))


async def _get(tx: Statements, place: Place, notice: NotificationId | int, *, is_locked: bool = False) -> Notice:
    found = await tx.one_or_none(
        Notice,
        f"""
        {NOTICES.select}
         where notification.{"number" if isinstance(notice, int) else "id"} = %(notice)s and {NOTICES.always}
           and {NOTICES.tenant} = %(organization)s
           and (%(is_throughout)s or notification.workspace_id in {EACH})
         {"for no key update of notification" if is_locked else ""}
        """,
        notice=notice,
        is_throughout=place.is_throughout,
        **place.scope.each,
    )
    if found is None:
        raise NotificationNotFound(str(notice))
    return found


async def _workspaces(tx: ScopedTx, scope: Of, processes: Sequence[ProcessId]) -> set[WorkspaceId]:
    """In which workspaces the processes are. Raises ProcessNotFound for one that is in none of the scope."""
    rows = await tx.all(
        _Located,
        f"""
        select id, workspace_id from process
         where id = any (%(processes)s::uuid[]) and workspace_id in {EACH} and deleted_at is null
        """,
        processes=list(processes),
        **scope.each,
    )
    if missing := {*processes} - {each.id for each in rows}:
        raise ProcessNotFound(missing.pop())
    return {each.workspace_id for each in rows}


class _Located(Struct, frozen=True):
    id: ProcessId
    workspace_id: WorkspaceId


async def _insert(
    tx: ScopedTx, place: Place, notice: NotificationId, workspace: WorkspaceId | None, recipient: str
) -> None:
    await tx.execute(
        """
        insert into notification (id, organization_id, workspace_id, kind, events, recipients)
        values (%(notice)s, %(organization)s, %(workspace)s, 'email', '{run.completed,run.unresolved}', %(to)s)
        """,
        notice=notice,
        organization=place.organization,
        workspace=workspace,
        to=[recipient],
    )


async def _unmark(tx: ScopedTx, place: Place, notice: NotificationId) -> bool:
    """Take the mark of its deletion off a notice that the place has; whether there was one."""
    return bool(
        await tx.execute(
            f"""
            update notification set deleted_at = null
             where id = %(notice)s and organization_id = %(organization)s and deleted_at is not null
               and (%(is_throughout)s or workspace_id in {EACH})
            """,
            notice=notice,
            is_throughout=place.is_throughout,
            **place.scope.each,
        )
    )


async def _write(tx: ScopedTx, notice: NotificationId, wanted: WantedNotice) -> None:
    await tx.execute(
        """
        update notification
           set user_id = %(user)s, recipients = %(to)s, on_success = %(on_success)s, on_failure = %(on_failure)s,
               on_stop = %(on_stop)s, on_warning = %(on_warning)s
         where id = %(notice)s
        """,
        notice=notice,
        user=wanted.user,
        to=[wanted.recipient],
        on_success=list(wanted.on_success),
        on_failure=list(wanted.on_failure),
        on_stop=list(wanted.on_stop),
        on_warning=list(wanted.on_warning),
    )


def _check(wanted: WantedNotice) -> None:
    checked_way(ByEmail((wanted.recipient,)))
    if len(wanted.processes) > _MOST_PROCESSES:
        raise NotificationInvalid(f"a notice tells of at most {_MOST_PROCESSES:,} processes")


def _told(notice: Notice) -> dict[str, Any]:
    return {"recipient": notice.recipient, "user": notice.user_number}
