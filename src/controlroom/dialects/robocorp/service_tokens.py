"""Service tokens of the organization (our own management API): keys that stand for themselves, by what they hold."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.grants.model import HeldGrant, WantedGrant
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.access.service_tokens.model import ServiceToken
from controlroom.engine.access.service_tokens.store import SERVICE_TOKENS
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.workspaces.store import WORKSPACE
from controlroom.ids import OrganizationId, RoleId, ServiceTokenId, WorkspaceId


class PlaceAnswer(Shape, frozen=True):
    """A workspace, by id and number."""

    id: WorkspaceId
    number: int
    name: str


class TokenGrantAnswer(Shape, frozen=True, kw_only=True):
    """A role that a token holds: in a workspace, or in the whole organization."""

    role_id: RoleId
    role: str
    workspace: PlaceAnswer | None


class OwnerAnswer(Shape, frozen=True):
    """Whose a token is."""

    id: OrganizationId
    number: int


class ServiceTokenAnswer(Shape, frozen=True, kw_only=True):
    """A service token, without its value."""

    id: ServiceTokenId
    number: int
    name: str
    organization: OwnerAnswer
    grants: list[TokenGrantAnswer]
    use_count: int
    last_used_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    disabled_at: datetime | None


class NewServiceToken(ServiceTokenAnswer, frozen=True, kw_only=True):
    """A service token with its value, which is told this once."""

    value: str


class GrantToToken(OwnBody, frozen=True):
    """A role by name, id or number; where, likewise: without a workspace in the whole organization."""

    role: str
    workspace: str | None = None


class CreateServiceToken(OwnBody, frozen=True, kw_only=True):
    """A new token, what it shall hold, and for how many days it is; without days until it is deleted."""

    name: str
    grants: tuple[GrantToToken, ...] = ()
    days: int | None = None


class EditServiceToken(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. `grants` are all that it shall hold."""

    name: str | None = None
    grants: tuple[GrantToToken, ...] | None = None
    is_disabled: bool | None = None


@get("/service-tokens", needs=Permission.READ_API_KEYS)
async def list_service_tokens(request: Asking, paging: Pages) -> Page[ServiceTokenAnswer]:
    """List the service tokens of the organization, oldest first, with how often and when they were used."""
    position = paging.after(ServiceTokenId)
    asked = Asked(start=behind(position["after"]), length=position["limit"])
    seen = throughout(request.actor, Permission.READ_API_KEYS)
    return paging.page(await pages.rows(request.db, ServiceToken, SERVICE_TOKENS, seen, asked), _show)


@post("/service-tokens", needs=Permission.WRITE_API_KEYS)
async def create_service_token(request: Asking, data: Body[CreateServiceToken]) -> NewServiceToken:
    """Make a service token, and tell its value. Nobody can make one that may do more than they do."""
    wanted = await _wanted(request, data.grants)
    token, value = await actions.create(*request.governing, name=data.name, wanted=wanted, days=data.days)
    return _show(token).widened(NewServiceToken, value=value)


@get("/service-tokens/{token_id:uuid}", needs=Permission.READ_API_KEYS)
async def get_service_token(request: Asking, token_id: Path[ServiceTokenId]) -> ServiceTokenAnswer:
    """Get a service token."""
    return _show(await actions.get(*request.governing, token_id))


@update("/service-tokens/{token_id:uuid}", needs=Permission.WRITE_API_KEYS)
async def update_service_token(
    request: Asking, token_id: Path[ServiceTokenId], data: Body[EditServiceToken]
) -> ServiceTokenAnswer:
    """Call a service token otherwise, change what it holds, or switch it off and on."""
    wanted = None if data.grants is None else await _wanted(request, data.grants)
    edited = actions.edit(*request.governing, token_id, name=data.name, wanted=wanted, is_disabled=data.is_disabled)
    return _show(await edited)


@delete("/service-tokens/{token_id:uuid}", needs=Permission.WRITE_API_KEYS)
async def delete_service_token(request: Asking, token_id: Path[ServiceTokenId]) -> Deleted:
    """Delete a service token; it opens nothing from then on."""
    return await Deleted.after(token_id, actions.delete(*request.governing, token_id))


async def _wanted(request: Asking, grants: tuple[GrantToToken, ...]) -> list[WantedGrant]:
    """What the texts name. Who may not make tokens is told so before anything is looked up."""
    actions.ensure_writes(request.actor)
    seen = Of(request.actor.organization_id, tuple(request.actor.grants))
    roles = await resolve_all(request.db, seen, [Reference(ROLE, each.role) for each in grants])
    named = [Reference(WORKSPACE, each.workspace) for each in grants if each.workspace is not None]
    places = iter(await resolve_all(request.db, seen, named))
    return [
        WantedGrant(role, None if each.workspace is None else next(places))
        for role, each in zip(roles, grants, strict=True)
    ]


_show_grant = shown_as(
    TokenGrantAnswer,
    HeldGrant,
    role="role_name",
    workspace=lambda each: (
        None
        if each.workspace_id is None
        else PlaceAnswer(each.workspace_id, each.workspace_number or 0, each.workspace_name or "")
    ),
)
_show = shown_as(
    ServiceTokenAnswer,
    ServiceToken,
    organization=lambda token: OwnerAnswer(token.organization_id, token.organization_number),
    grants=lambda token: [_show_grant(each) for each in token.grants],
)
