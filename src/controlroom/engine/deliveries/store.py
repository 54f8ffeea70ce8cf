"""Statements on deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Room, Scope, ScopedTx, ensure_seen, within
from controlroom.engine.deliveries.errors import DeliveryNotFound
from controlroom.engine.deliveries.listings import DELIVERIES
from controlroom.engine.deliveries.model import (
    Claimed,
    Delivery,
    DeliveryState,
    DeliveryWithBody,
    NewDelivery,
    Outcome,
    Sent,
    Tried,
)
from controlroom.engine.deliveries.rules import GIVE_UP_AFTER
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import NEWEST_FIRST, Asked, behind, equal
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import DeliveryId, uuid7
from controlroom.postgres.database import Statements

DELIVERY: Final = Noun[DeliveryId](
    "delivery",
    DeliveryNotFound,
    "delivery",
    InWorkspace("delivery.workspace_id"),
)


# ---------------------------------------------------------------------------------------------------- writing
async def insert(tx: ScopedTx, new: Sequence[NewDelivery]) -> list[DeliveryId]:
    """Write deliveries, due at once; messages of an event that a subscription has already are left out."""
    if not new:
        return []
    return await tx.all(
        DeliveryId,
        """
        insert into delivery (id, workspace_id, kind, subscription_id, told_event_id, event_kind, process_id, run_id,
                              step_run_id, message_id, message_name, grammar, destination, endpoint, sealed,
                              sealed_headers, body, most_attempts, give_up_at)
        select made.id, workspace_id, kind, subscription_id, told_event_id, event_kind, process_id, run_id,
               step_run_id, message_id, message_name, grammar, destination, endpoint, sealed, sealed_headers, body,
               most_attempts, clock_now() + give_up_after
          from unnest(%(ids)s::uuid[], %(workspaces)s::uuid[], %(kinds)s::text[], %(subscriptions)s::uuid[],
                      %(events)s::bigint[], %(event_kinds)s::text[], %(processes)s::uuid[], %(runs)s::uuid[],
                      %(step_runs)s::uuid[], %(messages)s::uuid[], %(names)s::text[], %(grammars)s::text[],
                      %(destinations)s::text[], %(endpoints)s::text[], %(sealed)s::bytea[],
                      %(sealed_headers)s::bytea[], %(bodies)s::bytea[], %(most_attempts)s::int[],
                      %(give_up)s::interval[])
               as made (id, workspace_id, kind, subscription_id, told_event_id, event_kind, process_id, run_id,
                        step_run_id, message_id, message_name, grammar, destination, endpoint, sealed, sealed_headers,
                        body, most_attempts, give_up_after)
            on conflict (told_event_id, subscription_id, message_name) do nothing
        returning id
        """,
        ids=[uuid7() for _ in new],
        workspaces=[each.workspace_id for each in new],
        kinds=[each.kind for each in new],
        subscriptions=[each.subscription_id for each in new],
        events=[each.event_id for each in new],
        event_kinds=[each.event_kind for each in new],
        processes=[each.process_id for each in new],
        runs=[each.run_id for each in new],
        step_runs=[each.step_run_id for each in new],
        messages=[each.message_id for each in new],
        names=[each.message_name for each in new],
        grammars=[each.grammar for each in new],
        destinations=[each.destination for each in new],
        endpoints=[each.endpoint for each in new],
        sealed=[each.sealed for each in new],
        sealed_headers=[each.sealed_headers for each in new],
        bodies=[each.body for each in new],
        most_attempts=[each.most_attempts for each in new],
        give_up=[GIVE_UP_AFTER[each.kind] for each in new],
    )


async def claim(
    db: Statements, _room: Room, *, known: Mapping[str, int], places: int, limit: int, lease: timedelta
) -> list[Claimed]:
    """Take due deliveries for as long as the lease lasts: what is not recorded by then is due again.

    At most `limit` in all and `places` a destination, or what is `known` of it: a destination with many never hides
    those of others. Safe from any number of callers; each delivery goes to one of them.
    """
    return await db.all(
        Claimed,
        """
        with recursive destination as (             -- one probe for each destination, however many deliveries it has
            (select destination from delivery where state = 'pending' order by destination limit 1)
            union all
            select (select delivery.destination from delivery
                     where state = 'pending' and delivery.destination > destination.destination
                     order by delivery.destination limit 1)
              from destination where destination.destination is not null
        ), roomy as (
            select destination.destination, coalesce(known.places, %(places)s) as places
              from destination
              left join unnest(%(destinations)s::text[], %(known_places)s::int[]) as known (destination, places)
                     on known.destination = destination.destination
             where destination.destination is not null and coalesce(known.places, %(places)s) > 0
             order by random()                      -- so that under the limit everybody gets a turn
        ), picked as (
            select due.id
              from roomy
             cross join lateral (
                   select id from delivery
                    where state = 'pending' and delivery.destination = roomy.destination and due <= clock_now()
                    order by due
                    limit roomy.places
                      for update skip locked) as due
             limit %(limit)s
        )
        update delivery
           set attempts = attempts + 1, due = clock_now() + %(lease)s::interval, attempted_at = clock_now()
          from workspace
         where delivery.id in (select id from picked) and workspace.id = delivery.workspace_id
        returning delivery.id, workspace.organization_id, delivery.workspace_id, kind, subscription_id, event_kind,
                  run_id, step_run_id, message_id, grammar, destination, endpoint, sealed, sealed_headers, body,
                  attempts, most_attempts, extract(epoch from give_up_at - clock_now())::float8 as seconds_left
        """,
        destinations=list(known),
        known_places=list(known.values()),
        places=places,
        limit=limit,
        lease=lease,
    )


async def record(tx: ScopedTx, tried: Sequence[tuple[Tried, DeliveryState, timedelta]]) -> list[DeliveryId]:
    """Write what came of attempts, each with its new state and the delay until the next; those that were written.

    An attempt that was overtaken (its lease was over, or somebody ended the delivery) is left out.
    """
    outcomes = [one.outcome for one, _, _ in tried]
    return await tx.all(
        DeliveryId,
        """
        update delivery
           set state = made.state, due = clock_now() + made.delay, last_status = made.status,
               last_answer = made.answer, last_error = made.error,
               ended_at = case when made.state <> 'pending' then clock_now() end
          from unnest(%(ids)s::uuid[], %(attempts)s::int[], %(states)s::text[], %(delays)s::interval[],
                      %(statuses)s::int[], %(answers)s::text[], %(errors)s::text[])
               as made (id, attempts, state, delay, status, answer, error)
         where delivery.id = made.id and delivery.attempts = made.attempts and delivery.state = 'pending'
        returning delivery.id
        """,
        ids=[one.delivery.id for one, _, _ in tried],
        attempts=[one.delivery.attempts for one, _, _ in tried],
        states=[state for _, state, _ in tried],
        delays=[delay for _, _, delay in tried],
        statuses=[outcome.status for outcome in outcomes],
        answers=[outcome.answer for outcome in outcomes],
        errors=[_error(outcome) for outcome in outcomes],
    )


async def put_back(db: Statements, _room: Room, claimed: Sequence[tuple[Claimed, timedelta]]) -> int:
    """Give claimed deliveries back untried, due after a while each; how many were still the caller's."""
    return await db.execute(
        """
        update delivery set attempts = delivery.attempts - 1, due = clock_now() + made.delay
          from unnest(%(ids)s::uuid[], %(attempts)s::int[], %(delays)s::interval[]) as made (id, attempts, delay)
         where delivery.id = made.id and delivery.attempts = made.attempts and delivery.state = 'pending'
        """,
        ids=[one.id for one, _ in claimed],
        attempts=[one.attempts for one, _ in claimed],
        delays=[delay for _, delay in claimed],
    )


def _error(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Sent) else outcome.error


async def redirect(tx: ScopedTx, subscription: UUID, *, destination: str, endpoint: str, sealed: bytes | None) -> None:
    """What is still to be delivered for a subscription goes where it points now, signed by its secret of now."""
    await tx.execute(
        """
        update delivery set destination = %(destination)s, endpoint = %(endpoint)s, sealed = %(sealed)s
         where subscription_id = %(subscription)s and state = 'pending'
        """,
        subscription=subscription,
        destination=destination,
        endpoint=endpoint,
        sealed=sealed,
    )


async def withdraw(tx: ScopedTx, subscription: UUID, why: str) -> int:
    """Give up what is still to be delivered for a subscription; how many there were."""
    return await tx.execute(
        """
        update delivery set state = 'failed', ended_at = clock_now(), last_error = %(why)s
         where subscription_id = %(subscription)s and state = 'pending'
        """,
        subscription=subscription,
        why=why,
    )


async def renew(
    tx: ScopedTx, delivery: DeliveryWithBody, *, destination: str, endpoint: str, sealed: bytes | None
) -> None:
    """Make an ended delivery due at once, with a day of its own and attempts counted on.

    What came of the attempts before is forgotten, so that whoever looks on sees what comes of the next.
    """
    await tx.execute(
        """
        update delivery
           set state = 'pending', ended_at = null, due = clock_now(), give_up_at = clock_now() + %(time)s::interval,
               destination = %(destination)s, endpoint = %(endpoint)s, sealed = %(sealed)s,
               last_status = null, last_answer = '', last_error = ''
         where id = %(delivery)s and state <> 'pending'
        """,
        delivery=delivery.id,
        time=GIVE_UP_AFTER[delivery.kind],
        destination=destination,
        endpoint=endpoint,
        sealed=sealed,
    )


async def prune(db: Statements, _room: Room, *, older_than: timedelta, limit: int) -> int:
    """Delete deliveries that ended longer ago, `limit` at most; how many."""
    return await db.execute(
        """
        delete from delivery where id in (
            select id from delivery
             where state <> 'pending' and ended_at < clock_now() - %(age)s::interval
             order by ended_at limit %(limit)s)
        """,
        age=older_than,
        limit=limit,
    )


# ---------------------------------------------------------------------------------------------------- reading
async def now(tx: Statements) -> datetime:
    """The time, by the database's clock."""
    at: datetime = await tx.value("select clock_now()")
    return at


async def get(db: Statements, scope: Scope, delivery: DeliveryId, *, for_update: bool = False) -> DeliveryWithBody:
    """One delivery with its body; raises DeliveryNotFound."""
    lock = "for no key update" if for_update else ""
    found = await db.one_or_none(
        DeliveryWithBody,
        f"select {DELIVERIES.columns}, body from delivery where id = %(delivery)s and workspace_id = {SEEN} {lock}",
        delivery=delivery,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise DeliveryNotFound(delivery)
    return found


async def sealed_of(tx: ScopedTx, delivery: DeliveryId) -> bytes | None:
    """What a delivery's secret was when it was last sent."""
    found: bytes | None = await tx.value("select sealed from delivery where id = %(delivery)s", delivery=delivery)
    return found


async def list_of_subscription(
    tx: Statements,
    scope: Scope,
    subscription: UUID,
    *,
    state: DeliveryState | None = None,
    before: DeliveryId | None = None,
    limit: int,
) -> list[Delivery]:
    """The deliveries of a webhook, notification, provisioner or run's callback, newest first."""
    which = equal(subscription_id=subscription, state=state)
    asked = Asked(filter=which, sort=NEWEST_FIRST, start=behind(before), length=limit)
    return await pages.rows(tx, Delivery, DELIVERIES, within(scope), asked)
