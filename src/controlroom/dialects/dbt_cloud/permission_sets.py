"""Permission sets (§3.9): each is a role of the system, which a migration has made; what stands here is its name.

What a set may do stands in that role. A noun that comes with permissions of its own adds them there, by a migration.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from controlroom.dialects.dbt_cloud.answers import ACTIVE, Shape
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.grants.model import HeldGrant, WantedGrant
from controlroom.engine.access.scope import Of
from controlroom.engine.nouns import Ways
from controlroom.engine.references import Reference, find_all
from controlroom.engine.workspaces.store import WORKSPACE
from controlroom.ids import RoleId

SETS: Final = (
    *("account_admin", "account_viewer", "admin", "analyst", "analyst_read", "billing_admin"),
    *("cost_insights_admin", "cost_insights_viewer", "cost_management_admin", "cost_management_viewer"),
    *("database_admin", "developer", "fusion_admin", "git_admin", "job_admin", "job_creator", "job_runner"),
    *("job_viewer", "manage_marketplace_apps", "member", "metadata_only", "notification_manager", "owner"),
    *("project_creator", "readonly", "scim_only", "security_admin", "semantic_layer_only", "stakeholder"),
    *("team_admin", "webhooks_only"),
)
"""In the order of their roles."""

ROLES: Final = {name: RoleId(UUID(int=0x7000_8000_0000_0000_0100 + n)) for n, name in enumerate(SETS)}
_NAMES: Final = {role: name for name, role in ROLES.items()}
_EVERYWHERE: Final = "all"
_CATEGORIES: Final[tuple[frozenset[str], ...]] = (frozenset(), frozenset({_EVERYWHERE}))
"""For which kinds of environments rights may be limited: for none."""


class PermissionAsked(Shape, frozen=True, kw_only=True):
    """A permission set, in one project, several, or all of them."""

    permission_set: str = ""
    project_id: int | None = None
    project_ids: tuple[int, ...] = ()
    all_projects: bool | None = None
    writable_environment_categories: tuple[str, ...] = ()


class PermissionsAsked(PermissionAsked, frozen=True, kw_only=True):
    """One of a list of permission sets, or an object that has such a list: clients send both."""

    permission_grants: tuple[PermissionAsked, ...] = ()


class PermissionShown(Shape, frozen=True, kw_only=True):
    """A permission set that a token or a group holds."""

    id: int
    account_id: int
    permission_set: str
    project_id: int | None
    all_projects: bool
    state: int = ACTIVE
    writable_environment_categories: tuple[str, ...] = (_EVERYWHERE,)
    service_token_id: int | None = None
    group_id: int | None = None
    created_at: str
    updated_at: str


def showing(
    request: Asking, *, service_token_id: int | None = None, group_id: int | None = None
) -> Callable[[HeldGrant], PermissionShown]:
    """How grants of a holder are told: which has this number."""

    def show(grant: HeldGrant) -> PermissionShown:
        at = with_t(grant.created_at)
        return PermissionShown(
            id=grant.number,
            account_id=request.account,
            permission_set=_NAMES.get(grant.role_id, grant.role_name),
            project_id=grant.workspace_number,
            all_projects=grant.workspace_id is None,
            created_at=at,
            updated_at=at,
            service_token_id=service_token_id,
            group_id=group_id,
        )

    return show


async def wanted_of(request: Asking, asked: Sequence[PermissionAsked], field: str) -> list[WantedGrant]:
    """What shall be granted. Raises FieldsWrong for a set or a project that there is not, for the caller."""
    faults: dict[str, str] = {}
    for place, each in enumerate(asked):
        if each.permission_set not in ROLES:
            faults[f"{field}[{place}].permission_set"] = f"one of {', '.join(SETS)}"
        if frozenset(each.writable_environment_categories) not in _CATEGORIES:
            faults[f"{field}[{place}].writable_environment_categories"] = (
                "rights by category of environment are not had here: leave it out, or say all"
            )
    if faults:
        raise FieldsWrong(faults)
    numbers = [_projects(each) for each in asked]
    seen = Of(request.actor.organization_id, tuple(request.actor.grants))
    flat = [number for several in numbers for number in several]
    found: Sequence[Any] = await find_all(
        request.db, seen, [Reference(WORKSPACE, str(number), Ways.NUMBER) for number in flat]
    )
    workspaces = dict(zip(flat, found, strict=True))
    if missing := [number for number, workspace in workspaces.items() if workspace is None]:
        raise FieldsWrong({f"{field}.project_id": f"a project: there is no {missing[0]}"})
    return [
        WantedGrant(ROLES[each.permission_set], workspace)
        for each, several in zip(asked, numbers, strict=True)
        for workspace in ([workspaces[number] for number in several] or [None])
    ]


def flat(asked: Sequence[PermissionsAsked]) -> list[PermissionAsked]:
    """All that is asked for."""
    return [one for each in asked for one in (each.permission_grants or ([each] if each.permission_set else []))]


def _projects(asked: PermissionAsked) -> list[int]:
    if asked.all_projects:
        return []
    return [*asked.project_ids, *([] if asked.project_id is None else [asked.project_id])]
