"""Sends deliveries: webhooks, callbacks, notifications and requests to provisioners.

What it does: claims due deliveries, sends them side by side, and writes what came of them, many at a time. What fails
is due again after a growing while, and given up visibly in the end (`delivery.given_up`).
Who else may do it: every server. A claim is a lease: of several servers one gets a delivery, and nobody else touches it
before the lease is over.
When it dies half-way: what it had claimed and not recorded is due again when the lease is over, and is sent once more.
Receivers get everything at least once, and know repeats by the message's id.
What it costs: one statement for each claim and for each batch of outcomes; one look-up a second while nothing is due.

A slow or dead receiver delays nobody else's: each destination has its own few places, fewer while it fails, and a claim
takes as many of each destination as it has places free.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

import structlog

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.deliveries import store
from controlroom.engine.deliveries.model import Claimed, DeliveryKind, DeliveryState, NotSent, Outcome, Sent, Tried
from controlroom.engine.deliveries.rules import Again, GiveUp, after_failure
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.notifications import actions as notifications
from controlroom.engine.wakes import Topic, Watch
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks import patience
from controlroom.engine.webhooks.model import TEST_EVENT
from controlroom.errors import Unavailable
from controlroom.ids import DeliveryId, NotificationId, WebhookId

log = structlog.get_logger(__name__)

_Receiver = tuple[UUID, str, bytes | None]

Send = Callable[[Claimed], Awaitable[Outcome]]
"""Sends one delivery; what it raises is a bug, and counts as a failure."""

LEASE: Final = timedelta(seconds=45)
"""Longer than any attempt takes: `outgoing.SECONDS` and what recording may wait for a database that is away."""

_ROOM: Final = Room()
_AT_ONCE: Final = 192
_AT_ONE_DESTINATION: Final = 16
_AT_ONE_FAILING: Final = 2
_POLL: Final = 1.0
_REMEMBERED_FAILING: Final = 10_000
_REMEMBERED_HELD: Final = 10_000
_RECORDED: Final = 500
_KEPT: Final = 5000
_PRUNED: Final = 5000


class Deliverer:
    """The deliverer of one server."""

    def __init__(self, engine: Engine, senders: Mapping[DeliveryKind, Send]) -> None:
        self._engine = engine
        self._senders = senders
        self._under_way: Counter[str] = Counter()
        self._failing: dict[str, None] = {}
        self._held: dict[_Receiver, float] = {}
        """Until when (of the monotonic clock) nothing goes to a receiver that asked for a pause."""
        self._crowded: set[str] = set()
        self._is_full = False
        self._sending: set[asyncio.Task[None]] = set()
        self._tried: list[Tried] = []
        self._has_tried = asyncio.Event()

    async def serve(self) -> None:
        """Deliver what is due, until cancelled. What is being sent then is delivered again by whoever is there next."""
        with self._engine.wakes.watch(Topic.DELIVERIES) as watch:
            recording = asyncio.create_task(self._record_outcomes())
            try:
                while True:
                    if not await self._started(watch):
                        await watch.wait(_POLL)
            finally:
                for task in (recording, *self._sending):
                    task.cancel()
                await asyncio.gather(recording, *self._sending, return_exceptions=True)

    async def _started(self, watch: Watch) -> bool:
        """Claim what there are places for, and begin to send it; whether there was any."""
        free = _AT_ONCE - len(self._sending)
        self._is_full = free <= 0
        if self._is_full:
            return False
        known = self._under_way.keys() | self._failing.keys()
        places = {name: self._places(name) - self._under_way[name] for name in known}
        try:
            claimed = await store.claim(
                self._engine.database, _ROOM, known=places, places=_AT_ONE_DESTINATION, limit=free, lease=LEASE
            )
        except Unavailable as away:
            log.warning("deliverer cannot reach the database", reason=str(away))
            return False
        except Exception:  # the edge of a loop: it must go on
            log.exception("claiming deliveries failed")
            return False
        for delivery in await self._without_held(claimed):
            self._begin(delivery, watch)
        return bool(claimed)

    async def _without_held(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Those whose receivers have not asked for a pause; the others are given back, due at its end."""
        now = time.monotonic()
        # Cut to what is left: the last attempt is made when a delivery would be given up
        pauses = [(one, min(self._held.get(_receiver_of(one), now) - now, one.seconds_left)) for one in claimed]
        held = [(one, timedelta(seconds=pause)) for one, pause in pauses if pause > 0]
        if held:
            try:
                await store.put_back(self._engine.database, _ROOM, held)
            except Unavailable as away:  # due again when their leases are over
                log.warning("deliveries cannot be given back", deliveries=len(held), reason=str(away))
        return [one for one, pause in pauses if pause <= 0]

    def _hold(self, delivery: Claimed, pause: timedelta) -> None:
        if len(self._held) >= _REMEMBERED_HELD:
            now = time.monotonic()
            self._held = {each: until for each, until in self._held.items() if until > now}
        if len(self._held) < _REMEMBERED_HELD:
            self._held[_receiver_of(delivery)] = time.monotonic() + pause.total_seconds()

    def _begin(self, delivery: Claimed, watch: Watch) -> None:
        name = delivery.destination
        self._under_way[name] += 1
        if self._under_way[name] >= self._places(name):
            self._crowded.add(name)
        task = asyncio.create_task(self._send(delivery))
        self._sending.add(task)
        task.add_done_callback(lambda done: self._ended(done, name, watch))

    async def _send(self, delivery: Claimed) -> None:
        try:
            outcome = await self._senders[delivery.kind](delivery)
        except Exception:  # the edge of a delivery: it fails, and the others go on
            log.exception("sending failed", delivery=str(delivery.id))
            outcome = NotSent("The room could not send it; its log says why.")
        match outcome:
            case Sent():
                self._failing.pop(delivery.destination, None)
            case NotSent():
                if len(self._failing) < _REMEMBERED_FAILING:
                    self._failing[delivery.destination] = None
                if outcome.retry_after > timedelta():
                    self._hold(delivery, outcome.retry_after)
            case _:
                assert_never(outcome)
        self._tried.append(Tried(delivery, outcome))
        self._has_tried.set()

    def _ended(self, task: asyncio.Task[None], name: str, watch: Watch) -> None:
        """A place is free. Claiming waits until half of them are: claims are few and large when there is much."""
        self._sending.discard(task)
        self._under_way[name] -= 1
        if name in self._crowded and self._under_way[name] <= self._places(name) // 2:
            self._crowded.discard(name)
            watch.set()
        if self._is_full and len(self._sending) <= _AT_ONCE // 2:
            self._is_full = False
            watch.set()
        if not self._under_way[name]:
            del self._under_way[name]

    def _places(self, destination: str) -> int:
        return _AT_ONE_FAILING if destination in self._failing else _AT_ONE_DESTINATION

    async def _record_outcomes(self) -> None:
        """Write outcomes as they come: while one batch is written, the next one gathers."""
        while True:
            await self._has_tried.wait()
            self._has_tried.clear()
            tried, self._tried = self._tried[:_RECORDED], self._tried[_RECORDED:]
            if self._tried:
                self._has_tried.set()
            try:
                await record(self._engine, tried)
            except Unavailable as away:
                log.warning("outcomes cannot be recorded now", deliveries=len(tried), reason=str(away))
                self._tried += tried[: _KEPT - len(self._tried)]  # what is dropped is sent again after its lease
                await asyncio.sleep(_POLL)
                self._has_tried.set()
            except Exception:  # the edge of a loop: it must go on
                log.exception("recording outcomes failed", deliveries=len(tried))


def _receiver_of(delivery: Claimed) -> _Receiver:
    """Who gets a delivery: a subscription where it points now. A test, which somebody waits for, is one by itself."""
    subscription = delivery.message_id if delivery.event_kind == TEST_EVENT else delivery.subscription_id
    return subscription, delivery.endpoint, delivery.sealed


async def record(engine: Engine, tried: Sequence[Tried]) -> int:
    """Write what came of attempts, and tell of those that are given up; how many were still ours to write."""
    decided = [(one, *_decided(one)) for one in tried]
    async with scoped(engine.database, _ROOM) as tx:
        written = set(await store.record(tx, decided))
        given_up = [one for one, state, _ in decided if state is DeliveryState.FAILED and one.delivery.id in written]
        await append(tx, By("system"), *map(_given_up, given_up))
        await patience.note(engine, tx, [_ended(one, state) for one, state, _ in decided if _counts(one, written)])
        if given_up:
            tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
    for one, state, delay in decided:
        _log(one, state, delay)
    for one in tried:
        if one.delivery.id in written and isinstance(one.outcome, NotSent) and one.outcome.is_gone:
            await _disable(engine, one.delivery, one.outcome.error)
    return len(written)


async def _disable(engine: Engine, delivery: Claimed, answer: str) -> None:
    """Who is gone for good is told nothing more; a run's callback and a provisioner's request end by themselves."""
    match delivery.kind:
        case DeliveryKind.WEBHOOK:
            webhook = WebhookId(delivery.subscription_id)
            await webhooks.disable_gone(engine, _ROOM, webhook, endpoint=delivery.endpoint, answer=answer)
        case DeliveryKind.CHAT:
            notification = NotificationId(delivery.subscription_id)
            await notifications.disable_gone(engine, _ROOM, notification, sealed=delivery.sealed or b"", answer=answer)
        case DeliveryKind.CALLBACK | DeliveryKind.EMAIL | DeliveryKind.PROVISIONER:
            pass
        case _:
            assert_never(delivery.kind)


async def prune(engine: Engine) -> int:
    """Delete deliveries that ended longer ago than they are kept; how many."""
    kept = timedelta(days=engine.limits.delivery_days)
    return await store.prune(engine.database, _ROOM, older_than=kept, limit=_PRUNED)


def _decided(one: Tried) -> tuple[DeliveryState, timedelta]:
    match one.outcome:
        case Sent():
            return DeliveryState.DELIVERED, timedelta()
        case NotSent():
            left = timedelta(seconds=one.delivery.seconds_left)
            chance = random.random()  # noqa: S311 - jitter
            attempts, most = one.delivery.attempts, one.delivery.most_attempts
            match after_failure(one.outcome, attempts=attempts, left=left, chance=chance, most=most):
                case Again(delay):
                    return DeliveryState.PENDING, delay
                case GiveUp():
                    return DeliveryState.FAILED, timedelta()
        case _:
            assert_never(one.outcome)


def _counts(one: Tried, written: Collection[DeliveryId]) -> bool:
    """Whether how a delivery ended is counted for its webhook: a test's is not."""
    delivery = one.delivery
    is_counted = delivery.kind is DeliveryKind.WEBHOOK and delivery.most_attempts is not None
    return is_counted and delivery.event_kind != TEST_EVENT and delivery.id in written


def _ended(one: Tried, state: DeliveryState) -> patience.Ended:
    return patience.Ended(WebhookId(one.delivery.subscription_id), state)


def _given_up(one: Tried) -> Event:
    delivery = one.delivery
    return happened(
        delivery,
        "delivery.given_up",
        delivery.id,
        run_id=delivery.run_id,
        step_run_id=delivery.step_run_id,
        kind=delivery.kind.value,
        subscription_id=str(delivery.subscription_id),
        event=delivery.event_kind,
        attempts=delivery.attempts,
        error=one.outcome.error if isinstance(one.outcome, NotSent) else "",
    )


def _log(one: Tried, state: DeliveryState, delay: timedelta) -> None:
    delivery, outcome = one.delivery, one.outcome
    fields = {
        "delivery": str(delivery.id),
        "kind": delivery.kind.value,
        "about": delivery.event_kind,
        "destination": delivery.destination,
        "attempt": delivery.attempts,
        "state": state.value,
        "status": outcome.status,
    }
    match outcome:
        case Sent():
            log.info("delivery sent", **fields)
        case NotSent():
            again = delay.total_seconds() if state is DeliveryState.PENDING else None
            log.warning("delivery failed", **fields, reason=outcome.error, again_in=again)
        case _:
            assert_never(outcome)
