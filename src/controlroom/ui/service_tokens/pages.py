"""Service tokens: what programs come with that stand for themselves, by the roles that the token holds."""

from typing import Final

from controlroom.engine.access.grants.model import WantedGrant
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
_MOST: Final = 500
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
    days, place = fields.text("days"), as_uuid(fields.text("place"))
    where = None if place is None else WorkspaceId(place)
    chosen = [RoleId(each) for each in map(as_uuid, fields.texts("role")) if each is not None]
    if not chosen:
        return await _form(request, fields, refused="A token that holds no role opens nothing: tick one")
    made, refused = await tried(
        actions.create(
            *request.governing,
            name=fields.text("name"),
            wanted=[WantedGrant(each, where) for each in chosen],
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
        crumbs=[Crumb("Service tokens", _HERE), Crumb(token.name), Crumb("Delete")],
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


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    known = await roles.list_roles(*request.governing, limit=_MOST)
    return await request.show(
        "service_tokens/form.html",
        title="New service token",
        at="service-tokens",
        crumbs=[Crumb("Service tokens", _HERE), Crumb("New token")],
        status=REFUSED if refused else 200,
        fields=fields,
        ticked=set(fields.texts("role")),
        days=_DAYS,
        places=[
            ("", "In the whole organization"),
            *((str(each.id), each.name) for each in request.workspaces.slugs.values()),
        ],
        ours=[each for each in known if not each.name.startswith("dbt ")],
        others=[each for each in known if each.name.startswith("dbt ")],
        refused=refused,
    )
