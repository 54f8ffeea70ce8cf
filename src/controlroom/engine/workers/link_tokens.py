"""The statements over link tokens."""

from datetime import datetime
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.workers.errors import LinkTokenNotFound
from controlroom.engine.workers.model import LinkToken, SealedLinkToken, UsableLinkToken
from controlroom.ids import LinkTokenId, WorkerGroupId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

LINK_TOKEN: Final = Noun[LinkTokenId](
    "link token",
    LinkTokenNotFound,
    "link_token",
    InWorkspace("link_token.workspace_id"),
    name="link_token.name",
)

_COLUMNS: Final = """id, number, workspace_id, worker_group_id, worker_id, name, is_reusable, expires_at, used_at,
    created_at"""


def place_of(token: LinkTokenId) -> str:
    """What the sealed value of a token is bound to."""
    return f"link_token.sealed:{token}"


async def get(db: Statements, workspace: WorkspaceId, token: LinkTokenId) -> LinkToken:
    """One token of the workspace, without its value; raises LinkTokenNotFound."""
    found = await db.one_or_none(
        LinkToken,
        f"select {_COLUMNS} from link_token where workspace_id = %(workspace)s and id = %(token)s",
        workspace=workspace,
        token=token,
    )
    if found is None:
        raise LinkTokenNotFound(token)
    return found


async def list_tokens(
    db: Statements,
    workspace: WorkspaceId,
    *,
    group: WorkerGroupId | None = None,
    after: LinkTokenId | None = None,
    limit: int,
) -> list[LinkToken]:
    """The tokens of a group, or all of the workspace, in the order of their making."""
    of_group = "" if group is None else "and worker_group_id = %(group)s"
    return await db.all(
        LinkToken,
        f"""
        select {_COLUMNS} from link_token
         where workspace_id = %(workspace)s {of_group}
         {oldest_first("id")}
        """,
        workspace=workspace,
        after=after,
        limit=limit,
        **({} if group is None else {"group": group}),
    )


async def insert(
    tx: Tx,
    scope: Scope,
    *,
    token: LinkTokenId,
    group: WorkerGroupId | None,
    worker: WorkerId | None,
    name: str,
    is_reusable: bool,
    expires_at: datetime | None,
    lookup: bytes,
    sealed: bytes,
) -> LinkToken | None:
    """A new token; None if the scope sees no such workspace."""
    return await tx.one_or_none(
        LinkToken,
        f"""
        insert into link_token (id, workspace_id, worker_group_id, worker_id, name, lookup, sealed, is_reusable,
                                expires_at)
        select %(token)s, seen.id, %(group)s, %(worker)s, %(name)s, %(lookup)s, %(sealed)s, %(is_reusable)s,
               %(expires_at)s
          from {SEEN} as seen
        returning {_COLUMNS}
        """,
        token=token,
        group=group,
        worker=worker,
        name=name,
        lookup=lookup,
        sealed=sealed,
        is_reusable=is_reusable,
        expires_at=expires_at,
        **scope.params,
    )


async def update(
    tx: Tx, scope: Scope, token: LinkTokenId, *, name: str, expires_at: datetime | None
) -> LinkToken | None:
    """Change what a token is called and how long it works; None if the scope does not see it."""
    return await tx.one_or_none(
        LinkToken,
        f"""
        update link_token set name = %(name)s, expires_at = %(expires_at)s
         where id = %(token)s and workspace_id = {SEEN}
        returning {_COLUMNS}
        """,
        token=token,
        name=name,
        expires_at=expires_at,
        **scope.params,
    )


async def delete(tx: Tx, scope: Scope, token: LinkTokenId) -> bool:
    """Delete a token; whether the scope sees it. Workers that it has linked stay."""
    return bool(
        await tx.execute(
            f"delete from link_token where id = %(token)s and workspace_id = {SEEN}", token=token, **scope.params
        )
    )


async def sealed(tx: Tx, scope: Scope, token: LinkTokenId) -> SealedLinkToken | None:
    """A token's value as stored; None if the scope does not see it."""
    return await tx.one_or_none(
        SealedLinkToken,
        f"""
        select id as token, sealed from link_token where id = %(token)s and workspace_id = {SEEN}
        """,
        token=token,
        **scope.params,
    )


async def use(tx: Tx, lookup: bytes) -> UsableLinkToken | None:
    """Use a token that is neither over nor, if one-time, used: of any number at once, one gets a one-time token.

    The last one to use a reusable token is remembered by its time.
    """
    return await tx.one_or_none(
        UsableLinkToken,
        """
        update link_token set used_at = clock_now()
          from workspace
         where link_token.lookup = %(lookup)s
           and workspace.id = link_token.workspace_id and workspace.deleted_at is null
           and (link_token.is_reusable or link_token.used_at is null)
           and (link_token.expires_at is null or link_token.expires_at > clock_now())
        returning link_token.id, link_token.workspace_id, workspace.organization_id, link_token.worker_group_id,
                  link_token.worker_id
        """,
        lookup=lookup,
    )
