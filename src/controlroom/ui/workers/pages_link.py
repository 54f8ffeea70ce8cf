"""Linking a worker: the one command to paste, and the wait until it comes."""

from datetime import timedelta
from typing import Any, Final

from controlroom.engine.references import resolve
from controlroom.engine.runs import occupation
from controlroom.engine.runs.occupation import Occupied
from controlroom.engine.workers import link_tokens, linking, service
from controlroom.engine.workers.link_tokens import LINK_TOKEN
from controlroom.engine.workers.linking import MOST_SLOTS
from controlroom.engine.workers.model import LinkToken, Serves, TheseWorkspaces
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.local_times import local_said, read_moment
from controlroom.ui.pickers.known import GROUPS
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.questions import ask
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.pages_serving import choice_of, wanted

_WORKS: Final = timedelta(hours=1)
_MOST_COME: Final = 20
_SLOTS: Final = "4"


@page("/workers/link", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_link(request: Asking) -> Shown:
    """Into which group, and with how many slots."""
    fields = Fields([("workspace", str(request.workspace))])
    group = request.query_params.get("group", "")
    return await _show(request, chosen=group, slots=_SLOTS, wrongs={}, token=None, choice=choice_of(request, fields))


@verb("/workers/link")
async def make_token(request: Asking) -> Shown:
    """Make a token that works for an hour, and show the command with it; the value stands in this answer alone."""
    fields = await request.fields()
    slots, named = fields.text("slots", "1"), fields.text("group")
    seen = request.scope_for(Permission.WRITE_WORKERS)
    wrongs: dict[str, str] = {}
    if not (slots.isdecimal() and 1 <= int(slots[:6]) <= MOST_SLOTS):
        wrongs["slots"] = f"A worker has 1 to {MOST_SLOTS:,} slots."
    try:
        chosen = await GROUPS.chosen(request, named)
    except PickRefused as refused:
        wrongs["group"] = f"{said(refused)}."
    serves: Serves = TheseWorkspaces((request.workspace,))
    try:
        if fields.has("serves"):
            serves = wanted(request, fields)
    except Invalid as refused:
        wrongs["workspaces"] = f"{said(refused)}."
    if wrongs:
        choice = choice_of(request, fields)
        return await _show(request, status=REFUSED, chosen=named, slots=slots, wrongs=wrongs, token=None, choice=choice)
    until = request.reader.now + _WORKS
    if named:
        group = await resolve(request.db, seen, WORKER_GROUP, chosen)
        made = await linking.create_group_link_token(
            *request.acting, group, name="from the console", expires_at=until, serves=serves
        )
    else:
        made = await linking.create_link_token(*request.acting, expires_at=until, serves=serves)
    return await _show(
        request,
        chosen=named,
        slots=slots,
        wrongs={},
        token=made.token,
        command=_command(request.origin, made.value, slots),
        come=[],
    )


@page("/workers/link/{token:int}", needs=Permission.READ_WORKERS)
async def show_wait(request: Asking, token: Path[int]) -> Shown:
    """Who has come with it; the region that waits asks this."""
    found = await resolve(*request.reading, LINK_TOKEN, str(token))
    its = await link_tokens.get(*request.reading, found)
    come = await _come(request, its)
    return await _show(request, chosen="", slots="", wrongs={}, token=its, command="", come=come)


@verb("/workers/link/{token:int}/reveal", may=(Permission.REVEAL, Permission.WRITE_WORKERS))
async def show_again(request: Asking, token: Path[int]) -> Shown:
    """Show the command with its token once more, in this answer alone. It is recorded who saw it."""
    seen = request.scope_for(Permission.WRITE_WORKERS)
    found = await resolve(request.db, seen, LINK_TOKEN, str(token))
    value = await linking.reveal_link_token(*request.acting, found)
    its = await link_tokens.get(request.db, seen, found)
    command = _command(request.origin, value, _SLOTS)
    return await _show(request, chosen="", slots="", wrongs={}, token=its, command=command, come=[])


@page("/workers/link/{token:int}/delete", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_delete_token(request: Asking, token: Path[int]) -> Shown:
    """Who does not come then."""
    its = await link_tokens.get(*request.reading, await resolve(*request.reading, LINK_TOKEN, str(token)))
    name, here = its.name or f"token #{its.number}", f"/workers/link/{its.number}"
    return await ask(
        request,
        f"Take {name} back",
        label="Take it back",
        back=f"{request.base}{here}",
        lost="No further worker comes to this workspace with it.",
        stays="Workers that have come stay linked.",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), (name, here), "Take back"),
    )


@verb("/workers/link/{token:int}/delete", may=Permission.WRITE_WORKERS)
async def delete_token(request: Asking, token: Path[int]) -> Shown:
    """Let it link nobody any more."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_WORKERS), LINK_TOKEN, str(token))
    await linking.delete_link_token(*request.acting, found)
    return request.done(f"{request.base}/workers", "The token links nobody any more. Workers that came with it stay.")


@page("/workers/link/{token:int}/edit", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_edit_token(request: Asking, token: Path[int]) -> Shown:
    """What it is called, and until when it works."""
    its = await link_tokens.get(*request.reading, await resolve(*request.reading, LINK_TOKEN, str(token)))
    return await _token_form(request, its, Fields([*_said(request, its).items()]))


@verb("/workers/link/{token:int}/edit")
async def edit_token(request: Asking, token: Path[int]) -> Shown:
    """Call it otherwise, or let it work for another time."""
    fields = await request.fields()
    seen = request.scope_for(Permission.WRITE_WORKERS)
    its = await link_tokens.get(request.db, seen, await resolve(request.db, seen, LINK_TOKEN, str(token)))
    _, refused = await tried(_edited(request, its, fields))
    if refused:
        return await _token_form(request, its, fields, refused=refused)
    here = f"{request.base}/workers/link/{its.number}"
    return request.done(here, "The token is changed.", undo=f"{here}/edit", undo_with=_said(request, its))


async def _edited(request: Asking, token: LinkToken, fields: Fields) -> LinkToken:
    until = fields.text("until")
    at = read_moment(until, request.reader.zone, token.expires_at) if until else None
    return await linking.update_link_token(*request.acting, token.id, name=fields.text("name"), expires_at=at)


def _said(request: Asking, token: LinkToken) -> dict[str, str]:
    until = "" if token.expires_at is None else local_said(token.expires_at, request.reader.zone)
    return {"name": token.name, "until": until}


async def _token_form(request: Asking, token: LinkToken, fields: Fields, *, refused: str = "") -> Shown:
    name = token.name or f"token #{token.number}"
    return await request.show(
        "workers/token_form.html",
        title=f"Edit {name}",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), (name, f"/workers/link/{token.number}"), "Edit"),
        status=REFUSED if refused else 200,
        token=token,
        here=f"{request.base}/workers/link/{token.number}",
        fields=fields,
        zone=request.reader.zone_name,
        refused=refused,
    )


async def _come(request: Asking, token: LinkToken) -> list[Occupied]:
    """The workers that have come with a token: a one-time one links the first that was made once it was used."""
    since = token.created_at if token.is_reusable else token.used_at
    if since is None:
        return []
    if not token.is_reusable:
        return await occupation.linked_since(*request.reading, since, limit=1)
    found = await occupation.linked_since(*request.reading, since, limit=_MOST_COME)
    return [each for each in found if token.worker_group_id in {group.id for group in each.groups}]


def _command(origin: str, value: str, slots: str) -> str:
    return f"controlroom worker \\\n  --url {origin} \\\n  --link-token {value} \\\n  --slots {slots}"


async def _show(request: Asking, *, status: int = 200, **values: Any) -> Shown:
    token: LinkToken | None = values["token"]
    values.setdefault("command", "")
    values.setdefault("come", [])
    values.setdefault("choice", None)
    return await request.show(
        "workers/link.html",
        title="Link a worker",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), "Link a worker"),
        status=status,
        group=await GROUPS.offered(request, values.pop("chosen")) if token is None else None,
        waits=f"{request.base}/workers/link/{token.number}" if token else "",
        served=await service.served(*request.acting, LINK_TOKEN, token.id) if token else None,
        is_over=token is not None and token.expires_at is not None and token.expires_at <= request.reader.now,
        **values,
    )
