"""Log-ins: as whom a workspace uses connections. Their passwords go in, and no page shows one again."""

from typing import Final

from msgspec import UNSET

from controlroom.engine.access import history
from controlroom.engine.connections import logins
from controlroom.engine.connections.listings import LOGINS
from controlroom.engine.connections.logins import LOGIN
from controlroom.engine.connections.model import ConnectionKind, Login, LoginChange, LoginDefinition
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.pages import KINDS, THERE, tabs_of
from controlroom.ui.connections.pages_profiles import LIST as PROFILES
from controlroom.ui.filters import Choice
from controlroom.ui.jobs.pages_targets import LIST as TARGETS
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_TARGETS
_WRITES: Final = (Permission.WRITE_TARGETS, _READS)


_LIST: Final = ListPage(
    listing=LOGINS,
    row=Login,
    path="/logins",
    noun="log-ins",
    noun_of_one="log-in",
    topics="connection_login",
    always=THERE,
    filters=(Choice("kind", "Of", "kind", {each.value: told for each, told in KINDS.items()}),),
    columns=(
        Col("username", "User", sort="username", always=True),
        Col("kind", "Of"),
        Col("schema_name", "Schema", sort="schema_name"),
        Col("has_password", "Password", csv=lambda each: "kept" if each.has_password else "none"),
        Col("threads", "Threads", is_number=True),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("username", "schema_name"),
    searched_words="User, schema, number or id",
    sort="username",
)


@page("/logins", needs=_READS)
async def list_logins(request: Asking) -> Shown:
    """Those of the workspace."""
    return await request.show(
        "connections/logins.html",
        title="Log-ins",
        at="connections",
        crumbs=request.way(("Connections", "/connections"), "Log-ins"),
        tabs=tabs_of(request, "Log-ins"),
        found=await _LIST.read(request),
        kinds=KINDS,
        may_change=request.actor.may(Permission.WRITE_TARGETS, request.workspace),
    )


@page("/logins/new", needs=_WRITES)
async def ask_for_login(request: Asking) -> Shown:
    """For which kind of database, and as whom."""
    return await _form(request, None, Fields([("kind", ConnectionKind.POSTGRES.value)]))


@verb("/logins/new")
async def create_login(request: Asking) -> Shown:
    """Make it; its password is sealed."""
    fields = await request.fields()
    is_file = fields.text("kind") == ConnectionKind.DUCKDB.value
    try:
        definition = LoginDefinition(
            kind=ConnectionKind.DUCKDB if is_file else ConnectionKind.POSTGRES,
            username=fields.text("username"),
            password=fields.raw("password") or None,
            schema_name=fields.text("schema_name"),
            threads=_threads(fields),
            target_name=fields.text("target_name"),
        )
    except Invalid as wrong:
        return await _form(request, None, fields, refused=said(wrong))
    made, refused = await tried(logins.create(*request.acting, definition))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/logins/{made.number}", "The log-in is made. Its password is shown nowhere.")


@page("/logins/{number:str}", needs=_READS)
async def show_login(request: Asking, number: Path[str]) -> Shown:
    """As whom it logs in, and what uses it."""
    login = await _login(request, number)
    ensure_number(request, number, login.number)
    return await request.show(
        "connections/login.html",
        title=name_of(login),
        at="connections",
        crumbs=request.way(("Connections", "/connections"), ("Log-ins", "/logins"), name_of(login)),
        login=login,
        here=f"{request.base}/logins/{login.number}",
        kinds=KINDS,
        targets=await TARGETS.first(request, {"login": str(login.id)}),
        profiles=await PROFILES.first(request, {"login": str(login.id)}),
        changes=await history.changes_of(*request.reading, login.id),
        may_change=request.actor.may(Permission.WRITE_TARGETS, request.workspace),
    )


@page("/logins/{number:str}/edit", needs=_WRITES)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """As whom it shall log in; an empty password keeps the one that is there."""
    login = await _login(request, number)
    pairs = [
        ("kind", login.kind.value),
        ("username", login.username),
        ("schema_name", login.schema_name),
        ("threads", "" if login.threads is None else str(login.threads)),
        ("target_name", login.target_name),
    ]
    return await _form(request, login, Fields(pairs))


@verb("/logins/{number:str}/edit")
async def edit_login(request: Asking, number: Path[str]) -> Shown:
    """Change it."""
    fields = await request.fields()
    login = await _login(request, number)
    try:
        threads = _threads(fields)
    except Invalid as wrong:
        return await _form(request, login, fields, refused=said(wrong))
    password = fields.raw("password")
    change = LoginChange(
        username=fields.text("username"),
        password="" if fields.has("forgets") else password or UNSET,
        schema_name=fields.text("schema_name"),
        threads=threads,
        target_name=fields.text("target_name"),
    )
    _, refused = await tried(logins.edit(*request.acting, login.id, change))
    if refused:
        return await _form(request, login, fields, refused=refused)
    return request.done(f"{request.base}/logins/{number}", "The log-in is changed.")


@page("/logins/{number:str}/delete", needs=_WRITES)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost with it."""
    return await _question(request, await _login(request, number))


@verb("/logins/{number:str}/delete")
async def delete_login(request: Asking, number: Path[str]) -> Shown:
    """Delete it with its password, where nothing uses it."""
    login = await _login(request, number)
    _, refused = await tried(logins.delete(*request.acting, login.id))
    if refused:
        return await _question(request, login, refused=refused)
    return request.done(f"{request.base}/logins", "The log-in is deleted, and its password with it.")


def name_of(login: Login) -> str:
    """What people know a log-in by: it has no name of its own."""
    who = login.username or KINDS[login.kind]
    return f"{who} → {login.schema_name}" if login.schema_name else who


async def _login(request: Asking, named: str) -> Login:
    seen = request.scope_for(_READS)
    return await logins.get(request.db, seen, await resolve(request.db, seen, LOGIN, named))


def _threads(fields: Fields) -> int | None:
    text = fields.text("threads")
    if text and not (text.isdecimal() and text.isascii() and len(text) < 7):  # noqa: PLR2004 - far beyond what may be
        raise Invalid("threads are a whole number", code="LOGIN_INVALID")
    return int(text) if text else None


async def _form(request: Asking, login: Login | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/login_form.html",
        title="Edit the log-in" if login else "New log-in",
        at="connections",
        crumbs=request.way(
            ("Log-ins", "/logins"),
            (name_of(login), f"/logins/{login.number}") if login else None,
            "Edit" if login else "New log-in",
        ),
        status=REFUSED if refused else 200,
        login=login,
        fields=fields,
        kinds=[(each.value, said_) for each, said_ in KINDS.items()],
        refused=refused,
    )


async def _question(request: Asking, login: Login, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/login_delete.html",
        title="Delete the log-in",
        at="connections",
        crumbs=request.way(("Log-ins", "/logins"), (name_of(login), f"/logins/{login.number}"), "Delete"),
        status=REFUSED if refused else 200,
        login=login,
        name=name_of(login),
        refused=refused,
    )
