"""Bot deploy, v2 to v4 (§2.22, §2.26): a bot is run for some users, on their default devices or on pools.

What is accepted without effect: `runElevated`, `hideBotAgentUi`, `runWithRdp`, `description`, `scheduleType`,
`executionType`, `currentUserDeviceCredentialMappings`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar.params import HeaderParameter
from msgspec import Raw, field

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.executions import PRIORITIES
from controlroom.dialects.automation360.messages import ENDS, GRAMMAR
from controlroom.dialects.automation360.routing import Pair, Superseded, post
from controlroom.dialects.automation360.values import payload_of, typed
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of, Scope
from controlroom.engine.deliveries.endpoints import checked_endpoint
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.packages.errors import LabelNotFound
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.runs.callbacks import Callback
from controlroom.engine.runs.deployments import (
    Anywhere,
    Deployment,
    OnDefault,
    OnDefaultOr,
    OnGroups,
    Runnable,
    Where,
    deploy,
    to_run,
)
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Overrides, Run
from controlroom.engine.runs.repeated_starts import KeyReused
from controlroom.engine.workers import defaults
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.errors import Conflict, Invalid
from controlroom.ids import UserId, WorkerGroupId

Key = Annotated[str | None, HeaderParameter(name="Idempotency-Key", required=False)]
"""Ours: a deploy that is repeated with the same key is answered with the first one."""

PAIR: Final = Pair("repositorymanager", "run")


class CallbackInfo(Shape, frozen=True):
    """Whom to tell when an execution ends."""

    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Deployed(Shape, frozen=True):
    """What was deployed."""

    deployment_id: str
    automation_name: str


class DeployedBefore(Deployed, frozen=True):
    """What was deployed, as old clients read it."""

    automation_id: str = "0"


class _Common(Shape, frozen=True, kw_only=True):
    automation_name: str = ""
    description: str = ""
    callback_info: CallbackInfo | None = None
    automation_priority: str = ""
    bot_label: str = ""
    bot_input: Any = None
    run_elevated: bool | None = None
    hide_bot_agent_ui: bool | None = None


class DeployV3(_Common, frozen=True, kw_only=True):
    """A deploy for unattended users."""

    file_id: int
    run_as_user_ids: tuple[int, ...] = ()
    pool_ids: tuple[int, ...] = ()
    override_default_device: bool | None = None
    num_of_run_as_users_to_use: int = 0


class DeployV2(_Common, frozen=True, kw_only=True):
    """A deploy as it was before there were run-as users: on devices, or for the caller."""

    file_id: int
    device_ids: tuple[int, ...] = ()
    run_as_user_ids: tuple[int, ...] = ()
    pool_ids: tuple[int, ...] = ()
    override_default_device: bool | None = None
    num_of_run_as_users_to_use: int = 0
    current_user_device_id: int | None = None
    bot_variables: Any = None
    run_with_rdp: bool | None = None


class Unattended(Shape, frozen=True, kw_only=True):
    """For users with an unattended licence."""

    run_as_user_ids: tuple[int, ...] = ()
    device_usage_type: str = ""
    pool_ids: tuple[int, ...] = ()
    num_of_run_as_users_to_use: int = 0


class Headless(Shape, frozen=True, kw_only=True):
    """For an API task, so many times."""

    number_of_executions: int = 1
    shared_run_as_user_id: int | None = None


class DeployV4(_Common, frozen=True, kw_only=True):
    """A deploy of one of three kinds."""

    bot_id: int
    unattended_request: Unattended | None = None
    attended_request: Any = None
    headless_request: Headless | None = None


class AttendedNotHad(Invalid):
    """There are no devices here at which somebody sits."""

    code = "NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("there are no attended devices here: deploy with unattendedRequest")


class DeployWrong(Invalid):
    """A deploy that cannot be."""

    code = "DEPLOY_INVALID"


# ---------------------------------------------------------------------------------------------------- routes
@post("/v3/automations/deploy", pair=PAIR)
async def deploy_bot(request: Asking, data: Body[DeployV3], idempotency_key: Key = None) -> Deployed:
    """Deploy a bot for users: one execution for each of them."""
    bot = await bot_of(request, data.file_id)
    run = await _deploy(request, bot, data, await deployment_of(request, bot, _unattended(data)), idempotency_key)
    return Deployed(str(run.id), _name(run))


@post("/v4/automations/deploy", pair=PAIR)
async def deploy_bot_v4(request: Asking, data: Body[DeployV4], idempotency_key: Key = None) -> Deployed:
    """Deploy a bot: unattended for users, or an API task."""
    kinds = [data.unattended_request, data.attended_request, data.headless_request]
    if sum(each is not None for each in kinds) != 1:
        raise DeployWrong("exactly one of unattendedRequest, attendedRequest and headlessRequest is needed")
    if data.attended_request is not None:
        raise AttendedNotHad
    bot = await bot_of(request, data.bot_id)
    if data.unattended_request is not None:
        wanted = await deployment_of(request, bot, data.unattended_request)
    else:
        wanted = await headless_of(request, bot, data.headless_request or Headless())
    run = await _deploy(request, bot, data, wanted, idempotency_key)
    return Deployed(str(run.id), _name(run))


@post("/v2/automations/deploy", pair=PAIR, deprecated=Superseded("/v3/automations/deploy"))
async def deploy_bot_v2(request: Asking, data: Body[DeployV2], idempotency_key: Key = None) -> DeployedBefore:
    """Deploy a bot on devices, for the users whose default device each is; without any, for the caller."""
    bot = await bot_of(request, data.file_id)
    if data.run_as_user_ids:
        wanted = await deployment_of(request, bot, _unattended(data))
    else:
        wanted = Deployment(task=bot.task, users=await _users_of_devices(request, bot, data))
    inputs = typed(data.bot_variables) if data.bot_input is None else data.bot_input
    run = await _deploy(request, bot, msgspec.structs.replace(data, bot_input=inputs), wanted, idempotency_key)
    return DeployedBefore(str(run.id), _name(run))


# ---------------------------------------------------------------------------------------------------- the deploy
async def _deploy(request: Asking, bot: Runnable, asked: _Common, wanted: Deployment, key: str | None) -> Run:
    actor, now = bot.actor, datetime.now(UTC)
    deployment = msgspec.structs.replace(
        wanted,
        payload=inputs_of(asked.bot_input),
        name=asked.automation_name,
        overrides=AS_THE_STEPS_SAY if not asked.bot_label else Overrides(label=asked.bot_label),
        priority=priority_of(asked.automation_priority),
        callback=callback_of(asked.callback_info),
        idempotency_key=key or None,
    )
    try:
        return await deploy(
            request.engine,
            actor,
            bot.workspace,
            deployment,
            default_name=lambda bot: default_name(bot, actor.name, now),
        )
    except KeyReused:
        raise
    except (Conflict, LabelNotFound) as refused:  # this grammar has one status for all that cannot be deployed so
        raise DeployWrong(refused.message) from refused


async def bot_of(request: Asking, number: int) -> Runnable:
    """The bot with the number, if the caller may run it. Raises NotFound, Forbidden, and Invalid for another file."""
    return await to_run(request.engine, request.actor, number)


async def headless_of(request: Asking, bot: Runnable, wanted: Headless) -> Deployment:
    """For whom, of a `headlessRequest`. Raises NotFound for a user, DeployWrong."""
    if wanted.number_of_executions < 1:
        raise DeployWrong("numberOfExecutions is at least 1")
    shared = () if wanted.shared_run_as_user_id is None else (wanted.shared_run_as_user_id,)
    users = await _numbered(request, _scope(bot), USER, shared)
    return Deployment(task=bot.task, users=tuple(users), where=Anywhere(), copies=wanted.number_of_executions)


async def deployment_of(request: Asking, bot: Runnable, wanted: Unattended) -> Deployment:
    """For whom and where, of an `unattendedRequest`. Raises NotFound for a user or a pool, DeployWrong."""
    users: list[UserId] = await _numbered(request, _scope(bot), USER, wanted.run_as_user_ids)
    if not users:
        raise DeployWrong("runAsUserIds names no user")
    groups: list[WorkerGroupId] = await _numbered(request, _scope(bot), WORKER_GROUP, wanted.pool_ids)
    return Deployment(
        task=bot.task,
        users=tuple(dict.fromkeys(users)),
        most_users=wanted.num_of_run_as_users_to_use,
        where=where_of(wanted.device_usage_type, tuple(dict.fromkeys(groups))),
    )


def _scope(bot: Runnable) -> Of:
    return Of(bot.actor.organization_id, (bot.workspace,))


async def _numbered(request: Asking, seen: Scope, noun: Noun[Any], numbers: Iterable[int]) -> list[Any]:
    return await resolve_all(request.db, seen, [Reference(noun, str(each), Ways.NUMBER) for each in numbers])


def _unattended(data: DeployV3 | DeployV2) -> Unattended:
    return Unattended(
        run_as_user_ids=data.run_as_user_ids,
        device_usage_type=usage_of(data.pool_ids, is_overridden=bool(data.override_default_device)),
        pool_ids=data.pool_ids,
        num_of_run_as_users_to_use=data.num_of_run_as_users_to_use,
    )


async def _users_of_devices(request: Asking, bot: Runnable, data: DeployV2) -> tuple[UserId, ...]:
    """The users whose default device each is; the caller, where no device is named."""
    devices = data.device_ids or ((data.current_user_device_id,) if data.current_user_device_id else ())
    workers = await _numbered(request, _scope(bot), WORKER, devices)
    if not workers:
        return () if request.actor.id is None else (UserId(request.actor.id),)
    found = await defaults.users_of(request.db, _scope(bot), workers)
    for device, worker in zip(devices, workers, strict=True):
        if worker not in found:
            raise DeployWrong(f"the device {device} is nobody's default device: nobody can run on it")
    return tuple(dict.fromkeys(found[worker] for worker in workers))


def usage_of(pools: tuple[int, ...], *, is_overridden: bool) -> str:
    """The words of v4 for how v3 says where."""
    if not pools:
        return "RUN_ONLY_ON_DEFAULT_DEVICE"
    return "RUN_ON_POOL_DEVICES" if is_overridden else "PREFER_DEFAULT_DEVICE"


def where_of(usage: str, groups: tuple[WorkerGroupId, ...]) -> Where:
    """Where a bot shall run."""
    match usage.upper():
        case "RUN_ONLY_ON_DEFAULT_DEVICE":
            return OnDefault()
        case "":
            return OnDefaultOr(groups) if groups else OnDefault()
        case "PREFER_DEFAULT_DEVICE" | "RUN_ON_POOL_DEVICES" if not groups:
            raise DeployWrong(f"{usage} needs poolIds")
        case "PREFER_DEFAULT_DEVICE":
            return OnDefaultOr(groups)
        case "RUN_ON_POOL_DEVICES":
            return OnGroups(groups)
        case _:
            raise DeployWrong(f"{usage[:100]} is no deviceUsageType")


def inputs_of(given: Any) -> Raw | None:
    """A bot's inputs as the payload of its item."""
    if given is None or given in ({}, ""):
        return None
    if not isinstance(given, Mapping):
        raise DeployWrong("botInput is an object: of each variable its value by its name")
    return Raw(msgspec.json.encode(payload_of(given)))


def priority_of(word: str) -> int:
    """How urgent it is. Raises DeployWrong."""
    if not word:
        return 0
    priority = PRIORITIES.get(word.upper())
    if priority is None:
        raise DeployWrong(f"{word[:100]} is no automationPriority")
    return priority


def callback_of(asked: CallbackInfo | None) -> Callback | None:
    """Whom to tell. Raises EndpointInvalid for what is no address."""
    if asked is None or not asked.url:
        return None
    return Callback(url=checked_endpoint(asked.url), grammar=GRAMMAR, events=ENDS, headers=asked.headers)


def default_name(bot: str, user: str, at: datetime) -> str:
    """What a deployment is called that its caller does not name."""
    return f"{bot}.{at:%Y.%m.%d.%H.%M.%S}.{user}"[:255]


def _name(run: Run) -> str:
    return "" if run.told is None else run.told.name
