"""The statements over link tokens."""

from datetime import datetime
from typing import Final

from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.nouns import InService, Noun
from controlroom.engine.workers import serving
from controlroom.engine.workers.errors import LinkTokenNotFound
from controlroom.engine.workers.model import AllWorkspaces, LinkToken, SealedLinkToken, Serves, UsableLinkToken
from controlroom.engine.workers.serving import serves
from controlroom.ids import LinkTokenId, OrganizationId, WorkerGroupId, WorkerId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

LINK_TOKEN: Final = Noun[LinkTokenId](
    "link token",
    LinkTokenNotFound,
    "credential",
    InService("credential.organization_id", "linking.serves_all"),
    joined="join linking on linking.credential_id = credential.id",
    there="credential.kind = 'link_token'",
    name="credential.name",
)

_COLUMNS: Final = """credential.id, credential.number, credential.organization_id, linking.serves_all,
    linking.worker_group_id, linking.worker_id, credential.name, linking.is_reusable, credential.expires_at,
    credential.used_at, credential.created_at"""

_TOKENS: Final = f"""
    select {_COLUMNS} from credential join linking on linking.credential_id = credential.id
     where credential.kind = 'link_token'"""


_MINE: Final = f"""
    credential.id = %(token)s and {serves(LINK_TOKEN)} and credential.kind = 'link_token'
    and linking.credential_id = credential.id
    and (%(group)s::uuid is null or linking.worker_group_id = %(group)s)"""
"""The token, joined with `linking`, if the scope sees it; with a group, if it is the group's."""


def place_of(token: LinkTokenId) -> str:
    """What the sealed value of a token is bound to."""
    return f"link_token.sealed:{token}"


async def get(db: Statements, scope: Scope, token: LinkTokenId, *, group: WorkerGroupId | None = None) -> LinkToken:
    """One token that serves the workspace, or of a group, without its value; raises LinkTokenNotFound."""
    found = await db.one_or_none(
        LinkToken,
        f"{_TOKENS} and {_MINE}",
        token=token,
        group=group,
        **scope.each,
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
    """The tokens of a group, or all that serve the workspace, in the order of their making."""
    of_group = "" if group is None else "and linking.worker_group_id = %(group)s"
    return await db.all(
        LinkToken,
        f"""
        {_TOKENS} and {serves(LINK_TOKEN)} {of_group}
         {oldest_first("credential.id" if group is None else "linking.credential_id")}
        """,
        after=after,
        limit=limit,
        **({} if group is None else {"group": group}),
        **scope.each,
    )


async def insert(
    tx: ScopedTx,
    organization: OrganizationId,
    *,
    token: LinkTokenId,
    group: WorkerGroupId | None,
    worker: WorkerId | None,
    name: str,
    is_reusable: bool,
    expires_at: datetime | None,
    lookup: bytes,
    sealed: bytes,
    serves: Serves,
) -> LinkToken:
    """A new token."""
    made = await tx.one(
        LinkToken,
        f"""
        with credential as (
            insert into credential (id, kind, organization_id, name, lookup, sealed, expires_at)
            values (%(token)s, 'link_token', %(organization)s, %(name)s, %(lookup)s, %(sealed)s, %(expires_at)s)
            returning *
        ), linking as (
            insert into linking (credential_id, worker_group_id, worker_id, is_reusable, serves_all)
            select id, %(group)s, %(worker)s, %(is_reusable)s, %(all)s from credential
            returning *
        )
        select {_COLUMNS} from credential join linking on linking.credential_id = credential.id
        """,
        token=token,
        organization=organization,
        group=group,
        worker=worker,
        name=name,
        lookup=lookup,
        sealed=sealed,
        is_reusable=is_reusable,
        all=isinstance(serves, AllWorkspaces),
        expires_at=expires_at,
    )
    await serving.begin(tx, token, serves)
    return made


async def update(tx: ScopedTx, token: LinkTokenId, *, name: str, expires_at: datetime | None) -> LinkToken:
    """Change what a locked token is called and how long it works."""
    return await tx.one(
        LinkToken,
        f"""
        update credential set name = %(name)s, expires_at = %(expires_at)s
          from linking
         where credential.id = %(token)s and linking.credential_id = credential.id
        returning {_COLUMNS}
        """,
        token=token,
        name=name,
        expires_at=expires_at,
    )


async def is_of_group(tx: ScopedTx, token: LinkTokenId, group: WorkerGroupId) -> bool:
    """Whether a locked token is a group's."""
    return bool(
        await tx.value(
            """
            select exists (select from linking where credential_id = %(token)s and worker_group_id = %(group)s)
            """,
            token=token,
            group=group,
        )
    )


async def delete(tx: ScopedTx, token: LinkTokenId) -> None:
    """Delete a token. Workers that it has linked stay."""
    await tx.execute(
        """
        with deleted as (delete from credential where id = %(token)s and kind = 'link_token' returning id)
        delete from serving where subject_id in (select id from deleted)
        """,
        token=token,
    )


async def sealed(tx: Tx, scope: Scope, token: LinkTokenId, *, group: WorkerGroupId | None) -> SealedLinkToken | None:
    """A token's value as stored; None if the scope does not see it."""
    return await tx.one_or_none(
        SealedLinkToken,
        f"select credential.id as token, sealed from credential, linking where {_MINE}",
        token=token,
        group=group,
        **scope.each,
    )


async def use(tx: Tx, lookup: bytes) -> UsableLinkToken | None:
    """Use a token that is neither over nor, if one-time, used: of any number at once, one gets a one-time token.

    The last one to use a reusable token is remembered by its time.
    """
    return await tx.one_or_none(
        UsableLinkToken,
        """
        update credential set used_at = clock_now(), use_count = use_count + 1
          from linking
         where credential.lookup = %(lookup)s and credential.kind = 'link_token'
           and linking.credential_id = credential.id
           and exists (select from workspace
                        where workspace.organization_id = credential.organization_id and workspace.deleted_at is null
                          and (linking.serves_all
                               or exists (select from serving
                                           where subject_id = credential.id and workspace_id = workspace.id)))
           and (linking.is_reusable or credential.used_at is null)
           and (credential.expires_at is null or credential.expires_at > clock_now())
        returning credential.id, credential.organization_id, linking.serves_all,
                  array(select workspace.id from workspace
                         where workspace.organization_id = credential.organization_id and workspace.deleted_at is null
                           and (linking.serves_all
                                or exists (select from serving
                                            where subject_id = credential.id and workspace_id = workspace.id))
                         order by workspace.id) as workspaces,
                  linking.worker_group_id, linking.worker_id
        """,
        lookup=lookup,
    )


async def of_founders(tx: ScopedTx) -> UsableLinkToken:
    """As if a worker came by a token of the organization that was there first, for all of its workspaces."""
    return await tx.one(
        UsableLinkToken,
        """
        select null::uuid as id, organization.id as organization_id, true as serves_all,
               array(select workspace.id from workspace
                      where workspace.organization_id = organization.id and workspace.deleted_at is null
                      order by workspace.id) as workspaces,
               null::uuid as worker_group_id, null::uuid as worker_id
          from organization
         order by organization.id
         limit 1
        """,
    )
