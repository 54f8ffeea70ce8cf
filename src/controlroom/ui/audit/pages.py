"""The audit log: what happened, and who did it; in a workspace, and in the organization outside of them."""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from controlroom.engine.access.audit import EVENTS, OUTSIDE, AuditEvent
from controlroom.engine.access.model import Permission
from controlroom.engine.access.nouns import API_KEY, USER
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.store import list_api_keys
from controlroom.engine.access.users import actions as users
from controlroom.engine.references import resolve
from controlroom.ids import ApiKeyId, UserId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.entrance import Moved
from controlroom.ui.filters import Choice, Reference, Since, Text
from controlroom.ui.lists import Col, ListPage, Row
from controlroom.ui.routing import Place, page

PLACE: Final = Place(at="audit", name="Audit log", path="/audit", icon="audit", needs=Permission.READ_AUDIT)
_MOST: Final = 200
"""Users, and keys, that a choice holds; of more, one is typed."""
_KEY: Final = "key "
_DOERS: Final = {
    "user": "A user",
    "api_key": "An API key",
    "service_token": "A service token",
    "step_run": "A robot",
    "worker": "A worker",
    "trigger": "From outside",
    "system": "The room",
}
_COLUMNS: Final = (
    Col("at", "When", sort="at", always=True),
    Col("who", "Who", always=True, csv=lambda event: event.actor_name or event.actor_kind),
    Col("kind", "What", always=True),
    Col("subject", "Of", csv=lambda event: event.subject_id or event.run_id or ""),
    Col("data", "More", csv=lambda event: msgspec.json.encode(event.data).decode() if event.data else ""),
)
_FILTERS: Final = (
    Text("kind", "What", "kind"),
    Reference("actor", "Who", "actor_id", USER),
    Choice("by", "By", "actor_kind", _DOERS),
    Since("since", "Since", "at"),
    Reference("subject", "Of", "subject_id"),
)


def _list(listing: Any, path: str) -> ListPage[Row]:
    return ListPage(
        listing=listing,
        row=AuditEvent,  # type: ignore[arg-type]  # the only row of both
        path=path,
        kept_as="audit",
        noun="events",
        noun_of_one="event",
        filters=_FILTERS,
        columns=_COLUMNS,
        sort="-at",
    )


_LIST: Final[ListPage[AuditEvent]] = _list(EVENTS, "/audit")
_OUTSIDE: Final[ListPage[AuditEvent]] = _list(OUTSIDE, "/admin/audit")


@page("/audit", needs=Permission.READ_AUDIT)
async def show_audit(request: Asking) -> Shown:
    """What happened in the workspace."""
    await _by_name(request)
    found = await _LIST.read(request, options={"actor": await _actors(request)})
    return await request.show(
        "audit/list.html",
        title="Audit log",
        at="audit",
        crumbs=[Crumb("Audit log")],
        found=found,
        doers=_DOERS,
        sentence_of=sentence_of,
        above="/admin/audit" if request.actor.may(Permission.READ_AUDIT, None) else "",
    )


@page("/admin/audit", opt={"above_workspaces": True})
async def show_outside(request: Asking) -> Shown:
    """What happened in the organization and in none of its workspaces: to accounts, roles, what all share."""
    seen = throughout(request.actor, Permission.READ_AUDIT)
    await _by_name(request)
    found = await _OUTSIDE.read(request, seen=seen, options={"actor": await _actors(request)})
    return await request.show(
        "audit/list.html",
        title="Audit log of the organization",
        at="audit",
        crumbs=[Crumb("Audit log of the organization")],
        found=found,
        doers=_DOERS,
        sentence_of=sentence_of,
        above="",
    )


def sentence_of(event: AuditEvent) -> tuple[str, str, list[tuple[str, str]]]:
    """What happened in words, what it happened to if it has a name, and the rest that was written down."""
    noun, _, verb = event.kind.partition(".")
    data = dict(event.data)
    name = data.pop("name", None) or data.pop("username", None)
    rest = [(key.replace("_", " "), _short(value)) for key, value in data.items() if value not in (None, "", [], {})]
    noun = noun.replace("_", " ").replace("api key", "API key")
    return f"{noun[0].upper()}{noun[1:]} {verb.replace('_', ' ')}", str(name or ""), rest


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) < 120 else f"{text[:118]}…"  # noqa: PLR2004 - what fits a line


async def _by_name(request: Asking) -> None:
    """Lead to the address with the id of who is named in it, as far as the reader may know them. Raises Moved."""
    named = request.query_params.get("actor", "").strip().removeprefix("#")
    if not named or as_uuid(named) is not None:
        return
    if named.startswith(_KEY) and request.base and request.actor.may(Permission.READ_API_KEYS, request.workspace):
        scope = request.scope_for(Permission.READ_API_KEYS)
        key: ApiKeyId = await resolve(request.db, scope, API_KEY, named.removeprefix(_KEY))
        found = str(key)
    elif _knows_users(request):
        everywhere = Of(request.actor.organization_id, tuple(request.actor.grants))
        user: UserId = await resolve(request.db, everywhere, USER, named)
        found = str(user)
    else:
        raise USER.missing(named)
    raise Moved(f"{request.scope['path']}?{urlencode({**request.query_params, 'actor': found})}")


def _knows_users(request: Asking) -> bool:
    return any(request.actor.may(Permission.READ_MEMBERS, each) for each in (None, *request.actor.grants))


async def _actors(request: Asking) -> list[tuple[str, str]]:
    """Who may have done something, by name, as far as the reader may know them."""
    found = []
    if _knows_users(request):
        found = [(str(each.id), each.username) for each in await users.list_users(*request.governing, limit=_MOST)]
    if request.base and request.actor.may(Permission.READ_API_KEYS, request.workspace):
        scope = request.scope_for(Permission.READ_API_KEYS)
        keys = await list_api_keys(request.db, scope, after=None, limit=_MOST)
        found += [(str(each.id), f"{_KEY}{each.name}") for each in keys]
    return found
