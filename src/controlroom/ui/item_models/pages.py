"""Models of items: the typed attributes that every item of a queue has."""

from typing import Final

from controlroom.engine.item_models import actions, store
from controlroom.engine.item_models.model import AttributeKind, ItemModel, NewAttribute
from controlroom.engine.item_models.store import ITEM_MODEL
from controlroom.engine.lists.model import Within
from controlroom.engine.references import resolve
from controlroom.ids import ItemModelId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.queues.pages import LIST as QUEUES
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import anywhere
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.pages import may_govern

_ROWS: Final = 8
KINDS: Final = [(each.value, each.value.capitalize()) for each in AttributeKind]


_LIST: Final = ListPage(
    listing=store.ITEM_MODELS,
    row=ItemModel,
    path="/item-models",
    noun="models",
    noun_of_one="model",
    columns=(
        Col("name", "Model", sort="name", always=True),
        Col("attributes", "Attributes", csv=lambda model: ", ".join(each.name for each in model.attributes)),
        Col("created_at", "Made", sort="created_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/item-models", needs=Permission.READ_WORK_ITEMS)
async def list_models(request: Asking) -> Shown:
    """Those of the organization."""
    seen = Within.one("%(organization)s", organization=request.actor.organization_id)
    return await request.show(
        "item_models/list.html",
        title="Models of items",
        at="workers",
        crumbs=_crumbs(request),
        found=await _LIST.read(request, seen=seen),
        may_govern=may_govern(request),
    )


@page("/item-models/new", needs=Permission.READ_WORK_ITEMS)
async def ask_for_model(request: Asking) -> Shown:
    """Its name and its attributes."""
    return await _form(request, Fields([]))


@verb("/item-models/new", may=anywhere(Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES))
async def create_model(request: Asking) -> Shown:
    """Make it; it never changes afterwards."""
    fields = await request.fields()
    kinds = {each.value: each for each in AttributeKind}
    named = zip(fields.texts("attribute"), fields.texts("kind"), strict=False)
    attributes = [NewAttribute(name, kinds.get(kind, AttributeKind.TEXT)) for name, kind in named if name]
    made, refused = await tried(actions.create(*request.governing, name=fields.text("name"), attributes=attributes))
    if made is None:
        return await _form(request, fields, refused=refused)
    return request.done(f"{request.base}/item-models/{made.number}", f"The model {made.name} is made.")


@page("/item-models/{number:str}", needs=Permission.READ_WORK_ITEMS)
async def show_model(request: Asking, number: Path[str]) -> Shown:
    """Its attributes, and the queues whose items are made of it."""
    model = await _model(request, number)
    ensure_number(request, number, model.number)
    return await request.show(
        "item_models/model.html",
        title=model.name,
        at="workers",
        crumbs=_crumbs(request, model.name),
        model=model,
        queues=await QUEUES.first(request, {"model": str(model.id)}),
        may_govern=may_govern(request),
    )


@page("/item-models/{number:str}/delete", needs=Permission.READ_WORK_ITEMS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Whether a queue has it."""
    return await _question(request, await _model(request, number))


@verb("/item-models/{number:str}/delete", may=anywhere(Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES))
async def delete_model(request: Asking, number: Path[str]) -> Shown:
    """Delete it, if no queue has it."""
    model = await _model(request, number)
    _, refused = await tried(actions.delete(*request.governing, model.id))
    if refused:
        return await _question(request, model, refused=refused)
    return request.done(f"{request.base}/item-models", "The model is deleted.")


async def _model(request: Asking, named: str) -> ItemModel:
    found: ItemModelId = await resolve(request.db, request.scope_for(Permission.READ_WORK_ITEMS), ITEM_MODEL, named)
    return await store.get(request.db, request.actor.organization_id, found)


def _crumbs(request: Asking, *names: str) -> list[Crumb]:
    return request.way(("Queues", "/queues"), ("Models of items", "/item-models"), *names)


async def _question(request: Asking, model: ItemModel, *, refused: str = "") -> Shown:
    return await request.show(
        "item_models/delete.html",
        title=f"Delete {model.name}",
        at="workers",
        crumbs=_crumbs(request, model.name, "Delete"),
        status=REFUSED if refused else 200,
        model=model,
        refused=refused,
    )


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    typed = [*zip(fields.texts("attribute"), fields.texts("kind"), strict=False)]
    return await request.show(
        "item_models/form.html",
        title="New model of items",
        at="workers",
        crumbs=_crumbs(request, "New model"),
        status=REFUSED if refused else 200,
        fields=fields,
        attributes=[*typed, *[("", "text")] * max(0, _ROWS - len(typed))],
        kinds=KINDS,
        refused=refused,
    )
