"""Notifications of processes: who is told when a run ends, by mail or in a chat, and how that went."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access import history
from controlroom.engine.lists.model import equal
from controlroom.engine.notifications import actions, store
from controlroom.engine.notifications.listings import NOTIFICATIONS, ListedNotification
from controlroom.engine.notifications.model import (
    ByChat,
    ByEmail,
    Notification,
    NotificationEvent,
    NotificationKind,
    Way,
)
from controlroom.engine.notifications.store import NOTIFICATION
from controlroom.engine.processes import store as processes
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import NotificationId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown, own_path
from controlroom.ui.filters import Choice, Reference, Tab
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.numbers import ensure_number, id_of
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.webhooks.pages_one import KINDS, deliveries_list, delivery_beside, redelivered

PLACE: Final = Place(
    at="notifications",
    name="Notifications",
    path="/notifications",
    icon="notifications",
    needs=Permission.READ_PROCESSES,
)
_READS: Final = Permission.READ_PROCESSES
_WRITES: Final = Permission.WRITE_PROCESSES
ENDS: Final = {
    NotificationEvent.RUN_UNRESOLVED: "unresolved",
    NotificationEvent.RUN_COMPLETED: "completed",
}
_KINDS: Final = {NotificationKind.EMAIL.value: "By mail", NotificationKind.CHAT.value: "In a chat"}
_LIST: Final = ListPage(
    listing=NOTIFICATIONS,
    row=ListedNotification,
    path="/notifications",
    noun="notifications",
    noun_of_one="notification",
    topics="notification",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("on", "On", equal(is_enabled=True)),
        Tab("off", "Off", equal(is_enabled=False)),
    ),
    filters=(
        Choice("kind", "Told", "kind", _KINDS),
        Reference("process", "Process", "process_id", PROCESSES),
    ),
    columns=(
        Col("recipients", "Who", always=True, csv=lambda row: ", ".join(row.recipients) or "A chat"),
        Col("process_name", "Process", sort="process_name", always=True),
        Col("events", "When a run is", csv=lambda row: ", ".join(ENDS[each] for each in row.events)),
        Col("created_at", "Made", sort="created_at", is_number=True),
        Col("is_enabled", "State", always=True),
    ),
    searched=("recipients", "process_name"),
    searched_words="Address or process",
)


@page("/notifications", needs=_READS)
async def list_notifications(request: Asking) -> Shown:
    """Those of all processes of the workspace."""
    return await request.show(
        "notifications/list.html",
        title="Notifications",
        at="notifications",
        found=await _LIST.read(request),
        tabs=tabs_of(request, "Of processes"),
        ends=ENDS,
    )


@page("/notifications/new", needs=(_WRITES, _READS))
async def ask_for_notification(request: Asking) -> Shown:
    """Of which process, who is told, and of what."""
    pairs = [("way", "email"), ("event", NotificationEvent.RUN_UNRESOLVED.value)]
    return await _form(request, None, Fields([*pairs, ("process", request.query_params.get("process", ""))]))


@verb("/notifications/new")
async def create_notification(request: Asking) -> Shown:
    """Tell people, by mail or in a chat, when a run of a process ends."""
    fields = await request.fields()
    made, refused = await tried(_created(request, fields))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    back = own_path(fields.text("back"), f"{request.base}/notifications/{made.number}")
    return request.done(back, "They are told from now on.")


@page("/notifications/{number:str}", needs=_READS)
async def show_notification(request: Asking, number: Path[str]) -> Shown:
    """Who is told of what, and for those who may read deliveries how that went."""
    notification = await _notification(request, number)
    ensure_number(request, number, notification.number)
    process = await processes.get(*request.reading, notification.process_id)
    here = f"/notifications/{notification.number}"
    found, shown, body = None, None, ""
    if request.actor.may(Permission.READ_WEBHOOKS, request.workspace):
        found = await deliveries_list(here).read(request, also=equal(subscription_id=notification.id))
        shown, body = await delivery_beside(request, notification.id)
    return await request.show(
        "notifications/notification.html" if found else "notifications/without_deliveries.html",
        title=title_of(notification),
        at="notifications",
        crumbs=_way(request, notification),
        notification=notification,
        process=process,
        here=f"{request.base}{here}",
        ends=ENDS,
        kinds=KINDS,
        found=found,
        shown=shown,
        body=body,
        changes=await history.changes_of(*request.reading, notification.id),
    )


@verb("/notifications/{number:str}/deliveries/{delivery:str}/redeliver", may=Permission.WRITE_WEBHOOKS)
async def redeliver(request: Asking, number: Path[str], delivery: Path[str]) -> Shown:
    """Send the same message once more."""
    return await redelivered(request, f"/notifications/{number}", delivery)


@page("/notifications/{number:str}/edit", needs=(_WRITES, _READS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Who is told, and of what."""
    its = await _notification(request, number)
    pairs = [("to", ", ".join(its.recipients)), *(("event", each.value) for each in its.events)]
    return await _form(request, its, Fields(pairs))


@verb("/notifications/{number:str}/edit")
async def edit_notification(request: Asking, number: Path[str]) -> Shown:
    """Tell others, or of something else; it stays mail or chat."""
    fields = await request.fields()
    its = await _notification(request, number)
    _, refused = await tried(_changed(request, its, fields))
    if refused:
        return await _form(request, its, fields, refused=refused)
    return request.done(f"{request.base}/notifications/{its.number}", "It is changed.")


@verb("/notifications/{number:str}/disable", may=_WRITES)
async def disable(request: Asking, number: Path[str]) -> Shown:
    """Tell nobody until it is switched on again; what is still to be delivered is given up."""
    return await _switch(request, number, is_enabled=False)


@verb("/notifications/{number:str}/enable", may=_WRITES)
async def enable(request: Asking, number: Path[str]) -> Shown:
    """Tell them again, of runs that end from now on."""
    return await _switch(request, number, is_enabled=True)


@page("/notifications/{number:str}/delete", needs=(_WRITES, _READS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    its = await _notification(request, number)
    return await request.show(
        "notifications/delete.html",
        title=f"Delete the notification of {title_of(its)}",
        at="notifications",
        crumbs=_way(request, its, "Delete"),
        notification=its,
        name=title_of(its),
        process=await processes.get(*request.reading, its.process_id),
    )


@verb("/notifications/{number:str}/delete")
async def delete(request: Asking, number: Path[str]) -> Shown:
    """Tell them no more."""
    its = await _notification(request, number)
    await actions.delete(*request.acting, its.id)
    undo = f"{request.base}/notifications/{its.id}/restore"
    return request.done(f"{request.base}/notifications", f"{title_of(its)} is told no more.", undo=undo)


@verb("/notifications/{number:str}/restore", may=Permission.WRITE_PROCESSES)
async def restore(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    its = await actions.restore(*request.acting, NotificationId(id_of(number)))
    return request.done(f"{request.base}/notifications/{its.number}", f"{title_of(its)} is told again, from now on.")


def title_of(notification: Notification) -> str:
    """Who is told."""
    return ", ".join(notification.recipients) or "A chat"


def tabs_of(request: Asking, current: str) -> list[Link]:
    """The lists of notifications: of single processes, and of several by mail."""
    places = (("Of processes", "/notifications"), ("Of several processes", "/notices"))
    return [Link(name, f"{request.base}{path}", name == current) for name, path in places]


def way_of(fields: Fields, kind: NotificationKind) -> Way:
    """To whom a form says that it goes."""
    return ByChat(fields.text("to")) if kind is NotificationKind.CHAT else ByEmail(tuple(fields.words("to")))


def _events(fields: Fields) -> Sequence[NotificationEvent]:
    try:
        return [NotificationEvent(each) for each in fields.texts("event")]
    except ValueError as unknown:
        raise Invalid("there is no such event", code="NOTIFICATION_INVALID") from unknown


async def _created(request: Asking, fields: Fields) -> Notification:
    """What a form says is made. Raises Invalid, NotFound."""
    named = await PROCESSES.chosen(request, fields.text("process"))
    if not named:
        raise Invalid("choose the process", code="PROCESS_MISSING")
    process = await resolve(request.db, request.scope_for(_WRITES), processes.PROCESS, named)
    kind = NotificationKind.CHAT if fields.text("way") == NotificationKind.CHAT.value else NotificationKind.EMAIL
    return await actions.create(*request.acting, process, way_of(fields, kind), _events(fields))


async def _changed(request: Asking, its: Notification, fields: Fields) -> Notification:
    """Likewise changed; a chat's address, which is never shown, stays where none is typed."""
    stays = its.kind is NotificationKind.CHAT and not fields.text("to")
    way = None if stays else way_of(fields, its.kind)
    return await actions.update(*request.acting, its.id, way=way, events=_events(fields))


async def _switch(request: Asking, number: str, *, is_enabled: bool) -> Shown:
    its = await _notification(request, number)
    here = f"{request.base}/notifications/{its.number}"
    back = own_path((await request.fields()).text("back"), here)
    await actions.update(*request.acting, its.id, is_enabled=is_enabled)
    said = "They are told." if is_enabled else "It is off."
    opposite = f"{here}/{'disable' if is_enabled else 'enable'}"
    return request.done(back, said, undo=opposite, undo_with={"back": back})


async def _notification(request: Asking, named: str) -> Notification:
    seen = request.scope_for(_READS)
    return await store.get(request.db, seen, await resolve(request.db, seen, NOTIFICATION, named))


def _way(request: Asking, notification: Notification | None, last: str = "") -> list[Crumb]:
    its = None if notification is None else (title_of(notification), f"/notifications/{notification.number}")
    return request.way(("Notifications", "/notifications"), its, last)


async def _form(request: Asking, its: Notification | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "notifications/form.html",
        title="New notification" if its is None else f"Edit the notification of {title_of(its)}",
        at="notifications",
        crumbs=_way(request, its, "New notification" if its is None else "Edit"),
        status=REFUSED if refused else 200,
        notification=its,
        fields=fields,
        process=await PROCESSES.offered(request, fields.text("process")) if its is None else None,
        ends=ENDS,
        refused=refused,
    )
