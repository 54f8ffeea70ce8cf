"""Devices and run-as users (§2.3, §2.13): a device is a worker, by the name of its host.

A device's `status` is one of the three that answers have. `devices/reset` frees a device of what it runs: what it has
in hand is ended, as by a stop.
"""

from typing import Any, Final

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns, alike, constants
from controlroom.dialects.automation360.ids import Id, find, number_of, shown
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, delete, post
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import scope_of
from controlroom.engine.lists.model import Direction, Sort, equal
from controlroom.engine.runs import stops
from controlroom.engine.workers import actions, defaults
from controlroom.engine.workers.listings import RUNNERS, WORKERS, ListedWorker, Runner, in_service, runners_seen_by
from controlroom.engine.workers.store import WORKER
from controlroom.errors import Invalid

_VIEW: Final = Pair("devices", "view")
_USERS: Final = Pair("usermanagement", "updateuser")

STATUSES: Final = {"connected": "CONNECTED", "disconnected": "DISCONNECTED", "offline": "OFFLINE"}


_PICKED: Final = "Picked at run time"
"""In the place of the device of who has none."""

_RUNNERS: Final = Columns(
    RUNNERS,
    {
        "id": "number",
        "username": "username",
        "device": As("worker_name", unset=_PICKED),
        "deviceId": As("worker_number", sort="", unset="-1"),
    },
    order=(Sort("number", Direction.DESCENDING),),
)


class DefaultUser(Shape, frozen=True):
    """A user whose default device it is."""

    id: str
    username: str
    domain: str = ""


class LogConfiguration(Shape, frozen=True):
    """How much a device logs: told as it is there, and not to be changed."""

    log_level: str = "INFO"
    log_file_size: str = "100"
    number_of_log_file: str = "10"
    log_collector_enabled: bool = False
    level: str = "INFO"


class Device(Shape, frozen=True, kw_only=True):
    """A device: a worker."""

    id: str
    type: str = "SINGLE_USER"
    host_name: str
    nickname: str
    description: str = ""
    status: str
    pool_name: str
    default_users: list[DefaultUser]
    lifespan: str = "PERSISTENT"
    installation_type: str = "SYSTEM_WIDE"
    host_type: str = "CUSTOMER_WINDOWS"
    deployment_type: str = "REGULAR"
    log_level: str = "INFO"
    log_configuration: LogConfiguration = LogConfiguration()
    bot_agent_version: str
    bot_agent_debug_api_version: int = 0
    max_count: int
    updated_by: str = ""
    updated_on: str


DEVICES: Final = Columns(
    WORKERS,
    {
        **constants(Device),
        "id": As("number"),
        "hostName": "name",
        "nickname": "name",
        "poolName": "group",
        "status": Words({word: equal(standing=standing) for standing, word in STATUSES.items()}, sort="standing"),
        "userId": As("user_number", sort=""),
        "deviceType": alike("SINGLE_USER"),
        "botAgentVersion": "version",
        "maxCount": "slots",
        "updatedOn": As("seen_at"),
        "createdOn": As("created_at", sort="id"),
    },
    order=(Sort("id", Direction.DESCENDING),),
)


class RunAsUser(Shape, frozen=True):
    """A user with an unattended licence, and their default device."""

    id: int
    username: str
    device: str
    device_id: int


class DefaultDevice(Shape, frozen=True):
    """A user and a device."""

    user_id: int
    device_id: int | None = None


class DefaultDeviceSet(Shape, frozen=True):
    """Which device a user has by default now."""

    device_id: int
    user_id: int


class DeviceIds(Shape, frozen=True):
    """Devices by their ids."""

    ids: tuple[int, ...] = ()


class Reset(Shape, frozen=True):
    """Which devices to free."""

    device_ids: DeviceIds | None = None


class ResetDone(Shape, frozen=True):
    """So many runs were ended."""

    stopped: int


@post("/v2/devices/list", needs=Permission.READ_WORKERS, pair=_VIEW)
async def list_devices(request: Asking, data: Sought = None) -> Listed[Device]:
    """Search devices, newest first."""
    return await listed(request, data, DEVICES, ListedWorker, show, within=in_service(request.seen))


@post("/v1/devices/runasusers/list")
async def list_run_as_users(request: Asking, data: Sought = None) -> Listed[RunAsUser]:
    """Search the users as whom bots can run unattended; who may run bots as nobody else sees themselves."""
    seen, own = runners_seen_by(request.actor)
    return await listed(request, data, _RUNNERS, Runner, _show_runner, within=seen, only=own)


@post("/v1/devices/runasusers/default", pair=_USERS)
async def set_default_device(request: Asking, data: Body[DefaultDevice]) -> DefaultDeviceSet:
    """Give a user a default device."""
    if data.device_id is None:
        raise Invalid("deviceId is missing", code="INVALID_BODY")
    seen = scope_of(request.actor, Permission.WRITE_MEMBERS)
    user = await find(request, USER, data.user_id, seen)
    worker = await find(request, WORKER, data.device_id, seen)
    await defaults.set_default(request.engine, request.actor, user.id, worker.id)
    return DefaultDeviceSet(data.device_id, data.user_id)


@post("/v1/devices/runasusers/default/unset", pair=_USERS)
async def unset_default_device(request: Asking, data: Body[DefaultDevice]) -> None:
    """Take a user's default device away."""
    user = await find(request, USER, data.user_id, scope_of(request.actor, Permission.WRITE_MEMBERS))
    await defaults.set_default(request.engine, request.actor, user.id, None)


@delete("/v1/devices/{device:str}", pair=Pair("devices", "delete"))
async def delete_device(request: Asking, device: Id) -> None:
    """Delete a device: its worker is refused from now on."""
    seen = scope_of(request.actor, Permission.WRITE_WORKERS)
    worker = await find(request, WORKER, number_of(device), seen)
    await actions.unlink(request.engine, request.actor, worker.id)


@post("/v2/devices/reset", pair=Pair("devices", "edit"))
async def reset_devices(request: Asking, data: Body[Reset | None] = None) -> ResetDone:
    """Free devices that are stuck: what they run is ended."""
    seen = scope_of(request.actor, Permission.WRITE_WORKERS)
    asked = () if data is None or data.device_ids is None else data.device_ids.ids
    workers = [(await find(request, WORKER, number, seen)).id for number in asked]
    return ResetDone(await stops.stop_all_on(request.engine, request.actor, workers))


def show(worker: ListedWorker) -> Device:
    """A worker as a device."""
    return Device(
        id=str(worker.number),
        host_name=worker.name,
        nickname=worker.name,
        status=STATUSES[worker.standing],
        pool_name=worker.group,
        default_users=[DefaultUser(shown(each.number), each.username) for each in worker.users],
        bot_agent_version=worker.version,
        max_count=worker.slots,
        updated_on=moment(worker.seen_at or worker.created_at),
    )


def _show_runner(runner: Runner) -> RunAsUser:
    number: Any = -1 if runner.worker_number is None else runner.worker_number
    return RunAsUser(runner.number, runner.username, runner.worker_name or _PICKED, number)
