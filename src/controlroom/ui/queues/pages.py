"""The standing queues of a workspace, and making one."""

import json
from typing import Any, Final

from msgspec import Raw

from controlroom.engine.item_models import store as item_models
from controlroom.engine.queues import actions
from controlroom.engine.queues.model import QueueSettings
from controlroom.engine.statistics import flows
from controlroom.errors import Invalid
from controlroom.ids import ItemModelId, QueueId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Permission, Shown
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import either
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.pages import may_govern
from controlroom.ui.workers.told import outlook_told

_A_PAGE: Final = 50
GOVERNS: Final = either(Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES)
_MOST_MODELS: Final = 1000


@page("/queues", needs=Permission.READ_WORK_ITEMS)
async def list_queues(request: Asking) -> Shown:
    """All of them, those too in which nothing was for long."""
    after = as_uuid(request.query_params.get("after", ""))
    found = await flows.standing(*request.reading, after=None if after is None else QueueId(after), limit=_A_PAGE + 1)
    return await request.show(
        "queues/list.html",
        title="Queues",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), "Queues"),
        queues=found[:_A_PAGE],
        more=f"{request.base}/queues?after={found[_A_PAGE - 1].id}" if len(found) > _A_PAGE else "",
        first=f"{request.base}/queues" if after else "",
        outlook_told=outlook_told,
        may_govern=may_govern(request),
    )


@page("/queues/new", needs=Permission.READ_WORK_ITEMS)
async def ask_for_queue(request: Asking) -> Shown:
    """What it shall be called, and what its items look like."""
    return await show_form(request, None, Fields([]))


@verb("/queues/new", may=GOVERNS)
async def create_queue(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    try:
        schema = json_of(fields.text("schema"), "The schema")
    except Invalid as wrong:
        return await show_form(request, None, fields, refused=wrong.message)
    model = as_uuid(fields.text("item_model"))
    settings = QueueSettings(
        description=fields.text("description"),
        refuses_duplicates=fields.has("refuses_duplicates"),
        item_model=None if model is None else ItemModelId(model),
    )
    made, refused = await tried(
        actions.create(*request.acting, name=fields.text("name"), schema=schema, settings=settings)
    )
    if made is None:
        return await show_form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/queues/{made.number}", f"The queue {made.name} takes items.")


def json_of(text: str, what: str) -> Raw | None:
    """JSON that somebody has typed; None for nothing. Raises Invalid, and says where it goes wrong."""
    if not text:
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError) as wrong:
        at = f" in line {wrong.lineno}" if isinstance(wrong, json.JSONDecodeError) else ""
        raise Invalid(f"{what} is no JSON{at}", code="MALFORMED_JSON") from wrong
    return Raw(text.encode())


async def show_form(request: Asking, queue: Any, fields: Fields, *, refused: str = "") -> Shown:
    """The form of a queue: a new one, or one that there is."""
    models = (
        [] if queue else await item_models.list_models(request.db, request.actor.organization_id, limit=_MOST_MODELS)
    )
    here = f"{request.base}/queues/{queue.number}" if queue else f"{request.base}/queues"
    above = [Crumb("Workers and queues", f"{request.base}/workers"), Crumb("Queues", f"{request.base}/queues")]
    if queue:
        above.append(Crumb(queue.name, here))
    return await request.show(
        "queues/form.html",
        title=f"Edit {queue.name}" if queue else "New queue",
        at="workers",
        crumbs=[*above, Crumb("Edit" if queue else "New queue")],
        status=REFUSED if refused else 200,
        queue=queue,
        fields=fields,
        here=here,
        models=[(str(each.id), each.name) for each in models],
        refused=refused,
    )
