"""Connections: to which databases commands and steps lead. They are the organization's, and hold no secret."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.connections import actions, files
from controlroom.engine.connections.listings import CONNECTIONS, seen_by
from controlroom.engine.connections.model import (
    Connection,
    ConnectionChange,
    ConnectionKind,
    DuckdbSettings,
    PostgresSettings,
    Settings,
    Storage,
)
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.lists.model import Compare, Operator
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.forms import defined, pairs_of
from controlroom.ui.filters import Choice
from controlroom.ui.jobs.pages_targets import LIST as TARGETS
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import MACHINES
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="connections", name="Connections", path="/connections", icon="connections", needs=Permission.READ_TARGETS
)
_WRITE: Final = in_organization(Permission.WRITE_CONNECTIONS)
_USUAL_PORT: Final = 5432
THERE: Final = Compare("is_there", Operator.EQ, value=True)
KINDS: Final = {ConnectionKind.POSTGRES: "PostgreSQL", ConnectionKind.DUCKDB: "DuckDB file"}


_LIST: Final = ListPage(
    listing=CONNECTIONS,
    row=Connection,
    path="/connections",
    noun="connections",
    noun_of_one="connection",
    topics="connection",
    always=THERE,
    filters=(Choice("kind", "To", "kind", {each.value: said_ for each, said_ in KINDS.items()}),),
    columns=(
        Col("name", "Connection", sort="name", always=True),
        Col("kind", "To", sort="kind"),
        Col("where", "Where", csv=lambda each: where_of(each.settings)),
        Col("target_count", "Environments", is_number=True),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/connections", needs=Permission.READ_TARGETS)
async def list_connections(request: Asking) -> Shown:
    """Those that the actor sees: all of the organization's, or those that workspaces of theirs use."""
    return await request.show(
        "connections/list.html",
        title="Connections",
        at="connections",
        tabs=tabs_of(request, "Connections"),
        found=await _LIST.read(request, seen=seen_by(request.actor)),
        kinds=KINDS,
        where_of=where_of,
        may_change=may_change(request),
    )


@page("/connections/new", needs=Permission.READ_TARGETS)
async def ask_for_connection(request: Asking) -> Shown:
    """To which kind of database, and where that is."""
    kind = _kind(request.query_params.get("kind", ""))
    pairs = [("port", "5432")] if kind is ConnectionKind.POSTGRES else pairs_of(DuckdbSettings())
    return await _form(request, None, kind, Fields(pairs))


@verb("/connections/new", may=_WRITE)
async def create_connection(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    kind = _kind(fields.text("kind"))
    try:
        settings = defined(kind, await resolved(request, fields, {"place": MACHINES}), None)
    except Invalid as wrong:
        return await _form(request, None, kind, fields, refused=said(wrong))
    made, refused = await tried(actions.create(*request.governing, name=fields.text("name"), settings=settings))
    if made is None:
        return await _form(request, None, kind, fields, refused=refused)
    return request.done(f"{request.base}/connections/{made.number}", f"The connection {made.name} is made.")


@page("/connections/{number:str}", needs=Permission.READ_TARGETS)
async def show_connection(request: Asking, number: Path[str]) -> Shown:
    """Where it leads, what uses it here, and the versions of its file."""
    connection = await _connection(request, number)
    ensure_number(request, number, connection.number)
    settings = connection.settings
    is_kept = isinstance(settings, DuckdbSettings) and settings.storage is Storage.ROOM
    return await request.show(
        "connections/connection.html",
        title=connection.name,
        at="connections",
        crumbs=request.way(("Connections", "/connections"), connection.name),
        connection=connection,
        here=f"{request.base}/connections/{connection.number}",
        kinds=KINDS,
        is_kept=is_kept,
        versions=await files.versions(request.db, request.actor.organization_id, connection.id) if is_kept else [],
        targets=await TARGETS.first(request, {"connection": str(connection.id)}),
        sees_runs=request.actor.may(Permission.READ_RUNS, request.workspace),
        place=await _place_name(request, settings) if isinstance(settings, DuckdbSettings) else "",
        changes=await history.changes_of(*request.reading, connection.id),
        may_change=may_change(request),
    )


@page("/connections/{number:str}/edit", needs=Permission.READ_TARGETS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Where it shall lead; its kind stays."""
    connection = await _connection(request, number)
    fields = Fields([("name", connection.name), *pairs_of(connection.settings)])
    return await _form(request, connection, connection.kind, fields)


@verb("/connections/{number:str}/edit", may=_WRITE)
async def edit_connection(request: Asking, number: Path[str]) -> Shown:
    """Change it; what runs goes on as it began."""
    fields = await request.fields()
    connection = await _connection(request, number)
    try:
        chosen = await resolved(request, fields, {"place": MACHINES})
        settings = defined(connection.kind, chosen, connection.settings)
    except Invalid as wrong:
        return await _form(request, connection, connection.kind, fields, refused=said(wrong))
    change = ConnectionChange(name=fields.text("name"), settings=settings)
    _, refused = await tried(actions.edit(*request.governing, connection.id, change))
    if refused:
        return await _form(request, connection, connection.kind, fields, refused=refused)
    return request.done(f"{request.base}/connections/{number}", "The connection is changed.")


@page("/connections/{number:str}/delete", needs=Permission.READ_TARGETS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost with it."""
    return await _question(request, await _connection(request, number))


@verb("/connections/{number:str}/delete", may=_WRITE)
async def delete_connection(request: Asking, number: Path[str]) -> Shown:
    """Delete it, where nothing uses it."""
    connection = await _connection(request, number)
    _, refused = await tried(actions.delete(*request.governing, connection.id))
    if refused:
        return await _question(request, connection, refused=refused)
    return request.done(f"{request.base}/connections", "The connection is deleted.")


# ---------------------------------------------------------------------------------------------------- what pages share
def where_of(settings: Settings) -> str:
    """Where it leads, in a line."""
    if isinstance(settings, PostgresSettings):
        port = "" if settings.port == _USUAL_PORT else f":{settings.port}"
        return f"{settings.host}{port}/{settings.database}"
    return f"{settings.folder}/{settings.path}" if settings.folder else settings.path


def may_change(request: Asking) -> bool:
    """Whether the actor makes and changes connections: a right in the organization."""
    return request.actor.may(Permission.WRITE_CONNECTIONS, None)


def tabs_of(request: Asking, current: str) -> list[Link]:
    """Connections, and what a workspace keeps to use them."""
    paths = {"Connections": "/connections", "Log-ins": "/logins", "Profiles": "/profiles", "Overlays": "/attributes"}
    return [Link(name, f"{request.base}{path}", current == name) for name, path in paths.items()]


async def _connection(request: Asking, named: str) -> Connection:
    found = await resolve(request.db, request.scope_for(Permission.READ_TARGETS), CONNECTION, named)
    return await actions.get(*request.governing, found)


def _kind(text: str) -> ConnectionKind:
    return ConnectionKind.DUCKDB if text == ConnectionKind.DUCKDB.value else ConnectionKind.POSTGRES


async def _place_name(request: Asking, settings: DuckdbSettings) -> str:
    """The worker or group that has the file, by name where the actor may know it."""
    if settings.worker_id is None and settings.worker_group_id is None:
        return ""
    key = f"worker:{settings.worker_id}" if settings.worker_id else f"group:{settings.worker_group_id}"
    return await MACHINES.named(request, key)


async def _form(
    request: Asking, connection: Connection | None, kind: ConnectionKind, fields: Fields, *, refused: str = ""
) -> Shown:
    here = f"{request.base}/connections/new"
    return await request.show(
        "connections/form.html",
        title=f"Edit {connection.name}" if connection else "New connection",
        at="connections",
        crumbs=request.way(
            ("Connections", "/connections"),
            (connection.name, f"/connections/{connection.number}") if connection else None,
            "Edit" if connection else "New connection",
        ),
        status=REFUSED if refused else 200,
        connection=connection,
        kind=kind,
        choices=[(said_, f"{here}?kind={each.value}", each is kind) for each, said_ in KINDS.items()],
        place=await MACHINES.offered(request, fields.text("place")) if kind is ConnectionKind.DUCKDB else None,
        fields=fields,
        refused=refused,
    )


async def _question(request: Asking, connection: Connection, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/delete.html",
        title=f"Delete {connection.name}",
        at="connections",
        crumbs=request.way(
            ("Connections", "/connections"), (connection.name, f"/connections/{connection.number}"), "Delete"
        ),
        status=REFUSED if refused else 200,
        connection=connection,
        refused=refused,
    )
