"""All loops of a server, and how they are run together."""

import asyncio
from collections.abc import Awaitable, Callable

from controlroom.engine.access.credentials import flush_uses
from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.notifications.recipients import KINDS_OF_NOTIFICATIONS, of_notifications
from controlroom.engine.webhooks.recipients import KINDS_OF_CALLBACKS, KINDS_OF_WEBHOOKS, of_callbacks, of_webhooks
from controlroom.engine.work_items import deadlines
from controlroom.maintenance import (
    assistant_rescuer,
    chainer,
    compactor,
    consumer,
    deliverer,
    dispatcher,
    git_fetcher,
    item_jobs,
    provisioner,
    queue_jobs,
    rescuer,
    scheduler,
    statistician,
)
from controlroom.maintenance.deliverer import Deliverer
from controlroom.maintenance.dispatcher import Dispatcher
from controlroom.maintenance.fan_out import FanOut, Recipients
from controlroom.maintenance.leader import lead
from controlroom.maintenance.loop import Loop, keep, run_forever
from controlroom.maintenance.pruner import EVERY, SWEEP_EVERY, Pruner
from controlroom.maintenance.senders import Outside, Senders
from controlroom.maintenance.transfers import PRUNE_EVERY, Transfers
from controlroom.maintenance.transfers import prune as prune_transfers
from controlroom.maintenance.write_probe import EVERY as EVERY_WRITE
from controlroom.maintenance.write_probe import WriteProbe
from controlroom.outgoing import Guard


def loops(engine: Engine, guard: Guard, writes: WriteProbe) -> list[Loop]:
    """What is done again and again; those for the leader, and those for every server."""
    pruner, consumes = Pruner(engine), consumer.Consumer(engine)
    return [
        Loop(name="dispatcher", every=1.0, tick=lambda: dispatcher.poll(engine)),
        Loop(name="rescuer", every=2.0, tick=lambda: rescuer.rescue(engine)),
        Loop(name="assistant rescuer", every=assistant_rescuer.EVERY, tick=lambda: assistant_rescuer.rescue(engine)),
        Loop(name="git fetcher", every=git_fetcher.EVERY, tick=lambda: git_fetcher.fetch_wanted(engine, guard)),
        Loop(name="compactor", every=compactor.EVERY, tick=lambda: compactor.compact(engine)),
        Loop(name="provisioner", every=1.0, tick=lambda: provisioner.provide(engine)),
        Loop(name="delivery pruner", every=600.0, tick=lambda: deliverer.prune(engine)),
        Loop(name="chainer", every=chainer.EVERY, tick=lambda: chainer.follow(engine)),
        Loop(name="schedule watch", every=scheduler.EVERY, tick=lambda: scheduler.notice(engine)),
        Loop(name="scheduler", every=scheduler.EVERY, tick=lambda: scheduler.fire_due(engine)),
        Loop(name="deadlines", every=deadlines.EVERY, tick=lambda: deadlines.fail_overdue(engine, Room())),
        Loop(name="pruner", every=EVERY, tick=pruner.prune),
        Loop(name="sweeper", every=SWEEP_EVERY, tick=pruner.sweep),
        Loop(name="consumer", every=consumer.EVERY, tick=consumes.tick, woken=consumes.woken),
        Loop(name="statistician", every=statistician.EVERY, tick=lambda: statistician.keep_up(engine)),
        Loop(name="statistics anew", every=statistician.EVERY, tick=lambda: statistician.make_anew(engine)),
        Loop(name="queue watch", every=statistician.LOOK_EVERY, tick=lambda: statistician.look(engine)),
        Loop(name="old statistics", every=statistician.FORGET_EVERY, tick=lambda: statistician.forget(engine)),
        Loop(name="old transfers", every=PRUNE_EVERY, tick=lambda: prune_transfers(engine)),
        Loop(name="queue jobs", every=queue_jobs.EVERY, tick=lambda: queue_jobs.work(engine)),
        Loop(name="queue files", every=queue_jobs.PRUNE_EVERY, tick=lambda: queue_jobs.prune(engine)),
        Loop(name="item jobs", every=item_jobs.EVERY, tick=lambda: item_jobs.work(engine)),
        Loop(name="old item jobs", every=item_jobs.PRUNE_EVERY, tick=lambda: item_jobs.prune(engine)),
        Loop(name="failures of items", every=statistician.EVERY, tick=lambda: statistician.tell_failures(engine)),
        Loop(name="write probe", every=EVERY_WRITE, tick=writes.tick, is_for_leader=False),
        Loop(name="uses", every=3.0, tick=lambda: flush_uses(engine), is_for_leader=False),
    ]


def recipients(engine: Engine) -> list[Recipients]:
    """Who is told of events."""
    return [
        Recipients(KINDS_OF_WEBHOOKS, lambda tx, span: of_webhooks(tx, span, engine.grammars)),
        Recipients(KINDS_OF_CALLBACKS, lambda tx, span: of_callbacks(tx, span, engine.grammars)),
        Recipients(KINDS_OF_NOTIFICATIONS, lambda tx, span: of_notifications(tx, span, engine.keys)),
    ]


async def run(
    engine: Engine,
    outside: Outside,
    writes: WriteProbe,
    *,
    observe: Callable[[str, float, bool], None] = lambda *_: None,
) -> None:
    """Run everything that a server does by itself, until cancelled."""
    everything = loops(engine, outside.outgoing.guard, writes)
    for_leader = [one for one in everything if one.is_for_leader]
    services: dict[str, Callable[[], Awaitable[None]]] = {
        "dispatcher": Dispatcher(engine).serve,
        "fan-out": FanOut(engine, recipients(engine)).serve,
        "deliverer": Deliverer(engine, Senders(engine, outside).senders).serve,
        "transfers": Transfers(engine, outside.outgoing, outside.hand).serve,
        "leader": lambda: lead(engine.database, for_leader, observe=observe),
    }
    async with asyncio.TaskGroup() as group:
        for name, serve in services.items():
            group.create_task(keep(name, serve), name=name)
        for loop in everything:
            if not loop.is_for_leader:
                group.create_task(run_forever(loop, observe=observe), name=loop.name)
