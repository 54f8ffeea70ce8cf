"""Who uses what (our own management API): API keys by permission and day, and what would miss a thing."""

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
from controlroom.engine.usage.model import DayOfUse, UsedBy, UserKind
from controlroom.engine.vault import actions as vault
from controlroom.engine.workers import store as workers
from controlroom.ids import ApiKeyId, PackageId, WorkerId

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


_show_day = shown_as(DayAnswer, DayOfUse)
_show_user = shown_as(UserAnswer, UsedBy)
