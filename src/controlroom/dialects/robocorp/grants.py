"""Grants: who has which role, in the workspace or in its organization (our own management API)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from controlroom.border.asking import Asking, Body, Path, Permission, QueryParameter
from controlroom.dialects.robocorp.answers import Deleted, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.access.grants import actions, model
from controlroom.ids import GrantId, RoleId, WorkspaceId


class GrantScope(StrEnum):
    """Where a role is held."""

    WORKSPACE = "workspace"
    """In the workspace of the address."""
    ORGANIZATION = "organization"
    """In its organization, and so in each of its workspaces."""


class PrincipalAnswer(Shape, frozen=True):
    """Who holds a role: a `user`, a `group` of users, a `credential` (an API key), or all who hold a `role`."""

    type: model.PrincipalKind
    id: UUID
    name: str


class GrantAnswer(Shape, frozen=True, kw_only=True):
    """A role that somebody holds."""

    id: GrantId
    role: Named
    principal: PrincipalAnswer
    scope: GrantScope
    created_at: datetime


class PrincipalReference(OwnBody, frozen=True):
    """Who shall hold a role."""

    type: model.PrincipalKind
    id: UUID


class CreateGrant(OwnBody, frozen=True):
    """A role, for somebody, somewhere."""

    role: Reference
    principal: PrincipalReference
    scope: GrantScope = GrantScope.WORKSPACE


@get("/grants", needs=Permission.READ_MEMBERS)
async def list_grants(
    request: Asking, paging: Pages, where: Annotated[GrantScope, QueryParameter(name="scope")] = GrantScope.WORKSPACE
) -> Page[GrantAnswer]:
    """List who holds which role in the workspace, or in the organization itself, oldest first."""
    rows = await actions.list_grants(*request.governing, _place(request, where), **paging.after(GrantId))
    return paging.page(rows, _show)


@post("/grants", needs=Permission.READ_MEMBERS)
async def create_grant(request: Asking, data: Body[CreateGrant]) -> GrantAnswer:
    """Give somebody a role; nobody can give one that may do more than they do there."""
    principal = model.Principal(data.principal.type, data.principal.id)
    place = _place(request, data.scope)
    return _show(await actions.grant(*request.governing, principal, RoleId(data.role.id), place))


@get("/grants/{grant_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_grant(request: Asking, grant_id: Path[GrantId]) -> GrantAnswer:
    """Get a grant."""
    return _show(await actions.get_grant(*request.governing, grant_id))


@delete("/grants/{grant_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_grant(request: Asking, grant_id: Path[GrantId]) -> Deleted:
    """Take a role back from who holds it."""
    return await Deleted.after(grant_id, actions.revoke(*request.governing, grant_id))


def _place(request: Asking, scope: GrantScope) -> WorkspaceId | None:
    return request.workspace if scope is GrantScope.WORKSPACE else None


_show = shown_as(
    GrantAnswer,
    model.Grant,
    principal=lambda grant: PrincipalAnswer(grant.principal_kind, grant.principal_id, grant.principal_name),
    scope=lambda grant: GrantScope.ORGANIZATION if grant.workspace_id is None else GrantScope.WORKSPACE,
)
