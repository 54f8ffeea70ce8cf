"""Lists that have saved views: what they are called, and where they lie; and a view as its list draws it."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from controlroom.engine.saved_views.model import SavedView
from controlroom.ids import as_uuid
from controlroom.ui import words

PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "runs": ("Runs", "/runs"),
    "runs/items": ("Work items of a run", ""),
    "items": ("Work items", "/items"),
    "tasks": ("Tasks of people", "/tasks"),
    "tasks/requests": ("Requests", "/tasks/requests"),
    "queues": ("Queues", "/queues"),
    "item-models": ("Models of items", "/item-models"),
    "workers": ("Workers", "/workers/all"),
    "groups": ("Worker groups", "/groups"),
    "processes": ("Processes", "/processes"),
    "jobs": ("dbt jobs", "/jobs"),
    "targets": ("dbt environments", "/targets"),
    "schedules": ("Schedules", "/schedules"),
    "packages": ("Packages", "/packages"),
    "assets": ("Assets", "/assets"),
    "secrets": ("Secrets", "/secrets"),
    "lockers": ("Lockers", "/lockers"),
    "assistants": ("Assistants", "/assistants"),
    "allocations": ("Ready tasks", "/allocations"),
    "trigger-mappings": ("Trigger mappings", "/trigger-mappings"),
    "notifications": ("Notifications", "/notifications"),
    "notices": ("Notices of several processes", "/notices"),
    "transfers": ("Exports and imports", "/transfers"),
    "code-policies": ("Code policies", "/code-policies"),
    "webhooks": ("Webhooks", "/webhooks"),
    "deliveries": ("Deliveries of a webhook", ""),
    "provisioners": ("Provisioners", "/provisioners"),
    "models": ("Models", "/models"),
    "connections": ("Connections", "/connections"),
    "logins": ("Log-ins", "/logins"),
    "profiles": ("Profiles", "/profiles"),
    "attributes": ("Overlays", "/attributes"),
    "shared-assets": ("Assets of the organization", "/shared-assets"),
    "shared-secrets": ("Secrets of the organization", "/shared-secrets"),
    "members": ("Members", "/members"),
    "members/invitations": ("Invitations", "/members/invitations"),
    "members/groups": ("Groups of people", "/members/groups"),
    "roles": ("Roles", "/roles"),
    "connect/keys": ("API keys", "/connect/keys"),
    "audit": ("Audit log", "/audit"),
}
"""In a workspace: the name, and the path below it; none for a list that lies below some other thing."""
ABOVE: Final[Mapping[str, tuple[str, str]]] = {
    "users": ("Users", "/admin/users"),
    "service-tokens": ("Service tokens", "/admin/service-tokens"),
    "audit": ("Audit log of the organization", "/admin/audit"),
}


class Listed(Struct, frozen=True):
    """A view, and where it leads."""

    view: SavedView
    where: str
    href: str
    """Empty where it needs something that only its list knows: of which run."""
    said: str


def listed(view: SavedView, base: str) -> Listed:
    """A view as it is told of outside of its list."""
    where, path = (PLACES if view.workspace_id is not None else ABOVE).get(view.list, (view.list, ""))
    href = f"{base}{path}?{view.query}" if path and view.query else f"{base}{path}" if path else ""
    return Listed(view, where, href, said(view.query))


def said(query: str) -> str:
    """What a view asks, in a line."""
    pairs = parse_qsl(query)
    told = [f"{key} {words.short_id(value) if as_uuid(value) else value}" for key, value in pairs]
    return " · ".join(told) or "all"
