"""Device pools (§2.17): worker groups that are written whole. A device is in one pool.

`list` stands at the top and in `page`, because the vendor's document and its clients do not agree. The time slice is
stored, and has no effect: by ROUND_ROBIN, the automation that was served least recently comes first.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.ids import Id, find, shown
from controlroom.dialects.automation360.lists import PageTold, Sought, page
from controlroom.dialects.automation360.routing import Pair, delete, get, post, put
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.access.scope import scope_of
from controlroom.engine.lists.model import EVERYTHING, AllOf, Direction, Not, Sort, equal
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.workers import whole_groups
from controlroom.engine.workers.listings import in_service
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.engine.workers.whole_groups import WHOLE_GROUPS, GroupChange, Scheme, TimeSlice, WholeGroup
from controlroom.errors import Invalid

_CREATE: Final = Pair("pool", "create")

_STANDINGS: Final = {"connected": "CONNECTED", "disconnected": "DISCONNECTED", "offline": "OFFLINE"}

_POOLS: Final = Columns(
    WHOLE_GROUPS,
    {
        "id": As("number"),
        "name": "name",
        "description": "description",
        "status": Words({word: equal(standing=standing) for standing, word in _STANDINGS.items()}),
        "detailedStatus": Words(
            {
                "OFFLINE": equal(worker_count=0),
                "ALL_DISCONNECTED": AllOf((equal(connected_count=0), Not(equal(worker_count=0)))),
                "ALL_CONNECTED": AllOf((equal(is_whole=True), Not(equal(worker_count=0)))),
                "SOME_CONNECTED": AllOf((equal(is_whole=False), Not(equal(connected_count=0)))),
            }
        ),
        "automationCount": "consumer_count",
        "deviceCount": "worker_count",
        "poolType": Words({"BASIC": EVERYTHING}),
        "createdOn": As("created_at", sort="id"),
        "updatedOn": "updated_at",
    },
    order=(Sort("id", Direction.DESCENDING),),
)

_SCHEMES: Final = {"ROUND_ROBIN": Scheme.ROUND_ROBIN, "PRIORITY": Scheme.PRIORITY}
_UNITS: Final = frozenset({"SECONDS", "MINUTES", "HOURS"})
_UNKNOWN: Final = "TIME_SLICE_UNIT_UNKNOWN"


class PoolRow(Shape, frozen=True, kw_only=True):
    """A pool, as lists have it."""

    id: int
    name: str
    status: str
    detailed_status: str
    automation_count: int
    owner_ids: list[str]
    device_count: int
    device_ids: list[str]
    pool_type: str = "BASIC"
    description: str


class PoolPage(PageTold, frozen=True):
    """The page, with the rows once more."""

    list: list[PoolRow]


class Pools(Shape, frozen=True):
    """A page of pools."""

    page: PoolPage
    list: list[PoolRow]


class Pool(Shape, frozen=True, kw_only=True):
    """One pool."""

    id: str
    name: str
    description: str
    automation_scheme: str
    status: str
    detailed_status: str
    time_slice: str
    time_slice_unit: str
    device_ids: list[int]
    owner_ids: list[int]
    consumer_ids: list[int]
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_uuid: str
    tenant_id: str
    pool_type: str = "BASIC"


class PoolWanted(Shape, frozen=True, kw_only=True):
    """What a pool shall be."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    automation_scheme: str | UnsetType = UNSET
    time_slice: str | UnsetType = UNSET
    time_slice_unit: str | UnsetType = UNSET
    device_ids: tuple[int, ...] | UnsetType = UNSET
    owner_ids: tuple[int, ...] | UnsetType = UNSET
    consumer_ids: tuple[int, ...] | UnsetType = UNSET


@post("/v2/devices/pools/list", needs=Permission.READ_WORKERS, pair=Pair("devices", "view"))
async def list_pools(request: Asking, data: Sought = None) -> Pools:
    """Search device pools, newest first."""
    found = await page(request, data, _POOLS, WholeGroup, within=in_service(request.seen))
    rows = [_row(group) for group in found.rows]
    told = found.page
    return Pools(PoolPage(told.offset, told.total, told.total_filter, rows), rows)


@post("/v2/devices/pools", pair=_CREATE)
async def create_pool(request: Asking, data: Body[PoolWanted]) -> Pool:
    """Create a device pool."""
    wanted = await _change(request, data)
    if isinstance(wanted.owners, UnsetType) and request.actor.id is not None:
        wanted = msgspec.structs.replace(wanted, owners=(request.actor.id,))
    return _show(await whole_groups.create(request.engine, request.actor, wanted), request)


@get("/v2/devices/pools/{pool:str}", needs=Permission.READ_WORKERS, pair=Pair("devices", "view"))
async def get_pool(request: Asking, pool: Id) -> Pool:
    """One device pool."""
    found = await find(request, WORKER_GROUP, pool)
    return _show(await whole_groups.get(request.db, request.seen, found.id), request)


@put("/v2/devices/pools/{pool:str}", pair=_CREATE)
async def update_pool(request: Asking, pool: Id, data: Body[PoolWanted]) -> Pool:
    """Change a device pool: its owners may, and who may change devices."""
    found = await find(request, WORKER_GROUP, pool, scope_of(request.actor, Permission.READ_WORKERS))
    wanted = await _change(request, data)
    return _show(await whole_groups.update(request.engine, request.actor, found.id, wanted), request)


@delete("/v2/devices/pools/{pool:str}", pair=_CREATE)
async def delete_pool(request: Asking, pool: Id) -> None:
    """Delete a device pool; its devices stay."""
    found = await find(request, WORKER_GROUP, pool, scope_of(request.actor, Permission.READ_WORKERS))
    await whole_groups.delete(request.engine, request.actor, found.id)


async def _change(request: Asking, data: PoolWanted) -> GroupChange:
    slice_: TimeSlice | UnsetType | None = UNSET
    if data.time_slice is not UNSET or data.time_slice_unit is not UNSET:
        slice_ = _slice(data.time_slice or "", data.time_slice_unit or "")
    return GroupChange(
        name=data.name,
        description=data.description,
        scheme=UNSET if data.automation_scheme is UNSET else _scheme(data.automation_scheme),
        time_slice=slice_,
        workers=await _numbered(request, WORKER, data.device_ids),
        owners=await _numbered(request, USER, data.owner_ids),
        roles=await _numbered(request, ROLE, data.consumer_ids),
    )


async def _numbered(request: Asking, noun: Noun[Any], numbers: tuple[int, ...] | UnsetType) -> Any:
    if isinstance(numbers, UnsetType):
        return UNSET
    seen = scope_of(request.actor, Permission.READ_WORKERS)
    return tuple(await resolve_all(request.db, seen, [Reference(noun, str(each), Ways.NUMBER) for each in numbers]))


def _scheme(word: str) -> Scheme | UnsetType:
    if word.upper() in {"", "AUTOMATION_SCHEME_UNKNOWN"}:
        return UNSET
    found = _SCHEMES.get(word.upper())
    if found is None:
        raise Invalid(f"{word[:100]} is no automationScheme", code="POOL_INVALID")
    return found


def _slice(length: str | UnsetType, unit: str | UnsetType) -> TimeSlice | None:
    text, word = str(length or "").strip(), str(unit or "").upper()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9 or word not in {*_UNITS, "", _UNKNOWN}:  # noqa: PLR2004 - digits
        raise Invalid("a timeSlice is a whole number of SECONDS, MINUTES or HOURS", code="POOL_INVALID")
    return TimeSlice(text, word or "MINUTES")


def _standing(group: WholeGroup) -> tuple[str, str]:
    """How a pool stands, in short and at length."""
    if not group.workers:
        return "OFFLINE", "OFFLINE"
    if group.connected == 0:
        return "DISCONNECTED", "ALL_DISCONNECTED"
    return "CONNECTED", "ALL_CONNECTED" if group.connected == len(group.workers) else "SOME_CONNECTED"


def _row(group: WholeGroup) -> PoolRow:
    status, detailed = _standing(group)
    return PoolRow(
        id=group.number,
        name=group.name,
        status=status,
        detailed_status=detailed,
        automation_count=group.consumers,
        owner_ids=[str(each) for each in group.owners],
        device_count=len(group.workers),
        device_ids=[str(each) for each in group.workers],
        description=group.description,
    )


def _show(group: WholeGroup, request: Asking) -> Pool:
    status, detailed = _standing(group)
    slice_ = group.time_slice
    return Pool(
        id=str(group.number),
        name=group.name,
        description=group.description,
        automation_scheme=group.scheme.value.upper(),
        status=status,
        detailed_status=detailed,
        time_slice="" if slice_ is None else slice_.length,
        time_slice_unit=_UNKNOWN if slice_ is None else slice_.unit,
        device_ids=group.workers,
        owner_ids=group.owners,
        consumer_ids=group.roles,
        created_by=shown(group.created_by),
        created_on=moment(group.created_at),
        updated_by=shown(group.updated_by),
        updated_on=moment(group.updated_at),
        tenant_uuid=str(request.actor.organization_id),
        tenant_id=str(group.tenant_number),
    )
