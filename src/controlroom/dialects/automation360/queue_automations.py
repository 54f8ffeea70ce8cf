"""WLM automations (§2.23): consumers of a queue, each item of which is a run of a bot.

A bot runs for its run-as users in turn, one item each at a time, on the devices of its pool. The first automation of a
queue takes the queue to the bot's folder. What is kept and has no effect: `rdpEnabled`, `runElevated`,
`handleUnexpectedPopups`, `hideBotAgentUi`, `defaultDevices`, `botInput` (the item is the bot's input).
"""

from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.columns import Columns, alike, nothing_is_zero
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.queue_automation_words import (
    Automation,
    AutomationBody,
    is_paused,
    notes_of,
    priority_of,
    show,
    version_of,
    windows_of,
)
from controlroom.dialects.automation360.queues import MANAGE, at, numbered, reach
from controlroom.dialects.automation360.routing import delete, get, post, put
from controlroom.engine.access import scope
from controlroom.engine.access.model import Actor
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import Of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import OLDEST_FIRST, Asked, equal
from controlroom.engine.lists.words import with_asides
from controlroom.engine.nouns import Ways
from controlroom.engine.processes.model import ANYWHERE, Group, Placement
from controlroom.engine.queues import actions, rights
from controlroom.engine.queues.errors import ConsumerNotFound
from controlroom.engine.queues.listings import CONSUMERS
from controlroom.engine.queues.model import Consumer, ConsumerChange, ConsumerDefinition, ListedConsumer
from controlroom.engine.queues.rights import Reached, Right
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.engine.runs.deployments import Runnable, to_run
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import UserId, WorkspaceId

_COLUMNS = Columns(
    with_asides(
        CONSUMERS,
        rdp="rdpEnabled",
        elevated="runElevated",
        popups="handleUnexpectedPopups",
        hidden="hideBotAgentUi",
    ),
    {
        "id": "number",
        "name": "name",
        "automationName": "name",
        "description": "description",
        "queueId": As("queue_number", sort=""),
        "queueName": "queue_name",
        "fileId": As("task_number", sort=""),
        "fileName": As("task_name", sort=""),
        "status": Words({"ACTIVE": equal(is_paused=False), "PAUSE": equal(is_paused=True)}, sort="is_paused"),
        "priority": As("priority", read=priority_of),
        "poolId": nothing_is_zero("group_number"),
        "zoneId": "zone",
        "botLabel": "label",
        "botVersion": "version_number",
        "rdpEnabled": As("rdp", sort=""),
        "runElevated": As("elevated", sort=""),
        "handleUnexpectedPopups": As("popups", sort=""),
        "hideBotAgentUi": As("hidden", sort=""),
        "workItemsProcessed": "runs_ended",
        "averageProcessingTime": "average_seconds",
        "totalPausedTimeInSec": alike(0),
        "startedOn": "resumed_at",
        "startedBy": nothing_is_zero("resumed_by"),
        "owner": nothing_is_zero("created_by"),
        "version": "revision",
        "tenantId": As("tenant_number", sort=""),
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by"),
        "updatedBy": nothing_is_zero("updated_by"),
    },
    order=OLDEST_FIRST,
)


# ---------------------------------------------------------------------------------------------------- routes
@post("/v3/wlm/automations", pair=MANAGE, number_codes=True)
async def create_automation(request: Asking, data: Body[AutomationBody]) -> Automation:
    """Let a bot work on the items of a queue."""
    name = data.name or data.automation_name
    needed = {
        "name": name,
        "fileId": data.file_id,
        "queueId": data.queue_id,
        "poolId": data.pool_id,
        "runAsUserIds": data.run_as_user_ids,
        "zoneId": data.zone_id,
    }
    if missing := [f"`{key}`" for key, value in needed.items() if value is UNSET or not value]:
        raise Invalid(f"missing: {', '.join(missing)}", code="INVALID_BODY")
    assert isinstance(data.file_id, int)  # noqa: S101 - it is there
    assert isinstance(data.queue_id, int)  # noqa: S101 - likewise
    bot = await _bot(request, data.file_id)
    change = await _change(request, data, Raw(b"{}"))
    given = {key: value for key, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    users = given.get("run_as", ())
    wanted = ConsumerDefinition(
        **given | {"task": bot.task, "name": name, "batch": 1, "max_runs": max(1, len(users)) if users else _ALONE}
    )

    async def add(reached: Reached) -> Consumer:
        return await actions.add_consumer(
            request.engine,
            _also(reached, bot.actor, bot.workspace),
            reached.workspace,
            reached.queue,
            wanted,
            task_in=bot.workspace,
        )

    return await _told(request, await at(request, data.queue_id, Right.MANAGE, add))


@post("/v3/wlm/automations/list", number_codes=True)
async def list_automations(request: Asking, data: Sought = None) -> Listed[Automation]:
    """List the automations of the queues that the caller sees."""
    seen = await rights.visible(request.db, request.actor)
    only = seen.filter("queue_id", "workspace_id")
    tenant = str(request.actor.organization_id)
    return await listed(
        request,
        data,
        _COLUMNS.telling(tenantUuid=tenant),
        ListedConsumer,
        lambda row: show(row, tenant),
        within=scope.within(seen.places),
        only=only,
    )


@get("/v3/wlm/automations/{automation:str}", number_codes=True)
async def get_automation(request: Asking, automation: Id) -> Automation:
    """Get an automation."""
    return show(await _found(request, automation), str(request.actor.organization_id))


@put("/v3/wlm/automations/{automation:str}", pair=MANAGE, number_codes=True)
async def update_automation(request: Asking, automation: Id, data: Body[AutomationBody]) -> Automation:
    """Change an automation, pause it or let it go on; with `version`, only if nobody has changed it since."""
    found = await _found(request, automation)
    if data.queue_id is not UNSET and data.queue_id not in {0, found.queue_number}:
        raise Invalid("an automation stays with its queue", code="INVALID_BODY")
    reached = await reach(request, found.queue_number, Right.MANAGE)
    change, asking = await _change(request, data, found.notes), request.actor
    if data.file_id is not UNSET and data.file_id and data.file_id != found.task_number:
        bot = await _bot(request, data.file_id)
        asking = bot.actor
        if bot.workspace != reached.workspace:
            raise Invalid("the bot lies in another folder than the queue", code="QUEUE_ELSEWHERE")
        change = msgspec.structs.replace(change, task=bot.task)
    if change.run_as is not UNSET:
        change = msgspec.structs.replace(change, max_runs=len(change.run_as) or _ALONE)
    revision = None if data.version is UNSET else data.version
    changed = await actions.change_consumer(
        request.engine,
        _also(reached, asking, reached.workspace),
        reached.workspace,
        reached.queue,
        found.id,
        change,
        revision=revision,
    )
    return await _told(request, changed)


@delete("/v3/wlm/automations/{automation:str}", pair=MANAGE, number_codes=True)
async def delete_automation(request: Asking, automation: Id) -> None:
    """Delete an automation; what it has begun goes on."""
    found = await _found(request, automation)
    reached = await reach(request, found.queue_number, Right.MANAGE)
    await actions.remove_consumer(request.engine, reached.actor, reached.workspace, reached.queue, found.id)


_ALONE: Final = 1
"""Runs at once where no users are named."""


# ---------------------------------------------------------------------------------------------------- finding
async def _found(request: Asking, automation: str) -> ListedConsumer:
    seen = await rights.visible(request.db, request.actor)
    only = seen.filter("queue_id", "workspace_id")
    number = equal(number=int(numbered(automation)[:18]))
    asked = Asked(filter=type(number)((*number.of, only)), length=1)
    found = await pages.rows(request.db, ListedConsumer, CONSUMERS, scope.within(seen.places), asked)
    if not found:
        raise ConsumerNotFound(automation)
    return found[0]


async def _told(request: Asking, consumer: Consumer) -> Automation:
    within = scope.within(Of(request.actor.organization_id, (consumer.workspace_id,)))
    asked = Asked(filter=equal(id=consumer.id), length=1)
    [row] = await pages.rows(request.db, ListedConsumer, CONSUMERS, within, asked)
    return show(row, str(request.actor.organization_id))


async def _bot(request: Asking, number: int) -> Runnable:
    """The bot, if the caller may run it, by a permission or by a right of a role in its folder."""
    return await to_run(request.engine, request.actor, number)


def _also(reached: Reached, actor: Actor, workspace: WorkspaceId) -> Actor:
    """Who may manage the queue, with what they may do where the bot lies."""
    both = reached.actor.permissions_in(workspace) | actor.permissions_in(workspace)
    return msgspec.structs.replace(reached.actor, grants=reached.actor.grants | {workspace: both})


# ---------------------------------------------------------------------------------------------------- reading
async def _change(request: Asking, data: AutomationBody, notes: Raw) -> ConsumerChange:
    """What is given, in the engine's words; what is the queue's and the bot's own is for the caller."""
    nowhere = Of(request.actor.organization_id, tuple(request.actor.grants))
    placement: Placement | UnsetType = UNSET
    if data.pool_id is not UNSET:
        placement = ANYWHERE
        if data.pool_id:
            group = await resolve(request.db, nowhere, WORKER_GROUP, str(data.pool_id), Ways.NUMBER)
            placement = Placement(places=(Group(group),))
    users: tuple[UserId, ...] | UnsetType = UNSET
    if data.run_as_user_ids is not UNSET:
        named = [Reference(USER, str(each), Ways.NUMBER) for each in dict.fromkeys(data.run_as_user_ids)]
        users = tuple(await resolve_all(request.db, nowhere, named))
    return ConsumerChange(
        placement=placement,
        run_as=users,
        windows=UNSET if data.schedules is UNSET else tuple(windows_of(data.schedules)),
        zone=data.zone_id or UNSET,
        priority=UNSET if data.priority is UNSET else priority_of(data.priority),
        is_paused=UNSET if data.status is UNSET else is_paused(data.status),
        name=data.name or data.automation_name or UNSET,
        description=data.description,
        label=UNSET if data.bot_label is UNSET else data.bot_label or None,
        version=UNSET if data.bot_version is UNSET else version_of(data.bot_version),
        notes=notes_of(data, notes),
    )
