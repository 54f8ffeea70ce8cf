"""Webhooks: who outside is told what, how that went, and the verbs on them."""

from typing import Final

from controlroom.engine.access.model import Permission
from controlroom.engine.deliveries.model import DeliveryState
from controlroom.engine.lists.model import equal
from controlroom.engine.processes import store as processes
from controlroom.engine.references import resolve
from controlroom.engine.webhooks import actions, outcomes, store
from controlroom.engine.webhooks.errors import WebhookInvalid
from controlroom.engine.webhooks.listings import WEBHOOKS
from controlroom.engine.webhooks.model import Webhook, WebhookChange, WebhookDefinition, WebhookEvent
from controlroom.engine.webhooks.outcomes import Outcome
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ProcessId, WebhookId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Shown
from controlroom.ui.charts import Bar
from controlroom.ui.filters import Choice, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import id_of
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="webhooks", name="Webhooks", path="/webhooks", icon="webhooks", needs=Permission.READ_WEBHOOKS)

EVENTS: Final = {
    WebhookEvent.RUN_STARTED: "A run begins",
    WebhookEvent.RUN_COMPLETED: "A run is completed",
    WebhookEvent.RUN_UNRESOLVED: "A run is left with failed items",
    WebhookEvent.RUN_REOPENED: "A run goes on after a retry",
    WebhookEvent.STEP_RUN_STARTED: "A step run begins",
    WebhookEvent.STEP_RUN_COMPLETED: "A step run is completed",
    WebhookEvent.STEP_RUN_FAILED: "A step run fails",
    WebhookEvent.STEP_RUN_PAUSED: "A step run is paused",
    WebhookEvent.STEP_RUN_RESUMED: "A step run goes on",
}
GRAMMARS: Final = {"robocorp": "Robocorp", "automation360": "Automation 360", "dbt_cloud": "dbt Cloud"}
_TONES: Final = {DeliveryState.DELIVERED: "ok", DeliveryState.FAILED: "bad", DeliveryState.PENDING: "run"}
_MOST: Final = 200


_LIST: Final = ListPage(
    listing=WEBHOOKS,
    row=Webhook,
    path="/webhooks",
    noun="webhooks",
    noun_of_one="webhook",
    topics="webhook delivery",
    tabs=(
        Tab("all", "All"),
        Tab("enabled", "Enabled", equal(is_enabled=True)),
        Tab("paused", "Paused", equal(is_enabled=False)),
    ),
    filters=(Choice("grammar", "Grammar", "grammar", GRAMMARS),),
    columns=(
        Col("name", "Webhook", sort="name", always=True, csv=lambda webhook: webhook.name or webhook.endpoint),
        Col("events", "Told of", csv=lambda webhook: ", ".join(each.value for each in webhook.events)),
        Col("last", "Last 30 deliveries", csv=lambda _: ""),
        Col("grammar", "Grammar", sort="grammar"),
        Col("is_enabled", "State", always=True),
    ),
    searched=("name", "endpoint", "process_name"),
    searched_words="Name, address or process",
    sort="-id",
)


@page("/webhooks", needs=Permission.READ_WEBHOOKS, is_read=True)
async def list_webhooks(request: Asking) -> Shown:
    """All of the workspace, each with its last deliveries."""
    found = await _LIST.read(request)
    last = await outcomes.last_of_webhooks(*request.reading, [each.id for each in found.rows])
    return await request.show(
        "webhooks/list.html",
        title="Webhooks",
        at="webhooks",
        crumbs=[Crumb("Webhooks")],
        found=found,
        bars={each.id: bars_of(request, each, last.get(each.id, [])) for each in found.rows},
        failed={of: sum(each.state is DeliveryState.FAILED for each in those) for of, those in last.items()},
        can_write=_writes(request),
        grammars=GRAMMARS,
    )


@page("/webhooks/new", needs=(Permission.WRITE_WEBHOOKS, Permission.READ_WEBHOOKS))
async def new_webhook(request: Asking) -> Shown:
    """The form."""
    events = [WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED]
    return await _form(request, None, {"events": events, "process": request.query_params.get("process", "")})


@verb("/webhooks", may=Permission.WRITE_WEBHOOKS)
async def create_webhook(request: Asking) -> Shown:
    """Make it, and show its secret."""
    fields = await request.fields()
    try:
        process = await _process(request, fields.text("process"))
        made, secret = await actions.create(
            *request.acting,
            WebhookDefinition(
                endpoint=fields.text("endpoint"),
                grammar=fields.text("grammar") or "robocorp",
                events=_events(fields),
                process=process,
                name=fields.text("name"),
                secret=fields.raw("secret").strip() or None,
            ),
        )
    except (WebhookInvalid, Invalid) as wrong:
        return await _form(request, None, _typed(fields), _wrongs(wrong))
    return await _secret(request, made, secret)


@page("/webhooks/{named:str}/edit", needs=(Permission.WRITE_WEBHOOKS, Permission.READ_WEBHOOKS))
async def edit_form(request: Asking, named: Path[str]) -> Shown:
    """The form, as it is."""
    found = await store.get(*request.reading, await webhook_id(request, named))
    return await _form(request, found, {"events": found.events, "endpoint": found.endpoint, "name": found.name})


@verb("/webhooks/{named:str}/edit")
async def edit_webhook(request: Asking, named: Path[str]) -> Shown:
    """Change it; what is still to be delivered goes to where it points now."""
    fields = await request.fields()
    found = await webhook_id(request, named)
    try:
        await actions.update(
            *request.acting,
            found,
            WebhookChange(
                endpoint=fields.text("endpoint"),
                events=_events(fields),
                name=fields.text("name"),
                secret=fields.raw("secret").strip() or None,
            ),
        )
    except (WebhookInvalid, Invalid) as wrong:
        webhook = await store.get(request.db, request.scope_for(Permission.READ_WEBHOOKS), found)
        return await _form(request, webhook, _typed(fields), _wrongs(wrong))
    return request.done(f"{request.base}/webhooks/{named}", "Saved.")


@verb("/webhooks/{named:str}/pause", may=Permission.WRITE_WEBHOOKS)
async def pause(request: Asking, named: Path[str]) -> Shown:
    """Tell it no more; what is still to be delivered is given up."""
    found = await actions.update(*request.acting, await webhook_id(request, named), WebhookChange(is_enabled=False))
    here = f"{request.base}/webhooks/{found.number}"
    return request.done(here, "It is told no more.", undo=f"{here}/resume")


@verb("/webhooks/{named:str}/resume", may=Permission.WRITE_WEBHOOKS)
async def resume(request: Asking, named: Path[str]) -> Shown:
    """Tell it again, of what happens from now on."""
    found = await actions.update(*request.acting, await webhook_id(request, named), WebhookChange(is_enabled=True))
    here = f"{request.base}/webhooks/{found.number}"
    return request.done(here, "It is told again, of what happens from now on.", undo=f"{here}/pause")


@verb("/webhooks/{named:str}/test", may=Permission.WRITE_WEBHOOKS)
async def test(request: Asking, named: Path[str]) -> Shown:
    """Send it a message that is marked as a test."""
    await actions.test(*request.acting, await webhook_id(request, named))
    return request.done(f"{request.base}/webhooks/{named}", "A test is on its way: it is the first of the deliveries.")


@page("/webhooks/{named:str}/secret", needs=(Permission.REVEAL, Permission.READ_WEBHOOKS))
async def ask_for_secret(request: Asking, named: Path[str]) -> Shown:
    """Whether to look."""
    return await _ask(request, named, "webhooks/reveal.html", "Secret")


@verb("/webhooks/{named:str}/secret")
async def show_secret(request: Asking, named: Path[str]) -> Shown:
    """Show what signs its messages. It is recorded who saw it."""
    return await _secret(request, *await actions.reveal(*request.acting, await webhook_id(request, named)))


@page("/webhooks/{named:str}/delete", needs=(Permission.WRITE_WEBHOOKS, Permission.READ_WEBHOOKS))
async def ask_to_delete(request: Asking, named: Path[str]) -> Shown:
    """What goes with it."""
    return await _ask(request, named, "webhooks/delete.html", "Delete")


@verb("/webhooks/{named:str}/delete")
async def delete(request: Asking, named: Path[str]) -> Shown:
    """Delete it."""
    webhook = await webhook_id(request, named)
    await actions.delete(*request.acting, webhook)
    undo = f"{request.base}/webhooks/{webhook}/restore"
    return request.done(f"{request.base}/webhooks", "The webhook is deleted.", undo=undo)


@verb("/webhooks/{named:str}/restore", may=Permission.WRITE_WEBHOOKS)
async def restore(request: Asking, named: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    found = await actions.restore(*request.acting, WebhookId(id_of(named)))
    return request.done(f"{request.base}/webhooks/{found.number}", "It is told again, of what happens from now on.")


async def webhook_id(request: Asking, named: str) -> WebhookId:
    """The webhook that an address names. Raises WebhookNotFound."""
    return await resolve(request.db, request.scope_for(Permission.READ_WEBHOOKS), store.WEBHOOK, named)


def title_of(webhook: Webhook) -> str:
    """What it is called; one without a name is its address."""
    return webhook.name or webhook.endpoint.partition("://")[2][:60]


def bars_of(request: Asking, webhook: Webhook, last: list[Outcome]) -> list[Bar]:
    """Its last deliveries as a strip."""
    here = f"{request.base}/webhooks/{webhook.number}"
    return [
        Bar(_TONES[each.state], 0.7, f"{here}?delivery={each.number}", f"#{each.number} {each.state.value}")
        for each in reversed(last)
    ]


def _events(fields: Fields) -> tuple[WebhookEvent, ...]:
    known = {each.value for each in WebhookEvent}
    return tuple(WebhookEvent(each) for each in fields.texts("event") if each in known)


def _typed(fields: Fields) -> dict[str, object]:
    typed: dict[str, object] = {each: fields.text(each) for each in ("endpoint", "name", "grammar", "process")}
    return {**typed, "events": _events(fields)}


async def _process(request: Asking, named: str) -> ProcessId | None:
    """The process that a form names by its id, number or name. Raises Invalid for none that there is."""
    if not named:
        return None
    try:
        chosen = await PROCESSES.chosen(request, named)
        return await resolve(request.db, request.scope_for(Permission.WRITE_WEBHOOKS), processes.PROCESS, chosen)
    except NotFound as missing:
        raise Invalid(missing.message, code="PROCESS_NOT_FOUND") from missing


def _wrongs(wrong: Invalid) -> dict[str, str]:
    where = "event" if "event" in wrong.message else "endpoint"
    return {where: f"{wrong.message[0].upper()}{wrong.message[1:]}."}


async def _form(
    request: Asking, webhook: Webhook | None, typed: dict[str, object], wrong: dict[str, str] | None = None
) -> Shown:
    title = f"Edit {title_of(webhook)}" if webhook else "New webhook"
    return await request.show(
        "webhooks/form.html",
        title=title,
        at="webhooks",
        crumbs=request.way(("Webhooks", "/webhooks"), title),
        status=400 if wrong else 200,
        webhook=webhook,
        typed=typed,
        wrong=wrong or {},
        events=EVENTS,
        grammars=[(key, said) for key, said in GRAMMARS.items() if key in request.engine.grammars],
        process=await PROCESSES.offered(request, str(typed.get("process", ""))) if webhook is None else None,
    )


async def _secret(request: Asking, webhook: Webhook, secret: str) -> Shown:
    title = title_of(webhook)
    return await request.show(
        "webhooks/secret.html",
        title=title,
        at="webhooks",
        crumbs=request.way(("Webhooks", "/webhooks"), title),
        webhook=webhook,
        secret=secret,
    )


async def _ask(request: Asking, named: str, template: str, what: str) -> Shown:
    webhook = await store.get(*request.reading, await webhook_id(request, named))
    title = title_of(webhook)
    crumbs = [Crumb(title, f"{request.base}/webhooks/{webhook.number}"), Crumb(what)]
    return await request.show(
        template, title=f"{what}: {title}", at="webhooks", crumbs=crumbs, webhook=webhook, name=title
    )


def _writes(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_WEBHOOKS, request.workspace)
