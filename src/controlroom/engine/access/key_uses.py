"""API keys as a person looks at them: who made each, and for what it was used lately."""

from datetime import date
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import ApiKey
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import ApiKeyId
from controlroom.postgres.database import Statements


class UsedKey(ApiKey, frozen=True, kw_only=True):
    """An API key, its maker's name, and the permissions that it was used for."""

    made_by: str
    """Empty: the room itself made it, or somebody who is gone."""
    used_for: list[str]
    """Permissions, since the day that was asked; what a grammar asks beside them is among them."""


class ListedKey(ApiKey, frozen=True, kw_only=True):
    """An API key in a list, with its maker's name."""

    made_by: str


class UseOfPermission(Struct, frozen=True):
    """How often a key was used for a permission, since a day."""

    permission: str
    count: int


_MADE_BY: Final = "coalesce(nullif(trim(maker.first_name || ' ' || maker.last_name), ''), maker.username, '')"
_MAKER: Final = "left join app_user as maker on maker.id = credential.created_by"

API_KEYS: Final = Listing(
    noun="API keys",
    table="credential",
    columns=f"""credential.id, credential.number, credential.workspace_id, credential.name, credential.permissions,
           credential.created_by, credential.created_at, credential.used_at, credential.use_count,
           credential.expires_at, {_MADE_BY} as made_by""",
    joins=_MAKER,
    tenant="credential.workspace_id",
    always="credential.kind = 'workspace_key'",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("made_by", Kind.TEXT, column=_MADE_BY, join=_MAKER),
        Field("use_count", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("used_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("expires_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
    ),
)
"""The keys of a workspace, without their values."""

_USED: Final = f"""
    select credential.id, credential.number, credential.workspace_id, credential.name, credential.permissions,
           credential.created_by, credential.created_at, credential.used_at, credential.use_count,
           credential.expires_at,
           {_MADE_BY} as made_by,
           coalesce((select jsonb_agg(distinct use.permission) from day_of_use as use
                      where use.subject_id = credential.id and use.noun = 'credential' and use.day >= %(since)s),
                    '[]') as used_for
      from credential {_MAKER}"""


async def list_used_keys(db: Statements, scope: Scope, *, sought: str, since: date, limit: int) -> list[UsedKey]:
    """Keys of the workspace whose names contain what is sought: the one that was used last comes first."""
    return await db.all(
        UsedKey,
        f"""
        {_USED}
         where credential.workspace_id = {SEEN} and credential.kind = 'workspace_key'
           and strpos(lower(credential.name), lower(%(sought)s)) > 0
         order by credential.used_at desc nulls last, credential.id
         limit %(limit)s
        """,
        sought=sought,
        since=since,
        limit=limit,
        **scope.params,
    )


async def uses_of_key(db: Statements, scope: Scope, key: ApiKeyId, *, since: date) -> list[UseOfPermission]:
    """For what a key of the workspace was used since a day, and how often."""
    return await db.all(
        UseOfPermission,
        f"""
        select permission, sum(count)::bigint as count from day_of_use
         where subject_id = (select id from credential
                              where id = %(key)s and kind = 'workspace_key' and workspace_id = {SEEN})
           and noun = 'credential' and day >= %(since)s
         group by permission
        """,
        key=key,
        since=since,
        **scope.params,
    )
