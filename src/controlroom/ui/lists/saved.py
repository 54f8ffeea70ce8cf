"""The saved views of a list, as its page shows them."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from controlroom.engine.saved_views import actions
from controlroom.engine.saved_views.rules import LISTS, LISTS_ABOVE, sharing
from controlroom.ui.asking import Asking
from controlroom.ui.lists.parts import Saved, View
from controlroom.ui.lists.rules import Declared


async def saved_of(request: Asking, page: Declared, asked: Mapping[str, str]) -> Saved | None:
    """The views of a list that the reader sees, in one statement; None for a list that has none."""
    place = request.workspace if request.base else None
    of = page.kept_as or page.path.strip("/")
    known = LISTS if place is not None else LISTS_ABOVE
    if of not in known or not request.actor.may(known[of], place):
        return None
    now, path = page.state(asked), f"{request.base}{page.path}"
    views = [
        View(
            each.name,
            f"{path}?{each.query}" if each.query else path,
            page.state(dict(parse_qsl(each.query))) == now,
            each.is_shared,
        )
        for each in await actions.list_views(request.engine, request.actor, place, of)
    ]
    managed = f"{request.base}/views" if request.base else "/admin/views"
    return Saved(of, views, now, managed, may_share=request.actor.may(sharing(place), place))
