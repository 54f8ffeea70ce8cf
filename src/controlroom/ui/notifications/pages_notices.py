"""Notices: a mail to one person about runs of several processes, by how they ended."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.places import place_of
from controlroom.engine.access.scope import Of, within
from controlroom.engine.access.users.people import email_of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, AnyOf, Asked, Filter, OneOf, Sort, Unset, equal
from controlroom.engine.notifications import notices
from controlroom.engine.notifications.notices import NOTICES, Notice, WantedNotice
from controlroom.engine.processes.listings import PROCESSES, ListedProcess
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.errors import Invalid
from controlroom.ids import NotificationId, ProcessId, UserId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.notifications.pages import tabs_of
from controlroom.ui.numbers import id_of
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import either, held
from controlroom.ui.routing import page, verb


class Over(Enum):
    """What somebody keeps."""

    NOTICE = "notice"


_READS: Final = Permission.READ_PROCESSES
_KEEPS: Final = either(Permission.WRITE_PROCESSES, Permission.WRITE_WEBHOOKS)
_MOST: Final = 100
"""Processes that a form ticks: of more, those that are told of are, and others are named."""
ENDS: Final = {"success": "succeeds", "failure": "fails", "stop": "is stopped"}
"""How a run ends, as fields and people say it."""
_LIST: Final = ListPage(
    listing=NOTICES,
    row=Notice,
    path="/notices",
    noun="notices",
    noun_of_one="notice",
    topics="notification",
    columns=(
        Col("recipient", "Who", always=True),
        Col("told", "Told of", always=True, csv=lambda row: " ".join(str(each) for each in told_of(row))),
        Col("of", "Whose", csv=lambda row: "workspace" if row.workspace_id else "organization"),
        Col("created_at", "Made", sort="created_at", is_number=True, always=True),
    ),
)


def told_of(notice: Notice) -> list[int]:
    """The numbers of all processes of which it tells something."""
    return sorted({*notice.on_success, *notice.on_failure, *notice.on_stop})


@page("/notices", needs=_READS)
async def list_notices(request: Asking) -> Shown:
    """Those of the workspace, and for whoever reads processes throughout the organization those of it."""
    place = place_of(request.actor, _READS)
    here: Filter = equal(workspace_id=request.workspace)
    ours = AnyOf((here, Unset("workspace_id"))) if place.is_throughout else here
    return await request.show(
        "notifications/notices.html",
        title="Notices of several processes",
        at="notifications",
        crumbs=_way(request, None),
        found=await _LIST.read(request, seen=place.within, also=AllOf((place.only, ours))),
        tabs=tabs_of(request, "Of several processes"),
        told_of=told_of,
    )


@page("/notices/new", needs=_READS)
async def ask_for_notice(request: Asking) -> Shown:
    """Who is told of which processes, when they end how."""
    return await _form(request, None, Fields([]))


@verb("/notices/new", may=_KEEPS)
async def create_notice(request: Asking) -> Shown:
    """Tell somebody of runs that end from now on."""
    fields = await request.fields()
    made, refused = await tried(_created(request, fields))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/notices/{made.number}", f"{made.recipient} is told from now on.")


@page("/notices/{number:str}", needs=_READS)
async def show_notice(request: Asking, number: Path[str]) -> Shown:
    """Of which processes it tells, when they end how."""
    notice = await _notice(request, number)
    told = {key: await _processes(request, getattr(notice, f"on_{key}")) for key in ENDS}
    return await request.show(
        "notifications/notice.html",
        title=notice.recipient,
        at="notifications",
        crumbs=_way(request, notice),
        notice=notice,
        here=f"{request.base}/notices/{notice.number}",
        told=told,
        ends=ENDS,
        changes=await history.changes_of(*request.reading, notice.id),
    )


@page("/notices/{number:str}/edit", needs=_READS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Who is told of what."""
    notice = await _notice(request, number)
    pairs = [(key, str(each)) for key in ENDS for each in getattr(notice, f"on_{key}")]
    return await _form(request, notice, Fields([("to", notice.recipient), *pairs]))


@verb("/notices/{number:str}/edit", may=held(Over.NOTICE))
async def edit_notice(request: Asking, number: Path[str]) -> Shown:
    """Tell them of this from now on."""
    fields = await request.fields()
    before = await _notice(request, number)
    _, refused = await tried(_changed(request, before, fields))
    if refused:
        return await _form(request, before, fields, refused=refused)
    return request.done(f"{request.base}/notices/{before.number}", "It is changed.")


@page("/notices/{number:str}/delete", needs=_READS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    notice = await _notice(request, number)
    return await request.show(
        "notifications/notice_delete.html",
        title=f"Delete the notice of {notice.recipient}",
        at="notifications",
        crumbs=_way(request, notice, "Delete"),
        notice=notice,
        count=len(told_of(notice)),
    )


@verb("/notices/{number:str}/delete", may=held(Over.NOTICE))
async def delete_notice(request: Asking, number: Path[str]) -> Shown:
    """Tell them no more."""
    gone = await notices.delete(*request.governing, (await _notice(request, number)).id)
    undo = f"{request.base}/notices/{gone.id}/restore"
    return request.done(f"{request.base}/notices", f"{gone.recipient} is told no more.", undo=undo)


@verb("/notices/{number:str}/restore", may=_KEEPS)
async def restore_notice(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    again = await notices.restore(*request.governing, NotificationId(id_of(number)))
    return request.done(f"{request.base}/notices/{again.number}", f"{again.recipient} is told again.")


async def _created(request: Asking, fields: Fields) -> Notice:
    """What a form says is made. Raises Invalid, NotFound."""
    wanted = await _wanted(request, fields, None)
    return await notices.create(*request.governing, wanted)


async def _changed(request: Asking, before: Notice, fields: Fields) -> Notice:
    """Likewise changed. Raises Invalid, NotFound."""
    return await notices.change(*request.governing, before.id, await _wanted(request, fields, before))


async def _wanted(request: Asking, fields: Fields, before: Notice | None) -> WantedNotice:
    user, recipient = await _whom(request, fields.text("to"))
    others = fields.listed("others")
    on: dict[str, tuple[ProcessId, ...]] = {}
    for key in ENDS:
        named = [*fields.texts(key), *(others if key in fields.texts("other_end") else [])]
        on[key] = await _ids(request, named)
    if not any(on.values()):
        raise Invalid("tick a process, and how its runs end", code="NOTIFICATION_INVALID")
    return WantedNotice(
        user=user,
        recipient=recipient,
        on_success=on["success"],
        on_failure=on["failure"],
        on_stop=on["stop"],
        on_warning=await _ids(request, [str(each) for each in before.on_warning]) if before else (),
    )


async def _whom(request: Asking, to: str) -> tuple[UserId | None, str]:
    """An address of mail; or a user by name, and their address."""
    if "@" in to:
        return None, to
    seen = Of(request.actor.organization_id, ())
    user: UserId = await resolve(request.db, seen, USER, to)
    address = await email_of(request.db, seen, user)
    if not address:
        raise Invalid(f"{to} has no address of mail", code="NOTIFICATION_INVALID")
    return user, address


async def _ids(request: Asking, named: Sequence[str]) -> tuple[ProcessId, ...]:
    seen = notices.writing(request.actor).scope
    return tuple(await resolve_all(request.db, seen, [Reference(PROCESS, each) for each in dict.fromkeys(named)]))


async def _processes(request: Asking, numbers: Sequence[int]) -> list[ListedProcess]:
    """Processes by their numbers, as far as the actor sees them."""
    if not numbers:
        return []
    asked = Asked(filter=OneOf("number", tuple(numbers)), sort=(Sort("name"), Sort("id")), length=len(numbers))
    seen = place_of(request.actor, _READS).scope
    return await pages.rows(request.db, ListedProcess, PROCESSES, within(seen), asked)


async def _notice(request: Asking, number: str) -> Notice:
    """The notice of an address; its forms are for who keeps it."""
    notice = await notices.numbered(request.db, place_of(request.actor, _READS), number)
    if _KEEPS(request.asker, {}):
        writing = notices.writing(request.actor)
        if writing.is_throughout or notice.workspace_id in writing.scope.workspaces:
            request.holds_rights(Over)
    return notice


def _way(request: Asking, notice: Notice | None, last: str = "") -> list[Crumb]:
    its = None if notice is None else (notice.recipient, f"/notices/{notice.number}")
    return request.way(("Notifications", "/notifications"), ("Of several processes", "/notices"), its, last)


async def _form(request: Asking, notice: Notice | None, fields: Fields, *, refused: str = "") -> Shown:
    ticked: Mapping[str, set[str]] = {key: {*fields.texts(key)} for key in ENDS}
    asked = Asked(sort=(Sort("name"), Sort("id")), length=_MOST + 1)
    seen = within(request.scope_for(_READS))
    offered = await pages.rows(request.db, ListedProcess, PROCESSES, seen, asked)
    has_many = len(offered) > _MOST
    of_it = {int(each) for those in ticked.values() for each in those if each.isdecimal() and len(each) < 19}  # noqa: PLR2004 - digits of 63 bits
    shown = [] if has_many else offered
    shown += await _processes(request, sorted(of_it - {each.number for each in shown}))
    return await request.show(
        "notifications/notice_form.html",
        title="New notice of several processes" if notice is None else f"Edit the notice of {notice.recipient}",
        at="notifications",
        crumbs=_way(request, notice, "New notice" if notice is None else "Edit"),
        status=REFUSED if refused else 200,
        notice=notice,
        fields=fields,
        ticked=ticked,
        processes=shown,
        has_many=has_many,
        is_throughout=notices.writing(request.actor).is_throughout if _KEEPS(request.asker, {}) else False,
        ends=ENDS,
        refused=refused,
    )
