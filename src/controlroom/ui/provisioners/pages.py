"""On-demand provisioners: who starts a worker when a step run wants one of its own."""

from datetime import timedelta
from typing import Final

from controlroom.engine.access import history
from controlroom.engine.provisioners import actions, store
from controlroom.engine.provisioners.listings import PROVISIONERS
from controlroom.engine.provisioners.model import Provisioner
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.provisioners.waiting import asked_for
from controlroom.engine.references import resolve
from controlroom.engine.usage import store as usage
from controlroom.engine.workers import service
from controlroom.engine.workers.listings import in_service
from controlroom.errors import Invalid
from controlroom.ids import ProvisionerId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="provisioners",
    name="Provisioners",
    path="/provisioners",
    is_rare=True,
    icon="provisioners",
    needs=Permission.READ_WORKERS,
)
_LATEST: Final = 30


_LIST: Final = ListPage(
    listing=PROVISIONERS,
    row=Provisioner,
    path="/provisioners",
    noun="provisioners",
    noun_of_one="provisioner",
    topics="provisioner",
    columns=(
        Col("name", "Provisioner", sort="name", always=True),
        Col("endpoint", "Address", sort="endpoint"),
        Col("max_lifetime", "A worker lives", is_number=True),
        Col("created_at", "Made", sort="created_at", is_number=True, always=True),
    ),
    searched=("name", "endpoint"),
    searched_words="Name, address, number or id",
    sort="name",
)


@page("/provisioners", needs=Permission.READ_WORKERS)
async def list_provisioners(request: Asking) -> Shown:
    """All that serve this workspace."""
    return await request.show(
        "provisioners/list.html",
        title="Provisioners",
        at="provisioners",
        found=await _LIST.read(request, seen=in_service(request.seen)),
        may_change=_may_change(request),
    )


@page("/provisioners/new", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_for_provisioner(request: Asking) -> Shown:
    """Its address."""
    return await _form(request, None, Fields([]))


@verb("/provisioners/new")
async def create_provisioner(request: Asking) -> Shown:
    """Make it, and show the secret that signs: in this answer alone."""
    fields = await request.fields()
    try:
        lifetime = _lifetime(fields)
    except Invalid as wrong:
        return await _form(request, None, fields, refused=said(wrong))
    made, refused = await tried(
        actions.create(
            *request.acting, name=fields.text("name"), endpoint=fields.text("endpoint"), max_lifetime=lifetime
        )
    )
    if made is None:
        return await _form(request, None, fields, refused=refused)
    provisioner, secret = made
    return await _show(request, provisioner, secret=secret, is_new=True)


@page("/provisioners/{number:str}", needs=Permission.READ_WORKERS)
async def show_provisioner(request: Asking, number: Path[str]) -> Shown:
    """What it was asked for, and what came of it."""
    found = await _seen(request, number)
    ensure_number(request, number, found.number)
    return await _show(request, found)


@page("/provisioners/{number:str}/edit", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name, its address, how long its workers live."""
    found = await _seen(request, number)
    minutes = "" if found.max_lifetime is None else str(round(found.max_lifetime / timedelta(minutes=1)))
    return await _form(
        request, found, Fields([("name", found.name), ("endpoint", found.endpoint), ("minutes", minutes)])
    )


@verb("/provisioners/{number:str}/edit")
async def edit_provisioner(request: Asking, number: Path[str]) -> Shown:
    """Change it; requests under way go to the new address."""
    fields = await request.fields()
    found = await _provisioner(request, number)
    try:
        lifetime = _lifetime(fields)
    except Invalid as wrong:
        return await _form(request, await _seen(request, number), fields, refused=said(wrong))
    _, refused = await tried(
        actions.update(
            *request.acting,
            found,
            name=fields.text("name"),
            endpoint=fields.text("endpoint"),
            max_lifetime=lifetime,
            secret=fields.raw("secret") or None,
        )
    )
    if refused:
        return await _form(request, await _seen(request, number), fields, refused=refused)
    return request.done(f"{request.base}/provisioners/{number}", "The provisioner is changed.")


@page("/provisioners/{number:str}/secret", needs=(Permission.REVEAL, Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_for_secret(request: Asking, number: Path[str]) -> Shown:
    """Whether to look."""
    found = await _seen(request, number)
    return await request.show(
        "provisioners/reveal.html",
        title=f"Secret of {found.name}",
        at="provisioners",
        crumbs=_crumbs(request, found, "Secret"),
        provisioner=found,
    )


@verb("/provisioners/{number:str}/secret")
async def show_secret(request: Asking, number: Path[str]) -> Shown:
    """Show what signs the requests to it, in this answer alone. It is recorded who saw it."""
    secret = await actions.reveal(*request.acting, await _provisioner(request, number))
    return await _show(request, await _seen(request, number), secret=secret)


@page("/provisioners/{number:str}/delete", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is placed on it."""
    return await _question(request, await _seen(request, number))


@verb("/provisioners/{number:str}/delete")
async def delete_provisioner(request: Asking, number: Path[str]) -> Shown:
    """Take it out of the workspace, where nothing may be placed on it."""
    _, refused = await tried(actions.delete(*request.acting, await _provisioner(request, number)))
    if refused:
        return await _question(request, await _seen(request, number), refused=refused)
    return request.done(f"{request.base}/provisioners", "The provisioner is deleted. What it started is still stopped.")


def _lifetime(fields: Fields) -> timedelta | None:
    minutes = fields.text("minutes")
    if not minutes:
        return None
    if not (minutes.isdecimal() and len(minutes) < 8):  # noqa: PLR2004 - nineteen years
        raise Invalid("a lifetime is a whole number of minutes", code="PROVISIONER_INVALID")
    return timedelta(minutes=int(minutes))


async def _seen(request: Asking, named: str) -> Provisioner:
    seen = request.scope_for(Permission.READ_WORKERS)
    return await store.get(request.db, seen, await resolve(request.db, seen, PROVISIONER, named))


async def _provisioner(request: Asking, named: str) -> ProvisionerId:
    return await resolve(request.db, request.scope_for(Permission.WRITE_WORKERS), PROVISIONER, named)


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_WORKERS, request.workspace)


def _crumbs(request: Asking, found: Provisioner | None, last: str) -> list[Crumb]:
    return request.way(
        ("Provisioners", "/provisioners"), (found.name, f"/provisioners/{found.number}") if found else None, last
    )


async def _show(request: Asking, found: Provisioner, *, secret: str = "", is_new: bool = False) -> Shown:
    seen = request.scope_for(Permission.READ_WORKERS)
    return await request.show(
        "provisioners/provisioner.html",
        title=found.name,
        at="provisioners",
        crumbs=request.way(("Provisioners", "/provisioners"), found.name),
        provisioner=found,
        secret=secret,
        is_new=is_new,
        here=f"{request.base}/provisioners/{found.number}",
        asked=await asked_for(request.db, seen, found.id, limit=_LATEST),
        served=await service.served(*request.acting, PROVISIONER, found.id),
        users=await usage.users_of_provisioner(request.db, seen, found.id),
        changes=await history.changes_of(request.db, seen, found.id),
        may_change=_may_change(request),
    )


async def _question(request: Asking, found: Provisioner, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_WORKERS)
    return await request.show(
        "provisioners/delete.html",
        title=f"Delete {found.name}",
        at="provisioners",
        crumbs=_crumbs(request, found, "Delete"),
        status=REFUSED if refused else 200,
        provisioner=found,
        users=await usage.users_of_provisioner(request.db, seen, found.id),
        refused=refused,
    )


async def _form(request: Asking, found: Provisioner | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "provisioners/form.html",
        title=f"Edit {found.name}" if found else "New provisioner",
        at="provisioners",
        crumbs=_crumbs(request, found, "Edit" if found else "New provisioner"),
        status=REFUSED if refused else 200,
        provisioner=found,
        fields=fields,
        refused=refused,
    )
