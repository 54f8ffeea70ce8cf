"""Tokens by which workers come (§1.8). A value is told when the token is made, and again only by our own `reveal`."""

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Shape
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.serving import Serving
from controlroom.engine.workers import link_tokens, linking, model, store
from controlroom.ids import LinkTokenId, WorkerGroupId

Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A time with its zone."""


_TOKENS = "/worker-groups/{group_id:uuid}/link-tokens"
_TOKEN = _TOKENS + "/{token_id:uuid}"


class LinkTokenRequest(Serving, frozen=True, kw_only=True):
    """A token for one worker, of the workspace unless others are named. Without `expires_at` it works until used."""

    expires_at: Moment | None = None


class NewLinkToken(Shape, frozen=True):
    """A token with its value."""

    id: LinkTokenId
    expires_at: datetime | None
    link_token: str


class ChangedGroupLinkToken(Shape, frozen=True):
    """What a group's token is called, and how long it works."""

    name: str
    expires_at: Moment | None


class GroupLinkTokenRequest(Serving, frozen=True, kw_only=True):
    """A token for any number of workers of a group, of the workspace unless others are named; null: without an end."""

    name: str
    expires_at: Moment | None


class GroupLinkToken(Shape, frozen=True, kw_only=True):
    """A group's token, without its value."""

    id: LinkTokenId
    name: str
    expires_at: datetime | None
    worker_group: Identified


class NewGroupLinkToken(GroupLinkToken, frozen=True, kw_only=True):
    """A group's token with its value, which the vendor showed in its pages only."""

    link_token: str


class Revealed(Shape, frozen=True):
    """A token's value."""

    id: LinkTokenId
    link_token: str


@post("/workers/link-tokens")
async def create_worker_link_token(request: Asking, data: Body[LinkTokenRequest]) -> NewLinkToken:
    """Create a token that links one worker."""
    made = await linking.create_link_token(*request.acting, expires_at=data.expires_at, serves=data.wished())
    return NewLinkToken(made.token.id, made.token.expires_at, made.value)


@get(_TOKENS, needs=Permission.READ_WORKERS)
async def list_worker_group_link_tokens(
    request: Asking, paging: Pages, group_id: Path[WorkerGroupId]
) -> Page[GroupLinkToken]:
    """List the tokens of a group, oldest first."""
    await store.get_group(*request.reading, group_id)
    rows = await link_tokens.list_tokens(*request.reading, group=group_id, **paging.after(LinkTokenId))
    return paging.page(rows, lambda token: _show(group_id, token))


@post(_TOKENS)
async def create_worker_group_link_token(
    request: Asking, group_id: Path[WorkerGroupId], data: Body[GroupLinkTokenRequest]
) -> NewGroupLinkToken:
    """Create a token that links any number of workers into the group."""
    made = await linking.create_group_link_token(
        *request.acting, group_id, name=data.name, expires_at=data.expires_at, serves=data.wished()
    )
    return _show(group_id, made.token).widened(NewGroupLinkToken, link_token=made.value)


@get(_TOKEN, needs=Permission.READ_WORKERS)
async def get_worker_group_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId]
) -> GroupLinkToken:
    """Get a token of a group, without its value."""
    return _show(group_id, await link_tokens.get(*request.reading, token_id, group=group_id))


@update(_TOKEN)
async def update_worker_group_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId], data: Body[ChangedGroupLinkToken]
) -> GroupLinkToken:
    """Change what a group's token is called and how long it works."""
    updated = await linking.update_link_token(
        *request.acting, token_id, group=group_id, name=data.name, expires_at=data.expires_at
    )
    return _show(group_id, updated)


@delete(_TOKEN)
async def delete_worker_group_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId]
) -> Deleted:
    """Delete a group's token; workers that it has linked stay."""
    return await Deleted.after(token_id, linking.delete_link_token(*request.acting, token_id, group=group_id))


@post(f"{_TOKEN}/reveal")
async def reveal_worker_group_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId]
) -> Revealed:
    """Show the value of a group's token once more. It is recorded who saw it."""
    return Revealed(token_id, await linking.reveal_link_token(*request.acting, token_id, group=group_id))


def _show(group: WorkerGroupId, token: model.LinkToken) -> GroupLinkToken:
    return GroupLinkToken(id=token.id, name=token.name, expires_at=token.expires_at, worker_group=Identified(group))
