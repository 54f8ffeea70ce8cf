"""An API key: made, seen again, given other permissions, deleted."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from controlroom.engine.access import actions, key_uses
from controlroom.engine.access.key_uses import API_KEYS, ListedKey
from controlroom.engine.access.model import ApiKey, of_api_key
from controlroom.engine.access.nouns import API_KEY
from controlroom.engine.lists.model import Not, Unset
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.ids import ApiKeyId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.connect.pages import LATELY
from controlroom.ui.filters import Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.permissions import OF_KEYS, said, tags_of, ticked_of
from controlroom.ui.routing import page, verb

_READING: Final = frozenset({Permission.READ_RUNS, Permission.READ_WORK_ITEMS, Permission.READ_PROCESSES})
"""What a new key has ticked: what most programs begin with, and what changes nothing."""


_LIST: Final = ListPage(
    listing=API_KEYS,
    row=ListedKey,
    path="/connect/keys",
    noun="keys",
    noun_of_one="key",
    topics="api_key",
    tabs=(
        Tab("all", "All"),
        Tab("used", "Used", Not(Unset("used_at"))),
        Tab("unused", "Never used", Unset("used_at")),
    ),
    columns=(
        Col("name", "Key", sort="name", always=True),
        Col("permissions", "May", csv=lambda key: ", ".join(sorted(each.value for each in key.permissions))),
        Col("use_count", "Used", sort="use_count", is_number=True),
        Col("used_at", "Last used", sort="used_at"),
        Col("expires_at", "Ends", sort="expires_at", by_default=False),
        Col("made_by", "Made by"),
        Col("created_at", "Made", sort="created_at", by_default=False),
        Col("verbs", "", is_number=True, always=True, csv=lambda _: ""),
    ),
    searched=("name", "made_by"),
    searched_words="Name, maker, number or id",
    sort="name",
)


@page("/connect/keys", needs=Permission.READ_API_KEYS, is_read=True)
async def list_keys(request: Asking) -> Shown:
    """All of the workspace."""
    found = await _LIST.read(request)
    return await request.show(
        "connect/keys.html",
        title="Keys",
        at="connect",
        crumbs=_crumbs(request, Crumb("Keys")),
        found=found,
        tags={each.id: tags_of(each.permissions) for each in found.rows},
        can_write=request.actor.may(Permission.WRITE_API_KEYS, request.workspace),
        can_reveal=request.actor.may(Permission.REVEAL, request.workspace),
    )


@page("/connect/keys/new", needs=(Permission.WRITE_API_KEYS, Permission.READ_API_KEYS))
async def new_key(request: Asking) -> Shown:
    """The form."""
    return await _form(request, None, name="", ticked=_READING)


@verb("/connect/keys", may=Permission.WRITE_API_KEYS)
async def create_key(request: Asking) -> Shown:
    """Make it, and show its value; the address has nothing of it."""
    fields = await request.fields()
    ticked, name = ticked_of(fields.texts("may")), fields.text("name")
    wrong = _wrong(name, ticked)
    if wrong:
        return await _form(request, None, name=name, ticked=ticked, wrong=wrong)
    key, value = await actions.create_api_key(*request.acting, name=name, permissions=ticked)
    return await _value(request, key, value, is_new=True)


@page("/connect/keys/{named:str}", needs=Permission.READ_API_KEYS, is_read=True)
async def show_key(request: Asking, named: Path[str]) -> Shown:
    """Its permissions, with for what it was used; `only=used` ticks those alone."""
    key = await _key(request, named)
    return await _form(request, key, name=key.name, ticked=frozenset(key.permissions))


@verb("/connect/keys/{named:str}", may=Permission.WRITE_API_KEYS)
async def edit_key(request: Asking, named: Path[str]) -> Shown:
    """Give it another name, or other permissions."""
    fields = await request.fields()
    ticked, name = ticked_of(fields.texts("may")), fields.text("name")
    wrong = _wrong(name, ticked)
    if wrong:
        return await _form(request, await _key(request, named), name=name, ticked=ticked, wrong=wrong)
    found = await _id(request, named, Permission.WRITE_API_KEYS)
    await actions.edit_api_key(*request.acting, found, name=name, permissions=ticked)
    return request.done(f"{request.base}/connect", f"{name} may do what is ticked now.")


@page("/connect/keys/{named:str}/value", needs=Permission.REVEAL)
async def ask_to_reveal(request: Asking, named: Path[str]) -> Shown:
    """Whether to look."""
    return await _ask(request, named, "connect/reveal.html", "View")


@verb("/connect/keys/{named:str}/value")
async def reveal_key(request: Asking, named: Path[str]) -> Shown:
    """Show its value once more. It is recorded who saw it."""
    found = await _id(request, named, Permission.REVEAL)
    value = await actions.reveal_api_key(*request.acting, found)
    key = await actions.get_api_key(request.db, request.scope_for(Permission.REVEAL), found)
    return await _value(request, key, value, is_new=False)


@page("/connect/keys/{named:str}/delete", needs=(Permission.WRITE_API_KEYS, Permission.READ_API_KEYS))
async def ask_to_delete(request: Asking, named: Path[str]) -> Shown:
    """What will end with it."""
    return await _ask(request, named, "connect/delete.html", "Delete")


@verb("/connect/keys/{named:str}/delete")
async def delete_key(request: Asking, named: Path[str]) -> Shown:
    """Delete it."""
    await actions.delete_api_key(*request.acting, await _id(request, named, Permission.WRITE_API_KEYS))
    return request.done(f"{request.base}/connect", "The key opens nothing any more.")


async def _id(request: Asking, named: str, permission: Permission) -> ApiKeyId:
    return await resolve(request.db, request.scope_for(permission), API_KEY, named, Ways.ID | Ways.NUMBER)


async def _key(request: Asking, named: str) -> ApiKey:
    scope = request.scope_for(Permission.READ_API_KEYS)
    key = await actions.get_api_key(request.db, scope, await _id(request, named, Permission.READ_API_KEYS))
    ensure_number(request, named, key.number)
    return key


def _wrong(name: str, ticked: Collection[Permission]) -> dict[str, str]:
    found = {}
    if not name:
        found["name"] = "A key needs a name by which you know it again."
    if not ticked:
        found["may"] = "A key that may do nothing opens nothing: tick something."
    return found


def _crumbs(request: Asking, *more: Crumb) -> list[Crumb]:
    return [Crumb("API access", f"{request.base}/connect"), *more]


async def _form(
    request: Asking,
    key: ApiKey | None,
    *,
    name: str,
    ticked: frozenset[Permission],
    wrong: dict[str, str] | None = None,
) -> Shown:
    uses = {}
    if key is not None:
        since = (datetime.now(UTC) - LATELY).date()
        scope = request.scope_for(Permission.READ_API_KEYS)
        uses = {
            each.permission: each.count for each in await key_uses.uses_of_key(request.db, scope, key.id, since=since)
        }
    unused = [] if key is None else [said(each.value) for each in sorted(key.permissions) if each.value not in uses]
    if key is not None and request.query_params.get("only") == "used":
        ticked = frozenset(each for each in key.permissions if each.value in uses)
    title = f"Key {key.name}" if key else "New key"
    mine = request.actor.permissions_in(request.workspace)
    return await request.show(
        "connect/key.html",
        title=title,
        at="connect",
        crumbs=_crumbs(request, Crumb(title)),
        status=400 if wrong else 200,
        key=key,
        name=name,
        ticked={each.value for each in ticked},
        lines=OF_KEYS,
        mine={each.value for each in of_api_key(mine)} | ({each.value for each in key.permissions} if key else set()),
        uses=uses,
        unused=unused,
        wrong=wrong or {},
        can_write=request.actor.may(Permission.WRITE_API_KEYS, request.workspace),
        can_reveal=request.actor.may(Permission.REVEAL, request.workspace),
    )


async def _ask(request: Asking, named: str, template: str, what: str) -> Shown:
    key = await _key(request, named)
    crumbs = _crumbs(request, Crumb(key.name, f"{request.base}/connect/keys/{key.number}"), Crumb(what))
    return await request.show(template, title=f"{what} {key.name}", at="connect", crumbs=crumbs, key=key)


async def _value(request: Asking, key: ApiKey, value: str, *, is_new: bool) -> Shown:
    return await request.show(
        "connect/value.html",
        title=f"Key {key.name}",
        at="connect",
        crumbs=_crumbs(request, Crumb(key.name)),
        key=key,
        value=value,
        is_new=is_new,
    )
