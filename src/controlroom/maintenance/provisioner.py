"""Asks provisioners for workers, and sees to those that were asked for.

What it does: gives each step run that is placed on demand a worker id and a one-time link token, and writes the request
to its provisioner (the deliverer sends it). When the step run has ended it has the worker stopped and unlinks it; when
no worker comes, or the provisioner refuses, it fails the step run.
Who else may do it: any server; rows are locked and skipped. The leader does.
When it dies half-way: each step is a transaction; the next tick finds what was left.
What it costs: two index probes a second while nobody waits; a transaction a second for each worker that was asked for.
"""

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.provisioners.providing import ask, look_after


async def provide(engine: Engine) -> int:
    """One pass; how many workers were asked for, or seen to."""
    return await ask(engine, Room()) + await look_after(engine, Room())
