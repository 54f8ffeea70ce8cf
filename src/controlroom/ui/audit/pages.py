"""The audit log: what happened, and who did it; in a workspace, and in the organization outside of them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controlroom.engine.access.audit import EVENTS, OUTSIDE, AuditEvent
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import Of, Scope, throughout
from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.filters import Choice, Reference, Since, Text
from controlroom.ui.lists import Col, ListPage, Row
from controlroom.ui.lists.found import Found
from controlroom.ui.names import ids_in, known_to, named
from controlroom.ui.pickers.known import ACTORS
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
    Reference("actor", "Who", "actor_id", ACTORS),
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
    found = await _LIST.read(request)
    return await request.show(
        "audit/list.html",
        title="Audit log",
        at="audit",
        crumbs=[Crumb("Audit log")],
        found=found,
        doers=_DOERS,
        known=await _known(request, request.scope_for(Permission.READ_AUDIT), found),
        sentence_of=sentence_of,
        above="/admin/audit" if request.actor.may(Permission.READ_AUDIT, None) else "",
    )


@page("/admin/audit", opt={"above_workspaces": True})
async def show_outside(request: Asking) -> Shown:
    """What happened in the organization and in none of its workspaces: to accounts, roles, what all share."""
    seen = throughout(request.actor, Permission.READ_AUDIT)
    found = await _OUTSIDE.read(request, seen=seen)
    return await request.show(
        "audit/list.html",
        title="Audit log of the organization",
        at="audit",
        crumbs=[Crumb("Audit log of the organization")],
        found=found,
        doers=_DOERS,
        known=await _known(request, Of(request.actor.organization_id, tuple(request.actor.grants)), found),
        sentence_of=sentence_of,
        above="",
    )


async def _known(request: Asking, seen: Scope, found: Found[AuditEvent]) -> dict[str, str]:
    """What the ids in the events of a page mean."""
    told = ids_in([[each.subject_id, each.data] for each in found.rows])
    return await known_to(request, seen, told, governs=request.actor.may(Permission.READ_AUDIT, None))


def sentence_of(event: AuditEvent, known: Mapping[str, str]) -> tuple[str, str, list[tuple[str, str]]]:
    """What happened in words, what it happened to if it has a name, and the rest that was written down.

    `known` are names of what stands there by its id.
    """
    noun, _, verb = event.kind.partition(".")
    data = dict(event.data)
    name = data.pop("name", None) or data.pop("username", None) or known.get(str(event.subject_id))
    rest = [
        (_called(key), named(_short(value), known)) for key, value in data.items() if value not in (None, "", [], {})
    ]
    noun = noun.replace("_", " ").replace("api key", "API key")
    return f"{noun[0].upper()}{noun[1:]} {verb.replace('_', ' ')}", str(name or ""), rest


def _called(key: str) -> str:
    return key.removesuffix("_id").replace("_", " ")


def _short(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) < 120 else f"{text[:118]}…"  # noqa: PLR2004 - what fits a line
