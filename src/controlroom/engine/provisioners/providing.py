"""Asks for workers, and sees to those that were asked for. Everything goes by what the rows say: nothing is lost."""

from datetime import timedelta
from typing import Final, assert_never

import msgspec

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import destination_of
from controlroom.engine.deliveries.model import DeliveryKind, NewDelivery
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.provisioners import store
from controlroom.engine.provisioners.model import (
    START_EVENT,
    STOP_EVENT,
    Order,
    Provisioning,
    ProvisioningState,
    Start,
    Stop,
    Wanting,
)
from controlroom.engine.provisioners.rules import LINK_WITHIN, AskAgain, Fail, Forget, Release, Spare, Wait, next_for
from controlroom.engine.runs.unstarted import fail_unstarted
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import link_tokens
from controlroom.engine.workers import store as workers
from controlroom.engine.workers.model import LINK_TOKEN_PREFIX, TheseWorkspaces
from controlroom.ids import DeliveryId, LinkTokenId, WorkerId, uuid7
from controlroom.keys import mint
from controlroom.protocol import ErrorCode, StepRunError

_AT_ONCE: Final = 200
_TOKEN_OUTLIVES: Final = timedelta(minutes=1)
_SYSTEM: Final = By("system")


async def ask(engine: Engine, room: Room) -> int:
    """Ask for a worker for each step run that waits for one on demand; how many were asked for."""
    asked = 0
    while asked < _AT_ONCE:
        async with scoped(engine.database, room) as tx:
            wanting = await store.hold_wanting(tx)
            if wanting is None:
                break
            await _ask_for(engine, tx, wanting)
        asked += 1
    return asked


async def look_after(engine: Engine, room: Room) -> int:
    """See to every worker that was asked for and has not ended; for how many something was done."""
    done = 0
    for worker in await store.due(engine.database, room):
        async with scoped(engine.database, room) as tx:
            one = await store.hold(tx, worker)
            if one is not None and await _look_after(engine, tx, one):
                done += 1
    return done


async def _look_after(engine: Engine, tx: ScopedTx, one: Provisioning) -> bool:
    match next_for(one):
        case Wait():
            return False
        case Release():
            await _release(engine, tx, one)
        case Spare():
            await _release(engine, tx, one)
            await store.ask_anew(tx, one)
        case Forget():
            await workers.delete(tx, one.worker_id)
            await store.set_state(tx, one.worker_id, ProvisioningState.ENDED)
        case Fail(why):
            await _release(engine, tx, one)
            await _give_up(engine, tx, one, why)
        case AskAgain():
            await _release(engine, tx, one)
            await _ask_for(engine, tx, _wanting_of(one))
        case _ as other:
            assert_never(other)
    return True


async def _ask_for(engine: Engine, tx: ScopedTx, wanting: Wanting) -> None:
    if wanting.endpoint is None or wanting.sealed is None:
        why = "The provisioner that the step is placed on was deleted."
        await _give_up(engine, tx, wanting, why)
        return
    worker = WorkerId(uuid7())
    token = await _link_token(engine, tx, wanting, worker)
    order = await _send(engine, tx, wanting, Start(wanting.workspace_id, worker))
    await store.promise(tx, wanting, worker, token=token, order=order, link_within=LINK_WITHIN)
    event = happened(
        wanting,
        "step_run.worker_requested",
        wanting.provisioner_id,
        run_id=wanting.run_id,
        step_run_id=wanting.step_run_id,
        worker=str(worker),
    )
    await append(tx, _SYSTEM, event)


async def _give_up(engine: Engine, tx: ScopedTx, one: Wanting | Provisioning, why: str) -> None:
    """No worker comes: the step run waits on for those of its earlier places, or fails if it has none."""
    if not await store.drop_place(tx, one.step_run_id):
        await fail_unstarted(engine, tx, one.step_run_id, StepRunError(ErrorCode.WORKER_LOST, why))
        return
    event = happened(
        one,
        "step_run.worker_refused",
        one.provisioner_id,
        run_id=one.run_id,
        step_run_id=one.step_run_id,
        reason=why,
    )
    await append(tx, _SYSTEM, event)


async def _link_token(engine: Engine, tx: ScopedTx, wanting: Wanting, worker: WorkerId) -> LinkTokenId:
    """A one-time token for a worker with this id."""
    token, value = LinkTokenId(uuid7()), mint(LINK_TOKEN_PREFIX)
    await link_tokens.insert(
        tx,
        wanting.organization_id,
        token=token,
        group=None,
        worker=worker,
        name="on demand",
        is_reusable=False,
        expires_at=await deliveries.now(tx) + LINK_WITHIN + _TOKEN_OUTLIVES,
        lookup=engine.keys.lookup(value),
        sealed=engine.keys.seal(value.encode(), place=link_tokens.place_of(token)),
        serves=TheseWorkspaces((wanting.workspace_id,)),
    )
    return token


async def _release(engine: Engine, tx: ScopedTx, one: Provisioning) -> None:
    """Nobody needs the worker any more: its token is worth nothing, and its provisioner is asked to stop it."""
    await link_tokens.delete(tx, one.link_token_id)
    await store.set_state(tx, one.worker_id, ProvisioningState.RELEASED)
    if one.refusal is None:
        await _send(engine, tx, _wanting_of(one), Stop(one.workspace_id, one.worker_id))


async def _send(engine: Engine, tx: ScopedTx, wanting: Wanting, order: Order) -> DeliveryId:
    assert wanting.endpoint is not None  # noqa: S101  # who sends has looked
    [delivery] = await deliveries.insert(
        tx,
        [
            NewDelivery(
                workspace_id=wanting.workspace_id,
                kind=DeliveryKind.PROVISIONER,
                subscription_id=wanting.provisioner_id,
                event_id=None,
                event_kind=START_EVENT if isinstance(order, Start) else STOP_EVENT,
                message_id=order.runtime_id,
                body=msgspec.json.encode(order),
                destination=destination_of(wanting.endpoint),
                endpoint=wanting.endpoint,
                sealed=wanting.sealed,
                run_id=wanting.run_id,
                step_run_id=wanting.step_run_id,
            )
        ],
    )
    tx.after_commit(lambda: engine.wakes.wake(Topic.DELIVERIES))
    return delivery


def _wanting_of(one: Provisioning) -> Wanting:
    return Wanting(
        step_run_id=one.step_run_id,
        run_id=one.run_id,
        workspace_id=one.workspace_id,
        organization_id=one.organization_id,
        provisioner_id=one.provisioner_id,
        endpoint=one.endpoint,
        sealed=one.sealed,
    )
