"""The verbs of saved views. What is told of is what is shared: one's own views are nobody else's business."""

from collections.abc import Sequence
from datetime import UTC, datetime

from controlroom.engine.access.errors import NotOfOrganization, WorkspaceNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.saved_views import store
from controlroom.engine.saved_views.errors import (
    OwnViewsAreUsers,
    SavedViewInvalid,
    SavedViewNotFound,
    TooManySavedViews,
)
from controlroom.engine.saved_views.model import SavedView, ViewChange, changed
from controlroom.engine.saved_views.rules import (
    LISTS,
    LISTS_ABOVE,
    MOST_OWN,
    MOST_SHARED,
    checked_query,
    checked_view_name,
    governing,
    lists_for,
    may_change,
    sharing,
    user_of,
)
from controlroom.errors import Forbidden
from controlroom.ids import SavedViewId, WorkspaceId, uuid7


async def list_views(
    engine: Engine, actor: Actor, workspace: WorkspaceId | None, of: str | None = None
) -> list[SavedView]:
    """The views that the actor sees of one list, or of all that they may see; their own first. Raises Forbidden."""
    scope, lists = _seen(actor, workspace)
    wanted = lists if of is None else [each for each in lists if each == of]
    return await store.list_views(engine.database, scope, user_of(actor), wanted)


async def get(engine: Engine, actor: Actor, workspace: WorkspaceId | None, view: SavedViewId | int) -> SavedView:
    """One that the actor sees. Raises SavedViewNotFound, Forbidden."""
    scope, lists = _seen(actor, workspace)
    found = await store.get(engine.database, scope, user_of(actor), view)
    if found.list not in lists:
        raise SavedViewNotFound(str(view))
    return found


async def save(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId | None,
    *,
    of: str,
    name: str,
    query: str,
    is_shared: bool = False,
) -> SavedView:
    """Keep what is shown of a list. Raises SavedViewInvalid, SavedViewNameTaken, TooManySavedViews, Forbidden."""
    scope, lists = _seen(actor, workspace)
    if of not in (LISTS if workspace is not None else LISTS_ABOVE):
        raise SavedViewInvalid(f"there is no list {of!r} here")
    if of not in lists:
        _refuse((LISTS if workspace is not None else LISTS_ABOVE)[of], workspace)
    now = datetime.now(UTC)
    view = SavedView(
        id=SavedViewId(uuid7()),
        number=0,
        organization_id=scope.organization,
        workspace_id=workspace,
        list=of,
        name=checked_view_name(name),
        query=checked_query(query),
        is_shared=is_shared,
        user_id=user_of(actor),
        made_by="",
        created_at=now,
        updated_at=now,
    )
    _check_sharing(actor, view)
    async with scoped(engine.database, scope) as tx:
        await _ensure_room(tx, scope, actor, is_shared=is_shared)
        await store.insert(tx, scope, view)
        made = await store.get(tx, scope, user_of(actor), view.id)
        if made.is_shared:
            await record(engine, tx, actor, made, "saved_view.shared", made.id, name=made.name, list=made.list)
    return made


async def change(
    engine: Engine, actor: Actor, workspace: WorkspaceId | None, view: SavedViewId | int, wanted: ViewChange
) -> SavedView:
    """Give it another name, have it show something else, share it or no longer. Raises as `save`, SavedViewNotFound."""
    scope, lists = _seen(actor, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await _held(tx, scope, actor, lists, view)
        after = changed(before, wanted)
        checked_view_name(after.name)
        checked_query(after.query)
        if after.is_shared != before.is_shared:
            if before.user_id is None or before.user_id != user_of(actor):
                raise SavedViewInvalid("only who made a view can take it back from the others")
            _check_sharing(actor, after)
            await _ensure_room(tx, scope, actor, is_shared=after.is_shared)
        await store.update(tx, after)
        after = await store.get(tx, scope, user_of(actor), after.id)
        if before.is_shared or after.is_shared:
            told = "updated" if before.is_shared and after.is_shared else "shared" if after.is_shared else "withdrawn"
            await record(engine, tx, actor, after, f"saved_view.{told}", after.id, name=after.name, list=after.list)
    return after


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId | None, view: SavedViewId | int) -> SavedView:
    """Delete it, as it was. Raises SavedViewNotFound, Forbidden."""
    scope, lists = _seen(actor, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _held(tx, scope, actor, lists, view)
        await store.delete(tx, found.id)
        if found.is_shared:
            await record(engine, tx, actor, found, "saved_view.deleted", found.id, name=found.name, list=found.list)
    return found


async def _held(tx: ScopedTx, scope: Of, actor: Actor, lists: Sequence[str], view: SavedViewId | int) -> SavedView:
    """The view, locked, for who may change it."""
    found = await store.get(tx, scope, user_of(actor), view, is_locked=True)
    if found.list not in lists:
        raise SavedViewNotFound(str(view))
    if not may_change(actor, found):
        _refuse(governing(found.workspace_id), found.workspace_id)
    return found


def _seen(actor: Actor, workspace: WorkspaceId | None) -> tuple[Of, list[str]]:
    """Where the actor is, and the lists that they may see there. Raises WorkspaceNotFound, Forbidden."""
    if workspace is not None and not actor.is_inside(workspace):
        raise WorkspaceNotFound
    lists = lists_for(actor, workspace)
    if not lists:
        _refuse(next(iter((LISTS if workspace is not None else LISTS_ABOVE).values())), workspace)
    return Of(actor.organization_id, () if workspace is None else (workspace,)), lists


def _check_sharing(actor: Actor, view: SavedView) -> None:
    if view.is_shared and not actor.uses(sharing(view.workspace_id), view.workspace_id):
        _refuse(sharing(view.workspace_id), view.workspace_id)
    if not view.is_shared and view.user_id is None:
        raise OwnViewsAreUsers


async def _ensure_room(tx: ScopedTx, scope: Of, actor: Actor, *, is_shared: bool) -> None:
    most = MOST_SHARED if is_shared else MOST_OWN
    if await store.count(tx, scope, user_of(actor), is_shared=is_shared) >= most:
        raise TooManySavedViews(most)


def _refuse(permission: Permission, workspace: WorkspaceId | None) -> None:
    if workspace is None:
        raise NotOfOrganization(permission)
    raise Forbidden(f"this needs the permission {permission.value}", code="PERMISSION_MISSING", permission=permission)
