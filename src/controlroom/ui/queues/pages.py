"""The standing queues of a workspace, and making one."""

import json
from typing import Any, Final

from msgspec import Raw

from controlroom.engine.queues import actions
from controlroom.engine.queues.listings import QUEUES
from controlroom.engine.queues.model import ListedQueue, QueueSettings
from controlroom.engine.statistics import flows
from controlroom.errors import Invalid
from controlroom.ids import ItemModelId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Permission, Shown
from controlroom.ui.filters import Choice, Reference
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import ITEM_MODELS
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import either
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.pages import may_govern
from controlroom.ui.workers.told import outlook_told

GOVERNS: Final = either(Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES)


LIST: Final = ListPage(
    listing=QUEUES,
    row=ListedQueue,
    path="/queues",
    noun="queues",
    noun_of_one="queue",
    topics="queue queue_consumer",
    every=15,
    filters=(
        Choice(
            "status", "Status", "status", {"in_use": "consumed", "not_in_use": "without consumers", "draft": "draft"}
        ),
        Reference("model", "Model of items", "item_model_id", ITEM_MODELS),
    ),
    columns=(
        Col("name", "Queue", sort="name", always=True),
        Col("waiting", "Waiting", is_number=True, always=True, csv=lambda _: ""),
        Col("oldest", "Oldest", is_number=True, csv=lambda _: ""),
        Col("rates", "In / out, an hour", is_number=True, csv=lambda _: ""),
        Col("depth", "Depth, 24 h", csv=lambda _: ""),
        Col("outlook", "Outlook", always=True, csv=lambda _: ""),
    ),
    searched=("name", "description"),
    searched_words="Name, number or id",
    sort="name",
)


@page("/queues", needs=Permission.READ_WORK_ITEMS)
async def list_queues(request: Asking) -> Shown:
    """All of them, those too in which nothing was for long."""
    found = await LIST.read(request)
    return await request.show(
        "queues/list.html",
        title="Queues",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), "Queues"),
        found=found,
        flows=await flows.of_queues(*request.reading, [each.id for each in found.rows]),
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
        model = as_uuid(await ITEM_MODELS.chosen(request, fields.text("item_model")))
    except Invalid as wrong:
        return await show_form(request, None, fields, refused=said(wrong))
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
        item_model=None if queue else await ITEM_MODELS.offered(request, fields.text("item_model")),
        refused=refused,
    )
