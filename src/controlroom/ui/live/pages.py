"""The one stream by which the pages of a workspace hear that something has changed."""

from controlroom.border.credentials import header_of
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.nudges import store
from controlroom.engine.nudges.feed import consoles_of
from controlroom.engine.nudges.model import CONSOLE, Topic
from controlroom.engine.nudges.rules import audible, is_place, topics_of
from controlroom.ui.asking import Asking, Shown
from controlroom.ui.live.stream import Nudges
from controlroom.ui.routing import page


@page("/events")
async def watch(request: Asking) -> Nudges | Shown:
    """Nudges of the topics that are asked for, as far as the actor may hear of them; 204 where none is left.

    From the place that the browser has heard last (`Last-Event-ID`), else from that of the page (`after`).
    """
    topics = await _heard(request, topics_of(request.query_params.get("topics", "")))
    if not topics:
        return Shown("", status_code=204)
    last = header_of(request.scope, b"last-event-id") or request.query_params.get("after", "")
    return Nudges(request, topics, last if is_place(last) else None)


async def _heard(request: Asking, asked: list[Topic]) -> list[Topic]:
    topics = audible(request.actor, request.workspace, asked)
    if consoles := consoles_of(topics):
        scope = scope_of(request.actor, Permission.READ_RUN_OUTPUTS, request.workspace)
        seen = await store.seen_step_runs(request.db, scope, consoles)
        topics = [each for each in topics if each.noun != CONSOLE or each.id in seen]
    return topics
