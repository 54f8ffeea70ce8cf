"""Secrets: names, keys and who uses them. A value is typed here and never shown again."""

from typing import Any, Final

from controlroom.engine.access import history
from controlroom.engine.references import resolve
from controlroom.engine.usage import store as usage
from controlroom.engine.vault import actions, edits, store
from controlroom.engine.vault.listings import SECRETS
from controlroom.engine.vault.model import Secret, SecretKeys
from controlroom.engine.vault.store import SECRET
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="secrets", name="Secrets", path="/secrets", icon="secrets", needs=Permission.READ_SECRETS)
_NEW_ROWS: Final = 4
_LIST: Final = ListPage(
    listing=SECRETS,
    row=Secret,
    path="/secrets",
    noun="secrets",
    noun_of_one="secret",
    topics="secret",
    columns=(
        Col("name", "Secret", sort="name", always=True),
        Col("description", "Description"),
        Col("created_at", "Made", is_number=True, sort="created_at", by_default=False),
        Col("updated_at", "Changed", is_number=True, sort="updated_at", always=True),
    ),
    searched=("name", "description"),
    searched_words="Name, description, number or id",
    sort="name",
)


@page("/secrets", needs=Permission.READ_SECRETS)
async def list_secrets(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show(
        "secrets/list.html",
        beside=tabs_of(request, "Of this workspace"),
        title="Secrets",
        at="secrets",
        found=found,
        may_change=_may_change(request),
    )


@page("/secrets/new", needs=(Permission.WRITE_SECRETS, Permission.READ_SECRETS))
async def ask_for_secret(request: Asking) -> Shown:
    """A name, and its keys with their values."""
    return await _form(request, None, Fields([]))


@verb("/secrets/new")
async def create_secret(request: Asking) -> Shown:
    """Make it; one of the name that is there already is not overwritten."""
    fields = await request.fields()
    made, refused = await tried(
        edits.create(
            *request.acting, fields.text("name"), values=_values(fields), description=fields.text("description")
        )
    )
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/secrets/{made.number}", f"The secret {made.name} is kept.")


@page("/secrets/{number:str}", needs=Permission.READ_SECRETS)
async def show_secret(request: Asking, number: Path[str]) -> Shown:
    """Its keys, who uses it, who has changed it: never a value."""
    told = await _seen(request, number)
    secret = told.secret
    ensure_number(request, number, secret.number)
    return await request.show(
        "secrets/secret.html",
        title=secret.name,
        at="secrets",
        crumbs=request.way(("Secrets", "/secrets"), secret.name),
        secret=secret,
        keys=told.keys,
        here=f"{request.base}/secrets/{secret.number}",
        users=await usage.users_of_secret(*request.reading, secret.id, secret.name),
        changes=await history.changes_of(*request.reading, secret.id),
        may_change=_may_change(request),
    )


@page("/secrets/{number:str}/edit", needs=(Permission.WRITE_SECRETS, Permission.READ_SECRETS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its keys, with empty fields for new values."""
    told = await _seen(request, number)
    return await _form(request, told, Fields([("description", told.secret.description)]))


@verb("/secrets/{number:str}/edit")
async def edit_secret(request: Asking, number: Path[str]) -> Shown:
    """Write the values that were typed; keys with an empty field keep theirs, those that are ticked go."""
    fields = await request.fields()
    told = await _seen(request, number)
    _, refused = await tried(
        edits.edit(
            *request.acting,
            told.secret.name,
            values=_values(fields),
            gone=fields.texts("gone"),
            description=fields.text("description"),
        )
    )
    if refused:
        return await _form(request, told, fields, refused=refused)
    return request.done(f"{request.base}/secrets/{number}", "Robots that read the secret from now on get this.")


@page("/secrets/{number:str}/delete", needs=(Permission.WRITE_SECRETS, Permission.READ_SECRETS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Who would miss it."""
    told = await _seen(request, number)
    return await request.show(
        "secrets/delete.html",
        title=f"Delete {told.secret.name}",
        at="secrets",
        crumbs=_crumbs(request, told.secret, "Delete"),
        secret=told.secret,
        keys=told.keys,
        users=await usage.users_of_secret(*request.reading, told.secret.id, told.secret.name),
    )


@verb("/secrets/{number:str}/delete")
async def delete_secret(request: Asking, number: Path[str]) -> Shown:
    """Delete it for good."""
    scope = request.scope_for(Permission.WRITE_SECRETS)
    secret = await store.get(request.db, scope, await resolve(request.db, scope, SECRET, number))
    await actions.delete(*request.acting, secret.name)
    return request.done(f"{request.base}/secrets", "The secret is deleted.")


def _values(fields: Fields) -> dict[str, Any]:
    """The keys and values that were typed; a value keeps its spaces, and its lines end with LF."""
    named = zip(fields.raws("key"), fields.raws("value"), strict=False)
    return {key.strip(): value.replace("\r\n", "\n") for key, value in named if key.strip() and value}


async def _seen(request: Asking, named: str) -> SecretKeys:
    scope = request.scope_for(Permission.READ_SECRETS)
    secret = await store.get(request.db, scope, await resolve(request.db, scope, SECRET, named))
    return await actions.show(request.engine, scope, secret.name)


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_SECRETS, request.workspace)


def _crumbs(request: Asking, secret: Secret | None, last: str) -> list[Crumb]:
    return request.way(("Secrets", "/secrets"), (secret.name, f"/secrets/{secret.number}") if secret else None, last)


async def _form(request: Asking, told: SecretKeys | None, fields: Fields, *, refused: str = "") -> Shown:
    """The form; values that were typed are not shown again, also where something was refused."""
    typed = [key.strip() for key in fields.raws("key") if key.strip()]
    kept = told.keys if told else []
    return await request.show(
        "secrets/form.html",
        title=f"Edit {told.secret.name}" if told else "New secret",
        at="secrets",
        crumbs=_crumbs(request, told.secret if told else None, "Edit" if told else "New secret"),
        status=REFUSED if refused else 200,
        secret=told.secret if told else None,
        kept=kept,
        keys=[key for key in typed if key not in kept],
        new_rows=_NEW_ROWS,
        fields=fields,
        refused=refused,
    )


def tabs_of(request: Asking, current: str) -> list[Link]:
    """Secrets of the workspace, those of the organization that the actor may know of, and lockers that share these."""
    paths = {"Of this workspace": "/secrets", "Of the organization": "/shared-secrets", "Lockers": "/lockers"}
    return [Link(name, f"{request.base}{path}", current == name) for name, path in paths.items()]
