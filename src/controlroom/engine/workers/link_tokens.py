"""The statements over link tokens."""

from datetime import datetime
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.workers.errors import LinkTokenNotFound
from controlroom.engine.workers.model import LinkToken, SealedLinkToken, UsableLinkToken
from controlroom.ids import LinkTokenId, WorkerGroupId, WorkerId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

LINK_TOKEN: Final = Noun[LinkTokenId](
    "link token",
    LinkTokenNotFound,
    "credential",
    InWorkspace("credential.workspace_id"),
    there="credential.kind = 'link_token'",
    name="credential.name",
)

_COLUMNS: Final = """credential.id, credential.number, credential.workspace_id, linking.worker_group_id,
    linking.worker_id, credential.name, linking.is_reusable, credential.expires_at, credential.used_at,
    credential.created_at"""

_TOKENS: Final = f"""
    select {_COLUMNS} from credential join linking on linking.credential_id = credential.id
     where credential.kind = 'link_token'"""


_MINE: Final = f"""
    credential.id = %(token)s and credential.workspace_id = {SEEN} and credential.kind = 'link_token'
    and linking.credential_id = credential.id
    and (%(group)s::uuid is null or linking.worker_group_id = %(group)s)"""
"""The token, joined with `linking`, if the scope sees it; with a group, if it is the group's."""


def place_of(token: LinkTokenId) -> str:
    """What the sealed value of a token is bound to."""
    return f"link_token.sealed:{token}"


async def get(db: Statements, scope: Scope, token: LinkTokenId, *, group: WorkerGroupId | None = None) -> LinkToken:
    """One token of the workspace, or of a group, without its value; raises LinkTokenNotFound."""
    found = await db.one_or_none(
        LinkToken,
        f"{_TOKENS} and {_MINE}",
        token=token,
        group=group,
        **scope.params,
    )
    if found is None:
        raise LinkTokenNotFound(token)
    return found


async def list_tokens(
    db: Statements,
    scope: Scope,
    *,
    group: WorkerGroupId | None = None,
    after: LinkTokenId | None = None,
    limit: int,
) -> list[LinkToken]:
    """The tokens of a group, or all of the workspace, in the order of their making."""
    of_group = "" if group is None else "and linking.worker_group_id = %(group)s"
    return await db.all(
        LinkToken,
        f"""
        {_TOKENS} and credential.workspace_id = {SEEN} {of_group}
         {oldest_first("credential.id" if group is None else "linking.credential_id")}
        """,
        after=after,
        limit=limit,
        **({} if group is None else {"group": group}),
        **scope.params,
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
        with credential as (
            insert into credential (id, kind, organization_id, workspace_id, name, lookup, sealed, expires_at)
            select %(token)s, 'link_token', %(organization)s, seen.id, %(name)s, %(lookup)s, %(sealed)s, %(expires_at)s
              from {SEEN} as seen
            returning *
        ), linking as (
            insert into linking (credential_id, worker_group_id, worker_id, is_reusable)
            select id, %(group)s, %(worker)s, %(is_reusable)s from credential
            returning *
        )
        select {_COLUMNS} from credential join linking on linking.credential_id = credential.id
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
    tx: Tx,
    scope: Scope,
    token: LinkTokenId,
    *,
    group: WorkerGroupId | None,
    name: str,
    expires_at: datetime | None,
) -> LinkToken | None:
    """Change what a token is called and how long it works; None if the scope does not see it."""
    return await tx.one_or_none(
        LinkToken,
        f"""
        update credential set name = %(name)s, expires_at = %(expires_at)s
          from linking
         where {_MINE}
        returning {_COLUMNS}
        """,
        token=token,
        group=group,
        name=name,
        expires_at=expires_at,
        **scope.params,
    )


async def delete(tx: Tx, scope: Scope, token: LinkTokenId, *, group: WorkerGroupId | None = None) -> bool:
    """Delete a token; whether the scope sees it. Workers that it has linked stay."""
    return bool(
        await tx.execute(
            f"delete from credential using linking where {_MINE}", token=token, group=group, **scope.params
        )
    )


async def sealed(tx: Tx, scope: Scope, token: LinkTokenId, *, group: WorkerGroupId | None) -> SealedLinkToken | None:
    """A token's value as stored; None if the scope does not see it."""
    return await tx.one_or_none(
        SealedLinkToken,
        f"select credential.id as token, sealed from credential, linking where {_MINE}",
        token=token,
        group=group,
        **scope.params,
    )


async def use(tx: Tx, lookup: bytes) -> UsableLinkToken | None:
    """Use a token that is neither over nor, if one-time, used: of any number at once, one gets a one-time token.

    The last one to use a reusable token is remembered by its time.
    """
    return await tx.one_or_none(
        UsableLinkToken,
        """
        update credential set used_at = clock_now(), use_count = use_count + 1
          from workspace, linking
         where credential.lookup = %(lookup)s and credential.kind = 'link_token'
           and linking.credential_id = credential.id
           and workspace.id = credential.workspace_id and workspace.deleted_at is null
           and (linking.is_reusable or credential.used_at is null)
           and (credential.expires_at is null or credential.expires_at > clock_now())
        returning credential.id, credential.workspace_id, credential.organization_id, linking.worker_group_id,
                  linking.worker_id
        """,
        lookup=lookup,
    )
