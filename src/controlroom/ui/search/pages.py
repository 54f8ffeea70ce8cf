"""Searching a workspace: a page, whose part is what the palette (Ctrl K) shows, and the search through the past."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from controlroom.border.abandoned import unless_left
from controlroom.engine.access.scope import scope_of
from controlroom.engine.console.searching import MOST_BYTES
from controlroom.engine.saved_views.actions import list_views
from controlroom.engine.saved_views.rules import lists_for
from controlroom.engine.search import seeking
from controlroom.engine.search.model import Hit, Slice
from controlroom.errors import Invalid
from controlroom.ids import as_uuid
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Crumb, Permission, Shown, elsewhere
from controlroom.ui.routing import page
from controlroom.ui.views.places import Listed, listed

_PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "process": ("processes", "processes"),
    "queue": ("queues", "queues"),
    "worker": ("workers", "workers"),
    "worker group": ("groups", "groups"),
    "package": ("packages", "packages"),
    "asset": ("assets", "assets"),
    "secret": ("secrets", "secrets"),
    "assistant": ("assistants", "assistants"),
    "schedule": ("schedules", "schedules"),
    "webhook": ("webhooks", "webhooks"),
    "target": ("targets", "targets"),
    "run": ("runs", "runs"),
    "work item": ("items", "items"),
}
"""Of a noun: below which path its page lies, and its icon."""
_MOST_VIEWS: Final = 8
PERIODS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1d": ("the last day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "400d": ("all that is kept", timedelta(days=400)),
}
WITHIN: Final[Mapping[str, str]] = {"payloads": "payloads", "consoles": "console output"}


class Found(Struct, frozen=True):
    """A hit as it is drawn."""

    hit: Hit
    href: str
    icon: str


@page("/search", opt={"above_workspaces": True})
async def begin_search(request: Asking) -> Shown:
    """The search of the workspace that was looked at last."""
    slugs = request.workspaces.slugs
    last = cookies.remembered_of(request.cookie, cookies.LAST)
    if not slugs:
        return await request.show("look/nowhere.html", title="No workspace")
    query = request.scope["query_string"].decode("latin-1")
    return elsewhere(f"/w/{last if last in slugs else next(iter(slugs))}/search" + (f"?{query}" if query else ""))


@page("/search")
async def search(request: Asking) -> Shown:
    """What has a text: at once; and, where it is asked for, what of a period has it in payloads or console output."""
    asked = request.query_params.get("q", "")
    within, period = request.query_params.get("in", ""), request.query_params.get("since", "7d")
    if within not in {"", *WITHIN} or period not in PERIODS:
        raise Invalid("There is no such place or period to search.", code="SEARCH_WRONG")
    hits = (
        await seeking.seek(*request.acting, asked) if request.wants("main", "found", "results") and not within else []
    )
    past, further = None, ""
    if within and asked.strip():
        past = await _past(request, within, asked, PERIODS[period][1])
        past = replace(
            past, looked=past.looked + _told(request, "looked"), in_part=past.in_part + _told(request, "cut")
        )
        if past.before is not None:
            so_far = {"before": str(past.before), "looked": past.looked, "cut": past.in_part}
            further = f"{request.base}/search?" + urlencode({"q": asked, "in": within, "since": period, **so_far})
    return await request.show(
        "search/search.html",
        title="Search",
        crumbs=[Crumb("Search")],
        asked=asked.strip(),
        within=within,
        period=period,
        periods=PERIODS,
        places={
            key: said
            for key, said in WITHIN.items()
            if all(request.actor.may(each, request.workspace) for each in _NEEDS[key])
        },
        views=await _views(request, asked) if past is None else [],
        hits=_drawn(request, hits if past is None else past.hits),
        past=past,
        most_bytes=MOST_BYTES,
        further=further,
    )


async def _views(request: Asking, asked: str) -> list[Listed]:
    """Saved views whose names have the text, and that lead somewhere by themselves."""
    sought = asked.strip().lower()
    if not sought or not lists_for(request.actor, request.workspace):
        return []
    views = await list_views(request.engine, request.actor, request.workspace)
    found = [listed(each, request.base) for each in views if sought in each.name.lower()]
    return [each for each in found if each.href][:_MOST_VIEWS]


_NEEDS: Final = {
    "payloads": (Permission.READ_WORK_ITEMS,),
    "consoles": (Permission.READ_RUN_OUTPUTS, Permission.READ_RUNS),
}


async def _past(request: Asking, within: str, asked: str, span: timedelta) -> Slice:
    scopes = [scope_of(request.actor, each, request.workspace) for each in _NEEDS[within]]  # who lacks one is refused
    before = as_uuid(request.query_params.get("before", ""))
    now: datetime = request.reader.now
    seek = seeking.seek_payloads if within == "payloads" else seeking.seek_consoles
    looking = seek(request.engine, scopes[0], asked, since=now - span, before=before, now=now)
    return await unless_left(request, looking)


def _told(request: Asking, name: str) -> int:
    """A number that the looks before this one have put into the address."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0  # noqa: PLR2004 - 32 bits


def _drawn(request: Asking, hits: list[Hit]) -> list[Found]:
    """Those that have a page."""
    sections: frozenset[str] = request.app.state.sections
    found = []
    for hit in hits:
        if hit.noun == "step run":
            line = hit.said.partition(":")[0].removeprefix("line ") if hit.said.startswith("line ") else ""
            anchor = f"#L{line}" if line.isdecimal() else ""
            href = f"{request.base}/runs/{hit.run}/console?step={hit.number}{anchor}"
            found.append(Found(hit, href, "code"))
        elif hit.noun in _PATHS and (path := _PATHS[hit.noun])[0] in sections:
            found.append(Found(hit, f"{request.base}/{path[0]}/{hit.number}", path[1]))
    return found
