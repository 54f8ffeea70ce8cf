"""Which lists have views, who may do what with one, and what a view may say."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.saved_views.errors import SavedViewInvalid
from controlroom.engine.saved_views.model import SavedView
from controlroom.ids import UserId, WorkspaceId

LISTS: Final[Mapping[str, Permission]] = {
    "runs": Permission.READ_RUNS,
    "runs/items": Permission.READ_WORK_ITEMS,
    "items": Permission.READ_WORK_ITEMS,
    "tasks": Permission.READ_WORK_ITEMS,
    "tasks/requests": Permission.READ_RUNS,
    "queues": Permission.READ_WORK_ITEMS,
    "item-models": Permission.READ_WORK_ITEMS,
    "workers": Permission.READ_WORKERS,
    "groups": Permission.READ_WORKERS,
    "processes": Permission.READ_PROCESSES,
    "jobs": Permission.READ_PROCESSES,
    "targets": Permission.READ_TARGETS,
    "schedules": Permission.READ_SCHEDULES,
    "packages": Permission.READ_PACKAGES,
    "assets": Permission.READ_ASSETS,
    "secrets": Permission.READ_SECRETS,
    "lockers": Permission.READ_SECRETS,
    "assistants": Permission.READ_ASSISTANTS,
    "allocations": Permission.READ_PROCESSES,
    "trigger-mappings": Permission.READ_SCHEDULES,
    "notifications": Permission.READ_PROCESSES,
    "notices": Permission.READ_PROCESSES,
    "transfers": Permission.READ_PACKAGES,
    "code-policies": Permission.READ_PACKAGES,
    "webhooks": Permission.READ_WEBHOOKS,
    "deliveries": Permission.READ_WEBHOOKS,
    "provisioners": Permission.READ_WORKERS,
    "models": Permission.READ_SECRETS,
    "connections": Permission.READ_TARGETS,
    "logins": Permission.READ_TARGETS,
    "profiles": Permission.READ_TARGETS,
    "attributes": Permission.READ_TARGETS,
    "shared-assets": Permission.READ_ASSETS,
    "shared-secrets": Permission.READ_SECRETS,
    "members": Permission.READ_MEMBERS,
    "members/invitations": Permission.READ_MEMBERS,
    "members/groups": Permission.READ_MEMBERS,
    "roles": Permission.READ_MEMBERS,
    "connect/keys": Permission.READ_API_KEYS,
    "audit": Permission.READ_AUDIT,
}
"""The lists of a workspace, and who sees one of them; nobody is told of a view of a list that they may not see."""
LISTS_ABOVE: Final[Mapping[str, Permission]] = {
    "users": Permission.READ_MEMBERS,
    "service-tokens": Permission.READ_API_KEYS,
    "audit": Permission.READ_AUDIT,
}
"""Likewise, of the organization as a whole."""

MOST_OWN: Final = 100
MOST_SHARED: Final = 200
"""In a workspace, or above. Why so many: a menu of them is still read; a program that fills the table is not."""
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 2000
_MOST_FIELDS: Final = 40
_SHARES: Final = (Permission.WRITE_PROCESSES, Permission.WRITE_WORKSPACES)
_GOVERNS: Final = (Permission.WRITE_WORKSPACE, Permission.WRITE_WORKSPACES)


def lists_for(actor: Actor, workspace: WorkspaceId | None) -> list[str]:
    """The lists of a workspace (None: above) that an actor may see."""
    known = LISTS if workspace is not None else LISTS_ABOVE
    return [name for name, needed in known.items() if actor.may(needed, workspace)]


def user_of(actor: Actor) -> UserId | None:
    """Whose views are one's own: a user's. A program has none."""
    return UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None


def sharing(workspace: WorkspaceId | None) -> Permission:
    """What it takes to share a view: who sets up what others work with. Above the workspaces, who makes these."""
    return _SHARES[workspace is None]


def governing(workspace: WorkspaceId | None) -> Permission:
    """What it takes to change and delete what others have shared."""
    return _GOVERNS[workspace is None]


def may_change(actor: Actor, view: SavedView) -> bool:
    """Whether who sees a view may change or delete it: whoever made it; a shared one, who manages its place, too."""
    if view.user_id is not None and view.user_id == user_of(actor):
        return True
    return view.is_shared and actor.may(governing(view.workspace_id), view.workspace_id)


def checked_view_name(name: str) -> str:
    """The name, if it is one. Raises Invalid."""
    checked_name(name, what="view's name")
    if len(name) > LONGEST_NAME:
        raise SavedViewInvalid(f"a view's name has at most {LONGEST_NAME} characters")
    return name


def checked_query(query: str) -> str:
    """The query of an address, if it is one. Raises Invalid. What a list makes of it the list says."""
    if len(query) > LONGEST_QUERY:
        raise SavedViewInvalid(f"a view has at most {LONGEST_QUERY:,} characters")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=_MOST_FIELDS)
    except ValueError as broken:
        raise SavedViewInvalid("a view is the query of a list's address: tab=failed&since=24h") from broken
    if not (query.isascii() and query.isprintable()) or any("\0" in value for _, value in pairs):
        raise SavedViewInvalid("a view is the query of a list's address, with other characters as %C3%A6")
    return query
