"""Service tokens: what programs come with that stand for themselves, by the roles that the token holds."""

from collections.abc import Iterable
from typing import Any, Final

from controlroom.engine.access import history
from controlroom.engine.access.grants.model import HeldGrant, WantedGrant
from controlroom.engine.access.nouns import SERVICE_TOKEN
from controlroom.engine.access.roles import actions as roles
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.access.service_tokens.model import ServiceToken
from controlroom.engine.access.service_tokens.store import SERVICE_TOKENS
from controlroom.engine.lists.model import equal
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.ids import RoleId, ServiceTokenId, WorkspaceId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.filters import Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers import workspaces
from controlroom.ui.pickers.known import ROLES
from controlroom.ui.pickers.picker import FEW
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="service-tokens",
    name="Service tokens",
    path="/admin/service-tokens",
    icon="tokens",
    throughout=Permission.READ_API_KEYS,
    is_above=True,
)
_HERE: Final = "/admin/service-tokens"
_ABOVE: Final = {"above_workspaces": True}
_WRITE: Final = in_organization(Permission.WRITE_API_KEYS)
_DAYS: Final = (("", "Until it is deleted"), ("30", "30 days"), ("90", "90 days"), ("365", "A year"))


_LIST: Final = ListPage(
    listing=SERVICE_TOKENS,
    row=ServiceToken,
    path=_HERE,
    kept_as="service-tokens",
    noun="service tokens",
    noun_of_one="service token",
    tabs=(Tab("all", "All"), Tab("disabled", "Disabled", equal(is_disabled=True))),
    columns=(
        Col("name", "Token", sort="name", always=True),
        Col("grants", "Holds", csv=lambda token: ", ".join(each.role_name for each in token.grants)),
        Col("use_count", "Used", is_number=True),
        Col("used_at", "Last used", sort="used_at"),
        Col("expires_at", "Ends"),
        Col("verbs", "", always=True, csv=lambda _: ""),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="-id",
)


@page(_HERE, opt=_ABOVE, is_read=True)
async def list_tokens(request: Asking) -> Shown:
    """All of the organization, the newest first, with what they hold and when they were used."""
    seen = throughout(request.actor, Permission.READ_API_KEYS)
    found = await _LIST.read(request, seen=seen)
    return await request.show(
        "service_tokens/list.html",
        title="Service tokens",
        at="service-tokens",
        crumbs=[Crumb("Service tokens")],
        found=found,
        may_change=request.actor.may(Permission.WRITE_API_KEYS, None),
    )


@page(f"{_HERE}/new", opt=_ABOVE)
async def ask_for_token(request: Asking) -> Shown:
    """Its name, for how long, and what it holds where."""
    actions.ensure_writes(request.actor)
    return await _form(request, Fields([]))


@verb(f"{_HERE}/new", opt=_ABOVE, may=_WRITE)
async def create_token(request: Asking) -> Shown:
    """Make it, and show its value this once; the address has nothing of it."""
    actions.ensure_writes(request.actor)
    fields = await request.fields()
    days = fields.text("days")
    wanted, refused = await tried(_chosen(request, fields))
    if wanted is None:
        return await _form(request, fields, refused=refused)
    if not wanted:
        return await _form(request, fields, refused="A token that holds no role opens nothing: tick one")
    made, refused = await tried(
        actions.create(
            *request.governing,
            name=fields.text("name"),
            wanted=wanted,
            days=int(days) if days.isdecimal() and len(days) < 6 else None,  # noqa: PLR2004 - more than it may be
        )
    )
    if made is None:
        return await _form(request, fields, refused=refused)
    token, value = made
    return await request.show(
        "service_tokens/value.html",
        title=f"Token {token.name}",
        at="service-tokens",
        crumbs=[Crumb("Service tokens", _HERE), Crumb(token.name)],
        token=token,
        value=value,
    )


@page(f"{_HERE}/{{number:str}}", opt=_ABOVE)
async def show_token(request: Asking, number: Path[str]) -> Shown:
    """What it may do where, and how it is used; never its value."""
    token = await actions.get(*request.governing, await _id(request, number))
    ensure_number(request, number, token.number)
    seen = Of(request.actor.organization_id, ())
    return await request.show(
        "service_tokens/token.html",
        title=token.name,
        at="service-tokens",
        crumbs=_way(token),
        token=token,
        here=f"{_HERE}/{token.number}",
        changes=await history.changes_of(request.db, seen, token.id),
    )


@page(f"{_HERE}/{{number:str}}/edit", opt=_ABOVE)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name, and what it holds."""
    token = await actions.get(*request.governing, await _id(request, number))
    return await _edit_form(request, token, Fields([*_said(token).items()]))


@verb(f"{_HERE}/{{number:str}}/edit", opt=_ABOVE, may=_WRITE)
async def edit_token(request: Asking, number: Path[str]) -> Shown:
    """Call it otherwise, and let it hold what is ticked; its value stays."""
    actions.ensure_writes(request.actor)
    fields = await request.fields()
    before = await actions.get(*request.governing, await _id(request, number))
    kept = {key for each in fields.texts("keep") for key in each.split(",")}
    wanted = [WantedGrant(each.role_id, each.workspace_id) for each in before.grants if grant_key(each) in kept]
    wanted += _back(kept - {grant_key(each) for each in before.grants})
    further, refused = await tried(_chosen(request, fields))
    if further is None:
        return await _edit_form(request, before, fields, refused=refused)
    wanted += [each for each in further if each not in wanted]
    if not wanted:
        return await _edit_form(request, before, fields, refused="A token that holds no role opens nothing: tick one")
    name = fields.text("name")
    _, refused = await tried(actions.edit(*request.governing, before.id, name=name, wanted=wanted))
    if refused:
        return await _edit_form(request, before, fields, refused=refused)
    here = f"{_HERE}/{before.number}"
    return request.done(here, "It is changed.", undo=f"{here}/edit", undo_with=_said(before))


@verb(f"{_HERE}/{{number:str}}/disable", opt=_ABOVE, may=_WRITE)
async def disable(request: Asking, number: Path[str]) -> Shown:
    """Let it open nothing until it is enabled."""
    token = await actions.edit(*request.governing, await _id(request, number), is_disabled=True)
    return request.done(_HERE, f"{token.name} opens nothing any more.")


@verb(f"{_HERE}/{{number:str}}/enable", opt=_ABOVE, may=_WRITE)
async def enable(request: Asking, number: Path[str]) -> Shown:
    """Let it open again what its roles do."""
    token = await actions.edit(*request.governing, await _id(request, number), is_disabled=False)
    return request.done(_HERE, f"{token.name} is let in again.")


@page(f"{_HERE}/{{number:str}}/delete", opt=_ABOVE)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What it was used for last."""
    token = await actions.get(*request.governing, await _id(request, number))
    return await request.show(
        "service_tokens/delete.html",
        title=f"Delete {token.name}",
        at="service-tokens",
        crumbs=_way(token, "Delete"),
        token=token,
    )


@verb(f"{_HERE}/{{number:str}}/delete", opt=_ABOVE, may=_WRITE)
async def delete(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    token = await actions.delete(*request.governing, await _id(request, number))
    return request.done(_HERE, f"{token.name} is deleted, and opens nothing any more.")


async def _id(request: Asking, named: str) -> ServiceTokenId:
    throughout(request.actor, Permission.READ_API_KEYS)
    seen = Of(request.actor.organization_id, tuple(request.actor.grants))
    found: ServiceTokenId = await resolve(request.db, seen, SERVICE_TOKEN, named, Ways.ID | Ways.NUMBER)
    return found


async def _chosen(request: Asking, fields: Fields) -> list[WantedGrant]:
    """The roles that a form ticks and names, where it says that the token shall hold them. Raises PickRefused."""
    place = workspaces.meant(request, fields.text("place"))
    where = None if place is None else place.id
    named = await ROLES.several(request, fields.texts("role"), fields.raw("roles"))
    return [WantedGrant(RoleId(each), where) for each in map(as_uuid, named) if each is not None]


def grant_key(grant: HeldGrant) -> str:
    """A role in its place, as a tick names it."""
    return f"{grant.role_id}:{grant.workspace_id or ''}"


def _back(keys: Iterable[str]) -> list[WantedGrant]:
    """Roles in places that the token held before it was changed: what an undo gives back."""
    found = []
    for key in sorted(keys):
        role, _, place = key.partition(":")
        if (of := as_uuid(role)) is not None:
            where = as_uuid(place)
            found.append(WantedGrant(RoleId(of), None if where is None else WorkspaceId(where)))
    return found


def _said(token: ServiceToken) -> dict[str, str]:
    """It as its form says it."""
    return {"name": token.name, "keep": ",".join(grant_key(each) for each in token.grants)}


def _way(token: ServiceToken | None, last: str = "") -> list[Crumb]:
    its = [] if token is None else [Crumb(token.name, f"{_HERE}/{token.number}")]
    return [Crumb("Service tokens", _HERE), *its, *([Crumb(last)] if last else [])]


async def _roles(request: Asking, fields: Fields) -> dict[str, Any]:
    """The roles that a token may be given, those of the dbt platform apart, and where."""
    known = await roles.list_roles(*request.governing, limit=FEW + 1)
    if len(known) > FEW:  # those of the system are ticked, others named
        known = [each for each in known if each.is_system]
    return {
        "ticked": set(fields.texts("role")),
        "place": workspaces.offered(request, fields.text("place")),
        "offer": await ROLES.offered(request),
        "ours": [each for each in known if not each.name.startswith("dbt ")],
        "others": [each for each in known if each.name.startswith("dbt ")],
    }


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "service_tokens/form.html",
        title="New service token",
        at="service-tokens",
        crumbs=_way(None, "New token"),
        status=REFUSED if refused else 200,
        fields=fields,
        days=_DAYS,
        refused=refused,
        **await _roles(request, fields),
    )


async def _edit_form(request: Asking, token: ServiceToken, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "service_tokens/edit.html",
        title=f"Edit {token.name}",
        at="service-tokens",
        crumbs=_way(token, "Edit"),
        status=REFUSED if refused else 200,
        token=token,
        here=f"{_HERE}/{token.number}",
        fields=fields,
        held=[(grant_key(each), each) for each in token.grants],
        kept={key for each in fields.texts("keep") for key in each.split(",")},
        refused=refused,
        **await _roles(request, fields),
    )
