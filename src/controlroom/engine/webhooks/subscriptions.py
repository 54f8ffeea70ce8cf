"""Webhooks of some processes or all of them, in a workspace or the whole organization, with a limit to their failures.

Who may write webhooks throughout the organization makes them of the organization. Who may in some workspaces makes
them of the one in which the processes are; without processes, of the only one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.places import Place, place_of
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, Of, Scope, ScopedTx, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import checked_endpoint, destination_of
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.messages import Occurrence
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.wakes import Topic
from controlroom.engine.webhooks import store
from controlroom.engine.webhooks.errors import WebhookInvalid, WebhookNotFound
from controlroom.engine.webhooks.model import TEST_EVENT, WebhookEvent
from controlroom.engine.webhooks.rules import checked_events, new_secret
from controlroom.ids import OrganizationId, ProcessId, UserId, WebhookId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

MOST_ATTEMPTS: Final = 5
MOST_FAILURES: Final = 5
_MOST_PROCESSES: Final = 1000
_DIGITS: Final = 19
"""Of the largest number there is."""


class Subscription(Struct, frozen=True, kw_only=True):
    """Such a webhook, without its secret."""

    id: WebhookId
    number: int
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    """None: the organization's."""
    name: str
    description: str
    grammar: str
    events: list[WebhookEvent]
    messages: list[str]
    processes: list[int]
    """Their numbers; none: all."""
    endpoint: str
    is_enabled: bool
    disabled_reason: str
    created_at: datetime
    updated_at: datetime
    attempted_at: datetime | None
    """When something was last sent to it."""
    last_status: int | None
    """What it answered then."""


class WantedSubscription(Struct, frozen=True, kw_only=True):
    """One as its author wants it."""

    name: str
    description: str = ""
    grammar: str
    events: tuple[WebhookEvent, ...]
    messages: tuple[str, ...]
    processes: tuple[ProcessId, ...] = ()
    endpoint: str
    is_enabled: bool = True


_ORGANIZATION: Final = """coalesce(webhook.organization_id, (
               select workspace.organization_id from workspace where workspace.id = webhook.workspace_id))"""

SUBSCRIPTIONS: Final = Listing(
    noun="webhooks",
    table="webhook",
    columns=f"""webhook.id, webhook.number, webhook.workspace_id, {_ORGANIZATION} as organization_id,
           webhook.name, webhook.description, webhook.grammar, webhook.events, webhook.messages,
           coalesce((select jsonb_agg(process.number order by process.number) from process
                      where process.id = any (webhook.process_ids) and process.deleted_at is null), '[]') as processes,
           webhook.endpoint, webhook.is_enabled, webhook.disabled_reason, webhook.created_at, webhook.updated_at,
           last.attempted_at, last.last_status""",
    joins="""left join lateral (select delivery.attempted_at, delivery.last_status from delivery
                          where delivery.subscription_id = webhook.id and delivery.attempted_at is not null
                          order by delivery.id desc limit 1) as last on true""",
    tenant=_ORGANIZATION,
    always="webhook.deleted_at is null and webhook.most_attempts is not null",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("grammar", Kind.TEXT),
        Field("workspace_id", Kind.ID, is_nullable=True),
        Field("is_enabled", Kind.TRUTH),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""All of an organization, `within` and `only` as a `Place` says."""


async def create(engine: Engine, actor: Actor, wanted: WantedSubscription) -> tuple[Subscription, str]:
    """A new one and its secret. Raises WebhookInvalid, ProcessNotFound, NotOfOrganization."""
    place = place_of(actor, Permission.WRITE_WEBHOOKS)
    _check(engine, wanted)
    webhook, secret = WebhookId(uuid7()), new_secret()
    sealed = engine.keys.seal(secret.encode(), place=store.place_of(webhook))
    created_by = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None
    async with scoped(engine.database, actor.organization_id) as tx:
        workspace = await _workspace(tx, place, wanted.processes)
        await _insert(tx, place, webhook, wanted, workspace, sealed, created_by)
        made = await _get(tx, place, webhook)
        await record(engine, tx, actor, made, "webhook.created", webhook, name=made.name)
    return made, secret


async def change(engine: Engine, actor: Actor, webhook: WebhookId, wanted: WantedSubscription) -> Subscription:
    """Have one be as it is wanted, where it is. What waits for it goes to the new address; disabled, it is given up."""
    place = place_of(actor, Permission.WRITE_WEBHOOKS)
    _check(engine, wanted)
    async with scoped(engine.database, actor.organization_id) as tx:
        before = await _get(tx, place, webhook, is_locked=True)
        seen = place.scope if before.workspace_id is None else Of(place.organization, (before.workspace_id,))
        await _ensure_there(tx, seen, wanted.processes)
        await _update(tx, webhook, wanted)
        destination = destination_of(wanted.endpoint)
        sealed = await _sealed(tx, webhook)
        await deliveries.redirect(tx, webhook, destination=destination, endpoint=wanted.endpoint, sealed=sealed)
        if not wanted.is_enabled:
            await deliveries.withdraw(tx, webhook, "The webhook was disabled.")
        await record(engine, tx, actor, before, "webhook.updated", webhook, name=wanted.name)
        tx.after_commit(lambda: engine.wakes.wake_here(Topic.DELIVERIES))
        return await _get(tx, place, webhook)


async def delete(engine: Engine, actor: Actor, webhook: WebhookId) -> Subscription:
    """Delete one, as it was, and give up what is still to be delivered for it. Raises WebhookNotFound."""
    place = place_of(actor, Permission.WRITE_WEBHOOKS)
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await _get(tx, place, webhook, is_locked=True)
        await store.delete(tx, webhook)
        await deliveries.withdraw(tx, webhook, "The webhook was deleted.")
        await record(engine, tx, actor, found, "webhook.deleted", webhook, name=found.name)
    return found


async def get(engine: Engine, actor: Actor, webhook: WebhookId) -> Subscription:
    """One of them. Raises WebhookNotFound."""
    return await _get(engine.database, place_of(actor, Permission.READ_WEBHOOKS), webhook)


async def numbered(db: Statements, place: Place, number: str) -> WebhookId:
    """The one with a number. Raises WebhookNotFound."""
    found: WebhookId | None = None
    if number.isascii() and number.isdigit() and len(number) < _DIGITS:
        found = await db.value(
            f"""
            select webhook.id from webhook
             where webhook.number = %(number)s and {SUBSCRIPTIONS.always} and {_ORGANIZATION} = %(organization)s
               and (%(is_throughout)s or webhook.workspace_id in {EACH})
            """,
            number=int(number),
            is_throughout=place.is_throughout,
            **place.scope.each,
        )
    if found is None:
        raise WebhookNotFound(number)
    return found


async def test(engine: Engine, actor: Actor, webhook: WebhookId) -> NewDelivery:
    """Send one the first message of its grammar, of a run that does not exist, also while it is disabled.

    Raises WebhookInvalid if its grammar has no test, or there is no workspace of which it could be told.
    """
    place = place_of(actor, Permission.WRITE_WEBHOOKS)
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await _get(tx, place, webhook)
        rehearsal = await _rehearsal(tx, place, found)
        grammar = engine.grammars.get(found.grammar)
        messages = [] if grammar is None or rehearsal is None else grammar.messages(rehearsal)
        if rehearsal is None or not messages:
            raise WebhookInvalid("there is nothing of which this webhook could be told")
        delivery = NewDelivery(
            workspace_id=rehearsal.workspace_id,
            kind=DeliveryKind.WEBHOOK,
            subscription_id=webhook,
            event_id=None,
            event_kind=TEST_EVENT,
            message_id=rehearsal.message_id(messages[0].name),
            message_name=messages[0].name,
            body=messages[0].body,
            grammar=found.grammar,
            destination=destination_of(found.endpoint),
            endpoint=found.endpoint,
            sealed=await _sealed(tx, webhook),
            most_attempts=1,
            process_id=rehearsal.process_id,
        )
        await deliveries.insert(tx, [delivery])
        await record(engine, tx, actor, found, TEST_EVENT, webhook, name=found.name)
        tx.after_commit(lambda: engine.wakes.wake(Topic.DELIVERIES))
    return delivery


def _check(engine: Engine, wanted: WantedSubscription) -> None:
    checked_endpoint(wanted.endpoint)
    checked_events(wanted.events)
    checked_name(wanted.name, what="webhook's name")
    checked_description(wanted.description)
    if wanted.grammar not in engine.grammars:
        raise WebhookInvalid(f"nothing is told in the grammar {wanted.grammar!r} here")
    if len(wanted.processes) > _MOST_PROCESSES:
        raise WebhookInvalid(f"a webhook is told of at most {_MOST_PROCESSES:,} processes by name")


async def _workspace(tx: ScopedTx, place: Place, processes: Sequence[ProcessId]) -> WorkspaceId | None:
    """Whose one of these processes is: None, the organization's."""
    found = await _ensure_there(tx, place.scope, processes)
    if place.is_throughout:
        return None
    among = found if processes else set(place.scope.workspaces)
    if len(among) != 1:
        raise NotOfOrganization(Permission.WRITE_WEBHOOKS.value)
    return next(iter(among))


async def _ensure_there(tx: ScopedTx, scope: Scope, processes: Sequence[ProcessId]) -> set[WorkspaceId]:
    """In which workspaces the processes are. Raises ProcessNotFound for one that is in none of the scope."""
    assert isinstance(scope, Of)  # noqa: S101 - likewise
    rows = await tx.all(
        _Located,
        f"""
        select id, workspace_id from process
         where id = any (%(processes)s::uuid[]) and workspace_id in {EACH} and deleted_at is null
        """,
        processes=list(processes),
        **scope.each,
    )
    if missing := {*processes} - {each.id for each in rows}:
        raise ProcessNotFound(missing.pop())
    return {each.workspace_id for each in rows}


class _Located(Struct, frozen=True):
    id: ProcessId
    workspace_id: WorkspaceId


async def _insert(
    tx: ScopedTx,
    place: Place,
    webhook: WebhookId,
    wanted: WantedSubscription,
    workspace: WorkspaceId | None,
    sealed: bytes,
    by: UserId | None,
) -> None:
    await tx.execute(
        """
        insert into webhook (id, organization_id, workspace_id, process_ids, name, description, grammar, messages,
                             endpoint, events, sealed, is_enabled, created_by, most_attempts, most_failures)
        values (%(webhook)s, case when %(workspace)s::uuid is null then %(organization)s::uuid end, %(workspace)s,
                %(processes)s, %(name)s, %(description)s, %(grammar)s, %(messages)s, %(endpoint)s, %(events)s,
                %(sealed)s, %(is_enabled)s, %(by)s, %(most_attempts)s, %(most_failures)s)
        """,
        webhook=webhook,
        organization=place.organization,
        workspace=workspace,
        processes=list(wanted.processes),
        name=wanted.name,
        description=wanted.description,
        grammar=wanted.grammar,
        messages=list(wanted.messages),
        endpoint=wanted.endpoint,
        events=list(wanted.events),
        sealed=sealed,
        is_enabled=wanted.is_enabled,
        by=by,
        most_attempts=MOST_ATTEMPTS,
        most_failures=MOST_FAILURES,
    )


async def _update(tx: ScopedTx, webhook: WebhookId, wanted: WantedSubscription) -> None:
    await tx.execute(
        """
        update webhook
           set process_ids = %(processes)s, name = %(name)s, description = %(description)s, messages = %(messages)s,
               endpoint = %(endpoint)s, events = %(events)s, is_enabled = %(is_enabled)s, updated_at = clock_now(),
               failures = case when %(is_enabled)s then 0 else failures end,
               disabled_reason = case when %(is_enabled)s then '' else disabled_reason end
         where id = %(webhook)s
        """,
        webhook=webhook,
        processes=list(wanted.processes),
        name=wanted.name,
        description=wanted.description,
        messages=list(wanted.messages),
        endpoint=wanted.endpoint,
        events=list(wanted.events),
        is_enabled=wanted.is_enabled,
    )


async def _get(tx: Statements, place: Place, webhook: WebhookId, *, is_locked: bool = False) -> Subscription:
    found = await tx.one_or_none(
        Subscription,
        f"""
        {SUBSCRIPTIONS.select}
         where webhook.id = %(webhook)s and {SUBSCRIPTIONS.always} and {SUBSCRIPTIONS.tenant} = %(organization)s
           and (%(is_throughout)s or webhook.workspace_id in {EACH})
         {"for no key update of webhook" if is_locked else ""}
        """,
        webhook=webhook,
        is_throughout=place.is_throughout,
        **place.scope.each,
    )
    if found is None:
        raise WebhookNotFound(webhook)
    return found


async def _sealed(tx: ScopedTx, webhook: WebhookId) -> bytes:
    sealed: bytes = await tx.value("select sealed from webhook where id = %(webhook)s", webhook=webhook)
    return sealed


async def _rehearsal(tx: ScopedTx, place: Place, webhook: Subscription) -> Occurrence | None:
    """What it is told as a test: of the first of its processes, else of its workspace, else of the oldest one."""
    return await tx.one_or_none(
        Occurrence,
        """
        select 0 as event_id, clock_now() as at, %(kind)s::text as kind, %(test)s::uuid as rehearsal,
               %(webhook)s::uuid as subscription_id, %(number)s::bigint as subscription_number,
               %(name)s::text as subscription_name,
               organization.id as organization_id, organization.number as organization_number,
               workspace.id as workspace_id, workspace.number as workspace_number, workspace.name as workspace_name,
               process.id as process_id, process.number as process_number, process.name as process_name,
               target.number as target_number, target.name as target_name, target.tool_version
          from workspace
          join organization on organization.id = workspace.organization_id
          left join process on process.workspace_id = workspace.id and process.deleted_at is null
                           and process.number = any (%(processes)s::bigint[])
          left join job on job.process_id = process.id
          left join target on target.id = job.target_id
         where workspace.organization_id = %(organization)s and workspace.deleted_at is null
           and (%(workspace)s::uuid is null or workspace.id = %(workspace)s)
         order by process.id nulls last, workspace.id
         limit 1
        """,
        kind=TEST_EVENT,
        test=uuid7(),
        webhook=webhook.id,
        number=webhook.number,
        name=webhook.name,
        processes=webhook.processes,
        organization=place.organization,
        workspace=webhook.workspace_id,
    )
