"""Who uses what (our own management API): credentials by permission and day, and what would miss a thing."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Shape, shown_as
from controlroom.dialects.robocorp.assets import named
from controlroom.dialects.robocorp.routing import get
from controlroom.engine.access import actions as access
from controlroom.engine.assets import actions as assets
from controlroom.engine.packages import store as packages
from controlroom.engine.statistics import store as statistics
from controlroom.engine.usage import store
from controlroom.engine.usage.model import CredentialKind, DayOfUse, UsedBy, UseOfCredential, UserKind
from controlroom.engine.vault import actions as vault
from controlroom.engine.workers import store as workers
from controlroom.ids import ApiKeyId, PackageId, UserId, WorkerId

_MONTH: Final = timedelta(days=30)


class DayAnswer(Shape, frozen=True, kw_only=True):
    """How often a key was used for a permission on a day of UTC."""

    day: date
    permission: str
    count: int
    last_at: datetime


class Uses(Shape, frozen=True):
    """Uses of a key, the latest day first."""

    uses: list[DayAnswer]


class CredentialUse(Shape, frozen=True, kw_only=True):
    """How often a credential was used for a permission on a day of UTC."""

    day: date
    kind: CredentialKind
    id: UUID
    """The credential's; of sessions the user's, of a worker's or a process's secret that of these."""
    name: str
    user_id: UUID | None
    workspace_id: UUID | None
    """Where; null: in all in which they have the permission."""
    permission: str
    count: int
    last_at: datetime


class CredentialUses(Shape, frozen=True):
    """Uses of credentials, the latest day first; at most 10,000."""

    uses: list[CredentialUse]


class UserAnswer(Shape, frozen=True, kw_only=True):
    """What uses it: by its setting, or (with a count) as it was seen to."""

    kind: UserKind
    id: UUID | None
    name: str
    process_id: UUID | None
    count: int | None
    last_at: datetime | None


class Users(Shape, frozen=True):
    """All that uses it."""

    used_by: list[UserAnswer]


@get("/uses/api-keys/{api_key_id:uuid}", needs=Permission.READ_API_KEYS)
async def list_uses_of_api_key(request: Asking, api_key_id: Path[ApiKeyId], since: Query[date | None] = None) -> Uses:
    """Tell how often a key was used for each permission on each day; of the last 30 days if no other is said."""
    await access.get_api_key(*request.reading, api_key_id)
    begin = since or (await statistics.now(request.db) - _MONTH).date()
    return Uses([_show_day(row) for row in await store.days_of_key(*request.reading, api_key_id, since=begin)])


@get("/uses/credentials", needs=Permission.READ_API_KEYS)
async def list_uses_of_credentials(
    request: Asking,
    user_id: Query[UserId | None] = None,
    since: Query[date | None] = None,
    until: Query[date | None] = None,
) -> CredentialUses:
    """Tell which credentials of any kind were used in the workspace for which permissions, by the day."""
    return await _uses(request, user_id, since, until, is_wide=False)


@get("/uses/credentials", above_workspaces=True, needs=Permission.READ_API_KEYS)
async def list_organization_uses_of_credentials(
    request: Asking,
    user_id: Query[UserId | None] = None,
    since: Query[date | None] = None,
    until: Query[date | None] = None,
) -> CredentialUses:
    """Likewise, of all workspaces in which you may read API keys; who may throughout the organization sees all uses."""
    return await _uses(request, user_id, since, until, is_wide=request.actor.may(Permission.READ_API_KEYS, None))


async def _uses(
    request: Asking, user: UserId | None, since: date | None, until: date | None, *, is_wide: bool
) -> CredentialUses:
    today = (await statistics.now(request.db)).date()
    rows = await store.uses_of_credentials(
        *request.reading, is_wide=is_wide, since=since or today - _MONTH, until=until or today, user=user
    )
    return CredentialUses([_show_use(row) for row in rows])


@get("/uses/secrets/{name:str}", needs=Permission.READ_SECRETS)
async def list_users_of_secret(request: Asking, name: Path[str]) -> Users:
    """Tell which processes have read a secret, and which packages are fetched with it."""
    found = (await vault.show(request.engine, request.seen, name)).secret
    return _users(await store.users_of_secret(*request.reading, found.id, found.name))


@get("/uses/assets/{asset_id:str}", needs=Permission.READ_ASSETS)
async def list_users_of_asset(request: Asking, asset_id: Path[str]) -> Users:
    """Tell which processes have read an asset."""
    found = await assets.get(*request.reading, named(asset_id))
    return _users(await store.users_of_asset(*request.reading, found.id))


@get("/uses/task-packages/{package_id:uuid}", needs=Permission.READ_PACKAGES)
async def list_users_of_package(request: Asking, package_id: Path[PackageId]) -> Users:
    """Tell which steps, assistants and consumers of queues run what is in a package."""
    await packages.get(*request.reading, package_id)
    return _users(await store.users_of_package(*request.reading, package_id))


@get("/uses/workers/{worker_id:uuid}", needs=Permission.READ_WORKERS)
async def list_users_of_worker(request: Asking, worker_id: Path[WorkerId]) -> Users:
    """Tell which steps and consumers are placed on a worker, or on a group that it is in."""
    await workers.get(*request.reading, worker_id)
    return _users(await store.users_of_worker(*request.reading, worker_id))


def _users(rows: list[UsedBy]) -> Users:
    return Users([_show_user(row) for row in rows])


_show_use = shown_as(CredentialUse, UseOfCredential)
_show_day = shown_as(DayAnswer, DayOfUse)
_show_user = shown_as(UserAnswer, UsedBy)
