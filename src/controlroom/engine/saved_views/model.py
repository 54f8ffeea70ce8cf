"""Saved views: what somebody wants to see of a list, under a name."""

from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from controlroom.ids import OrganizationId, SavedViewId, UserId, WorkspaceId


class SavedView(Struct, frozen=True, kw_only=True):
    """What is filtered, sought, sorted and shown of a list, by a name: one person's, or shared with its whole place."""

    id: SavedViewId
    number: int
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    """None: of a list above the workspaces."""
    list: str
    name: str
    query: str
    """The query of the list's address: the address is what is saved."""
    is_shared: bool
    user_id: UserId | None
    """Who made it; None: a program."""
    made_by: str
    """The name of that user; empty for a program."""
    created_at: datetime
    updated_at: datetime


class ViewChange(Struct, frozen=True, kw_only=True):
    """What is to be changed; what is left out stays."""

    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    is_shared: bool | UnsetType = UNSET


def changed(before: SavedView, change: ViewChange) -> SavedView:
    """The view as it is then."""
    given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
    return msgspec.structs.replace(before, **given)
