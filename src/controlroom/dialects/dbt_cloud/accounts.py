"""Accounts (§3.4): the organization of the caller. What a plan would limit is not limited, and is told as unlimited."""

from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape, shown_as
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong, NotSupported
from controlroom.dialects.dbt_cloud.lists import whole
from controlroom.dialects.dbt_cloud.routing import BOTH, get, patch, post
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.runs.projects import blocking
from controlroom.engine.workspaces import actions, store
from controlroom.engine.workspaces.model import Founded

_SEATS = 1_000_000
"""Of each kind: nobody counts them here."""


class AccountShown(Shape, frozen=True, kw_only=True):
    """An account."""

    id: int
    name: str
    state: int = ACTIVE
    plan: str = "enterprise"
    identifier: str
    run_slots: int = 1
    developer_seats: int = _SEATS
    it_seats: int = _SEATS
    explorer_seats: int = _SEATS
    analyst_seats: int = _SEATS
    read_only_seats: int = _SEATS
    locked: bool = False
    lock_reason: str | None = None
    lock_cause: str | None = None
    unlocked_at: str | None = None
    pending_cancel: bool = False
    billing_email_address: str | None = None
    pod_memory_request_mebibytes: int = 600
    develop_pod_memory_request_mebibytes: int = 0
    run_duration_limit_seconds: int = 86_400
    queue_limit: int = 50
    enterprise_login_slug: str | None = None
    business_critical: bool = False
    starter_repo_url: str | None = None
    git_auth_level: str | None = None
    trial_end_date: str | None = None
    static_subdomain: str | None = None
    vanity_subdomain: str | None = None
    run_locked_until: str | None = None
    copilot_locked_until: str | None = None
    agent_credit_locked: bool = False
    docs_job_id: int | None = None
    freshness_job_id: int | None = None
    account_migration_events: tuple[Any, ...] = ()
    groups: tuple[Any, ...] = ()
    created_at: str
    updated_at: str


class AccountAsked(Shape, frozen=True, kw_only=True):
    """What of an account shall be otherwise."""

    name: Name | UnsetType | None = UNSET
    docs_job_id: int | UnsetType | None = UNSET
    freshness_job_id: int | UnsetType | None = UNSET
    state: int = ACTIVE


@get("/accounts", versions=BOTH)
async def list_accounts(request: Asking) -> Listed[AccountShown]:
    """The accounts that the token opens: its own."""
    return whole(request, [await told(request)])


@get("/accounts/{account}", versions=BOTH)
async def get_account(request: Asking) -> AccountShown:
    """An account."""
    return await told(request)


@post("/accounts/{account}", versions=BOTH, asks=Permission.WRITE_WORKSPACES)
async def update_account(request: Asking, data: Body[AccountAsked]) -> AccountShown:
    """Call an account otherwise."""
    return await _change(request, data)


@patch("/accounts/{account}", versions=BOTH, asks=Permission.WRITE_WORKSPACES)
async def patch_account(request: Asking, data: Body[AccountAsked]) -> AccountShown:
    """Likewise, by PATCH."""
    return await _change(request, data)


async def _change(request: Asking, data: AccountAsked) -> AccountShown:
    ensure_in_organization(request.actor, Permission.WRITE_WORKSPACES)
    if data.state == DELETED:
        raise NotSupported("an account is not deleted here: whoever runs the room takes it away")
    named = {name: getattr(data, name) for name in ("docs_job_id", "freshness_job_id") if getattr(data, name)}
    if named:
        raise FieldsWrong(dict.fromkeys(named, "a job of that kind is a project's: say it there"))
    if data.name:
        await actions.rename_organization(*request.governing, data.name)
    return await told(request)


async def told(request: Asking) -> AccountShown:
    """The caller's account."""
    organization = request.actor.organization_id
    slots = await blocking.slots(request.db, organization)
    return replace(_show(await store.founded(request.db, organization)), run_slots=slots.capacity)


_show = shown_as(
    AccountShown,
    Founded,
    identifier=lambda founded: f"act_{founded.id.hex}",
    updated_at="created_at",
)
