"""All loops of a server, and how they are run together."""

import asyncio
from collections.abc import Callable

from controlroom.engine.access.credentials import flush_uses
from controlroom.engine.engine import Engine
from controlroom.maintenance import compactor, dispatcher, rescuer
from controlroom.maintenance.dispatcher import Dispatcher
from controlroom.maintenance.leader import lead
from controlroom.maintenance.loop import Loop, run_forever


def loops(engine: Engine) -> list[Loop]:
    """What is done again and again; those for the leader, and those for every server."""
    return [
        Loop(name="dispatcher", every=1.0, tick=lambda: dispatcher.poll(engine)),
        Loop(name="rescuer", every=2.0, tick=lambda: rescuer.rescue(engine)),
        Loop(name="compactor", every=compactor.EVERY, tick=lambda: compactor.compact(engine)),
        Loop(name="uses", every=3.0, tick=lambda: flush_uses(engine), is_for_leader=False),
    ]


async def run(engine: Engine, *, observe: Callable[[str, float, bool], None] = lambda *_: None) -> None:
    """Run everything that a server does by itself, until cancelled."""
    everything = loops(engine)
    async with asyncio.TaskGroup() as group:
        group.create_task(Dispatcher(engine).serve(), name="dispatcher")
        group.create_task(lead(engine.database, [one for one in everything if one.is_for_leader], observe=observe))
        for loop in everything:
            if not loop.is_for_leader:
                group.create_task(run_forever(loop, observe=observe), name=loop.name)
