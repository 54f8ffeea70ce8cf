"""Exports and imports: archives of packages, files and folders are made, fetched, brought, and watched."""

from collections.abc import Sequence
from typing import Final

from litestar.response import Stream

from controlroom.border.forms import form_of
from controlroom.engine.access import history
from controlroom.engine.lists.model import equal
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.engine.transfers import actions, store
from controlroom.engine.transfers.listings import TRANSFERS, ListedTransfer, seen_by
from controlroom.engine.transfers.model import Transfer, TransferKind, TransferState
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.filters import Choice, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number, typed_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.stored import stored

PLACE: Final = Place(
    at="transfers",
    name="Exports and imports",
    path="/transfers",
    icon="archive",
    needs=Permission.READ_PACKAGES,
    is_rare=True,
)
_READS: Final = Permission.READ_PACKAGES
_MOST: Final = 200
"""Things that lie directly in the workspace and are ticked; of more, others are named by their numbers."""
KINDS: Final = {
    TransferKind.EXPORT.value: "Export",
    TransferKind.IMPORT.value: "Import",
    TransferKind.PROMOTION.value: "Promotion",
}
_LIST: Final = ListPage(
    listing=TRANSFERS,
    row=ListedTransfer,
    path="/transfers",
    noun="exports and imports",
    noun_of_one="export or import",
    topics="transfer",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("failed", "Failed", equal(state=TransferState.FAILED.value), is_bad=True),
        Tab("in-progress", "In progress", equal(state=TransferState.IN_PROGRESS.value)),
        Tab("completed", "Completed", equal(state=TransferState.COMPLETED.value)),
    ),
    filters=(Choice("kind", "What", "kind", KINDS),),
    columns=(
        Col("name", "Name", sort="name", always=True),
        Col("kind", "What", always=True),
        Col("state", "State", always=True),
        Col("user_name", "By"),
        Col("done", "Files", is_number=True),
        Col("created_at", "Asked", sort="created_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
)


@page("/transfers", needs=_READS)
async def list_transfers(request: Asking) -> Shown:
    """One's own; for who governs the organization, all of it."""
    seen, which = seen_by(request.actor)
    found = await _LIST.read(request, seen=seen, also=which)
    return await request.show(
        "transfers/list.html", title="Exports and imports", at="transfers", found=found, kinds=KINDS
    )


@page("/transfers/export", needs=_READS)
async def ask_to_export(request: Asking) -> Shown:
    """What goes into the archive."""
    return await _export_form(request, Fields([("file", each) for each in request.query_params.getall("file", [])]))


@verb("/transfers/export", may=_READS)
async def export(request: Asking) -> Shown:
    """Ask for an archive; it is made in a moment, with all that its packages need."""
    fields = await request.fields()
    made, refused = await tried(_exported(request, fields))
    if made is None:
        return await _export_form(request, fields, refused=refused)
    return request.done(f"{request.base}/transfers/{made.number}", "The archive is being made.")


@page("/transfers/import", needs=_READS)
async def ask_to_import(request: Asking) -> Shown:
    """An archive, and what becomes of it."""
    return await _import_form(request)


@verb("/transfers/import", request_max_body_size=None, may=_READS)
async def import_archive(request: Asking) -> Shown:
    """Take an archive: it is streamed, kept, and read in a moment, by the rights that the asker has then."""
    request.scope_for(_READS)  # before a file is taken from who may not
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="archive")
    limits = request.engine.limits
    blob = await request.engine.objects.put(form.content(), max_size=max(limits.package_bytes, limits.file_bytes))
    name = form.file_name.replace("\\", "/").rpartition("/")[2] or "archive"
    made, refused = await tried(
        actions.import_(
            *request.governing,
            name,
            blob,
            overwrites=form.field("existing") == "overwrite",
            is_public=form.field("where") != "own",
            with_values=form.field("values") == "on",
            password=form.field("password"),
        )
    )
    if made is None:
        return await _import_form(request, refused=refused)
    return request.done(f"{request.base}/transfers/{made.number}", "The archive is being read.")


@page("/transfers/{number:str}", needs=_READS)
async def show_transfer(request: Asking, number: Path[str]) -> Shown:
    """How far it is; its archive, or why there is none."""
    transfer = await store.get(request.db, request.actor, number)
    ensure_number(request, number, transfer.number)
    return await request.show(
        "transfers/transfer.html",
        title=transfer.name,
        at="transfers",
        crumbs=_way(request, transfer),
        mark={"in_progress": "run", "completed": "ok", "failed": "bad"}[transfer.state.value],
        transfer=transfer,
        here=f"{request.base}/transfers/{transfer.number}",
        kinds=KINDS,
        has_archive=_has_archive(transfer),
        kept=store.KEPT,
        changes=await history.changes_of(*request.reading, transfer.id),
    )


@page("/transfers/{number:str}/archive", needs=_READS)
async def fetch_archive(request: Asking, number: Path[str]) -> Stream:
    """The archive of an export: as a download, which no browser opens in our name."""
    transfer = await store.get(request.db, request.actor, number)
    if transfer.hash is None or transfer.size is None or not _has_archive(transfer):
        raise NotFound("There is nothing to be downloaded.", code="NO_ARCHIVE")
    name = actions.file_name(transfer, request.actor.name)
    return stored(request, transfer.hash, size=transfer.size, name=name, media_type="application/zip")


@page("/transfers/{number:str}/delete", needs=_READS)
async def ask_to_forget(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    return await _question(request, await store.get(request.db, request.actor, number))


@verb("/transfers/{number:str}/delete", may=_READS)
async def forget(request: Asking, number: Path[str]) -> Shown:
    """Forget it, with its archive."""
    transfer = await store.get(request.db, request.actor, number)
    _, refused = await tried(actions.forget(*request.governing, transfer.id))
    if refused:
        return await _question(request, transfer, refused=refused)
    return request.done(f"{request.base}/transfers", f"{transfer.name} is forgotten.")


def _has_archive(transfer: Transfer) -> bool:
    return (
        transfer.hash is not None
        and transfer.kind is not TransferKind.IMPORT
        and transfer.state is TransferState.COMPLETED
    )


async def _exported(request: Asking, fields: Fields) -> Transfer:
    """The export that a form asks for. Raises Invalid, NotFound."""
    named = [*fields.texts("file"), *fields.words("others")]
    numbers = [typed_number(each) for each in dict.fromkeys(named)]
    return await actions.export(
        *request.governing,
        fields.text("name"),
        [(each, None) for each in numbers],
        label=fields.text("label") or None,
        with_values=fields.has("values"),
        password=fields.raw("password") or None,
    )


def _way(request: Asking, transfer: Transfer | None, last: str = "") -> list[Crumb]:
    its = None if transfer is None else (transfer.name, f"/transfers/{transfer.number}")
    return request.way(("Exports and imports", "/transfers"), its, last)


async def _offered(request: Asking, fields: Fields) -> tuple[list[Node], bool]:
    """What lies directly in the workspace and may be taken along, and what is ticked already; whether more does."""
    rights = await rights_of(request.db, request.actor)
    root = await nodes.get(request.db, rights, request.workspace)
    below = _downloadable(rights, await nodes.children(request.db, root))
    known = {str(each.number) for each in below[:_MOST]}
    others = [each for each in fields.texts("file") if each not in known and each.isdecimal() and len(each) < 19]  # noqa: PLR2004 - digits of 63 bits
    ticked = []
    for each in others[:_MOST]:
        node, _ = await tried(nodes.get(request.db, rights, int(each), Right.DOWNLOAD))
        if node is not None and node.workspace_id == request.workspace:
            ticked.append(node)
    return [*ticked, *below[:_MOST]], len(below) > _MOST


def _downloadable(rights: Rights, found: Sequence[Node]) -> list[Node]:
    kinds = {NodeKind.FOLDER, NodeKind.PACKAGE, NodeKind.FILE}
    fit = [each for each in found if each.kind in kinds and Right.DOWNLOAD in rights.of(each)]
    return sorted(fit, key=lambda each: (each.kind.value, each.name.lower()))


async def _export_form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    offered, has_many = await _offered(request, fields)
    return await request.show(
        "transfers/export.html",
        title="New export",
        at="transfers",
        crumbs=_way(request, None, "New export"),
        status=REFUSED if refused else 200,
        fields=fields,
        offered=offered,
        ticked=set(fields.texts("file")),
        has_many=has_many,
        refused=refused,
    )


async def _import_form(request: Asking, *, refused: str = "") -> Shown:
    limits = request.engine.limits
    return await request.show(
        "transfers/import.html",
        title="New import",
        at="transfers",
        crumbs=_way(request, None, "New import"),
        status=REFUSED if refused else 200,
        most=max(limits.package_bytes, limits.file_bytes),
        refused=refused,
    )


async def _question(request: Asking, transfer: Transfer, *, refused: str = "") -> Shown:
    return await request.show(
        "transfers/delete.html",
        title=f"Forget {transfer.name}",
        at="transfers",
        crumbs=_way(request, transfer, "Forget"),
        status=REFUSED if refused else 200,
        transfer=transfer,
        has_archive=_has_archive(transfer),
        refused=refused,
    )
