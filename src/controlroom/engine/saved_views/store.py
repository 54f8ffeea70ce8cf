"""Statements on saved views. A scope is one workspace, or none: then of lists above the workspaces."""

from collections.abc import Sequence
from typing import Any, Final

from controlroom.engine.access.scope import Of, ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.saved_views.errors import SavedViewNameTaken, SavedViewNotFound
from controlroom.engine.saved_views.model import SavedView
from controlroom.ids import SavedViewId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

SAVED_VIEW: Final = Noun[SavedViewId](
    "saved view", SavedViewNotFound, "saved_view", InOrganization("saved_view.organization_id")
)
_VIEW: Final = """
    select saved_view.id, saved_view.number, saved_view.organization_id, saved_view.workspace_id, saved_view.list,
           saved_view.name, saved_view.query, saved_view.is_shared, saved_view.user_id,
           coalesce(nullif(trim(app_user.first_name || ' ' || app_user.last_name), ''), app_user.username, '')
           as made_by, saved_view.created_at, saved_view.updated_at
      from saved_view left join app_user on app_user.id = saved_view.user_id
"""
_SEEN: Final = """saved_view.organization_id = %(organization)s
       and coalesce(saved_view.workspace_id, saved_view.organization_id) = %(place)s
       and (saved_view.is_shared or saved_view.user_id = %(user)s::uuid)"""


def _params(scope: Of, user: UserId | None) -> dict[str, Any]:
    place = scope.workspaces[0] if scope.workspaces else scope.organization
    return {"organization": scope.organization, "place": place, "user": user}


async def list_views(db: Statements, scope: Of, user: UserId | None, lists: Sequence[str]) -> list[SavedView]:
    """The views of some lists that a user sees: their own first, then those that are shared, each by name."""
    return await db.all(
        SavedView,
        f"""
        {_VIEW}
         where {_SEEN} and saved_view.list = any (%(lists)s::text[])
         order by saved_view.is_shared, lower(saved_view.name), saved_view.id
        """,
        lists=list(lists),
        **_params(scope, user),
    )


async def get(
    db: Statements, scope: Of, user: UserId | None, view: SavedViewId | int, *, is_locked: bool = False
) -> SavedView:
    """One that a user sees, by its id or number. Raises SavedViewNotFound."""
    found = await db.one_or_none(
        SavedView,
        f"""
        {_VIEW}
         where {_SEEN} and saved_view.{"number" if isinstance(view, int) else "id"} = %(view)s
         {"for no key update of saved_view" if is_locked else ""}
        """,
        view=view,
        **_params(scope, user),
    )
    if found is None:
        raise SavedViewNotFound(str(view))
    return found


async def count(tx: ScopedTx, scope: Of, user: UserId | None, *, is_shared: bool) -> int:
    """How many a place has that are shared, or that are a user's own."""
    counted: int = await tx.value(
        """
        select count(*) from saved_view
         where organization_id = %(organization)s and coalesce(workspace_id, organization_id) = %(place)s
           and is_shared = %(is_shared)s and (is_shared or user_id = %(user)s::uuid)
        """,
        is_shared=is_shared,
        **_params(scope, user),
    )
    return counted


async def insert(tx: ScopedTx, scope: Of, view: SavedView) -> None:
    """Write a new one. Raises SavedViewNameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            insert into saved_view (id, organization_id, workspace_id, list, name, query, is_shared, user_id)
            values (%(id)s, %(organization)s, %(workspace)s, %(list)s, %(name)s, %(query)s, %(is_shared)s, %(user)s)
            """,
            id=view.id,
            organization=scope.organization,
            workspace=view.workspace_id,
            list=view.list,
            name=view.name,
            query=view.query,
            is_shared=view.is_shared,
            user=view.user_id,
        )
    except UniqueViolation as taken:
        raise SavedViewNameTaken(view.name) from taken


async def update(tx: ScopedTx, view: SavedView) -> None:
    """Write what may change of one that the transaction has found. Raises SavedViewNameTaken, likewise."""
    try:
        await tx.execute(
            """
            update saved_view set name = %(name)s, query = %(query)s, is_shared = %(is_shared)s,
                                  updated_at = clock_now()
             where id = %(id)s
            """,
            id=view.id,
            name=view.name,
            query=view.query,
            is_shared=view.is_shared,
        )
    except UniqueViolation as taken:
        raise SavedViewNameTaken(view.name) from taken


async def delete(tx: ScopedTx, view: SavedViewId) -> None:
    """Delete one that the transaction has found."""
    await tx.execute("delete from saved_view where id = %(id)s", id=view)
