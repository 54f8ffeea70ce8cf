"""Saved views (our own management API): what somebody wants to see of a list of the console, by a name.

One sees one's own and those that are shared, of the lists that one may see. A key has none of its own: it shares some.
"""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Query
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import delete, get, post, update
from controlroom.engine.saved_views import actions, model
from controlroom.ids import SavedViewId, UserId


class MadeBy(Shape, frozen=True):
    """The user who made a view."""

    id: UserId
    name: str


class SavedViewAnswer(Shape, frozen=True, kw_only=True):
    """A view: the query of the list's address in the console, by a name."""

    id: SavedViewId
    list: str
    name: str
    query: str
    shared: bool
    made_by: MadeBy | None
    """Null: a program."""
    created_at: datetime
    updated_at: datetime


class SavedViews(Shape, frozen=True):
    """The views that you see: your own first, then those that are shared, each by name."""

    data: list[SavedViewAnswer]


class CreateSavedView(OwnBody, frozen=True, kw_only=True):
    """What is to be seen of which list: `{"list": "items", "name": "Bad VAT", "query": "tab=failed&code=VAT"}`."""

    list: str
    name: str
    query: str = ""
    shared: bool = False


class UpdateSavedView(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


@get("/saved-views")
async def list_saved_views(request: Asking, of_list: Query[str | None] = None) -> SavedViews:
    """List the saved views that you see, of the lists that you may see; or of one list (`of_list`)."""
    return SavedViews([_show(each) for each in await actions.list_views(*request.acting, of_list)])


@post("/saved-views")
async def create_saved_view(request: Asking, data: Body[CreateSavedView]) -> SavedViewAnswer:
    """Save a view. Sharing it takes the permission to write processes."""
    return _show(
        await actions.save(*request.acting, of=data.list, name=data.name, query=data.query, is_shared=data.shared)
    )


@get("/saved-views/{view_id:uuid}")
async def get_saved_view(request: Asking, view_id: Path[SavedViewId]) -> SavedViewAnswer:
    """Get a saved view."""
    return _show(await actions.get(*request.acting, view_id))


@update("/saved-views/{view_id:uuid}")
async def update_saved_view(
    request: Asking, view_id: Path[SavedViewId], data: Body[UpdateSavedView]
) -> SavedViewAnswer:
    """Change a saved view of yours; or a shared one, if you may change the workspace."""
    change = model.ViewChange(name=data.name, query=data.query, is_shared=data.shared)
    return _show(await actions.change(*request.acting, view_id, change))


@delete("/saved-views/{view_id:uuid}")
async def delete_saved_view(request: Asking, view_id: Path[SavedViewId]) -> Deleted:
    """Delete a saved view of yours; or a shared one, if you may change the workspace."""
    return await Deleted.after(view_id, actions.delete(*request.acting, view_id))


_show = shown_as(
    SavedViewAnswer,
    model.SavedView,
    shared="is_shared",
    made_by=lambda view: None if view.user_id is None else MadeBy(view.user_id, view.made_by),
)
